"""What a training on few scores gains from, as the studies found it (docs/study.md)."""

from collections.abc import Sequence

from gada.runs.prepared import PreparedData
from gada.settings import Settings, Stage

FEW = 5  # references that train, up to which GADA was seen to gain
FEW_PHOTOS = 100  # for an evaluator of whole images; with 50 another set beside them was seen to gain


def advice(data: PreparedData, settings: Settings, stages: Sequence[Stage], started: bool) -> str:
    """Return a sentence for a training on few scores that makes no use of what helps with few; else "".

    Args:
        data: what trains.
        settings: of the run.
        stages: which stages are trained.
        started: whether an evaluator was given to start from.
    """
    if settings.whole_images:
        helped = started or data.others or settings.whole.generated_orders
        return "" if helped else few_photos(len(data.side("train")))
    count, training = len(data.split.train), settings.training
    concerned = "phase2" in stages or list(stages) == ["baseline"]
    if training.unlabelled or training.distorted or not concerned or not data.images.has_references or count > FEW:
        return ""
    trains = "reference trains" if count == 1 else "references train"
    return (
        f"{count} scored {trains}. With so few GADA gains over the baseline: with one +0.05 SROCC (95 % interval 0.02 "
        "to 0.09), with three +0.01 (0.01 to 0.02; docs/study.md). Train phases 1 to 3, and give --training.unlabelled "
        "FOLDER, of photos without scores. Images of the same distortions that you can make yourself gained 0.09 "
        "(0.06 to 0.13) with one and 0.02 (0.01 to 0.03) with three; --training.distorted FOLDER takes them."
    )


def few_photos(count: int) -> str:
    """Return a sentence for so many scored photos, trained on alone from ImageNet weights; "" for enough of them."""
    if count > FEW_PHOTOS:
        return ""
    return (
        f"{count} scored photos train, and they alone. With 50, in 80 steps, photos without scores that the bundled "
        "generator puts in order gained 0.08 SROCC (95 % interval 0.03 to 0.12), and another set of scores beside "
        "them, to which the head alone was fitted, 0.14 (0.08 to 0.21; docs/study.md). Give --whole.photos FOLDER, of "
        "undistorted photos, --whole.generator tid2013-r and --whole.generated_orders 3, or name a set in whole.sets; "
        "--from bundled starts from an evaluator that three sets trained, which was not compared."
    )

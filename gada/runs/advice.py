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
        f"{count} scored {trains}. With so few GADA gains over the baseline, with one +0.05 SROCC, with three or five "
        "+0.01 (docs/study.md): train phases 1 to 3, and give --training.unlabelled FOLDER, of photos without scores."
    )


def few_photos(count: int) -> str:
    """Return a sentence for so many scored photos, trained on alone from ImageNet weights; "" for enough of them."""
    if count > FEW_PHOTOS:
        return ""
    return (
        f"{count} scored photos train, and they alone. With 50, the scores of another set beside them gained 0.14 "
        "SROCC, and the bundled generator's images in order 0.05 (docs/study.md): name a set in whole.sets, or give "
        "--from bundled, which three sets trained; else --whole.generator tid2013-r --whole.generated_orders 3."
    )

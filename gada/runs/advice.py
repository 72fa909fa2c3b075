"""What a training on few scores gains from, as the studies found it (docs/study.md)."""

from collections.abc import Sequence

from gada.runs.prepared import PreparedData
from gada.settings import Settings, Stage

FEW = 5  # scored references up to which GADA was seen to gain


def advice(data: PreparedData, settings: Settings, stages: Sequence[Stage]) -> str:
    """Return a sentence for a training on few scored references that makes no use of photos without scores; else "".

    Args:
        data: what trains.
        settings: of the run.
        stages: which stages are trained.
    """
    scored = len(data.split.train) + len(data.split.validation)
    training = settings.training
    augmented = "phase2" in stages and (training.unlabelled or training.distorted)
    if settings.whole_images or not data.images.has_references or scored > FEW or augmented:
        return ""
    trains = "reference trains" if scored == 1 else "references train"
    return (
        f"{scored} scored {trains}. With so few GADA gains over the baseline, with one +0.05 SROCC, with five +0.01 "
        "(docs/study.md): train phases 1 to 3, and give --training.unlabelled FOLDER, of photos without scores."
    )

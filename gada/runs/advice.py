"""What a training on few scores gains from, as the studies found it (docs/study.md)."""

from collections.abc import Sequence

from gada.runs.prepared import PreparedData
from gada.settings import Settings, Stage

FEW = 5  # references that train, up to which GADA was seen to gain


def advice(data: PreparedData, settings: Settings, stages: Sequence[Stage]) -> str:
    """Return a sentence for a training on few references that makes no use of photos without scores; else "".

    Args:
        data: what trains.
        settings: of the run.
        stages: which stages are trained.
    """
    count, training = len(data.split.train), settings.training
    concerned = "phase2" in stages or list(stages) == ["baseline"]
    if training.unlabelled or training.distorted or not concerned or not data.images.has_references or count > FEW:
        return ""
    trains = "reference trains" if count == 1 else "references train"
    return (
        f"{count} scored {trains}. With so few GADA gains over the baseline, with one +0.05 SROCC, with five +0.01 "
        "(docs/study.md): train phases 1 to 3, and give --training.unlabelled FOLDER, of photos without scores."
    )

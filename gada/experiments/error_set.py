"""D': distorted images and the error that a classifier makes on each (Cheraaqee, 2022, section 3.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gada.data.cache import PackedImages
from gada.data.distorted import DistortedImages, Step, steps_of
from gada.data.labelled import load_labelled
from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.data.splits import Split, split_by_reference
from gada.errors import ConfigError
from gada.experiments.outcomes import Outcome, OutcomeFiles, check_classes
from gada.experiments.sweep import Progress
from gada.reports.ladders import NONE
from gada.scoring.classifiers import Classifier, load_classifier
from gada.settings import MetrifierSettings

EXPECTED_ERROR = Scale("expected error", 0.0, 1.0, higher_is_better=False)
ErrorKind = Literal["confidence", "decision"]


@dataclass(frozen=True)
class ErrorSet:
    """D' as arrays: source images by steps."""

    classifier: Classifier
    distorted: DistortedImages
    steps: list[Step]
    outcomes: list[Outcome]
    """One for each step."""
    kind: ErrorKind
    split: Split

    @property
    def classes(self) -> tuple[str, ...]:
        """The distortion classes: the families, and none."""
        return tuple(dict.fromkeys(step.family or NONE for step in self.steps))

    def of(self, name: str) -> NDArray[np.float64]:
        """Return one array of the outcomes for each source and step, (N, T)."""
        return np.stack([getattr(outcome, name) for outcome in self.outcomes], axis=1).astype(np.float64)

    @property
    def errors(self) -> NDArray[np.float64]:
        """The classifier's error on each image, (N, T) in [0, 1]."""
        return 1 - self.of("confidence") if self.kind == "confidence" else (self.of("rank") > 0).astype(np.float64)

    def side(self, name: str) -> NDArray[np.int64]:
        """Return the source images of one side of the split, as indices."""
        chosen = set(getattr(self.split, name))
        return np.array([i for i, image in enumerate(self.distorted.images.names) if image in chosen], dtype=np.int64)

    def scored(self, sources: Sequence[int] | NDArray[np.int64]) -> ScoredSet:
        """Return D' of some source images in the form that the evaluator's training takes."""
        names, errors, records = self.distorted.images.names, self.errors, []
        for at, step in enumerate(self.steps):
            for i in sources:
                error = float(np.clip(errors[i, at], 0.0, 1.0))
                image, kind = path_of(step, names[i]), step.family or NONE
                records.append(ScoredImage(image, None, names[i], kind, 1 - error, error, float(step.level)))
        title = f"{self.distorted.images.title}, errors of {self.classifier.name}"
        return ScoredSet(title, self.distorted.folder, tuple(records), EXPECTED_ERROR, True, self.classes)

    def packed(self) -> "PackedSteps":
        """Return the images behind `scored`."""
        return PackedSteps(self.distorted, self.steps)


def path_of(step: Step, name: str) -> Path:
    """Return what an image of D' is called."""
    return Path(step.family or NONE, str(step.level), name)


class PackedSteps(PackedImages):
    """The images of all steps, mapped from the sweep's files and found by the names of `path_of`."""

    def __init__(self, distorted: DistortedImages, steps: Sequence[Step]) -> None:
        size = distorted.view.size
        self.arrays = [distorted.array(step) for step in steps]
        self.places = {
            path_of(step, name): (at, i)
            for at, step in enumerate(steps)
            for i, name in enumerate(distorted.images.names)
        }
        super().__init__(distorted.folder, distorted.folder.name, dict.fromkeys(self.places, (0, size, size)))

    def array(self, path: Path) -> NDArray[np.uint8]:
        """Return an image, (H, W, 3) uint8."""
        step, index = self.places[path]
        image: NDArray[np.uint8] = self.arrays[step][index]
        return image


def build_error_set(
    settings: MetrifierSettings, folder: Path, device: str = "auto", jobs: int | None = None
) -> ErrorSet:
    """Ask the classifier about every source image at every step; what an earlier run has asked is not asked again.

    Raises:
        ConfigError: if the settings do not fit, or the folder holds outcomes of other ones.
        DataError: if images cannot be used or an output is not finite.
    """
    steps = steps_of(settings.distortions)
    classifier = load_classifier(settings.classifier, settings.input, device)
    side = classifier.input.view.size
    if settings.crop_size and settings.crop_size > side:
        raise ConfigError(
            f"crop_size is {settings.crop_size} but the classifier sees {side} x {side} pixels; choose at most {side}."
        )
    images = load_labelled(settings.images, classifier.classes)
    distorted = DistortedImages(images, classifier.input.view, settings.distorted, settings.seed)
    distorted.refuse_failed()
    check_classes(classifier, distorted)
    identity = {**images.identity, "distorted": settings.distorted, "seed": settings.seed}
    kept = OutcomeFiles(folder / "outcomes" / classifier.name, {**classifier.identity, **identity})
    with Progress(len(steps) * len(distorted.images)) as advance:
        outcomes = [kept.outcome(classifier, distorted, step, advance) for step in distorted.made(steps, jobs)]
    shares = settings.split
    split = split_by_reference(distorted.images.names, shares.seed, shares.number, shares.test, shares.validation)
    return ErrorSet(classifier, distorted, steps, outcomes, settings.error, split)

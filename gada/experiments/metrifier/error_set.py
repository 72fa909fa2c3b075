"""D': distorted images and the error of a classifier on each (Cheraaqee, 2022, section 3.1)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.data.cache import PackedImages
from gada.data.distorted import DistortedImages, Step, steps_of
from gada.data.labelled import load_labelled
from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.data.splits import Split, split_by_reference
from gada.errors import ConfigError
from gada.experiments.robustness.outcomes import Outcome, OutcomeFiles, load_loss
from gada.experiments.robustness.sweep import Progress
from gada.reports.ladders import NONE
from gada.scoring.classifier_sources import load_classifier
from gada.scoring.classifiers import Classifier, common_classes
from gada.settings import MetrifierSettings

EXPECTED_ERROR = Scale("expected error", 0.0, 1.0, higher_is_better=False)


@dataclass(frozen=True)
class ErrorSet:
    """D' as arrays: source images by steps."""

    classifiers: list[Classifier]
    distorted: DistortedImages
    """In the view of the first classifier, which is the metrifier's too."""
    steps: list[Step]
    outcomes: list[list[Outcome]]
    """One for each classifier and step."""
    kind: str
    """`confidence`, `decision` or the function of the user's own."""
    split: Split

    @property
    def name(self) -> str:
        """The classifiers' names."""
        return ", ".join(one.name for one in self.classifiers)

    @property
    def classes(self) -> tuple[str, ...]:
        """The distortion classes: the families, and none."""
        return tuple(dict.fromkeys(step.family or NONE for step in self.steps))

    @property
    def has_softmax(self) -> bool:
        """Whether the classifiers' own confidence is known."""
        return self.kind in ("confidence", "decision")

    def of(self, name: str) -> NDArray[np.float64]:
        """Return one array of the outcomes for each source and step, (N, T), the mean over the classifiers."""
        return self._mean(lambda outcome: getattr(outcome, name))

    @property
    def wrong(self) -> NDArray[np.float64]:
        """1 where the decision is wrong and 0 where it is right, (N, T), mean over the classifiers.

        For an error of the user's own there are no decisions; it is that error.
        """
        return self._mean(lambda outcome: outcome.rank > 0) if self.has_softmax else self.errors

    @property
    def errors(self) -> NDArray[np.float64]:
        """The error on each image, (N, T) in [0, 1], mean over the classifiers."""
        return self.wrong if self.kind == "decision" else 1 - self.of("confidence")

    def _mean(self, part: Callable[[Outcome], NDArray[Any]]) -> NDArray[np.float64]:
        tables = [np.stack([part(outcome) for outcome in along], axis=1) for along in self.outcomes]
        return np.asarray(np.mean(tables, axis=0, dtype=np.float64))

    def sources(self, name: str) -> NDArray[np.int64]:
        """Return the indices of the source images for `train`, `validation` or `test`."""
        chosen = set(getattr(self.split, name))
        return np.array([i for i, image in enumerate(self.distorted.images.names) if image in chosen], dtype=np.int64)

    def scored(self, sources: Sequence[int] | NDArray[np.int64]) -> ScoredSet:
        """Return D' of some source images in the form that the evaluator's training takes."""
        names, errors = self.distorted.images.names, self.errors.clip(0, 1)
        records = [
            ScoredImage(
                image=path_of(step, names[i]),
                reference=None,
                reference_id=names[i],
                distortion=step.family or NONE,
                quality=1 - float(errors[i, at]),
                score=float(errors[i, at]),
                level=float(step.level),
            )
            for at, step in enumerate(self.steps)
            for i in sources
        ]
        title = f"{self.distorted.images.title}, errors of {self.name}"
        return ScoredSet(title, self.distorted.folder, tuple(records), EXPECTED_ERROR, True, self.classes)


def path_of(step: Step, name: str) -> Path:
    """Return the name of an image of D'."""
    return Path(step.family or NONE, str(step.level), name)


class PackedSteps(PackedImages):
    """The images of all steps, mapped from the sweep's files and found by the names of `path_of`.

    Each step is an array of its own, so that offsets count bytes through all of them, one after the other.
    """

    def __init__(self, distorted: DistortedImages, steps: Sequence[Step]) -> None:
        size, names = distorted.view.size, distorted.images.names
        self.arrays = [distorted.array(step) for step in steps]
        images = [path_of(step, name) for step in steps for name in names]
        entries = {image: (3 * size * size * place, size, size) for place, image in enumerate(images)}
        self.places = {image: divmod(place, len(names)) for place, image in enumerate(images)}
        super().__init__(distorted.folder, distorted.folder.name, entries)

    def array(self, path: Path) -> NDArray[np.uint8]:
        """Return an image, (H, W, 3) uint8."""
        step, index = self.places[path]
        image: NDArray[np.uint8] = self.arrays[step][index]
        return image

    def parts(self) -> list[NDArray[np.uint8]]:
        """Return the bytes of each step."""
        return [array.reshape(-1) for array in self.arrays]


def build_error_set(
    settings: MetrifierSettings, folder: Path, device: str = "auto", jobs: int | None = None
) -> ErrorSet:
    """Let every classifier predict every source image at every step; the outcomes of an earlier run are read again.

    Raises:
        ConfigError: if the settings do not fit, or the folder holds outcomes of other ones.
        DataError: if images cannot be used or an output is not finite.
    """
    steps = steps_of(settings.distortions)
    loss = None if settings.error in ("confidence", "decision") else load_loss(settings.error)
    classifiers = [load_classifier(one, settings.input, device) for one in settings.classifiers]
    names = [one.name for one in classifiers]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"two classifiers are called {twice!r}; name one of them, as in first={twice}.")
    side = classifiers[0].input.view.size
    if settings.crop_size and settings.crop_size > side:
        raise ConfigError(
            f"crop_size is {settings.crop_size} but the classifier sees {side} x {side} pixels; choose at most {side}."
        )
    images = load_labelled(settings.images, common_classes(classifiers))
    views = {
        one.input.view: DistortedImages(images, one.input.view, settings.distorted, settings.seed, complete=True)
        for one in classifiers
    }
    outcomes = []
    with Progress(len(steps) * len(images) * len(classifiers)) as advance:
        for one in classifiers:
            distorted = views[one.input.view]
            kept = OutcomeFiles(folder / "outcomes" / one.name, one, distorted, loss)
            outcomes.append([kept.outcome(step, advance) for step in distorted.made(steps, jobs)])
    chosen = settings.split
    split = split_by_reference(images.names, chosen.seed, chosen.number, chosen.test, chosen.validation)
    return ErrorSet(classifiers, views[classifiers[0].input.view], steps, outcomes, settings.error, split)

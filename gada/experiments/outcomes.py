"""What a classifier makes of labelled images at each step of a ladder: judged once, kept in one file a step."""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.data.distorted import CLEAN, DistortedImages, Step
from gada.errors import ConfigError, DataError
from gada.io.files import atomic_path, write_json
from gada.io.records import Row
from gada.metrics.classification import binomial_interval, expected_calibration_error
from gada.scoring.classifiers import Classifier


@dataclass(frozen=True)
class Outcome:
    """What a classifier makes of the images of one step; each array is (N,)."""

    confidence: NDArray[np.float64]
    """Probability of the true class (Dodge and Karam, Figure 3)."""
    rank: NDArray[np.int64]
    """How many other classes are as probable as the true one or more; 0 is a right answer."""
    largest: NDArray[np.float64]
    """Probability of the predicted class."""
    entropy: NDArray[np.float64]
    """Of the class probabilities, in nats."""

    def row(self) -> Row:
        """Return accuracy with its binomial interval, mean confidence and calibration error."""
        n = len(self.rank)
        row: Row = {"n": n}
        for top in (1, 5):
            right = int((self.rank < top).sum())
            low, high = binomial_interval(right, n)
            row |= {f"top{top}": right / n, f"top{top}_low": low, f"top{top}_high": high}
        calibration = expected_calibration_error(self.largest, self.rank == 0)
        return {**row, "confidence": float(self.confidence.mean()), "ece": calibration}


def outcome_of(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> Outcome:
    """Return the outcome of class probabilities (N, K) for true classes (N,)."""
    confidence = probabilities[np.arange(len(labels)), labels]
    rank = (probabilities >= confidence[:, None]).sum(axis=1) - 1
    logarithm = np.log(np.maximum(probabilities, 1e-300))
    return Outcome(confidence, rank, probabilities.max(axis=1), -(probabilities * logarithm).sum(axis=1))


def judge(
    classifier: Classifier, distorted: DistortedImages, step: Step, advance: Callable[[int], None] = lambda _: None
) -> Outcome:
    """Return the outcome of one step; `advance` is told how many images are done.

    Raises:
        DataError: if an output is not finite.
    """
    images, labels, batch = distorted.array(step), distorted.images.labels, batch_size(classifier)
    parts = []
    for start in range(0, len(images), batch):
        pixels = np.array(images[start : start + batch])
        try:
            probabilities = classifier.probabilities(pixels)
        except DataError as error:
            raise DataError(f"{step}, images {start + 1} to {start + len(pixels)}: {error}.") from error
        parts.append(outcome_of(probabilities, labels[start : start + batch]))
        advance(len(pixels))
    return Outcome(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Outcome)))


def batch_size(classifier: Classifier) -> int:
    """Return how many images a network sees at once."""
    return max(1, classifier.at_once // classifier.input.view.size**2)


def check_classes(classifier: Classifier, distorted: DistortedImages) -> None:
    """Refuse labels that are not the classes of the network.

    Raises:
        ConfigError: if their number differs.
        DataError: if the network's output is wrong.
    """
    images = distorted.images
    gives = classifier.probabilities(np.array(distorted.array(CLEAN)[:1])).shape[1]
    if images.classes not in (0, gives):
        raise ConfigError(
            f"{classifier.name} knows {gives} classes, but the labels of {images.title} have {images.classes}; name "
            "the file that lists the network's classes in order with --images.classes."
        )
    if images.labels.max() >= gives:
        worst = int(images.labels.argmax())
        raise ConfigError(
            f"{classifier.name} knows {gives} classes, 0 to {gives - 1}, but {images.names[worst]} has the label "
            f"{images.labels[worst]}."
        )


class OutcomeFiles:
    """The outcomes of one classifier on one set, in a folder.

    Args:
        folder: one for each classifier.
        identity: what makes outcomes comparable: classifier, images, labels, seed.

    Raises:
        ConfigError: if the folder holds outcomes of another identity.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self.folder, note = folder, folder / "identity.json"
        if note.is_file():
            before = json.loads(note.read_text(encoding="utf-8"))
            different = [key for key in identity if before.get(key) != identity[key]]
            if different:
                key = different[0]
                raise ConfigError(
                    f"{folder} holds outcomes with {key} {before.get(key)}, not {identity[key]}; choose another --run, "
                    "give the network another name (NAME=...), or delete the folder."
                )
        else:
            write_json(note, identity)

    def file(self, step: Step) -> Path:
        """Return the file of a step."""
        return self.folder / (f"{step.family.replace('/', '-')}-{step.level}.npz" if step.family else "undistorted.npz")

    def outcome(
        self, classifier: Classifier, distorted: DistortedImages, step: Step, advance: Callable[[int], None]
    ) -> Outcome:
        """Return the outcome of a step: the kept one, or judged now and kept; `advance` is told of its images."""
        outcome = self.read(step)
        if outcome is None:
            outcome = judge(classifier, distorted, step, advance)
            self.write(step, outcome)
        else:
            advance(len(outcome.rank))
        return outcome

    def read(self, step: Step) -> Outcome | None:
        """Return the outcome of a step, None if it was not judged yet."""
        if not self.file(step).is_file():
            return None
        with np.load(self.file(step), allow_pickle=False) as arrays:
            return Outcome(**{one.name: arrays[one.name] for one in fields(Outcome)})

    def write(self, step: Step, outcome: Outcome) -> None:
        """Keep the outcome of a step."""
        with atomic_path(self.file(step)) as temporary:
            np.savez(temporary, **vars(outcome))

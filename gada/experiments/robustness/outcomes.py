"""What a classifier makes of labelled images: predicted once, kept in one file for each step of a ladder."""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from gada.data.distorted import CLEAN, DistortedImages, Step
from gada.errors import ConfigError, DataError
from gada.io.files import atomic_path, write_json
from gada.io.records import Row
from gada.metrics.classification import binomial_interval, expected_calibration_error
from gada.scoring.classifiers import Classifier

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """A classifier's outputs for labelled images; each array is (N,)."""

    confidence: NDArray[np.float64]
    """Probability of the true class (Dodge and Karam, Figure 3)."""
    rank: NDArray[np.int64]
    """Number of other classes that are as probable as the true one or more; 0 is a correct prediction, -1 unknown."""
    largest: NDArray[np.float64]
    """Probability of the predicted class."""
    entropy: NDArray[np.float64]
    """Of the class probabilities, in nats."""

    @property
    def ece(self) -> float:
        """The expected calibration error."""
        return expected_calibration_error(self.largest, self.rank == 0)

    def row(self) -> Row:
        """Return accuracy with its binomial interval, mean confidence and calibration error."""
        n = len(self.rank)
        row: Row = {"n": n}
        for top in (1, 5):
            correct = int((self.rank < top).sum())
            low, high = binomial_interval(correct, n)
            row |= {f"top{top}": correct / n, f"top{top}_low": low, f"top{top}_high": high}
        return {**row, "confidence": float(self.confidence.mean()), "ece": self.ece}


def outcome_of(probabilities: NDArray[np.float64], labels: Labels) -> Outcome:
    """Return the outcome of class probabilities (N, K) for true classes (N,)."""
    confidence = probabilities[np.arange(len(labels)), labels]
    rank = (probabilities >= confidence[:, None]).sum(axis=1) - 1
    return Outcome(confidence, rank, probabilities.max(axis=1), entr(probabilities).sum(axis=1))


@dataclass(frozen=True)
class Loss:
    """A user's own error, for a task that is not classification."""

    name: str
    """As the user named it, `package.module:function`."""
    function: Callable[[NDArray[np.float64], Labels], Any]
    """Takes outputs (N, ...) and labels (N,)."""

    def outcome(self, outputs: NDArray[np.float64], labels: Labels) -> Outcome:
        """Return the outcome of some outputs; there is no softmax in it.

        Raises:
            DataError: if the function fails, or gives something else than one number in [0, 1] for each image.
        """
        try:
            errors = np.asarray(self.function(outputs, labels), dtype=np.float64)
        except Exception as error:  # whatever the user's function raises
            raise DataError(f"{self.name} fails on the output ({type(error).__name__}: {error})") from error
        if errors.shape != (len(labels),) or not ((errors >= 0) & (errors <= 1)).all():
            raise DataError(f"{self.name} must give one number in [0, 1] for each of {len(labels)} images")
        none = np.full(len(labels), np.nan)
        return Outcome(1 - errors, np.full(len(labels), -1), none, none)


def load_loss(name: str) -> Loss:
    """Return the loss of a function.

    Raises:
        ConfigError: if there is no such function.
    """
    module, _, function = name.partition(":")
    try:
        return Loss(name, getattr(import_module(module), function))
    except Exception as error:  # whatever the user's module raises
        why = f"{type(error).__name__}: {error}"
        raise ConfigError(f"the error {name!r} cannot be imported ({why}); give package.module:function.") from error


def predict(
    classifier: Classifier,
    images: Pixels,
    labels: Labels,
    advance: Callable[[int], None] = lambda _: None,
    loss: Loss | None = None,
) -> Outcome:
    """Return the outcome of images (N, S, S, 3), batch by batch; `advance` gets the number of images of each.

    Raises:
        DataError: if an output is not finite.
    """
    parts = []
    for part in classifier.batches(images):
        try:
            pixels = np.array(images[part])
            if loss:
                parts.append(loss.outcome(classifier.outputs(pixels), labels[part]))
            else:
                parts.append(outcome_of(classifier.probabilities(pixels), labels[part]))
        except DataError as error:
            why = str(error).rstrip(".")
            raise DataError(f"images {part.start + 1} to {part.stop}: {why}.") from error
        advance(part.stop - part.start)
    return Outcome(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Outcome)))


def check_classes(classifier: Classifier, distorted: DistortedImages) -> None:
    """Raise ConfigError if labels are not the classes of the network.

    Raises:
        DataError: if the network's output is wrong.
    """
    images = distorted.images
    classes = classifier.probabilities(np.array(distorted.array(CLEAN)[:1])).shape[1]
    if images.classes not in (0, classes):
        raise ConfigError(
            f"{classifier.name} has {classes} classes, but the labels of {images.title} have {images.classes}; name "
            "the file that lists the network's classes in order with --images.classes."
        )
    if images.labels.max() >= classes:
        worst = int(images.labels.argmax())
        raise ConfigError(
            f"{classifier.name} has {classes} classes, 0 to {classes - 1}, but {images.names[worst]} has the label "
            f"{images.labels[worst]}."
        )


class OutcomeFiles:
    """The outcomes of one classifier on one set of distorted images, in a folder.

    Args:
        folder: one for each classifier.
        classifier: the classifier.
        distorted: the images.
        loss: of a task that is not classification.

    Raises:
        ConfigError: if the labels are not the classifier's, or the folder holds outcomes of other images.
        DataError: if the network's output is wrong.
    """

    def __init__(
        self, folder: Path, classifier: Classifier, distorted: DistortedImages, loss: Loss | None = None
    ) -> None:
        if loss is None:
            check_classes(classifier, distorted)
        self.folder, self.classifier, self.distorted, self.loss = folder, classifier, distorted, loss
        self._check_identity({**classifier.identity, **distorted.identity, **({"error": loss.name} if loss else {})})

    def _check_identity(self, identity: dict[str, Any]) -> None:
        note = self.folder / "identity.json"
        if not note.is_file():
            write_json(note, identity)
            return
        before = json.loads(note.read_text(encoding="utf-8"))
        for key in identity:
            if before.get(key) != identity[key]:
                raise ConfigError(
                    f"{self.folder} holds outcomes with {key} {before.get(key)}, not {identity[key]}; choose another "
                    "--run, give the network another name (NAME=...), or delete the folder."
                )

    def file(self, step: Step) -> Path:
        """Return the file of a step."""
        return self.folder / (f"{step.family.replace('/', '-')}-{step.level}.npz" if step.family else "undistorted.npz")

    def outcome(self, step: Step, advance: Callable[[int], None] = lambda _: None) -> Outcome:
        """Return the outcome of a step, read or predicted now; `advance` gets the number of images done.

        Raises:
            DataError: if an output is not finite.
        """
        if not self.file(step).is_file():
            try:
                images, labels = self.distorted.array(step), self.distorted.images.labels
                outcome = predict(self.classifier, images, labels, advance, self.loss)
            except DataError as error:
                raise DataError(f"{step}, {error}") from error
            with atomic_path(self.file(step)) as temporary:
                np.savez(temporary, **vars(outcome))
            return outcome
        with np.load(self.file(step), allow_pickle=False) as arrays:
            outcome = Outcome(**{one.name: arrays[one.name] for one in fields(Outcome)})
        advance(len(outcome.rank))
        return outcome

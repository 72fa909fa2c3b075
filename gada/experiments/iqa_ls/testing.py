"""The ten test sets of IQA-LS, and what a classifier makes of them (Chen et al., 2017, section 4.3)."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.data.cache import default_folder
from gada.data.distorted import CLEAN, DistortedImages, Step, View, steps_of
from gada.data.mixtures import ALL_THREE, STRATEGIES, Strategy
from gada.errors import ConfigError
from gada.experiments.iqa_ls.images import load_images, resize_of
from gada.experiments.robustness.outcomes import outcome_of
from gada.io.records import Row, machine
from gada.metrics.classification import best_temperature, calibration_bins, expected_calibration_error, with_temperature
from gada.reports.iqa_ls import PRISTINE
from gada.scoring.classifiers import Classifier
from gada.settings import ClassifierSettings, ClassifyDataSettings, as_plain
from gada.training.classifier import settings_of

OF_THE_SCHEDULE = ("schedule", "momentum", "average", "lr", "batch_size")  # in a row where they are not the defaults
OF_A_GENERATOR = ("generator", "generated_classes", "target_qualities")
Labels = NDArray[np.int64]
Floats = NDArray[np.float64]


class TestSets:
    """The pristine test images and the distorted ones: three distortions at three levels.

    Args:
        data: settings of the images.
        complete: whether all images must be usable.
    """

    __test__ = False  # not a test case, whatever its name

    def __init__(self, data: ClassifyDataSettings, complete: bool = False) -> None:
        images = load_images(data, "test")
        view, folder = View(data.size, resize_of(images, data.size)), default_folder() / "classify"
        self.distorted = DistortedImages(images, view, seed=data.seed, folder=folder, complete=complete)
        self.title, self.names, self.digest = images.title, images.class_names, images.fingerprint[:12]
        self.steps = steps_of(ALL_THREE)

    @property
    def labels(self) -> NDArray[np.int64]:
        """True classes, (N,)."""
        return self.distorted.images.labels

    def labels_for(self, classifier: Classifier) -> NDArray[np.int64]:
        """Return the true classes by a classifier's indices, (N,).

        Raises:
            ConfigError: if it does not know one.
        """
        known = {name: index for index, name in enumerate(classifier.classes)}
        for label in np.unique(self.labels):
            if self.names[label] not in known:
                raise ConfigError(
                    f"the classifier {classifier.card['name']} does not know the class {self.names[label]!r} of "
                    f"{self.title}; give test images of {', '.join(known)}."
                )
        return np.array([known.get(name, -1) for name in self.names], np.int64)[self.labels]

    def rows(self, classifier: Classifier) -> list[Row]:
        """Return a result row for each test set, then one for the first image of each class.

        Raises:
            ConfigError: if the classifier does not know a class of the images.
        """
        labels = self.labels_for(classifier)
        origin = {**origin_of(classifier.card), "dataset": self.title, "test": self.digest}
        found = {set_name(step): probabilities_of(classifier, self.distorted.array(step)) for step in self.steps}
        scaled = after_scaling(found, labels, STRATEGIES[classifier.card["strategy"]])
        of_sets = [{**origin, "set": name, **figures(one, labels), **scaled[name]} for name, one in found.items()]
        return of_sets + [
            {
                **origin,
                "n": len(labels),
                "sample": self.distorted.images.names[image],
                "class": self.names[self.labels[image]],
                "predicted": [classifier.classes[one[image].argmax()] for one in found.values()],
                "confidences": [round(float(one[image, labels[image]]), 4) for one in found.values()],
            }
            for image in self.samples()
        ]

    def samples(self) -> list[int]:
        """Return the places of the first image of each class."""
        return [int(np.flatnonzero(self.labels == label)[0]) for label in np.unique(self.labels)]

    def versions(self, name: str) -> list[NDArray[np.uint8]]:
        """Return an image in the ten versions, (S, S, 3) each."""
        place = self.distorted.images.names.index(name)
        return [np.array(self.distorted.array(step)[place]) for step in self.steps]


def probabilities_of(classifier: Classifier, pixels: NDArray[np.uint8]) -> Floats:
    """Return class probabilities (N, K) of images (N, S, S, 3)."""
    return np.concatenate([classifier.probabilities(np.array(pixels[part])) for part in classifier.batches(pixels)])


def set_name(step: Step) -> str:
    """Return the name of a test set: `pristine`, `blur 1`."""
    return PRISTINE if step == CLEAN else f"{step.family.split('/')[1]} {step.level}"


def figures(probabilities: Floats, labels: Labels) -> Row:
    """Return the metrics of a test set.

    Args:
        probabilities: (N, K).
        labels: true classes, (N,).

    Returns:
        "n"; "accuracy"; "ece", the calibration error; "confidence", the mean of the predicted class, and
        "true_confidence", that of the true class; "bins", see `calibration_bins`; "correct", a bit for each image in
        base64, from which differences get their interval.
    """
    outcome = outcome_of(probabilities, labels)
    correct = outcome.rank == 0
    found = {
        "accuracy": correct.mean(),
        "ece": outcome.ece,
        "confidence": outcome.largest.mean(),
        "true_confidence": outcome.confidence.mean(),
    }
    return {
        "n": len(correct),
        **{name: round(float(value), 6) for name, value in found.items()},
        "bins": calibration_bins(outcome.largest, correct),
        "correct": b64encode(np.packbits(correct).tobytes()).decode(),
    }


def after_scaling(found: Mapping[str, Floats], labels: Labels, strategy: Strategy) -> dict[str, Row]:
    """Return the calibration error of each test set after temperature scaling (Guo et al., 2017), and the temperature.

    Every image is scaled by what was fitted on the other half of the test images, which no training saw: in the
    versions that the strategy trains on, as validation images would be.

    Args:
        found: class probabilities (N, K) by test set.
        labels: true classes, (N,).
        strategy: of the classifier.
    """
    known = [set_name(step) for step in (steps_of(strategy.families) if strategy.families else [CLEAN])]
    halves = [np.arange(len(labels)) % 2 == half for half in (0, 1)]
    temperatures = [
        best_temperature(np.concatenate([found[name][half] for name in known]), np.tile(labels[half], len(known)))
        for half in halves
    ]
    each = np.where(halves[1], *temperatures)  # the odd images by the temperature of the even ones
    rows = {}
    for name, probabilities in found.items():
        scaled = with_temperature(probabilities, each[:, None])
        error = expected_calibration_error(scaled.max(axis=1), scaled.argmax(axis=1) == labels)
        rows[name] = {"ece_scaled": round(error, 6), "temperature": round(float(np.mean(temperatures)), 4)}
    return rows


def origin_of(card: Mapping[str, Any]) -> Row:
    """Return where a result row comes from."""
    settings, strategy = settings_of(card), STRATEGIES[card["strategy"]]
    row = {"strategy": strategy.name, "title": strategy.title, "labels": card["labels"], "seed": card["seed"]}
    row |= {name: card[name] for name in ("dataset", "train_images")}
    row |= {name: settings[name] for name in ("network", "epochs", "loss", "quality", "transform", "precision")}
    plain = as_plain(ClassifierSettings())
    row |= {name: settings[name] for name in OF_THE_SCHEDULE if settings.get(name, plain[name]) != plain[name]}
    if strategy.generated:
        row |= {name: settings[name] for name in OF_A_GENERATOR}
    if strategy.labels == "smoothing":
        row["smoothing"] = settings["smoothing"]
    return {**row, "train_seconds": round(card["train_seconds"], 1), "machine": machine(), "commit": card["commit"]}

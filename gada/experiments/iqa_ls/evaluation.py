"""Trained classifiers on pristine and distorted test images, on CIFAR-10-C, and on single images (Figure 4)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.data.cache import default_folder
from gada.data.cifar10 import CLASSES
from gada.data.cifar10c import CORRUPTIONS, read_corruption
from gada.data.distorted import CLEAN, DistortedImages, Step, View, steps_of
from gada.data.mixtures import ALL_THREE, BLUR, STRATEGIES
from gada.errors import ConfigError, DataError
from gada.experiments.iqa_ls.images import load_images, resize_of
from gada.experiments.robustness.outcomes import Outcome, predict
from gada.io.files import write_bytes
from gada.io.records import Row, check_single, machine
from gada.reports.contact_sheet import png_of
from gada.reports.iqa_ls import LABELS, PRISTINE
from gada.reports.iqa_ls_figures import figure_4
from gada.scoring.classifier_sources import load_trained
from gada.scoring.classifiers import Classifier
from gada.scoring.torch_backend import choose_device
from gada.settings import ClassifyDataSettings, TestDataSettings, as_plain, from_plain
from gada.training.classifier import FINISHED, settings_of

OF_A_GENERATOR = ("generator", "generated_classes", "target_qualities")
OF_A_STRATEGY = ("quality", "transform", "smoothing", *OF_A_GENERATOR)  # what all its seeds have in common
ALL_SEEDS = ("dataset", "train_images", "n", "network", "epochs", "loss", "precision")  # as captions say of all rows


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
        """Return a result row for each test set.

        Raises:
            ConfigError: if the classifier does not know a class of the images.
        """
        origin, labels = {**origin_of(classifier.card), "dataset": self.title}, self.labels_for(classifier)
        outcomes = [(step, predict(classifier, self.distorted.array(step), labels)) for step in self.steps]
        return [{**origin, "set": set_name(step), "test": self.digest, **figures(one)} for step, one in outcomes]


def set_name(step: Step) -> str:
    """Return the name of a test set: `pristine`, `blur 1`."""
    return PRISTINE if step == CLEAN else f"{step.family.split('/')[1]} {step.level}"


def figures(outcome: Outcome) -> Row:
    """Return the metrics of a test set.

    Returns:
        "n"; "accuracy"; "ece", the calibration error; "confidence", the mean of the predicted class, and
        "true_confidence", that of the true class.
    """
    found = {
        "accuracy": (outcome.rank == 0).mean(),
        "ece": outcome.ece,
        "confidence": outcome.largest.mean(),
        "true_confidence": outcome.confidence.mean(),
    }
    return {"n": len(outcome.rank), **{name: round(float(value), 6) for name, value in found.items()}}


def origin_of(card: Mapping[str, Any]) -> Row:
    """Return where a result row comes from."""
    settings, strategy = settings_of(card), STRATEGIES[card["strategy"]]
    row = {"strategy": strategy.name, "title": strategy.title, "labels": card["labels"], "seed": card["seed"]}
    row |= {name: card[name] for name in ("dataset", "train_images")}
    row |= {name: settings[name] for name in ("network", "epochs", "loss", "quality", "transform", "precision")}
    if strategy.generated:
        row |= {name: settings[name] for name in OF_A_GENERATOR}
    if strategy.labels == "smoothing":
        row["smoothing"] = settings["smoothing"]
    return {**row, "train_seconds": round(card["train_seconds"], 1), "machine": machine(), "commit": card["commit"]}


def check_alike(rows: Sequence[Row]) -> None:
    """Raise ConfigError if one table cannot hold result rows: of several data sets or ways of training, or duplicates.

    The seeds of one strategy have the same labels and generator.
    """
    check_single(rows, ALL_SEEDS, ("strategy", "seed", "set", "sample"))
    for strategy in dict.fromkeys(row["strategy"] for row in rows):
        own = [{name: str(row.get(name)) for name in OF_A_STRATEGY} for row in rows if row["strategy"] == strategy]
        check_single(own, OF_A_STRATEGY, ())


def load_all(paths: Sequence[Path], network: str, device: str) -> list[Classifier]:
    """Return the classifiers in some files and folders.

    Raises:
        DataError: if a folder holds none.
    """
    files: list[Path] = []
    for path in paths:
        below = sorted(path.rglob(FINISHED)) if path.is_dir() else [path]
        if not below:
            raise DataError(f"{path} holds no {FINISHED}; train one with `gada classify fit`.")
        files += below
    return [load_trained(file, network, choose_device(device)) for file in files]


def data_of(card: Mapping[str, Any], given: TestDataSettings) -> ClassifyDataSettings:
    """Return the test images of a classifier's own run, but for what is given."""
    names, settings = [one.name for one in fields(ClassifyDataSettings)], settings_of(card)
    own = {name: settings[f"data.{name}"] for name in names if f"data.{name}" in settings}
    own |= {name: value for name, value in as_plain(given).items() if value is not None}
    return replace(from_plain(ClassifyDataSettings, own), size=int(card["size"]), per_class=None)


def evaluate_classifiers(
    paths: Sequence[Path],
    data: TestDataSettings,
    network: str,
    device: str = "auto",
    corruptions: Path | None = None,
) -> list[Row]:
    """Test trained classifiers again, on the ten test sets or on CIFAR-10-C.

    Args:
        paths: checkpoints, or folders that hold some.
        data: test images that take the place of the run's own.
        network: the function that makes their networks.
        device: where to run them.
        corruptions: folder of CIFAR-10-C, which takes the place of the test sets.

    Raises:
        ConfigError: if a classifier does not know a class of the images.
        DataError: if a folder holds no classifier.
    """
    loaded = load_all(paths, network, device)
    if corruptions is None:
        chosen = [data_of(one.card, data) for one in loaded]
        tests = {settings: TestSets(settings) for settings in chosen}
        return [row for one, settings in zip(loaded, chosen, strict=True) for row in tests[settings].rows(one)]
    for one in loaded:
        if one.classes != CLASSES:
            raise ConfigError(
                f"the classifier {one.card['name']} has other classes than CIFAR-10-C; give one of CIFAR-10."
            )
    return [row for name in CORRUPTIONS for row in corruption_rows(corruptions, name, loaded)]


def corruption_rows(folder: Path, name: str, classifiers: Sequence[Classifier]) -> Iterator[Row]:
    """Yield the rows of one of CIFAR-10-C's corruptions, a row for each severity and classifier."""
    for severity, (pixels, labels) in enumerate(read_corruption(folder, name), start=1):
        for one in classifiers:
            which = {"dataset": "CIFAR-10-C", "set": f"{name} {severity}", "corruption": name}
            yield {**origin_of(one.card), **which, **figures(predict(one, pixels, labels))}


def evaluate_samples(
    paths: Sequence[Path],
    data: TestDataSettings,
    network: str,
    count: int,
    device: str = "auto",
    figure: Path | None = None,
) -> list[Row]:
    """Return each classifier's confidence in the true class of single test images at levels 0 to 3 of the blur.

    Args:
        paths: classifiers, or folders that hold some.
        data: test images that take the place of the first run's own.
        network: the function that makes the networks.
        count: number of images: the first of each class, class after class.
        device: where to run the classifiers.
        figure: PNG file for the images with their confidences.

    Returns:
        A row for each image and classifier.
    """
    loaded = load_all(paths, network, device)
    sizes = sorted({one.card["size"] for one in loaded})
    if len(sizes) > 1:
        raise ConfigError(
            f"the classifiers take images of {sizes[0]} and of {sizes[1]} pixels; give those of one size."
        )
    tests = TestSets(data_of(loaded[0].card, data))
    chosen, kind = first_of_each_class(tests.labels, count), BLUR.split("/")[1]
    levels = [np.array(tests.distorted.array(step)[chosen]) for step in steps_of([BLUR])]
    confidences = {}
    for one in loaded:
        true, card = tests.labels_for(one)[chosen], one.card
        name = f"strategy {card['strategy']} ({LABELS[card['labels']]}), seed {card['seed']}"
        confidences[name] = np.stack([predict(one, pixels, true).confidence for pixels in levels], axis=1)
    rows = []
    for place, image in enumerate(chosen):
        where = {"sample": tests.distorted.images.names[image], "class": tests.names[tests.labels[image]]}
        for one, values in zip(loaded, confidences.values(), strict=True):
            own = {"n": len(tests.labels), "distortion": kind, "confidences": values[place].round(4).tolist()}
            rows.append({**origin_of(one.card), **where, **own})
    if figure:
        images = [[pixels[place] for pixels in levels] for place in range(len(chosen))]
        captions = [
            {name: values[place].tolist() for name, values in confidences.items()} for place in range(len(chosen))
        ]
        write_bytes(figure, png_of(figure_4(images, captions, kind)))
    return rows


def first_of_each_class(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the first image of each class, then the second of each, up to `count`."""
    rank = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        rank[labels == label] = np.arange((labels == label).sum())
    return np.lexsort((labels, rank))[:count]

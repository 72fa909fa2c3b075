"""IQA-LS: classifiers trained by every strategy, and judged on pristine and distorted test images."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.data.cache import default_folder
from gada.data.cifar10 import CLASSES
from gada.data.cifar10c import CORRUPTIONS, read_corruption
from gada.data.distorted import CLEAN, DistortedImages, Step, View, steps_of
from gada.data.labelled import LabelledImages
from gada.data.mixtures import ALL_THREE, LEVELS, STRATEGIES, Mixture, Strategy
from gada.errors import ConfigError, DataError
from gada.experiments.versions import Versions, class_names, generator_of, load_images, resize_of
from gada.io.checkpoints import find_checkpoint
from gada.io.files import sha256_of
from gada.io.records import RESULTS, Row, check_single, commit, machine, read_rows, write_rows
from gada.losses.label_distribution import check_transform
from gada.metrics.classification import expected_calibration_error
from gada.models.classifier import TABLE_1, Card, Classifier, load_classifier
from gada.scoring.torch_backend import choose_device
from gada.settings import ClassifierSettings, ClassifyDataSettings, as_plain, check_seed
from gada.training.classifier import FINISHED, check_training, predict, train_classifier

PRISTINE = "pristine"
OF_THE_GENERATOR = ("generator", "generated_classes", "asked")
OF_A_STRATEGY = ("quality", "transform", "smoothing", *OF_THE_GENERATOR)  # what all its seeds have in common


def check_strategies(names: Sequence[str]) -> list[Strategy]:
    """Return the strategies of some names.

    Raises:
        ConfigError: if one is unknown.
    """
    for name in names:
        if name not in STRATEGIES:
            raise ConfigError(f"strategy {name!r} is unknown; known are {', '.join(STRATEGIES)}.")
    return [STRATEGIES[name] for name in names]


def fit_strategies(
    names: Sequence[str],
    seeds: Sequence[int],
    run: Path,
    data: ClassifyDataSettings,
    training: ClassifierSettings,
    device: str = "auto",
) -> list[Row]:
    """Train each strategy with each seed and judge it; what an earlier call has done is not done again.

    Args:
        names: strategies, of `STRATEGIES`.
        seeds: seeds of weights and of what is drawn.
        run: folder that receives a folder for each training, and `results.jsonl`.
        data: the images.
        training: how to train.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        The result rows of the run.

    Raises:
        ConfigError: if the run holds one of the trainings with other settings.
    """
    strategies, device = check_strategies(names), choose_device(device)
    if not strategies or not seeds:
        raise ConfigError("strategies and seeds are empty, or one of them is; name one of each or more.")
    for seed in seeds:
        check_seed(seed)
    if training.network == TABLE_1 and data.size != 32:
        raise ConfigError(
            f"data.size is {data.size}, but the paper's network sees 32 x 32 pixels; give 32, or a --training.network."
        )
    images = load_images(data, "train")
    chosen = [(strategy, seed) for seed in seeds for strategy in strategies]
    classes = class_names(data)
    check_labels(strategies, training, len(classes))
    cards = {(one, seed): training_card(one, seed, data, training, images, classes) for one, seed in chosen}
    for (strategy, seed), card in cards.items():
        check_training(folder_of(run, strategy, seed), card)
    versions = Versions(images, data.size, training, data.seed)
    tests = TestSets(load_images(data, "test"), data)
    versions.distorted.refuse_failed()
    tests.distorted.refuse_failed()
    for (strategy, seed), card in cards.items():
        folder = folder_of(run, strategy, seed)
        if not (folder / FINISHED).is_file():
            forget_rows(run, strategy, seed)
            mixture = Mixture(versions.of(strategy), versions.labels, training.shares, seed)
            transform = training.transform if strategy.labels == "iqa-ls" else "identity"
            train_classifier(mixture, len(classes), training, folder, card, seed, transform, device)
        if not is_judged(run, strategy, seed, tests):
            keep_rows(run, tests.rows(*load_classifier(folder / FINISHED, training.network), device))
    return read_rows(run / RESULTS)


def check_labels(strategies: Sequence[Strategy], training: ClassifierSettings, classes: int) -> None:
    """Refuse a T or shares that cannot be, before a training."""
    if any(one.labels == "iqa-ls" for one in strategies):
        check_transform(training.transform, classes)
    if len(training.shares) > 1 + LEVELS and any(one.families or one.generated for one in strategies):
        raise ConfigError(
            f"training.shares names {len(training.shares)} levels, but there are {1 + LEVELS}, 0 to {LEVELS}."
        )


def folder_of(run: Path, strategy: Strategy, seed: int) -> Path:
    """Return the folder of a training."""
    return run / f"strategy-{strategy.name}" / f"seed-{seed}"


def training_card(
    strategy: Strategy,
    seed: int,
    data: ClassifyDataSettings,
    training: ClassifierSettings,
    images: LabelledImages,
    classes: list[str],
) -> dict[str, Any]:
    """Return what a classifier's checkpoint says of itself."""
    settings = as_plain(training)
    if strategy.generated:
        settings["generator"] = sha256_of(generator_of(training)[0])[:12]
    else:
        settings = {name: value for name, value in settings.items() if name not in OF_THE_GENERATOR}
    if strategy.judged or training.quality == "evaluator":
        settings["evaluator"] = sha256_of(find_checkpoint(training.evaluator, "evaluator"))[:12]
    of_data = {f"data.{name}": value for name, value in as_plain(data).items()}
    of_data |= {"data.images": images.fingerprint[:12], "data.classes": classes}
    return {
        "name": f"strategy {strategy.name}, seed {seed}",
        "strategy": strategy.name,
        "labels": strategy.labels,
        "seed": seed,
        "network": training.network,
        "size": data.size,
        "resize": resize_of(images, data.size),
        "classes": classes,
        "dataset": images.title,
        "train_images": len(images),
        "settings": {**of_data, **settings, "seed": seed, "strategy": strategy.name, "data_seed": data.seed},
        "commit": commit(),
    }


class TestSets:
    """The pristine test images and the distorted ones: three distortions at three levels.

    Args:
        images: the test images.
        data: their settings.
    """

    __test__ = False  # no test case, whatever its name

    def __init__(self, images: LabelledImages, data: ClassifyDataSettings) -> None:
        view = View(data.size, resize_of(images, data.size))
        folder = default_folder() / "classify"
        self.distorted = DistortedImages(images, view, seed=data.seed, folder=folder)
        self.title = images.title
        self.names = class_names(data)
        self.digest = images.fingerprint[:12]

    @property
    def labels(self) -> NDArray[np.int64]:
        """True classes, (N,)."""
        return self.distorted.images.labels

    def each(self) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        """Yield the name and the images of each test set."""
        for step in steps_of(ALL_THREE):
            yield set_name(step), self.distorted.array(step)

    def labels_for(self, card: Card) -> NDArray[np.int64]:
        """Return the true classes as a classifier counts them, (N,).

        Raises:
            ConfigError: if it does not know one.
        """
        known = {name: place for place, name in enumerate(card["classes"])}
        for label in np.unique(self.labels):
            if self.names[label] not in known:
                raise ConfigError(
                    f"the classifier {card['name']} does not know the class {self.names[label]!r} of {self.title}; "
                    f"give test images of {', '.join(known)}."
                )
        return np.array([known.get(name, -1) for name in self.names], np.int64)[self.labels]

    def rows(self, classifier: Classifier, card: Card, device: str) -> list[Row]:
        """Return a result row for each test set.

        Args:
            classifier: a trained one, for images of this size.
            card: its card.
            device: where to run it.

        Raises:
            ConfigError: if it does not know a class of the images.
        """
        origin, labels = {**origin_of(card), "dataset": self.title}, self.labels_for(card)
        return [
            {**origin, "set": name, "test": self.digest, **judged(predict(classifier, pixels, device), labels)}
            for name, pixels in self.each()
        ]


def set_name(step: Step) -> str:
    """Return the name of a test set: `pristine`, `blur 1`."""
    return PRISTINE if step == CLEAN else f"{step.family.split('/')[1]} {step.level}"


def origin_of(card: Card) -> Row:
    """Return what a result row says of where it comes from."""
    settings = card["settings"]
    title = STRATEGIES[card["strategy"]].title if card["strategy"] in STRATEGIES else card["strategy"]
    row = {"strategy": card["strategy"], "title": title, "labels": card["labels"], "seed": card["seed"]}
    row |= {name: card[name] for name in ("dataset", "train_images")}
    row |= {name: settings[name] for name in ("network", "epochs", "loss", "quality", "transform", "precision")}
    if "generated" in title:
        row |= {name: settings[name] for name in OF_THE_GENERATOR}
    if card["labels"] == "smoothing":
        row["smoothing"] = settings["smoothing"]
    return {**row, "train_seconds": round(card["train_seconds"], 1), "machine": machine(), "commit": card["commit"]}


def judged(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> Row:
    """Return the figures of a test set.

    Args:
        probabilities: (N, K).
        labels: true classes, (N,).

    Returns:
        "n"; "accuracy"; "ece", the calibration error; "confidence", the mean of the predicted class, and
        "true_confidence", that of the true class.
    """
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = predicted == labels
    true = probabilities[np.arange(len(labels)), labels]
    figures = {
        "accuracy": right.mean(),
        "ece": expected_calibration_error(confidence, right),
        "confidence": confidence.mean(),
        "true_confidence": true.mean(),
    }
    return {"n": len(labels), **{name: round(float(value), 6) for name, value in figures.items()}}


def is_judged(run: Path, strategy: Strategy, seed: int, tests: TestSets) -> bool:
    """Return whether the run has the rows of a training on these test sets."""
    rows = [row for row in read_rows(run / RESULTS) if (row["strategy"], row["seed"]) == (strategy.name, seed)]
    return len(rows) == len(steps_of(ALL_THREE)) and all(
        row["n"] == len(tests.labels) and row.get("test", tests.digest) == tests.digest for row in rows
    )


def forget_rows(run: Path, strategy: Strategy, seed: int) -> None:
    """Drop the rows of a training that begins anew, because its folder was deleted."""
    rows = read_rows(run / RESULTS)
    kept = [row for row in rows if (row["strategy"], row["seed"]) != (strategy.name, seed)]
    if len(kept) < len(rows):
        write_rows(run / RESULTS, kept)


def keep_rows(run: Path, rows: Sequence[Row]) -> None:
    """Add rows to the run's results in place of those of the same strategy, seed and test set."""
    new = {(row["strategy"], row["seed"], row["set"]) for row in rows}
    kept = [row for row in read_rows(run / RESULTS) if (row["strategy"], row["seed"], row["set"]) not in new]
    write_rows(run / RESULTS, [*kept, *rows])


def check_alike(rows: Sequence[Row]) -> None:
    """Refuse result rows that one table cannot hold: of several data sets or ways of training, or given twice.

    Raises:
        ConfigError: if they are; also if the seeds of one strategy have different labels or generators.
    """
    alike = ("dataset", "train_images", "n", "network", "epochs", "loss", "precision")  # as the caption says of all
    check_single(rows, alike, ("strategy", "seed", "set", "sample"))
    for strategy in dict.fromkeys(row["strategy"] for row in rows):
        own = [{name: str(row.get(name)) for name in OF_A_STRATEGY} for row in rows if row["strategy"] == strategy]
        check_single(own, OF_A_STRATEGY, ())


def evaluate_classifiers(
    paths: Sequence[Path],
    data: ClassifyDataSettings,
    network: str,
    device: str = "auto",
    corruptions: Path | None = None,
) -> list[Row]:
    """Judge trained classifiers again, on the ten test sets or on CIFAR-10-C.

    Args:
        paths: checkpoints, or folders that hold some.
        data: the test images.
        network: what made their networks.
        device: where to run them.
        corruptions: folder of CIFAR-10-C, which takes the place of the test sets.

    Raises:
        ConfigError: if a classifier does not know a class of the images.
        DataError: if a folder holds no classifier.
    """
    device = choose_device(device)
    loaded = [load_classifier(file, network) for file in found(paths)]
    if corruptions is None:
        images = load_images(data, "test")
        tests = {size: TestSets(images, replace(data, size=size)) for size in {card["size"] for _, card in loaded}}
        return [row for classifier, card in loaded for row in tests[card["size"]].rows(classifier, card, device)]
    for _, card in loaded:
        if card["classes"] != list(CLASSES):
            raise ConfigError(
                f"the classifier {card['name']} knows other classes than CIFAR-10-C has; give one of CIFAR-10."
            )
    return [row for name in CORRUPTIONS for row in corruption_rows(corruptions, name, loaded, device)]


def corruption_rows(
    folder: Path, name: str, classifiers: Sequence[tuple[Classifier, Card]], device: str
) -> Iterator[Row]:
    """Yield the rows of one of CIFAR-10-C's corruptions, a row for each severity and classifier."""
    for severity, (pixels, labels) in enumerate(read_corruption(folder, name), start=1):
        for classifier, card in classifiers:
            figures = judged(predict(classifier, pixels, device), labels)
            yield {**origin_of(card), "dataset": "CIFAR-10-C", "set": f"{name} {severity}", **figures}


def found(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the classifiers' checkpoints.

    Raises:
        DataError: if a folder holds none.
    """
    for path in paths:
        below = sorted(path.rglob(FINISHED)) if path.is_dir() else [path]
        if not below:
            raise DataError(f"{path} holds no {FINISHED}; train one with `gada classify fit`.")
        yield from below

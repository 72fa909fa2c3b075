"""Trained classifiers again: on the ten test sets, or on CIFAR-10-C."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from gada.data.cifar10 import CLASSES
from gada.data.cifar10c import CORRUPTIONS, read_corruption
from gada.errors import ConfigError, DataError
from gada.experiments.iqa_ls.testing import (
    OF_A_GENERATOR,
    OF_THE_SCHEDULE,
    TestSets,
    figures,
    origin_of,
    probabilities_of,
)
from gada.io.records import Row, check_single
from gada.scoring.classifier_sources import load_trained
from gada.scoring.classifiers import Classifier
from gada.scoring.torch_backend import choose_device
from gada.settings import ClassifyDataSettings, TestDataSettings, as_plain, from_plain
from gada.training.classifier import FINISHED, settings_of

OF_A_STRATEGY = ("quality", "transform", "smoothing", *OF_A_GENERATOR)  # what all its seeds have in common
ALL_SEEDS = ("dataset", "train_images", "n", "network", "epochs", "loss", "precision", *OF_THE_SCHEDULE)  # of all rows


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
            yield {**origin_of(one.card), **which, **figures(probabilities_of(one, pixels), labels)}

"""Learning from what a metrifier leaves: training images with the worst predicted error discarded (Cheraaqee, 2022).

Section 1 wants f(I) to tell how well a network learns from I, so that "misinformative image samples" can be discarded.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.data.distorted import CLEAN, Step, View, steps_of
from gada.data.labelled import LabelledImages
from gada.data.mixtures import Mixture, Version
from gada.data.proxy import noise_seed
from gada.data.splits import SIDES, Split
from gada.distortions import distort
from gada.errors import ConfigError, DataError
from gada.experiments.iqa_ls.images import load_images, resize_of
from gada.experiments.robustness.outcomes import predict
from gada.io.files import write_text
from gada.io.records import RESULTS, Row, commit, environment, machine, read_results, write_rows
from gada.reports.layout import render
from gada.reports.learning import ALL_KEPT, RANDOM, TESTS, WORST, learning_table
from gada.reports.markdown import replace_block
from gada.reports.page import Section, page
from gada.scoring.classifier_sources import load_trained
from gada.scoring.metrifier import load_metrifier
from gada.scoring.torch_backend import choose_device
from gada.settings import ClassifierSettings, ClassifyDataSettings, as_plain
from gada.training.classifier import FINISHED, train_classifier
from gada.training.loggers import Mode, run_loggers

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


def learn(
    folder: Path,
    model: Path,
    distortions: Sequence[str],
    flawed: float,
    discarded: float,
    seeds: Sequence[int],
    data: ClassifyDataSettings,
    training: ClassifierSettings,
    device: str = "auto",
    wandb: Mode = "auto",
) -> list[Row]:
    """Train classifiers on flawed images: on all, without the worst-predicted, and without as many drawn at random.

    Writes `results.jsonl` and `report.html`. A stopped run is resumed.

    Args:
        folder: the run directory.
        model: run directory of a metrifier; its own images are left out of the test.
        distortions: what the flawed images suffer, each one a random level of these.
        flawed: fraction of training and test images that are distorted.
        discarded: fraction of the training images that is left out.
        seeds: of the trainings, and of what is drawn at random.
        data: training and test images.
        training: of the classifier.
        device: where to run networks.
        wandb: whether and how to log to Weights & Biases.

    Raises:
        ConfigError: if settings do not fit, or the folder holds other trainings.
        DataError: if images are missing or no metrifier is there.
    """
    if not (0 < discarded < 1 and 0 <= flawed <= 1):
        raise ConfigError(f"discarded is {discarded:g} and flawed {flawed:g}; both are fractions, discarded above 0.")
    metrifier, device = load_metrifier(model, device), choose_device(device)
    train, test = load_images(data, "train"), load_images(data, "test")
    unseen = [place for place, name in enumerate(test.names) if name not in seen_by(model)]
    if not unseen:
        raise DataError(f"{model} was trained on every test image of {test.title}; give other images with --data.root.")
    test = test.select(unseen)
    steps = [step for step in steps_of(distortions) if step != CLEAN]
    pixels, hurt = with_flaws(train, data, steps, flawed)
    tests = {name: with_flaws(test, data, steps, part)[0] for name, part in zip(TESTS, (0.0, flawed), strict=True)}
    predicted = np.array([1 - one.quality for one in metrifier.score_all(iter(pixels))])
    origin = {"metrifier": metrifier.card.name, "dataset": train.title, "images": len(train), "n": len(test)}
    origin |= {"flawed_fraction": flawed, "discarded": discarded, "epochs": training.epochs}
    settings = {**as_plain(training), **origin, "model": metrifier.digest, "data": train.fingerprint}
    settings |= {"distortions": list(distortions), "data.seed": data.seed, "data.size": data.size}
    origin |= {"machine": machine(), "commit": commit()}
    rows: list[Row] = []
    done = [
        (folder / arm.replace(" ", "-") / f"seed-{seed}" / FINISHED).is_file() for seed, arm in product(seeds, ARMS)
    ]
    with run_loggers(folder, wandb, settings, finished=all(done)) as loggers:
        for seed, (arm, kept) in product(seeds, ARMS.items()):
            chosen = kept(predicted, discarded, seed)
            card = card_of(train, data, {**settings, "arm": arm, "seed": seed})
            version = Version("", 0, pixels[chosen], np.ones(len(chosen), np.float32))
            mixture = Mixture([version], train.labels[chosen], (1.0,), seed, training.batch_size)
            place = folder / arm.replace(" ", "-") / f"seed-{seed}"
            path = train_classifier(mixture, train.classes, training, place, card, seed, device=device, loggers=loggers)
            trained = load_trained(path, training.network, device)
            right = {name: predict(trained, images, test.labels).rank == 0 for name, images in tests.items()}
            row = {"arm": arm, "seed": seed, "kept": len(chosen), "kept_flawed": float(hurt[chosen].mean())}
            rows.append({**row, **{name: float(values.mean()) for name, values in right.items()}, **origin})
            write_rows(folder / RESULTS, rows)
        for logger in loggers:
            logger.log_rows("results", rows)
    sections = [Section("Results", tables=[learning_table(rows)]), Section("Environment", listing=environment())]
    summary = ["Is it worth while to discard the training images on which a classifier is predicted to err most?"]
    write_text(folder / "report.html", page("Learning from what a metrifier leaves", summary, sections))
    return rows


def without_worst(predicted: NDArray[np.float64], discarded: float, _: int) -> Labels:
    """Return the indices of the images that are left when those of greatest predicted error are discarded."""
    return np.sort(np.argsort(predicted, kind="stable")[: count_kept(predicted, discarded)])


def without_any(predicted: NDArray[np.float64], discarded: float, seed: int) -> Labels:
    """Return the indices of as many images drawn at random."""
    return np.sort(
        np.random.default_rng([seed, len(predicted)]).permutation(len(predicted))[: count_kept(predicted, discarded)]
    )


def count_kept(predicted: NDArray[np.float64], discarded: float) -> int:
    """Return how many images are left."""
    return len(predicted) - round(discarded * len(predicted))


ARMS: dict[str, Callable[[NDArray[np.float64], float, int], Labels]] = {
    ALL_KEPT: lambda predicted, *_: np.arange(len(predicted)),
    WORST: without_worst,
    RANDOM: without_any,
}
"""What each way to choose keeps, as indices in the images' own order."""


def with_flaws(
    images: LabelledImages, data: ClassifyDataSettings, steps: Sequence[Step], fraction: float
) -> tuple[Pixels, NDArray[np.bool_]]:
    """Return images of which a fraction is distorted, each by one step, (N, S, S, 3), and which they are, (N,)."""
    view, random = View(data.size, resize_of(images, data.size)), np.random.default_rng([data.seed, len(images)])
    hurt, chosen = random.random(len(images)) < fraction, random.integers(len(steps), size=len(images))
    pixels = np.stack([view(images.pixels(place)) for place in range(len(images))])
    for place in np.flatnonzero(hurt):
        family, level = steps[chosen[place]]
        noise = noise_seed(data.seed, images.names[place], family, level)
        pixels[place] = distort(pixels[place], family, level, noise)
    return pixels, hurt


def seen_by(model: Path) -> set[str]:
    """Return the names of the images of a metrifier's run, on whatever side."""
    file = model / "split.json"
    if not file.is_file():
        raise DataError(
            f"{model} has no split.json, which names the metrifier's own images; give the run directory of "
            "`gada metrify fit`."
        )
    split = Split.read(file)
    return {name for side in SIDES for name in getattr(split, side)}


def card_of(images: LabelledImages, data: ClassifyDataSettings, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the card of a classifier's checkpoint."""
    return {
        "name": f"{settings['arm']}, seed {settings['seed']}",
        "network": settings["network"],
        "size": data.size,
        "resize": resize_of(images, data.size),
        "classes": list(images.class_names),
        "settings": dict(settings),
    }


def put_learning(results: Path, into: Path) -> None:
    """Put kept result rows into the block "gada metrify learn RESULTS" of a Markdown file."""
    table = learning_table(read_results([results], "metrify learn"))
    replace_block(into, f"gada metrify learn {results.as_posix()}", render(table, "markdown"))

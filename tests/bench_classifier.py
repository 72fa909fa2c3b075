"""Images a second of a classifier's training: from the packed versions, and through a step; one JSON line a figure."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gada.data.labelled import LabelledImages
from gada.data.mixtures import STRATEGIES, Mixture
from gada.experiments.versions import Versions
from gada.io.folders import pictures_in
from gada.io.images import read_image
from gada.models.classifier import build_classifier
from gada.settings import ClassifierSettings
from gada.training.classifier import ClassifierTraining

PHOTOS = Path(__file__).parents[1] / "data" / "photos"
IMAGES, SIDE, STEPS, EPOCH = 1000, 32, 8, 10_000


def main() -> None:
    """Measure packing, drawing and training on strategy 9, which mixes all three distortions, with SSIM."""
    settings = ClassifierSettings()
    with tempfile.TemporaryDirectory() as folder:
        images = crops()
        begin = time.perf_counter()
        versions = Versions(images, SIDE, settings, folder=Path(folder))
        mixed = versions.of(STRATEGIES["9"])
        packing = len(mixed) * IMAGES / (time.perf_counter() - begin)
        mixture = Mixture(mixed, versions.labels, settings.shares, seed=0)
        drawing = len(images) / seconds(lambda: list(mixture.batches(0, settings.batch_size)), 3)
        batch = next(mixture.batches(0, settings.batch_size))
        training = ClassifierTraining(build_classifier("table1", 10), settings, "identity", "cpu")
        step = settings.batch_size / seconds(lambda: training.step(batch), STEPS)
    show("classifier: distort, judge and pack, once", packing)
    show("classifier: draw from the packed versions", drawing, faster_than_training_by=round(drawing / step, 1))
    show("classifier: training step", step, seconds_for_an_epoch_of_10000=round(EPOCH / step, 1))


def crops() -> LabelledImages:
    """Return crops of the bundled photographs with labels that mean nothing."""
    photographs, random = [read_image(path) for path in pictures_in(PHOTOS)], np.random.default_rng(0)
    pixels = np.empty((IMAGES, SIDE, SIDE, 3), np.uint8)
    for place in range(IMAGES):
        photograph = photographs[place % len(photographs)]
        top, left = (int(random.integers(length - SIDE)) for length in photograph.shape[:2])
        pixels[place] = photograph[top : top + SIDE, left : left + SIDE]
    names = tuple(map(str, range(IMAGES)))
    return LabelledImages("crops", names, np.arange(IMAGES) % 10, 10, array=pixels)


def seconds(take: Callable[[], object], times: int) -> float:
    """Return the least time of a call, after one that is not counted; a shared machine only adds to it."""
    take()
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        take()
        spent.append(time.perf_counter() - begin)
    return min(spent)


def show(name: str, rate: float, **more: float) -> None:
    """Print one figure."""
    sys.stdout.write(json.dumps({"figure": name, "images_per_second": round(rate, 1), **more}) + "\n")


if __name__ == "__main__":
    main()

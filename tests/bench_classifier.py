"""Images a second of a classifier's training: from the packed versions, and through a step; one JSON line a figure."""

import tempfile
from pathlib import Path

import numpy as np
from measure import say, seconds

from gada.data.labelled import LabelledImages
from gada.data.mixtures import STRATEGIES, Mixture
from gada.experiments.versions import Versions
from gada.io.folders import images_in
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
        versions = Versions(images, SIDE, settings, folder=Path(folder))
        once = seconds(lambda: versions.of(STRATEGIES["9"]), times=1, first=False)
        mixed = versions.of(STRATEGIES["9"])
        mixture = Mixture(mixed, versions.labels, settings.shares, seed=0)
        drawing = len(images) / seconds(lambda: list(mixture.batches(0, settings.batch_size)), 3)
        batch = next(mixture.batches(0, settings.batch_size))
        training = ClassifierTraining(build_classifier("table1", 10), settings, "identity", "cpu")
        step = settings.batch_size / seconds(lambda: training.step(batch), STEPS)
    say("classifier: distort, judge and pack, once", images_per_second=len(mixed) * IMAGES / once)
    say("classifier: draw from the packed versions", images_per_second=drawing, faster_than_training_by=drawing / step)
    say("classifier: training step", images_per_second=step, seconds_for_an_epoch_of_10000=EPOCH / step)


def crops() -> LabelledImages:
    """Return crops of the bundled photographs with labels that mean nothing."""
    photographs, random = [read_image(path) for path in images_in(PHOTOS)], np.random.default_rng(0)
    pixels = np.empty((IMAGES, SIDE, SIDE, 3), np.uint8)
    for place in range(IMAGES):
        photograph = photographs[place % len(photographs)]
        top, left = (int(random.integers(length - SIDE)) for length in photograph.shape[:2])
        pixels[place] = photograph[top : top + SIDE, left : left + SIDE]
    names = tuple(map(str, range(IMAGES)))
    return LabelledImages("crops", names, np.arange(IMAGES) % 10, 10, array=pixels)


if __name__ == "__main__":
    main()

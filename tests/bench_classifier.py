"""Images a second of a classifier's training: from the packed versions, and through a step; one JSON line a figure."""

import tempfile
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import torch
from measure import say, seconds

from gada.data.labelled import LabelledImages
from gada.data.mixtures import STRATEGIES, Mixture
from gada.experiments.iqa_ls.versions import Versions
from gada.io.folders import images_in
from gada.io.images import read_image
from gada.models.classifier import build_classifier
from gada.settings import ClassifierSettings
from gada.training.classifier import BatchLoader, ClassifierTraining
from gada.training.data import Steps

PHOTOS = Path(__file__).parents[1] / "data" / "photos"
IMAGES, SIDE, STEPS, EPOCH = 1000, 32, 8, 50_000


def main() -> None:
    """Measure packing, drawing and training on strategy 9, which mixes all three distortions, with SSIM."""
    settings = ClassifierSettings()
    with tempfile.TemporaryDirectory() as folder:
        images = crops()
        versions = Versions(images, SIDE, settings, folder=Path(folder))
        once = seconds(lambda: versions.of(STRATEGIES["9"]), times=1, first=False)
        mixed = versions.of(STRATEGIES["9"])
        mixture = Mixture(mixed, versions.labels, settings.fractions, seed=0, batch_size=settings.batch_size)
        epochs = count()  # each is drawn anew
        drawing = len(images) / seconds(lambda: epoch(mixture, next(epochs)), 3)
        batch = next(iter(BatchLoader(mixture, Steps(1, 1))))
        training = ClassifierTraining(build_classifier("table1", 10), settings)
        (optimizer,), _ = training.configure_optimizers()

        def take_step(bf16: bool) -> None:
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss, _ = training.loss_of(batch)
            torch.autograd.backward(loss)
            optimizer.step()

        step, half = (settings.batch_size / seconds(partial(take_step, bf16), STEPS) for bf16 in (False, True))
    say("classifier: distort, measure and pack, once", images_per_second=len(mixed) * IMAGES / once)
    say("classifier: draw from the packed versions", images_per_second=drawing, faster_than_training_by=drawing / step)
    for name, rate in (("f32", step), ("bf16", half)):
        say(f"classifier: training step, {name}", images_per_second=rate, seconds_for_an_epoch_of_50000=EPOCH / rate)


def epoch(mixture: Mixture, number: int) -> None:
    """Read all batches of an epoch."""
    for step in range(len(mixture)):
        mixture[number * len(mixture) + step]


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

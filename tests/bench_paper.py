"""How fast the paper's own network scores: 30 crops of 128 pixels an image (sections 4.2 and 5), beside the default.

The paper's 120 images a second name no hardware. A second here is one of processor time on one core, which other
processes on the machine do not lengthen much; images are decoded before. One JSON line for each figure.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # before torch and numpy are loaded

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from measure import say
from PIL import Image

import gada
from gada.io.cards import Card
from gada.io.folders import images_in
from gada.io.images import read_image
from gada.metrics.scale import Scale
from gada.models.evaluator import Evaluator
from gada.models.files import save_network
from gada.scoring.export import export_evaluator
from gada.scoring.scorer import Scorer
from gada.settings import preset_settings

PHOTOS = Path(__file__).parents[1] / "data" / "photos"
SIZE = (512, 384)
IMAGES, ROUNDS = 4, 3
CLASSES = tuple("abcde")  # as many as LIVE has


def main() -> None:
    """Print the rate of each, measured in turns."""
    with TemporaryDirectory() as name:
        file = Path(name) / "paper.safetensors"
        settings = preset_settings("paper")
        card = Card(
            "evaluator", "paper", "none", CLASSES, Scale("DMOS", 0.0, 100.0, False), settings.training.crop_size
        )
        save_network(file, Evaluator(settings.model, len(CLASSES)), card)
        exported = export_evaluator(str(file), "onnx", file.with_suffix(".onnx"))[0]
        default = export_evaluator("photos", "onnx", Path(name) / "photos.onnx")[0]
        scorers = {
            "the paper's network, 30 crops of 128 pixels, torch": gada.load_scorer(file, "crops", 30),
            "the paper's network, 30 crops of 128 pixels, ONNX": gada.load_scorer(exported, "crops", 30),
            "the default, ONNX": gada.load_scorer(default),
        }
        taken = dict.fromkeys(scorers, float("inf"))
        for _ in range(ROUNDS):
            for name, scorer in scorers.items():
                taken[name] = min(taken[name], processor_seconds(scorer))
    slowest = taken["the paper's network, 30 crops of 128 pixels, torch"]
    for name, seconds in taken.items():
        say(name, images_per_second=1 / seconds, faster_by=slowest / seconds)


def processor_seconds(scorer: Scorer) -> float:
    """Return the processor time of an image."""
    photos = [np.asarray(Image.fromarray(read_image(path)).resize(SIZE)) for path in images_in(PHOTOS)[:IMAGES]]
    scorer(photos[0])
    begin = time.process_time()
    for photo in photos:
        scorer(photo)
    return (time.process_time() - begin) / IMAGES


if __name__ == "__main__":
    main()

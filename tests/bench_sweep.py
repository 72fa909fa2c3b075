"""How near a sweep comes to its classifier's own rate: one JSON line for each figure. `python tests/bench_sweep.py`.

The classifier's own rate is that of images that already lie in memory, in batches of the same size. The first network
of a sweep also waits for the distorted images; from the second on they are there. EfficientNet-Lite0 where it is
installed (extra `sweep`), and always the small network of IQA-LS's Table 1, which is the harder case: the faster the
network, the more everything beside it weighs.
"""

import os
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from measure import say, seconds

from gada.data.distorted import View, steps_of
from gada.data.labelled import LabelledImages
from gada.errors import ConfigError
from gada.experiments.robustness.sweep import run_sweep
from gada.io.folders import images_in
from gada.io.images import read_image
from gada.models.classifier import build_classifier
from gada.scoring.classifier_sources import load_classifier, of_network
from gada.scoring.classifiers import Classifier, Input

LADDERS = ["iqa-ls/blur"]
TIMES = 3


def main() -> None:
    photographs = [read_image(path) for path in images_in(Path("data/photos"))]
    large = labelled(np.stack([View(256, 256)(one) for one in photographs]))
    tiles = [one[y : y + 32, x : x + 32] for one in photographs for y in range(0, 352, 32) for x in range(0, 480, 32)]
    for name, images in (("efficientnet-lite0", large), ("table 1", labelled(np.stack(tiles)))):
        try:
            bench(network(name), images)
        except ConfigError as error:
            say(f"{name}, images/s", value=None, reason=str(error))


def labelled(images: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> LabelledImages:
    """Return images (N, H, W, 3) as one set; what is named matters nothing here."""
    names = tuple(map(str, range(len(images))))
    return LabelledImages("bench", names, np.zeros(len(images), np.int64), 0, array=images)


def network(name: str) -> Classifier:
    """Return the classifier of a name."""
    if name != "table 1":
        return load_classifier(name, device="cpu")
    return of_network(build_classifier("table1", 10), name, Input(View(32, None), (0.0,) * 3, (1.0,) * 3), "cpu")


def bench(classifier: Classifier, images: LabelledImages) -> None:
    """Time the first and the second network of a sweep beside the network alone, the best of some runs."""
    count = len(images) * len(steps_of(LADDERS))
    with TemporaryDirectory() as folder:
        os.environ["GADA_CACHE"] = folder
        first = count / seconds(partial(swept, classifier, images, Path(folder) / "first"), 1, first=False)
        second, own = 0.0, 0.0
        for turn in range(TIMES):  # in turns, so that a busy machine is busy for both
            run = Path(folder) / f"second{turn}"
            second = max(second, count / seconds(partial(swept, classifier, images, run), 1, first=False))
            own = max(own, count / seconds(partial(alone, classifier, images), 1, first=False))
    say(f"{classifier.name}, images/s", own=own, first=first, second=second, value=second / own, images=count)


def swept(classifier: Classifier, images: LabelledImages, folder: Path) -> None:
    """Sweep with one network."""
    run_sweep([classifier], images, LADDERS, folder)


def alone(classifier: Classifier, images: LabelledImages) -> None:
    """Classify as many images from memory."""
    view = classifier.input.view
    seen = np.stack([view(images.pixels(i)) for i in range(len(images))])
    for _ in steps_of(LADDERS):
        for part in classifier.batches(seen):
            classifier.probabilities(seen[part])


if __name__ == "__main__":
    main()

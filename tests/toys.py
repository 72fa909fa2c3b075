"""Labelled pictures of three colours, and classifiers that name them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from gada.data.distorted import View
from gada.scoring.classifier_sources import of_network
from gada.scoring.classifiers import Classifier, Input

COLOURS = ("blue", "green", "red")
SIDE = 32


class Colours(nn.Module):
    """Names the colour whose mean is greatest; `classes` more than three are never named."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.last = nn.Conv2d(3, classes, 1, bias=True)
        with torch.no_grad():  # the same weights each time: they tell one network from another
            self.first.weight.copy_(torch.linspace(-0.2, 0.2, 108).view(4, 3, 3, 3))
            self.first.bias.zero_()  # type: ignore[union-attr]
            self.last.weight.zero_()
            self.last.bias.fill_(-5)  # type: ignore[union-attr]
            for place, channel in enumerate((2, 1, 0)):
                self.last.weight[place, channel] = 20
                self.last.bias[place] = -5  # type: ignore[index]

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.last(images).mean(dim=(2, 3)) + 0 * self.first(images).mean()
        return logits


def coloured(label: int, seed: int, side: int = SIDE) -> NDArray[np.uint8]:
    """A noisy picture that is a little bluer, greener or redder than grey."""
    random = np.random.default_rng([label, seed])
    pixels = random.normal(110, 25, (side, side + 8, 3))
    pixels[..., 2 - label] += random.uniform(1, 30)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def folders(root: Path, each: int = 4, side: int = SIDE) -> Path:
    """Write a folder for each colour."""
    for label, name in enumerate(COLOURS):
        (root / name).mkdir(parents=True)
        for seed in range(each):
            Image.fromarray(coloured(label, seed, side)).save(root / name / f"{seed}.png")
    return root


def plain(classes: int = 3) -> Classifier:
    """The classifier on pictures as they are."""
    return of_network(Colours(classes), "plain", Input(View(SIDE, None), (0.5,) * 3, (1.0,) * 3), "cpu")


def ten() -> Classifier:
    """One that knows ten classes."""
    return plain(10)


def broken() -> Classifier:
    """One whose outputs are not finite."""

    class Broken(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            # bright pictures break it, undistorted ones do not
            return images.mean(dim=(2, 3)) / (images.amax() < 0.45).float()

    return of_network(Broken(), "broken", Input(View(SIDE, None), (0.5,) * 3, (1.0,) * 3), "cpu")


def distance(outputs: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """An error of a task that is no classification: how far the mean output is from what the label stands for."""
    return np.asarray(1 - np.exp(-((outputs.mean(axis=1) - labels) ** 2)))


def too_large(outputs: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """No error in [0, 1]."""
    return np.asarray(outputs.mean(axis=1) + labels + 100)


def network() -> nn.Module:
    """A bare network."""
    return Colours()


def small(classes: int) -> nn.Module:
    """A network for pictures of SIDE that trains in a moment."""
    return nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(48, 16), nn.ReLU(), nn.Linear(16, classes))


class WandbRun:
    """Stands for a run of W&B, and keeps the names of what is logged."""

    id = "toy"

    def __init__(self) -> None:
        self.logged: set[str] = set()
        self.summary: dict[str, Any] = {}

    def define_metric(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    def log(self, values: dict[str, Any]) -> None:
        """Keep the names."""
        self.logged |= set(values)

    def log_artifact(self, artifact: Any) -> None:
        """Keep the name."""
        self.logged.add(artifact.name)

    def finish(self, exit_code: int) -> None:
        """Do nothing."""

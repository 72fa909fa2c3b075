"""Image classifiers, ours and others', behind one interface: 8-bit images in, class probabilities out."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from torch import nn

from gada.data.distorted import View
from gada.errors import ConfigError, DataError

Pixels = NDArray[np.uint8]
Vector = tuple[float, float, float]
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
FEW, MANY = 2 * 224 * 224, 64 * 224 * 224
"""Pixels of a batch on a processor, whose cache holds the maps of few images (twice as fast as 24 at once), and on a
device with memory of its own."""
TOLERANCE = 0.01  # by which probabilities of few bits may miss 0 and a sum of 1


@dataclass(frozen=True)
class Input:
    """What a network takes and gives."""

    view: View
    mean: Vector = IMAGENET_MEAN
    """Subtracted from R, G, B in [0, 1]."""
    std: Vector = IMAGENET_STD
    """Divides the difference."""
    outputs: Literal["logits", "probabilities"] = "logits"


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained classifier."""

    name: str
    """Its name in results."""
    source: str
    """What the user named."""
    input: Input
    run: Callable[[NDArray[np.float32]], NDArray[Any]]
    """Normalised images (N, 3, S, S) to outputs (N, K)."""
    network: nn.Module | None = None
    """The network itself, where torch runs it."""
    digest: str = ""
    """SHA-256 of the file, for a file."""
    batch_pixels: int = FEW
    """Pixels of a batch."""
    classes: tuple[str, ...] = ()
    """Names of the classes in the order of its outputs, where it gives them."""
    card: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The card of a classifier of `gada classify`."""

    @property
    def identity(self) -> dict[str, Any]:
        """What makes it the same classifier as another."""
        plain = json.dumps({"source": self.source, "digest": self.digest, "input": asdict(self.input)})
        return dict(json.loads(plain))

    def batches(self, images: Pixels) -> Iterator[slice]:
        """Yield the parts of images (N, S, S, 3) that are predicted together."""
        size = max(1, self.batch_pixels // self.input.view.size**2)
        yield from (slice(start, min(start + size, len(images))) for start in range(0, len(images), size))

    def outputs(self, pixels: Pixels) -> NDArray[np.float64]:
        """Return what the network itself gives for one batch of images (N, S, S, 3) uint8, (N, ...).

        Raises:
            DataError: if the network cannot take such images, or its outputs are not finite or not one for each image.
        """
        try:
            outputs = np.asarray(self.run(self.normalised(pixels)), dtype=np.float64)
        except Exception as error:  # torch and ONNX Runtime raise what they like for a size that does not fit
            why = str(error).strip().split("\n")[0]
            side = pixels.shape[1]
            raise DataError(
                f"{self.name} cannot take {side} x {side} images ({why}); give --input.size what it takes."
            ) from error
        if not outputs.ndim or len(outputs) != len(pixels):
            raise DataError(f"{self.name} gives {outputs.shape} for {len(pixels)} images; it must give one for each.")
        if not np.isfinite(outputs).all():
            raise DataError(f"{self.name} gives an output that is not finite")
        return outputs

    def probabilities(self, pixels: Pixels) -> NDArray[np.float64]:
        """Return class probabilities (N, K) of one batch of images (N, S, S, 3) uint8.

        Raises:
            DataError: if the network cannot take such images, or its outputs are not finite, not (N, K) or not
                probabilities.
        """
        outputs = self.outputs(pixels)
        if outputs.ndim != 2 or outputs.shape[1] < 2:
            raise DataError(f"{self.name} gives {outputs.shape} for {len(pixels)} images; it must give (N, classes).")
        if self.input.outputs == "logits":
            probabilities: NDArray[np.float64] = softmax(outputs, axis=1)
            return probabilities
        if outputs.min() < -TOLERANCE or np.abs(outputs.sum(axis=1) - 1).max() > TOLERANCE:
            raise DataError(
                f"{self.name} gives {outputs.min():.3g} to {outputs.max():.3g}, which are not probabilities; give "
                "--input.outputs logits."
            )
        return outputs.clip(0, 1)

    def normalised(self, pixels: Pixels) -> NDArray[np.float32]:
        """Return images as the network takes them, (N, 3, S, S)."""
        mean, std = (np.array(values, np.float32) for values in (self.input.mean, self.input.std))
        scaled = (pixels - 255 * mean) / (255 * std)  # (x / 255 - mean) / std
        return scaled.transpose(0, 3, 1, 2)


def common_classes(classifiers: Sequence[Classifier]) -> tuple[str, ...]:
    """Return the names of the classes that classifiers give, () if none does.

    Raises:
        ConfigError: if two give different ones, or in another order: the indices of labels would not mean the same.
    """
    given = {one.classes: one.name for one in classifiers if one.classes}
    if len(given) > 1:
        first, second, *_ = given.values()
        raise ConfigError(f"{first} and {second} have different classes, or in another order; sweep each by itself.")
    return next(iter(given), ())

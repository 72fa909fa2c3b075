"""Six distortions on one scale of strength: 0 is just visible, 1 is ruined.

An evaluator learns order from them: the stronger of two versions of one photo is the worse one. The ranges are ours;
they hold those of LIVE release 2 and of Dodge and Karam (2016).
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image

from gada.distortions.blur import gaussian_blur
from gada.distortions.colour import blend_with_grey
from gada.distortions.compression import jpeg, jpeg2000_at_rate
from gada.distortions.noise import white_noise
from gada.distortions.pixels import Pixels

_JPEG = ((0.0, 0.12, 0.25, 0.5, 0.75, 1.0), (97.0, 88.0, 75.0, 35.0, 12.0, 3.0))
"""Strengths and libjpeg's qualities; between them it is interpolated."""


def geometric(mildest: float, strongest: float, strength: float) -> float:
    """Return a value between two, which grows by equal factors in equal steps of strength."""
    return float(mildest * (strongest / mildest) ** strength)


def rescaled(image: Pixels, factor: float) -> Pixels:
    """Reduce an image by a factor and enlarge it to its size again, both bicubic and antialiased."""
    height, width = image.shape[:2]
    small = Image.fromarray(image).resize((max(1, round(width / factor)), max(1, round(height / factor))), _BICUBIC)
    return np.asarray(small.resize((width, height), _BICUBIC))


GRADED: dict[str, Callable[[Pixels, float, Generator], Pixels]] = {
    "noise": lambda image, strength, random: white_noise(image, geometric(1.5, 110, strength), random),
    "blur": lambda image, strength, _: gaussian_blur(image, geometric(0.35, 12, strength)),
    "JPEG": lambda image, strength, _: jpeg(image, float(np.interp(strength, *_JPEG))),
    "JPEG2000": lambda image, strength, _: jpeg2000_at_rate(image, geometric(3.5, 0.03, strength)),
    "contrast": lambda image, strength, _: blend_with_grey(image, 0.96 - 0.93 * strength),
    "rescaling": lambda image, strength, _: rescaled(image, geometric(1.15, 9, strength)),
}
"""(image (H, W, 3) uint8, strength in [0, 1], random generator) to the distorted image, by name."""

_BICUBIC = Image.Resampling.BICUBIC

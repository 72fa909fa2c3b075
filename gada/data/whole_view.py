"""The view of a whole image by which an evaluator scores it: reduced as a screen reduces it, the same everywhere."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gada.data.crops import reflect_up

SMALLEST = 64
"""Least side of a view, in pixels: halved five times, two are left, of which each stage has a standard deviation."""


def whole_view(image: NDArray[np.uint8], longer_side: int) -> NDArray[np.uint8]:
    """Return an image as it is seen whole.

    Its longer side is reduced to `longer_side` pixels by Pillow's bilinear filter, which is antialiased, and its aspect
    is kept. A smaller image is not enlarged; a side below 64 pixels is reflected up to it.

    Args:
        image: (H, W, 3) uint8, of any size.
        longer_side: in pixels.

    Returns:
        (h, w, 3) uint8 with max(h, w) <= max(longer_side, 64).
    """
    return np.array(reflect_up(reduced(image, longer_side), SMALLEST), order="C")  # a copy, which torch may write to


def reduced(image: NDArray[np.uint8], longer_side: int) -> NDArray[np.uint8]:
    """Return an image whose longer side has at most so many pixels; a smaller one as it is."""
    size = reduced_size(image.shape[0], image.shape[1], longer_side)
    if size == image.shape[:2]:
        return image
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR))


def reduced_size(height: int, width: int, longer_side: int) -> tuple[int, int]:
    """Return height and width of a view before reflection; each is at least one pixel."""
    factor = min(1.0, longer_side / max(height, width))
    return max(1, round(height * factor)), max(1, round(width * factor))

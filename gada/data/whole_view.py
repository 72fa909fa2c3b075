"""The view of a whole image by which an evaluator scores it: fitted to one size as a screen does, everywhere alike."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gada.data.crops import reflect_up

SMALLEST = 64
"""Least side of a view, in pixels: halved five times, two are left, of which each stage has a standard deviation."""


def whole_view(image: NDArray[np.uint8], longer_side: int) -> NDArray[np.uint8]:
    """Return an image as it is seen whole.

    Its longer side is brought to `longer_side` pixels by Pillow's bilinear filter, which is antialiased where it
    reduces, and its aspect is kept. A smaller image is enlarged, as a window shows it: it has less to show than its
    larger version. A side below 64 pixels is reflected up to it.

    Args:
        image: (H, W, 3) uint8, of any size.
        longer_side: in pixels.

    Returns:
        (h, w, 3) uint8 with max(h, w) = max(longer_side, 64).
    """
    view = resized(image, view_size(image.shape[0], image.shape[1], longer_side))
    return np.array(reflect_up(view, SMALLEST), order="C")  # a copy, which torch may write to


def reduced(image: NDArray[np.uint8], longer_side: int) -> NDArray[np.uint8]:
    """Return an image whose longer side has at most so many pixels; a smaller one as it is."""
    if max(image.shape[:2]) <= longer_side:
        return image
    return resized(image, view_size(image.shape[0], image.shape[1], longer_side))


def resized(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an image of this height and width; itself where it has them."""
    if size == image.shape[:2]:
        return image
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR))


def view_size(height: int, width: int, longer_side: int) -> tuple[int, int]:
    """Return height and width of a view before reflection; each is at least one pixel."""
    factor = longer_side / max(height, width)
    return max(1, round(height * factor)), max(1, round(width * factor))

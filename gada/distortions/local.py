"""Distortions that strike in places."""

import numpy as np
from numpy.random import Generator

from gada.distortions.pixels import Pixels, rgb_to_ycbcr

BLOCK = 32
"""Side of a local block (type 15), in pixels."""

VIVID = 1.5
"""Largest tint of a local block, in R, G and B beside its offset in luminance: with it some blocks are vivid."""

PATCH = 15
"""Side of a displaced patch (type 14), in pixels."""

REFERENCE_AREA = 512 * 384
"""Area that the numbers of patches and blocks are given for; other sizes get them in proportion."""


def displaced_patches(image: Pixels, number: float, random: Generator) -> Pixels:
    """Overwrite `number` patches of 15 x 15 pixels, each with the patch up to 10 pixels away (type 14).

    The eye overlooks them where texture repeats; hence "non-eccentricity pattern noise".
    """
    distorted = image.copy()
    for _ in range(_count(image, number)):
        top, left = _corner(image, PATCH, random)
        offsets = random.integers(-10, 11, 2)
        source_top, source_left = (
            int(np.clip(corner + offset, 0, side - PATCH))
            for corner, offset, side in zip((top, left), offsets, image.shape, strict=False)
        )
        distorted[top : top + PATCH, left : left + PATCH] = image[
            source_top : source_top + PATCH, source_left : source_left + PATCH
        ]
    return distorted


def local_blocks(image: Pixels, number: float, offset: float, random: Generator) -> Pixels:
    """Paint `number` blocks of 32 x 32 pixels in one colour each (type 15).

    The colour differs from the block's mean by `offset` grey levels of luminance, to the side that has more room, and
    by a random tint, up to `VIVID` times as large where that luminance has colours so vivid. Blocks keep apart while
    there is room. An image with a side under 64 gets blocks of half its shorter side.
    """
    distorted = image.copy()
    size = min(BLOCK, min(image.shape[:2]) // 2)
    for top, left in _apart(image, size, _count(image, number), random):
        mean = rgb_to_ycbcr(image[top : top + size, left : left + size]).mean((0, 1))
        luma = np.clip(mean[0] + offset if mean[0] < 127.5 else mean[0] - offset, 0.0, 255.0)
        tint = random.uniform(-VIVID, VIVID, 3) * offset
        tint -= tint @ np.array([0.299, 0.587, 0.114])  # no luminance of its own
        room = np.where(tint > 0, 255 - luma, luma) / np.maximum(np.abs(tint), 1e-9)
        distorted[top : top + size, left : left + size] = np.rint(luma + min(1.0, room.min()) * tint)
    return distorted


def _count(image: Pixels, number: float) -> int:
    return max(1, int(np.rint(number * image.shape[0] * image.shape[1] / REFERENCE_AREA)))


def _corner(image: Pixels, size: int, random: Generator) -> tuple[int, int]:
    """Draw the top left corner of a square that lies inside the image."""
    height, width = image.shape[:2]
    return int(random.integers(0, height - size + 1)), int(random.integers(0, width - size + 1))


def _apart(image: Pixels, size: int, number: int, random: Generator) -> list[tuple[int, int]]:
    """Draw corners of squares that do not overlap; after 50 draws in vain one may."""
    corners: list[tuple[int, int]] = []
    for _ in range(number):
        for _ in range(50):
            top, left = _corner(image, size, random)
            if all(abs(top - other[0]) >= size or abs(left - other[1]) >= size for other in corners):
                break
        corners.append((top, left))
    return corners

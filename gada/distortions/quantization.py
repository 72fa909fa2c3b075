"""Fewer values: plain and with dither."""

import numpy as np

from gada.distortions.pixels import Floats, Pixels, to_uint8


def quantize(image: Pixels, step: float) -> Pixels:
    """Round R, G and B to whole multiples of `step`."""
    return to_uint8(np.rint(image / step) * step)


def quantize_with_dither(image: Pixels, step: float) -> Pixels:
    """Round R, G and B to whole multiples of `step` after an ordered dither of half a step (Bayer, 4 x 4)."""
    height, width = image.shape[:2]
    pattern = np.tile(_bayer(2), (height // 4 + 1, width // 4 + 1))[:height, :width, None]
    return to_uint8(np.rint(image / step + 0.5 * pattern) * step)


def _bayer(order: int) -> Floats:
    """Return Bayer's matrix of 2^order x 2^order thresholds, centred on 0, between -0.5 and 0.5."""
    matrix = np.zeros((1, 1))
    for _ in range(order):
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    thresholds: Floats = (matrix + 0.5) / matrix.size - 0.5
    return thresholds

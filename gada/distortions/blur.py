"""Blurs."""

from typing import Literal

import numpy as np
from scipy.ndimage import correlate1d, gaussian_filter

from gada.distortions.pixels import Floats, Pixels, to_uint8


def gaussian_blur(image: Pixels, sigma: float) -> Pixels:
    """Blur each channel with a Gaussian of `sigma` pixels, cut at 4 sigma; edges are mirrored."""
    return to_uint8(gaussian_filter(image.astype(np.float64), (sigma, sigma, 0.0)))


def windowed_gaussian_blur(image: Pixels, sigma: float) -> Pixels:
    """Blur with a Gaussian whose window is 4 sigma wide: 4 sigma + 1 taps (Dodge and Karam, section III-C).

    The number of taps is odd; between the printed sigmas it is the next odd number. Edges are mirrored.
    """
    return _blur(image, sigma, int(np.ceil(2 * sigma - 1e-9)), "reflect")


def framed_gaussian_blur(image: Pixels, sigma: float) -> Pixels:
    """Blur with a Gaussian cut to 11 x 11 taps, black outside the image, so that edges darken."""
    return _blur(image, sigma, 5, "constant")


def _blur(image: Pixels, sigma: float, half: int, edges: Literal["reflect", "constant"]) -> Pixels:
    """Blur with 2 `half` + 1 taps each way."""
    taps = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    taps /= taps.sum()
    blurred: Floats = image.astype(np.float64)
    for axis in (0, 1):
        blurred = correlate1d(blurred, taps, axis=axis, mode=edges)
    return to_uint8(blurred)

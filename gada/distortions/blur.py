"""Blurs."""

import numpy as np
from scipy.ndimage import gaussian_filter

from gada.distortions.pixels import Pixels, to_uint8


def gaussian_blur(image: Pixels, sigma: float) -> Pixels:
    """Blur each channel with a Gaussian of `sigma` pixels, cut at 4 sigma; edges are mirrored."""
    return to_uint8(gaussian_filter(image.astype(np.float64), (sigma, sigma, 0.0)))


def windowed_gaussian_blur(image: Pixels, sigma: float) -> Pixels:
    """Blur with a Gaussian whose window is 4 sigma wide: 4 sigma + 1 taps (Dodge and Karam, section III-C).

    The number of taps is odd; between the printed sigmas it is the next odd number. Edges are mirrored.
    """
    half = int(np.ceil(2 * sigma - 1e-9))
    return to_uint8(gaussian_filter(image.astype(np.float64), (sigma, sigma, 0.0), radius=(half, half, 0)))


def framed_gaussian_blur(image: Pixels, sigma: float) -> Pixels:
    """Blur with a Gaussian cut to 11 x 11 taps, black outside the image, so that edges darken."""
    blurred = gaussian_filter(image.astype(np.float64), (sigma, sigma, 0.0), mode="constant", radius=(5, 5, 0))
    return to_uint8(blurred)

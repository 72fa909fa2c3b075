"""Gradient magnitude similarity deviation (Xue, Zhang, Mou and Bovik, IEEE TIP 23, 2014)."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate

from gada.metrics.psnr import check_pair

CONSTANT = 170.0  # the paper's c, for 8-bit values
PREWITT = np.array([[1, 0, -1]] * 3) / 3


def gmsd(image: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Return GMSD; 0 for equal images, higher is worse.

    Args:
        image: (H, W), 8-bit luminance, sides of at least 6.
        reference: The same shape, 8-bit.

    Raises:
        ValueError: if the shapes differ or an array is not 8-bit.
    """
    check_pair(image, reference)
    first, second = (_gradient(_halved(plane.astype(np.float64))) for plane in (image, reference))
    similarity = (2 * first * second + CONSTANT) / (first**2 + second**2 + CONSTANT)
    return float(similarity.std())


def _halved(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of each 2 x 2 pixels, the scale of the paper; an odd last row or column is left out."""
    height, width = (side // 2 * 2 for side in plane.shape)
    return np.asarray(plane[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)))


def _gradient(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the magnitude of Prewitt's gradient, zero outside the image."""
    along, across = (correlate(plane, kernel, mode="constant") for kernel in (PREWITT, PREWITT.T))
    return np.asarray(np.hypot(along, across))

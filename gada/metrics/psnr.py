"""Peak signal-to-noise ratio of 8-bit images, on R, G, B or on luminance."""

from math import inf, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray


def luminance(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return 8-bit luminance, ITU-R BT.601 with range 16 to 235, as TID2013's published values use it.

    Args:
        image: (..., 3), 8-bit R, G, B.

    Returns:
        (...), Y = round(16 + (65.481 R + 128.553 G + 24.966 B) / 255).
    """
    red, green, blue = np.moveaxis(image.astype(np.float64), -1, 0)
    luma: NDArray[np.uint8] = np.rint(16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255).astype(np.uint8)
    return luma


def psnr(image: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Return the PSNR in dB, peak 255; infinite for equal images. Higher is better.

    On luminance: `psnr(luminance(image), luminance(reference))`.

    Args:
        image: Any shape, 8-bit.
        reference: The same shape, 8-bit.

    Raises:
        ValueError: if the shapes differ or an array is not 8-bit.
    """
    check_pair(image, reference)
    difference = image.astype(np.float32) - reference  # whole numbers: exact
    squared = float(np.mean(difference * difference, dtype=np.float64))
    return 10 * log10(255**2 / squared) if squared else inf


def check_pair(image: NDArray[Any], reference: NDArray[Any]) -> None:
    """Check that both are 8-bit arrays of one shape.

    Raises:
        ValueError: if the shapes differ or an array is not 8-bit.
    """
    for name, array in (("image", image), ("reference", reference)):
        if array.dtype != np.uint8:
            raise ValueError(f"The {name} is {array.dtype} but must be uint8, 0 to 255.")
    if image.shape != reference.shape:
        raise ValueError(f"The image is {image.shape} but the reference {reference.shape}: their sizes must agree.")

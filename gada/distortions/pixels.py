"""What every distortion shares: the arrays' types, the way back to 8 bits, luminance and chroma."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""An image, (H, W, 3), 8-bit R, G, B."""

Floats = NDArray[np.float64]

SMALLEST_SIDE = 32
"""Images with a shorter side raise DataError: the wavelet and block methods need room."""


def to_uint8(values: Floats) -> Pixels:
    """Round to the nearest integer and clip to [0, 255]."""
    clipped: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return clipped


def rgb_to_ycbcr(image: Pixels | Floats) -> Floats:
    """Full-range Y, Cb, Cr of JFIF (ITU-T T.871, section 7), chroma centred on 0; (H, W, 3)."""
    rgb = np.asarray(image, dtype=np.float64)
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return np.stack([luma, (blue - luma) / 1.772, (red - luma) / 1.402], axis=-1)


def ycbcr_to_rgb(ycbcr: Floats) -> Floats:
    """Inverse of `rgb_to_ycbcr`, neither rounded nor clipped."""
    luma, cb, cr = ycbcr[..., 0], ycbcr[..., 1], ycbcr[..., 2]
    red, blue = luma + 1.402 * cr, luma + 1.772 * cb
    return np.stack([red, (luma - 0.299 * red - 0.114 * blue) / 0.587, blue], axis=-1)

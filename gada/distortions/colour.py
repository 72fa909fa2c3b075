"""Changes of brightness, contrast and colour, and aberrations between the colour planes."""

import numpy as np
from scipy.ndimage import gaussian_filter, shift

from gada.distortions.pixels import Floats, Pixels, rgb_to_ycbcr, to_uint8, ycbcr_to_rgb
from gada.metrics.psnr import psnr


def mean_shift(image: Pixels, grey_levels: float) -> Pixels:
    """Add a constant to R, G and B."""
    return to_uint8(image.astype(np.float64) + grey_levels)


def change_contrast(image: Pixels, change: float) -> Pixels:
    """Scale what lies around the mean of all R, G and B samples by 1 + `change`."""
    mean = float(image.mean())
    return to_uint8(mean + (1 + change) * (image.astype(np.float64) - mean))


def blend_with_grey(image: Pixels, fraction: float, grey: float = 128.0) -> Pixels:
    """Blend with grey, by default mid grey; `fraction` of the image remains (Dodge and Karam, section III-C)."""
    return to_uint8(fraction * image.astype(np.float64) + (1 - fraction) * grey)


def blend_with_mean_grey(image: Pixels, fraction: float) -> Pixels:
    """Blend with the image's mean luminance (Haeberli and Voorhies, 1994, whom Dodge and Karam cite for it)."""
    return blend_with_grey(image, fraction, float(rgb_to_ycbcr(image)[..., 0].mean()))


def change_saturation(image: Pixels, factor: float) -> Pixels:
    """Scale chroma (Cb and Cr) by `factor`; luminance stays as it is."""
    return to_uint8(ycbcr_to_rgb(rgb_to_ycbcr(image) * np.array([1.0, factor, factor])))


def chromatic_aberration(image: Pixels, pixels: float, sigma: float) -> Pixels:
    """Shift red to the right and blue to the left by `pixels`, then blur all three with a Gaussian of `sigma`.

    Fractions of a pixel are interpolated linearly; edge pixels are repeated.
    """
    planes: Floats = image.astype(np.float64)
    for channel, offset in ((0, pixels), (2, -pixels)):
        planes[..., channel] = shift(planes[..., channel], (0.0, offset), order=1, mode="nearest")
    return to_uint8(gaussian_filter(planes, (sigma, sigma, 0.0), mode="nearest") if sigma else planes)


def aberration_at_psnr(image: Pixels, psnr_db: float) -> Pixels:
    """Shift red and blue apart until the PSNR over R, G and B is `psnr_db`; from 2 pixels on all three are blurred.

    The further the shift, the wider the blur: sigma 1.3 at 4 pixels, 2 at 5, 5 at 15. The shift is at most 40 pixels,
    or a quarter of the shorter side; an image without detail stays better than asked.
    """
    low, high = 0.0, min(40.0, min(image.shape[:2]) / 4)
    for _ in range(8):
        middle = (low + high) / 2 if high < 2 else (low * high) ** 0.5 if low else high / 8
        too_good = psnr(_aberration(image, middle), image) > psnr_db
        low, high = (middle, high) if too_good else (low, middle)
    return _aberration(image, high)


def _aberration(image: Pixels, pixels: float) -> Pixels:
    return chromatic_aberration(image, pixels, float(np.interp(pixels, (2, 4, 5, 15, 40), (0, 1.3, 2, 5, 12))))

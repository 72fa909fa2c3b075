"""Noises: what they add depends on random numbers, and at most on how bright or busy the image is.

`psnr_db` is a PSNR over R, G and B. Where a noise is given by it, its size is found so that the result, rounded and
clipped, has that PSNR on any image.
"""

import numpy as np
from numpy.random import Generator
from scipy.ndimage import gaussian_filter, uniform_filter

from gada.distortions.pixels import Floats, Pixels, rgb_to_ycbcr, to_uint8, ycbcr_to_rgb
from gada.metrics.psnr import psnr


def white_noise(image: Pixels, sigma: float, random: Generator) -> Pixels:
    """Add Gaussian noise of std `sigma` (grey levels) to R, G and B, each on its own."""
    return to_uint8(image + sigma * random.standard_normal(image.shape))


def colour_noise(image: Pixels, sigma: float, random: Generator) -> Pixels:
    """Add Gaussian noise to Y, Cb and Cr: of std `sigma` to luminance, of twice that to both chroma planes."""
    noise = random.standard_normal(image.shape) * np.array([sigma, 2 * sigma, 2 * sigma])
    return to_uint8(image + ycbcr_to_rgb(noise))


def correlated_noise(image: Pixels, sigma: float, random: Generator) -> Pixels:
    """Add Gaussian noise that a mean over 3 x 3 pixels has smoothed, of std `sigma` after it."""
    noise = 3 * uniform_filter(random.standard_normal(image.shape), (3, 3, 1), mode="wrap")
    return to_uint8(image + sigma * noise)


def high_frequency_noise(image: Pixels, sigma: float, random: Generator) -> Pixels:
    """Add white noise minus its own Gaussian blur of sigma 1, of std `sigma` after it."""
    noise = random.standard_normal(image.shape)
    noise -= gaussian_filter(noise, (1.0, 1.0, 0.0), mode="wrap")
    return to_uint8(image + sigma * noise / noise.std())


def masked_noise(image: Pixels, psnr_db: float, random: Generator) -> Pixels:
    """Add noise where texture hides it: its std follows the local std of luminance (Gaussian, sigma 3)."""
    luma = rgb_to_ycbcr(image)[..., 0]
    mean = gaussian_filter(luma, 3.0)
    activity = np.sqrt(np.maximum(gaussian_filter(luma * luma, 3.0) - mean * mean, 0.0))
    return add_to_psnr(image, image, random.standard_normal(image.shape) * activity[..., None], psnr_db)


def multiplicative_noise(image: Pixels, psnr_db: float, random: Generator) -> Pixels:
    """Add noise whose std is proportional to each sample of R, G and B."""
    return add_to_psnr(image, image, random.standard_normal(image.shape) * image, psnr_db)


def impulse_noise(image: Pixels, density: float, random: Generator) -> Pixels:
    """Replace a fraction `density` of the samples of R, G and B, each on its own, by values uniform on 0 to 255."""
    hit = random.random(image.shape) < density
    return np.where(hit, random.integers(0, 256, image.shape, dtype=np.uint8), image)


def add_to_psnr(reference: Pixels, base: Pixels, noise: Floats, psnr_db: float) -> Pixels:
    """Add `noise` to `base`, so large that the PSNR against `reference` is `psnr_db`.

    Where `base` is worse than that already, it is returned; where there can be no noise (a flat image), too.
    """
    power = float(np.mean(noise * noise))
    if not power or psnr(base, reference) <= psnr_db:
        return base.copy()
    noise = noise * (255 / power**0.5)
    low, high = 0.0, 10 ** (-psnr_db / 20)
    while psnr(to_uint8(base + high * noise), reference) > psnr_db and high < 64:
        low, high = high, 2 * high
    for _ in range(12):
        middle = (low + high) / 2
        too_weak = psnr(to_uint8(base + middle * noise), reference) > psnr_db
        low, high = (middle, high) if too_weak else (low, middle)
    return to_uint8(base + high * noise)

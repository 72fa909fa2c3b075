"""Noises."""

from numpy.random import Generator

from gada.distortions.pixels import Pixels, to_uint8


def white_noise(image: Pixels, sigma: float, random: Generator) -> Pixels:
    """Add Gaussian noise of deviation `sigma` (grey levels) to R, G and B, each on its own."""
    return to_uint8(image + sigma * random.standard_normal(image.shape))

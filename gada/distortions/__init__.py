"""Seeded degradations of 8-bit images: `distort(image, "live/jp2k", level=3, seed=7)`."""

from gada.distortions.families import FAMILIES, distort

__all__ = ["FAMILIES", "distort"]

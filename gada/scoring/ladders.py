"""Ladders: one distortion of a photo at rising strength, along which a score must fall."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gada.distortions import FAMILIES, distort
from gada.distortions.compression import jpeg
from gada.distortions.graded import rescaled
from gada.distortions.noise import white_noise
from gada.distortions.pixels import Pixels

MILD_JPEG = (95, 85, 70, 50, 30)
"""Qualities on libjpeg's scale, from what a camera writes to what a messenger makes of it."""
MILD_NOISE = (1.5, 3.0, 5.0, 8.0, 12.0)
"""Standard deviations in grey levels, from invisible to plain."""
RESCALING = (1.5, 2.0, 3.0, 4.0, 6.0)
"""Factors by which an image is reduced and enlarged again."""


@dataclass(frozen=True)
class Ladder:
    """One distortion at rising strength."""

    name: str
    """As in the table."""
    strengths: tuple[float, ...]
    """Mildest first."""
    unit: str
    """What the strengths are."""
    apply: Callable[[Pixels, int, int], Pixels]
    """(image (H, W, 3) uint8, level from 1, seed) to the distorted image."""
    limit: float
    """Kendall's tau of level and falling score that a model to be trusted reaches."""

    def images(self, image: Pixels, seed: int) -> list[Pixels]:
        """Return the image itself and its version at each strength."""
        return [image, *(self.apply(image, level, seed) for level in range(1, len(self.strengths) + 1))]


def _of_family(name: str, family: str) -> Ladder:
    """Return the ladder of a distortion family at all its levels."""
    known = FAMILIES[family]

    def apply(image: Pixels, level: int, seed: int) -> Pixels:
        return distort(image, family, level, seed)

    return Ladder(name, known.strengths, f"{known.parameter}, {known.unit}", apply, 0.97)


LADDERS = (
    _of_family("noise", "live/wn"),
    _of_family("blur", "live/gblur"),
    _of_family("JPEG", "live/jpeg"),
    _of_family("JPEG2000", "live/jp2k"),
    _of_family("WebP", "web/webp"),  # this codec and the next are in no training of ours: a test of what was not taught
    _of_family("AVIF", "web/avif"),
    _of_family("contrast", "dodge-karam/contrast"),
    Ladder("rescaling", RESCALING, "factor", lambda image, level, _: rescaled(image, RESCALING[level - 1]), 0.97),
    Ladder("mild JPEG", MILD_JPEG, "quality", lambda image, level, _: jpeg(image, MILD_JPEG[level - 1]), 0.9),
    Ladder(
        "mild noise",
        MILD_NOISE,
        "standard deviation, grey level",
        lambda image, level, seed: white_noise(image, MILD_NOISE[level - 1], np.random.default_rng(seed)),
        0.9,
    ),
)

"""The table of all distortion families, and `distort`, the one way to call them."""

from collections.abc import Sequence
from math import isfinite
from typing import overload

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

from gada.distortions.family import Family
from gada.distortions.ladders import DODGE_KARAM, DODGE_KARAM_VARIANT, IQA_LS
from gada.distortions.live import LIVE
from gada.distortions.pixels import SMALLEST_SIDE, Pixels
from gada.distortions.tid2013 import TID2013
from gada.distortions.web import WEB
from gada.errors import ConfigError, DataError

_ALL = (*LIVE, *TID2013, *DODGE_KARAM, *IQA_LS, *DODGE_KARAM_VARIANT, *WEB)
FAMILIES: dict[str, Family] = {family.name: family for family in _ALL}
"""Every family by its name, in the order of its database."""


@overload
def distort(image: Pixels, family: str, level: float, seed: int | Sequence[int] = 0) -> Pixels: ...
@overload
def distort(image: Sequence[Pixels], family: str, level: float, seed: int | Sequence[int] = 0) -> list[Pixels]: ...
def distort(
    image: Pixels | Sequence[Pixels], family: str, level: float, seed: int | Sequence[int] = 0
) -> Pixels | list[Pixels]:
    """Degrade one image or several.

    The result is a function of image, family, level and seed: the same bytes in any process, thread count and
    order. The seed changes what is random in a family and nothing else. A grey image (R = G = B) stays grey.

    Args:
        image: (H, W, 3), 8-bit R, G, B, sides of 32 or more; or a batch (N, H, W, 3); or a list of images.
        family: A name of `FAMILIES`, such as "tid2013/08" or "live/jp2k".
        level: 0 returns the image unchanged; else a real number from 1 (mildest) to the family's last level.
        seed: A whole number from 0; with several images one for all or one for each. One seed for all gives each
            image the same bytes as if it came alone.

    Returns:
        The same shape and type; for a list, a list.

    Raises:
        ConfigError: if family, level or seed is not one of these.
        DataError: if an image is not such an array.
    """
    chosen = _family(family)
    _check_level(chosen, level)
    if isinstance(image, np.ndarray) and image.ndim != 4:
        return _distort_one(image, chosen, level, _check_seed(seed))
    seeds = seed if isinstance(seed, Sequence) else [seed] * len(image)
    if len(seeds) != len(image):
        raise ConfigError(f"{len(seeds)} seeds were given for {len(image)} images: give one, or one for each.")
    distorted = [_distort_one(one, chosen, level, _check_seed(own)) for one, own in zip(image, seeds, strict=True)]
    return np.stack(distorted) if isinstance(image, np.ndarray) and distorted else distorted


def _distort_one(image: Pixels, family: Family, level: float, seed: int) -> Pixels:
    _check_image(image)
    if level == 0:
        return image.copy()
    distorted = family.apply(image, family.strength(level), Generator(PCG64(seed)))
    if np.array_equal(image[..., 0], image[..., 1]) and np.array_equal(image[..., 1], image[..., 2]):
        return np.repeat(distorted[..., 1:2], 3, axis=-1)
    return distorted


def _family(name: str) -> Family:
    if name not in FAMILIES:
        raise ConfigError(f"Distortion family {name!r} is unknown; known are {', '.join(FAMILIES)}.")
    return FAMILIES[name]


def _check_level(family: Family, level: float) -> None:
    if not isfinite(level) or (level != 0 and not 1 <= level <= len(family.strengths)):
        raise ConfigError(
            f"Level {level:g} of {family.name} is outside its range: "
            f"0 (unchanged) or a number from 1 to {len(family.strengths)}."
        )


def _check_seed(seed: int | Sequence[int]) -> int:
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ConfigError(f"Seed {seed!r} must be a whole number from 0.")
    return int(seed)


def _check_image(image: NDArray[np.uint8]) -> None:
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[-1] != 3:
        shape = getattr(image, "shape", type(image).__name__)
        raise DataError(f"An image of shape {shape} cannot be distorted: it must be (height, width, 3), R, G, B.")
    if image.dtype != np.uint8:
        raise DataError(f"An image of type {image.dtype} cannot be distorted: it must be uint8, 0 to 255.")
    if min(image.shape[:2]) < SMALLEST_SIDE:
        raise DataError(
            f"An image of {image.shape[1]} x {image.shape[0]} pixels is too small: "
            f"sides must be {SMALLEST_SIDE} or more."
        )

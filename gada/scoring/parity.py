"""Whether two forms of one evaluator give the same scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from gada.errors import DataError
from gada.metrics.correlation import defined, srocc
from gada.scoring.scorer import Scorer

FLOAT_DIFFERENCE = 1e-5  # of the scale
FLOAT_SROCC = 0.9999  # of many images only: among few, one pair of equals that swaps costs more
MANY = 200
HELD_TO_RANKS = ("bfloat16", "int8")  # whose scores move; they are compared on real photos
RANKS_SROCC = 0.995
HALF_DIFFERENCE = 2e-3  # of the scale


@dataclass(frozen=True)
class Parity:
    """How two scorers agree on some images."""

    images: int
    """How many were compared."""
    greatest: float
    """Greatest difference of two scores, as a fraction of the scale."""
    mean: float
    """Mean difference, as a fraction of the scale."""
    srocc: float
    """Rank correlation of the two."""

    def describe(self) -> str:
        """Return the figures in one phrase."""
        return (
            f"{self.images} images, greatest difference {self.greatest:.1e} of the scale, "
            f"mean {self.mean:.1e}, SROCC {self.srocc:.5f}"
        )


def compare(one: Scorer, other: Scorer, images: Sequence[NDArray[np.uint8]]) -> Parity:
    """Score images (H, W, 3) uint8 with two scorers of one scale."""
    first, second = (
        np.array([prediction.quality for prediction in scorer.score_all(images)]) for scorer in (one, other)
    )
    difference = np.abs(first - second)  # a quality is a fraction of the scale
    ranks = defined(srocc, first, second)  # None for an evaluator that gives every image one score
    return Parity(len(images), float(difference.max()), float(difference.mean()), nan if ranks is None else ranks)


def check(parity: Parity, precision: str) -> None:
    """Raise DataError if a file does not agree with its evaluator.

    Raises:
        DataError: if float32 differs by more than 1e-5 of the scale, or bfloat16 and int8 rank images otherwise.
    """
    misranked = parity.images >= MANY and parity.srocc < FLOAT_SROCC
    if precision == "float32" and (not parity.greatest <= FLOAT_DIFFERENCE or misranked):
        raise DataError(
            f"the exported model does not agree with the evaluator ({parity.describe()}; "
            f"allowed are {FLOAT_DIFFERENCE:g} and {FLOAT_SROCC}); nothing was written."
        )
    if precision == "float16" and not parity.greatest <= HALF_DIFFERENCE:
        raise DataError(
            f"in half precision the evaluator scores differently ({parity.describe()}; "
            f"allowed is {HALF_DIFFERENCE:g}); nothing was written."
        )
    if precision in HELD_TO_RANKS and not parity.srocc >= RANKS_SROCC:
        raise DataError(
            f"in {precision} the evaluator ranks images otherwise ({parity.describe()}; "
            f"allowed is an SROCC of {RANKS_SROCC}); nothing was written. More --images may help."
        )


def synthetic_images(count: int = 24) -> list[NDArray[np.uint8]]:
    """Return seeded images of waves and noise, of many sizes: enough to tell whether two programs compute alike."""
    images = []
    for seed in range(count):
        random = np.random.default_rng(seed)
        height, width = random.integers(40, 400, 2)
        rows, columns = np.mgrid[:height, :width] / 100
        waves = [np.sin(random.uniform(1, 30) * rows + random.uniform(1, 30) * columns) for _ in range(3)]
        noise = random.normal(0, random.uniform(0, 60), (height, width, 3))
        images.append(np.clip(128 + 100 * np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8))
    return images

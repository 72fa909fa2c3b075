"""Does a score fall as a distortion grows? Measured within each photo, so that it needs no human scores."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from gada.distortions.pixels import Pixels
from gada.scoring.ladders import LADDERS
from gada.scoring.scorer import Scorer

Curves = Mapping[str, NDArray[np.float64]]
"""Predicted quality at each level of a ladder, the photo itself first, (photos, levels + 1), by the ladder's name."""


def order_curves(scorer: Scorer, photos: Sequence[Pixels], seeds: Sequence[int]) -> Curves:
    """Score photos (H, W, 3) uint8 and their versions along each ladder; the seeds are of the noise in each."""
    curves = {ladder.name: np.empty((len(photos), len(ladder.strengths) + 1)) for ladder in LADDERS}
    for row, (photo, seed) in enumerate(zip(photos, seeds, strict=True)):
        for ladder in LADDERS:
            curves[ladder.name][row] = [one.quality for one in scorer.score_all(ladder.images(photo, seed))]
    return curves


def order_metrics(curves: Curves) -> dict[str, float]:
    """Return Kendall's tau of level and falling quality by ladder, averaged over photos."""
    return {name: float(np.mean([falling(row) for row in rows])) for name, rows in curves.items()}


def falling(qualities: NDArray[np.float64]) -> float:
    """Return Kendall's tau of level and falling quality; 0 where all are equal."""
    tau = float(kendalltau(-np.arange(len(qualities)), qualities).statistic)
    return tau if np.isfinite(tau) else 0.0

"""Does a score fall as a distortion grows? Measured within each photo, so that it needs no human scores."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gada.distortions.pixels import Pixels
from gada.metrics.dlp import l_test
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
    return {name: l_test(rows).krocc for name, rows in curves.items()}

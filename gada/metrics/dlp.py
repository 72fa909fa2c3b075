"""The D-test, L-test and P-test of the Waterloo Exploration Database (Ma et al., IEEE TIP 26, 2017).

They test a quality model without any human score, on photos and what known distortions make of them.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from gada.metrics.correlation import defined, krocc, srocc

ROWS = 256  # images compared with all others at a time; bounds memory


class Discriminability(NamedTuple):
    """The D-test: can the model tell pristine images from distorted ones?"""

    value: float
    """The mean of both fractions that a threshold classifies correctly, at the best one, in [0.5, 1]."""
    threshold: float
    """Images of at least this quality count as pristine."""


class Consistency(NamedTuple):
    """The L-test: does predicted quality fall with the level of a distortion?"""

    srocc: float
    """The mean over photos and distortions, in [-1, 1]."""
    krocc: float
    """The same of Kendall's."""


class Preference(NamedTuple):
    """The P-test: does the model prefer what full-reference metrics agree to be clearly better?"""

    value: float | None
    """The fraction of pairs, in [0, 1]; None without pairs."""
    pairs: int
    """How many pairs are clear."""


def d_test(pristine: ArrayLike, distorted: ArrayLike) -> Discriminability:
    """Return the D-test of predicted qualities.

    Args:
        pristine: (N,) of pristine images, higher is better.
        distorted: (M,) of distorted ones.
    """
    good, bad = np.sort(np.asarray(pristine, dtype=np.float64)), np.sort(np.asarray(distorted, dtype=np.float64))
    thresholds = np.unique(np.concatenate([good, bad]))
    kept = 1 - np.searchsorted(good, thresholds) / good.size
    rejected = np.searchsorted(bad, thresholds) / bad.size
    right = (kept + rejected) / 2
    best = int(np.argmax(right))
    return Discriminability(float(right[best]), float(thresholds[best]))


def l_test(qualities: NDArray[np.float64]) -> Consistency:
    """Return the L-test of predicted qualities.

    A row of equal qualities ranks nothing and counts 0.

    Args:
        qualities: (..., K), of K levels in the order of their strength.
    """
    rows = qualities.reshape(-1, qualities.shape[-1])
    levels = -np.arange(qualities.shape[-1], dtype=np.float64)  # quality should fall with the level
    return Consistency(
        *(float(np.mean([defined(metric, row, levels) or 0.0 for row in rows])) for metric in (srocc, krocc))
    )


def p_test(quality: ArrayLike, metrics: Sequence[ArrayLike], gap: float) -> Preference:
    """Return the P-test of predicted qualities.

    A pair is clear when every metric finds the same image better by more than `gap`. The paper maps metrics to one
    scale with a logistic fit to LIVE's human scores; here each is mapped to its percentile among these images, which
    is as monotone and needs no scores.

    Args:
        quality: (N,) predicted, higher is better; of equal ones neither is preferred.
        metrics: Full-reference metrics of the same images, (N,) each, higher is better.
        gap: In percentiles, 0 to 100.
    """
    predicted = np.asarray(quality, dtype=np.float64)
    ranks = np.array(
        [100 * (rankdata(np.asarray(metric, dtype=np.float64)) - 0.5) / predicted.size for metric in metrics]
    )
    clear = right = 0
    for start in range(0, predicted.size, ROWS):
        rows = slice(start, start + ROWS)
        better = (ranks[:, rows, None] - ranks[:, None, :] > gap).all(axis=0)
        clear += int(better.sum())
        right += int((better & (predicted[rows, None] > predicted[None, :])).sum())
    return Preference(right / clear if clear else None, clear)

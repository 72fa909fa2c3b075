"""Accuracy of a classifier with its interval, its calibration, and what distortions cost it."""

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

BINS = 15
"""Of the calibration error (Guo et al., 2017, section 3)."""

NORMAL_95 = 1.959963984540054


def binomial_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, in [0, 1] (Wilson, 1927): it holds for few images and for shares of 0 or 1.

    Raises:
        ValueError: if there was no trial.
    """
    if not 0 <= successes <= trials or not trials:
        raise ValueError(f"{successes} successes of {trials} trials are no share")
    share, z2 = successes / trials, NORMAL_95**2 / trials
    centre = (share + z2 / 2) / (1 + z2)
    reach = NORMAL_95 * sqrt(share * (1 - share) / trials + z2 / (4 * trials)) / (1 + z2)
    return max(0.0, min(share, centre - reach)), min(1.0, max(share, centre + reach))


def expected_calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = BINS) -> float:
    """Return the ECE in [0, 1], 0 is best: the mean distance of confidence and accuracy over bins of equal width.

    Args:
        confidence: (N,) in [0, 1], of the predicted class.
        correct: (N,) whether the predicted class is the true one; or any outcome in [0, 1] that was predicted.
        bins: how many.
    """
    said = np.asarray(confidence, np.float64)
    places = np.minimum((said * bins).astype(np.int64), bins - 1)
    sums = [np.bincount(places, weights) for weights in (said, correct)]
    return float(np.abs(sums[0] - sums[1]).sum() / len(said))


def corruption_error(errors: Mapping[str, Sequence[float]]) -> float:
    """Return the mean corruption error, plain: the mean over distortions of the mean top-1 error over their levels."""
    return float(np.mean([np.mean(levels) for levels in errors.values()]))


def baseline_corruption_error(
    errors: Mapping[str, Sequence[float]], baseline: Mapping[str, Sequence[float]]
) -> float | None:
    """Return mCE (Hendrycks and Dietterich, 2019, section 4.2): each distortion's summed error over the baseline's.

    1 is the baseline itself, less is better; None where the baseline makes no error under some distortion.
    """
    sums = [(sum(levels), sum(baseline[name])) for name, levels in errors.items()]
    return None if any(below <= 0 for _, below in sums) else float(np.mean([above / below for above, below in sums]))


def relative_corruption_error(
    errors: Mapping[str, Sequence[float]], clean: float, baseline: Mapping[str, Sequence[float]], baseline_clean: float
) -> float | None:
    """Return relative mCE (Hendrycks and Dietterich, 2019, section 4.2): the same of what is lost beside clean images.

    None where the baseline loses nothing under some distortion.
    """
    lost = {name: [error - clean for error in levels] for name, levels in errors.items()}
    lost_by_baseline = {name: [error - baseline_clean for error in levels] for name, levels in baseline.items()}
    return baseline_corruption_error(lost, lost_by_baseline)


def risk_coverage(predicted: ArrayLike, error: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the risk of keeping only the images that are predicted best (El-Yaniv and Wiener, 2010).

    Args:
        predicted: (N,) predicted errors, or anything that ranks like them; equal predictions are kept together.
        error: (N,) true errors in [0, 1].

    Returns:
        Coverage (N,), rising to 1, and the mean true error of the share that is kept (N,).
    """
    x, y = np.asarray(predicted, np.float64), np.asarray(error, np.float64)
    order = np.argsort(x, kind="stable")
    last = rankdata(x[order], method="max").astype(np.int64) - 1  # the last of each group of equals
    first = rankdata(x[order], method="min").astype(np.int64) - 1
    total = np.concatenate([[0.0], np.cumsum(y[order])])
    mean = (total[last + 1] - total[first]) / (last + 1 - first)  # what one of a group of equals costs on average
    kept = np.arange(1, len(x) + 1)
    return kept / len(x), (total[first] + (kept - first) * mean) / kept


def accuracy_kept(predicted: ArrayLike, error: ArrayLike, rejected: float) -> float:
    """Return one minus the risk that is left when the worst-predicted share, in [0, 1), is rejected."""
    coverage, risk = risk_coverage(predicted, error)
    return float(1 - risk[max(1, round((1 - rejected) * len(coverage))) - 1])

"""Accuracy of a classifier with its interval, its calibration, and what distortions cost it."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax
from scipy.stats import binomtest, rankdata

BINS = 15
"""Of the calibration error (Guo et al., 2017, section 3)."""
TINY = 1e-300  # probabilities of 0 have no logarithm
Z = 1.959964  # of a 95 % interval


def binomial_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a fraction, in [0, 1] (Wilson, 1927), which holds for few trials and at 0 and 1.

    Raises:
        ValueError: if there are no trials, or more successes than trials.
    """
    if not trials:
        raise ValueError("a fraction of no trials has no interval")
    interval = binomtest(successes, trials).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def expected_calibration_error(confidence: ArrayLike, correct: ArrayLike, bins: int = BINS) -> float:
    """Return the ECE in [0, 1], 0 is best: the mean distance of confidence and accuracy over bins of equal width.

    torchmetrics agrees, but takes outcomes of 0 or 1 alone, and a metrifier's are errors in between.

    Args:
        confidence: (N,) in [0, 1], of the predicted class.
        correct: (N,) whether the predicted class is the true one; or any outcome in [0, 1] that was predicted.
        bins: number of bins.
    """
    predicted = np.asarray(confidence, np.float64)
    places = np.minimum((predicted * bins).astype(np.int64), bins - 1)
    sums = [np.bincount(places, weights) for weights in (predicted, correct)]
    return float(np.abs(sums[0] - sums[1]).sum() / len(predicted))


def calibration_bins(confidence: ArrayLike, correct: ArrayLike, bins: int = BINS) -> list[list[float]]:
    """Return for each of `bins` bins of equal width the number of images, the sum of confidences and of outcomes.

    Args:
        confidence: (N,) in [0, 1], of the predicted class.
        correct: (N,) whether the predicted class is the true one.
        bins: number of bins.
    """
    predicted = np.asarray(confidence, np.float64)
    places = np.minimum((predicted * bins).astype(np.int64), bins - 1)
    sums = [np.bincount(places, weights, bins) for weights in (np.ones(len(places)), predicted, correct)]
    return [[float(value) for value in one] for one in np.round(np.stack(sums, axis=1), 3)]


def best_temperature(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the T in [0.05, 20] with the least negative log likelihood (Guo et al., 2017, section 4.2).

    Args:
        probabilities: (N, K); their logarithms do as logits.
        labels: true classes, (N,).
    """
    logs = np.log(np.maximum(probabilities, TINY))

    def loss(log_temperature: float) -> float:
        scaled = logs / np.exp(log_temperature)
        return float((logsumexp(scaled, axis=1) - scaled[np.arange(len(labels)), labels]).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-np.log(20), np.log(20)), method="bounded").x))


def with_temperature(probabilities: NDArray[np.float64], temperature: ArrayLike) -> NDArray[np.float64]:
    """Return class probabilities (N, K) whose logits are divided by T, one or (N, 1); their order stays the same."""
    scaled: NDArray[np.float64] = softmax(np.log(np.maximum(probabilities, TINY)) / np.asarray(temperature), axis=1)
    return scaled


def crossed_interval(differences: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of differences (S, N) over seeds and images, both taken as drawn.

    Normal, with the variance of the mean over images plus that over seeds; one seed says nothing of other seeds, and
    two say little.
    """
    seeds, images = differences.shape
    variance = differences.mean(axis=0).var(ddof=1) / images if images > 1 else 0.0
    variance += differences.mean(axis=1).var(ddof=1) / seeds if seeds > 1 else 0.0
    mean, reach = differences.mean(), Z * np.sqrt(variance)
    return float(mean - reach), float(mean + reach)


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
    """Return the risk of keeping only the images with the lowest predicted error (El-Yaniv and Wiener, 2010).

    Args:
        predicted: (N,) predicted errors, or anything that ranks like them; equal predictions are kept together.
        error: (N,) true errors in [0, 1].

    Returns:
        Coverage (N,), rising to 1, and the mean true error of the images that are kept (N,).
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
    """Return one minus the risk that is left when the worst-predicted fraction, in [0, 1), is rejected."""
    coverage, risk = risk_coverage(predicted, error)
    return float(1 - risk[max(1, round((1 - rejected) * len(coverage))) - 1])

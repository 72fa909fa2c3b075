"""Kernel distance of two sets of features (KID: Binkowski et al., 2018)."""

import numpy as np
from numpy.typing import NDArray


def kernel_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the unbiased squared maximum mean discrepancy under k(x, y) = (x y / F + 1)^3; 0 for one distribution.

    Unlike Frechet's distance it needs no covariance, so that it can be had from fewer crops than features. Its estimate
    may be slightly negative.

    Args:
        first: (N, F), N at least 2.
        second: (M, F), M at least 2.
    """
    within = [(kernel(x, x).sum() - kernel_of_itself(x).sum()) / (len(x) * (len(x) - 1)) for x in (first, second)]
    return float(sum(within) - 2 * kernel(first, second).mean())


def kernel(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return k of each pair, (N, M)."""
    return np.asarray((x.astype(np.float64) @ y.astype(np.float64).T / x.shape[1] + 1) ** 3)


def kernel_of_itself(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return k(x, x) of each, (N,)."""
    return np.asarray(((x.astype(np.float64) ** 2).sum(axis=1) / x.shape[1] + 1) ** 3)

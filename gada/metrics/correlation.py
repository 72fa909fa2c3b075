"""LCC, SROCC, KROCC and RMSE of predicted against true scores, (N,) each, in float64.

Each raises ValueError if the lengths differ or a value is not finite, and UndefinedError with fewer than three images
(RMSE: without any) or if one of the two is constant.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from gada.metrics.logistic import FitError, fit_logistic

ALL = "ALL"  # the row over all distortions together

Row = dict[str, Any]
Metric = Callable[[ArrayLike, ArrayLike], float]


class UndefinedError(ArithmeticError):
    """A metric has no value for these scores; the message is the reason."""


def lcc(predicted: ArrayLike, truth: ArrayLike) -> float:
    """Linear correlation coefficient of Pearson, in [-1, 1] (GADA, section 4.2, equation 4)."""
    x, y = _varying(predicted, truth)
    return float(stats.pearsonr(x, y).statistic)


def srocc(predicted: ArrayLike, truth: ArrayLike) -> float:
    """Rank correlation coefficient of Spearman, in [-1, 1]: the LCC of the ranks, ties sharing their mean rank.

    Equation 5 of the paper (section 4.2) is the same number without ties only; the field uses tied ranks.
    """
    x, y = _varying(predicted, truth)
    return float(stats.spearmanr(x, y).statistic)


def krocc(predicted: ArrayLike, truth: ArrayLike) -> float:
    """Rank correlation coefficient of Kendall, in [-1, 1]: tau-b, which allows for ties."""
    x, y = _varying(predicted, truth)
    return float(stats.kendalltau(x, y).statistic)


def rmse(predicted: ArrayLike, truth: ArrayLike) -> float:
    """Root mean squared error, in the units of the scores; 0 is best. No fit comes before it."""
    x, y = _checked(predicted, truth)
    if x.size == 0:
        raise UndefinedError("there is no image")
    return float(np.sqrt(np.mean((x - y) ** 2)))


def defined(metric: Metric, predicted: ArrayLike, truth: ArrayLike) -> float | None:
    """Return a metric's value, None where it is undefined."""
    try:
        return metric(predicted, truth)
    except UndefinedError:
        return None


def lcc_logistic(predicted: ArrayLike, truth: ArrayLike, parameters: int) -> float:
    """LCC after a logistic map with four or five parameters is fitted to these very scores.

    The fit makes it larger than the raw LCC and blind to its sign; the two are never to be mixed.

    Args:
        predicted: (N,) predicted scores.
        truth: (N,) true scores.
        parameters: 4 or 5, see `gada.metrics.logistic`.

    Raises:
        UndefinedError: also if the fit fails.
    """
    if parameters not in (4, 5):
        raise ValueError(f"parameters is {parameters}; it must be 4 or 5")
    x, y = _varying(predicted, truth)
    try:
        return lcc(fit_logistic(x, y, 4 if parameters == 4 else 5)(x), y)
    except (FitError, UndefinedError) as error:  # a fit that maps all predictions to one value is not a fit
        raise UndefinedError(f"fit failed: {error}") from error


FORMULAS: dict[str, Metric] = {
    "srocc": srocc,
    "lcc": lcc,
    "lcc_logistic4": partial(lcc_logistic, parameters=4),
    "lcc_logistic5": partial(lcc_logistic, parameters=5),
    "krocc": krocc,
    "rmse": rmse,
}
METRICS = tuple(FORMULAS)


def all_metrics(predicted: ArrayLike, truth: ArrayLike) -> dict[str, float | str | None]:
    """Return every metric of `METRICS`; an undefined one is None, with `<metric>_undefined` giving the reason."""
    x, y = _checked(predicted, truth)
    metrics: dict[str, float | str | None] = {}
    for name, formula in FORMULAS.items():
        try:
            metrics[name] = formula(x, y)
        except UndefinedError as error:
            metrics[name] = None
            metrics[f"{name}_undefined"] = str(error)
    return metrics


def rows_by_distortion(
    predicted: ArrayLike,
    truth: ArrayLike,
    distortions: Sequence[str],
    stage: str,
    split: int | None,
    classes: Sequence[str] | None = None,
) -> list[Row]:
    """Return one result row for each distortion class, then the row `ALL`.

    Args:
        predicted: (N,) predicted scores.
        truth: (N,) true scores, on the same scale.
        distortions: N class names; an image without a class ("") counts in `ALL` only.
        stage: "baseline", "phase1", "phase2" or "phase3".
        split: number of the split; None where all images are scored.
        classes: the classes in the order of the rows; by default in order of first appearance.

    Raises:
        ValueError: if the lengths differ, a value is not finite, a class is named ALL or is missing in `classes`.
    """
    x, y = _checked(predicted, truth)
    if len(distortions) != x.size:
        raise ValueError(f"distortions has {len(distortions)} names, predicted has {x.size} values; they must be equal")
    named = list(dict.fromkeys(name for name in distortions if name))
    order = named if classes is None else list(classes)
    if strange := [name for name in named if name not in order or name == ALL]:
        raise ValueError(f"distortion {strange[0]!r} is not one of the classes {order}")
    labels = np.asarray(distortions)
    rows: list[Row] = []
    for name in [*order, ALL]:
        chosen = np.ones(x.size, dtype=bool) if name == ALL else labels == name
        head = {"stage": stage, "split": split, "distortion": name, "n": int(chosen.sum())}
        rows.append({**head, **all_metrics(x[chosen], y[chosen])})
    return rows


def _varying(predicted: ArrayLike, truth: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both as float64 arrays that a correlation is defined for."""
    x, y = _checked(predicted, truth)
    if x.size < 3:
        raise UndefinedError(f"a correlation needs at least 3 images, there are {x.size}")
    for name, values in (("predicted", x), ("true", y)):
        if np.ptp(values) <= 4e-13 * np.abs(values).max():  # rounding noise has no direction
            raise UndefinedError(f"the {name} scores are constant")
    return x, y


def _checked(predicted: ArrayLike, truth: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both as finite float64 vectors of one length."""
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if x.ndim != 1 or y.ndim != 1 or x.size != y.size:
        raise ValueError(
            f"predicted has shape {x.shape}, truth has shape {y.shape}; both must be vectors of one length"
        )
    for name, values in (("predicted", x), ("truth", y)):
        if not np.isfinite(values).all():
            at = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ValueError(f"{name}[{at}] is {values[at]}; every value must be finite")
    return x, y

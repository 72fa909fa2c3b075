"""Metrics over splits: summary, and the paired difference of two stages with what can be said about it."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from gada.metrics.correlation import ALL, METRICS, Row, UndefinedError, srocc

FEWEST_SPLITS = 6  # below six pairs the smallest two-sided p of Wilcoxon's test is 2 / 2**5 = 0.0625
RESAMPLES = 10_000
FEWEST_GROUPS = 6  # of images, likewise, from which an interval of their SROCC is drawn
IMAGE_RESAMPLES = 1000


def paired_difference(
    a: Sequence[float], b: Sequence[float], seed: int, test_fraction: float | None = None
) -> dict[str, Any]:
    """Describe `a - b`, the differences of two methods on the same splits.

    The interval is the percentile bootstrap of the mean difference (10,000 resamples of the splits). For ten
    splits it is somewhat too narrow, because splits of one database share references; `corrected` allows for that.
    All of them speak of this database under new splits and not of new databases.

    Args:
        a: (S,) a metric of the first method, one value for each split.
        b: (S,) the same metric of the second method on the same splits.
        seed: seed of the resampling.
        test_fraction: fraction of the references that each split tests, for `corrected`.

    Returns:
        `splits`, `differences`, `median`, `mean`, `std` (sample standard deviation, None for one split), `interval`
        ([low, high], 95 %), `interval_method`, `corrected` ([low, high] of `corrected_interval`, or None) and
        `wilcoxon_p` (two-sided). With fewer than six splits the intervals and `wilcoxon_p` are None and `not_claimed`
        says why.

    Raises:
        ValueError: if the lengths differ, nothing is given or a value is not finite.
    """
    if len(a) != len(b) or len(a) == 0:
        raise ValueError(f"a has {len(a)} values, b has {len(b)}; a paired difference needs one pair or more")
    differences = np.subtract(a, b, dtype=np.float64)
    if not np.isfinite(differences).all():
        raise ValueError("a paired difference needs finite values")
    report: dict[str, Any] = {
        "splits": len(a),
        "differences": [float(value) for value in differences],
        **_summary(differences),
        "interval": None,
        "interval_method": f"percentile bootstrap of the mean, {RESAMPLES} resamples",
        "corrected": None,
        "wilcoxon_p": None,
    }
    if len(a) < FEWEST_SPLITS:
        report["not_claimed"] = f"{len(a)} of at least {FEWEST_SPLITS} splits: the differences are listed, no more"
        return report
    report["interval"] = mean_interval(differences, seed)
    if test_fraction:
        report["corrected"] = corrected_interval(differences, test_fraction)
    if np.any(differences):
        report["wilcoxon_p"] = float(stats.wilcoxon(differences).pvalue)
    else:
        report["not_claimed"] = "the two are equal in every split"
    return report


def mean_interval(values: ArrayLike, seed: int) -> list[float]:
    """Return the 95 % percentile bootstrap interval of the mean of two or more `values`, (S,), as [low, high]."""
    generator = np.random.default_rng(seed)
    given = np.asarray(values, dtype=np.float64)
    found = stats.bootstrap([given], np.mean, n_resamples=RESAMPLES, method="percentile", rng=generator)
    return [float(end) for end in found.confidence_interval]


def corrected_interval(differences: ArrayLike, test_fraction: float) -> list[float]:
    """Return the 95 % interval of a mean difference over splits that share references, as [low, high].

    The corrected resampled t-test (Nadeau and Bengio, Machine Learning 52, 2003, section 4.3): Student's t with a
    variance of (1 / S + test / training) s^2 in place of s^2 / S.

    Args:
        differences: (S,), two or more.
        test_fraction: fraction of the references that each split tests, in (0, 1); the others train.
    """
    given = np.asarray(differences, dtype=np.float64)
    error = given.std(ddof=1) * np.sqrt(1 / given.size + test_fraction / (1 - test_fraction))
    reach = float(stats.t.ppf(0.975, given.size - 1) * error)
    return [float(given.mean()) - reach, float(given.mean()) + reach]


def srocc_interval(
    predicted: ArrayLike, truth: ArrayLike, groups: Sequence[str], before: ArrayLike | None = None, seed: int = 0
) -> list[float] | None:
    """Return the 95 % percentile bootstrap interval of the SROCC over images, as [low, high].

    Whole groups are resampled (1,000 times), since versions of one reference are no independent images.

    Args:
        predicted: (N,) predicted scores.
        truth: (N,) true scores.
        groups: N names, such as each image's reference.
        before: (N,) predictions of another evaluator for the same images; the interval is then of the SROCC of
            `predicted` minus theirs.
        seed: seed of the resampling.

    Returns:
        None with fewer than six groups, or where hardly any resample has a SROCC.
    """
    members = [np.flatnonzero(np.asarray(groups) == name) for name in dict.fromkeys(groups)]
    columns = np.array([predicted, truth, *([] if before is None else [before])], dtype=np.float64)
    generator, found = np.random.default_rng(seed), []
    for _ in range(IMAGE_RESAMPLES if len(members) >= FEWEST_GROUPS else 0):
        drawn = np.concatenate([members[one] for one in generator.integers(len(members), size=len(members))])
        x, y, *other = columns[:, drawn]
        with suppress(UndefinedError):
            found.append(srocc(x, y) - (srocc(other[0], y) if other else 0.0))
    if len(found) < IMAGE_RESAMPLES / 2:
        return None
    return [float(end) for end in np.quantile(found, (0.025, 0.975))]


def stage_difference(
    rows: Iterable[Row],
    stage: str,
    against: str,
    metric: str,
    seed: int,
    test_fraction: float | None = None,
) -> Row:
    """Return `paired_difference` of one metric of two stages over ALL, paired by split, with what was compared.

    Splits in which the metric is missing or undefined for one of the two are left out and named under `left_out`.

    Args:
        rows: result rows.
        stage: the first stage, as "phase3".
        against: the stage that is subtracted, as "baseline".
        metric: one of `METRICS`.
        seed: seed of the resampling.
        test_fraction: as for `paired_difference`.

    Raises:
        ValueError: if no split has the metric for both stages.
    """
    values: dict[str, dict[int, float | None]] = {stage: {}, against: {}}
    for row in rows:
        if row["distortion"] == ALL and row["stage"] in values:
            values[row["stage"]][row["split"]] = row.get(metric)
    splits = sorted(values[stage].keys() | values[against].keys())
    first = {split: value for split, value in values[stage].items() if value is not None}
    second = {split: value for split, value in values[against].items() if value is not None}
    paired = [split for split in splits if split in first and split in second]
    if not paired:
        raise ValueError(f"no split has {metric} ({ALL}) of both {stage} and {against}")
    report = paired_difference([first[s] for s in paired], [second[s] for s in paired], seed, test_fraction)
    left_out = [split for split in splits if split not in paired]
    return {
        "stage": stage,
        "against": against,
        "metric": metric,
        "distortion": ALL,
        **report,
        "left_out": left_out,
    }


def stage_differences(rows: Sequence[Row], seed: int, test_fraction: float) -> list[Row]:
    """Return the paired difference of phase 3 and baseline in every metric that a split has for both, over ALL."""
    found = []
    for metric in METRICS:
        try:
            found.append(stage_difference(rows, "phase3", "baseline", metric, seed, test_fraction))
        except ValueError:  # no split has it for both; the tables of the stages say why
            continue
    return found


def summary_over_splits(rows: Iterable[Row]) -> list[Row]:
    """Return one row for each stage and distortion, in order of first appearance.

    Each has `stage`, `distortion`, `splits` and, for each metric of `METRICS` that occurs, a dict of `defined` (the
    number of splits with a value), `median`, `mean` and `std` (sample standard deviation; None below two values).
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["stage"], row["distortion"]), []).append(row)
    summaries: list[Row] = []
    for (stage, distortion), group in groups.items():
        summary: Row = {"stage": stage, "distortion": distortion, "splits": len(group)}
        for metric in METRICS:
            if any(metric in row for row in group):
                values = np.array([row[metric] for row in group if row.get(metric) is not None])
                summary[metric] = {"defined": values.size, **_summary(values)}
        summaries.append(summary)
    return summaries


def _summary(values: NDArray[np.float64]) -> dict[str, float | None]:
    """Return median, mean and sample standard deviation, None where there are too few values."""
    return {
        "median": float(np.median(values)) if values.size else None,
        "mean": float(values.mean()) if values.size else None,
        "std": float(values.std(ddof=1)) if values.size > 1 else None,
    }

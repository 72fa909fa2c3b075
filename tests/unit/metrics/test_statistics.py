"""Summary over splits and the paired difference: what is computed, and what is not claimed."""

import numpy as np
import pytest

from gada.metrics.statistics import (
    corrected_interval,
    mean_interval,
    paired_difference,
    srocc_interval,
    stage_difference,
    stage_differences,
    summary_over_splits,
)


def test_six_splits_are_enough_for_a_claim() -> None:
    b = [0.90, 0.91, 0.92, 0.93, 0.94, 0.95]
    a = [value + step / 1000 for value, step in zip(b, [1, 2, 3, 4, 5, 9], strict=True)]
    report = paired_difference(a, b, seed=1)
    assert report["wilcoxon_p"] == pytest.approx(2 / 2**6)  # all six of one sign: the smallest exact p
    assert report["median"] == pytest.approx(0.0035)
    assert report["mean"] == pytest.approx(0.004)
    assert report["std"] == pytest.approx(np.std([1, 2, 3, 4, 5, 9], ddof=1) / 1000)
    low, high = report["interval"]
    assert 0.001 < low < 0.004 < high < 0.009
    assert report["splits"] == 6
    assert report["interval_method"] == "percentile bootstrap of the mean, 10000 resamples"
    assert "not_claimed" not in report
    assert paired_difference(a, b, seed=1) == report
    assert paired_difference(a, b, seed=2)["interval"] != report["interval"]


def test_the_interval_covers_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    intervals = [
        paired_difference(list(generator.normal(0.3, 1, 30)), [0.0] * 30, seed)["interval"] for seed in range(60)
    ]
    covered = sum(low <= 0.3 <= high for low, high in intervals)
    assert covered >= 50  # 95 % of 60 is 57; below 50 has a chance under 1e-3 even at 93 %


def test_swapping_the_two_turns_the_signs() -> None:
    a, b = [0.5, 0.7, 0.6, 0.8, 0.9, 0.4, 0.3], [0.4, 0.8, 0.5, 0.6, 0.7, 0.35, 0.1]
    there, back = paired_difference(a, b, 3), paired_difference(b, a, 3)
    assert back["mean"] == pytest.approx(-there["mean"])
    assert back["wilcoxon_p"] == pytest.approx(there["wilcoxon_p"])
    assert back["interval"] == pytest.approx([-there["interval"][1], -there["interval"][0]])


def test_fewer_splits_are_listed_and_nothing_is_claimed() -> None:
    report = paired_difference([0.5, 0.75, 0.5], [0.25, 0.5, 0.75], seed=0)
    assert report["differences"] == [0.25, 0.25, -0.25]
    assert report["interval"] is None
    assert report["wilcoxon_p"] is None
    assert report["not_claimed"] == "3 of at least 6 splits: the differences are listed, no more"
    assert paired_difference([0.5], [0.25], seed=0)["std"] is None


def test_equal_methods_have_no_p() -> None:
    report = paired_difference([0.5] * 7, [0.5] * 7, seed=0)
    assert report["wilcoxon_p"] is None
    assert report["interval"] == [0.0, 0.0]
    assert report["not_claimed"] == "the two are equal in every split"


def test_wilcoxon_takes_ties_and_zeros_without_a_warning() -> None:
    report = paired_difference([0.5, 0.5, 0.5, 0.75, 0.75, 0.5, 0.25], [0.5, 0.25, 0.25, 0.5, 0.5, 0.25, 0.5], seed=0)
    assert 0 < report["wilcoxon_p"] <= 1


def test_bad_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="a has 1 values, b has 2"):
        paired_difference([0.5], [0.5, 0.6], seed=0)
    with pytest.raises(ValueError, match=r"^a paired difference needs finite values$"):
        paired_difference([0.5], [float("nan")], seed=0)


def test_single_precision_is_summed_in_double() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 9)).astype(np.float32)
    assert paired_difference(a, b, 0) == paired_difference(a.tolist(), b.tolist(), 0)
    assert mean_interval(a, 0) == mean_interval(a.tolist(), 0)


def row(stage: str, split: int, value: float | None, distortion: str = "ALL") -> dict[str, object]:
    return {"stage": stage, "split": split, "distortion": distortion, "n": 10, "srocc": value}


def test_stages_are_paired_by_split_and_gaps_are_named() -> None:
    rows = [row("baseline", s, 0.5) for s in (0, 1, 2, 3)] + [row("phase3", s, 0.5 + s / 8) for s in (2, 1, 0)]
    rows += [row("baseline", 4, None), row("phase3", 4, 0.9), row("phase3", 0, 0.1, "wn")]
    report = stage_difference(rows, "phase3", "baseline", "srocc", seed=0)
    assert report["differences"] == [0.0, 0.125, 0.25]
    assert report["left_out"] == [3, 4]
    compared = {"stage": "phase3", "against": "baseline", "metric": "srocc", "distortion": "ALL"}
    assert report.items() >= compared.items()
    with pytest.raises(ValueError, match="no split has lcc"):
        stage_difference(rows, "phase3", "baseline", "lcc", seed=0)


def test_the_interval_of_two_stages_is_that_of_the_seed() -> None:
    rows = [row(stage, s, s ** (1 / len(stage))) for stage in ("baseline", "phase3") for s in range(20)]
    found = stage_difference(rows, "phase3", "baseline", "srocc", seed=5)
    assert found["interval"] == mean_interval(found["differences"], 5)


def test_phase_3_is_compared_with_the_baseline_in_every_figure_of_both() -> None:
    rows = [
        row(stage, s, s ** (1 / len(stage + name)), name)
        for stage in ("phase1", "phase3", "baseline")
        for s in range(20)
        for name in ("wn", "ALL")
    ]
    for one in rows:
        one["krocc"] = one["srocc"] if one["stage"] == "phase3" else None
        one["rmse"] = 2.0
    found = stage_differences(rows, 4, 0.2)
    assert found == [stage_difference(rows, "phase3", "baseline", figure, 4, 0.2) for figure in ("srocc", "rmse")]


def test_the_corrected_interval_is_nadeau_and_bengios() -> None:
    """Ten splits of 80 to 20: a variance of (1 / 10 + 1 / 4) s^2; t of 9 degrees is 2.262157 (tables)."""
    differences = [0.01 * one for one in range(10)]  # mean 0.045, s 0.0302765
    low, high = corrected_interval(differences, 0.2)
    reach = 2.262157 * 0.0302765 * 0.35**0.5
    assert (low, high) == pytest.approx((0.045 - reach, 0.045 + reach), abs=1e-6)
    plain = mean_interval(differences, 0)
    assert low < plain[0] < plain[1] < high


def test_summary_counts_what_is_defined() -> None:
    rows = [row("baseline", 0, 0.5), row("baseline", 1, 0.75), row("baseline", 2, None), row("phase1", 0, 0.5)]
    first, second = summary_over_splits(rows)
    assert (first["stage"], first["distortion"], first["splits"]) == ("baseline", "ALL", 3)
    assert first["srocc"] == {"defined": 2, "median": 0.625, "mean": 0.625, "std": pytest.approx(0.1767767)}
    assert second["srocc"] == {"defined": 1, "median": 0.5, "mean": 0.5, "std": None}
    assert "lcc" not in first
    (nothing,) = summary_over_splits([row("phase2", 0, None)])
    assert nothing["srocc"] == {"defined": 0, "median": None, "mean": None, "std": None}


def test_the_interval_of_a_srocc_covers_about_as_often_as_it_says() -> None:
    """Of normal scores with a correlation of 0.6 the SROCC is 6 / pi asin(0.3)."""
    generator, true, covered = np.random.default_rng(0), 6 / np.pi * np.arcsin(0.3), 0
    for seed in range(60):
        truth = generator.normal(size=60)
        predicted = 0.6 * truth + 0.8 * generator.normal(size=60)
        low, high = srocc_interval(predicted, truth, [str(n) for n in range(60)], seed=seed) or (0, 0)
        covered += low <= true <= high
    assert covered >= 51


def test_versions_of_few_references_say_less_than_as_many_images() -> None:
    generator = np.random.default_rng(1)
    truth = np.repeat(generator.normal(size=8), 20)
    predicted = truth + np.repeat(generator.normal(size=8), 20)
    alone, together = [str(n) for n in range(160)], [str(n // 20) for n in range(160)]
    (low, high), (lower, higher) = (srocc_interval(predicted, truth, names) or (0, 0) for names in (alone, together))
    assert higher - lower > 2 * (high - low)
    assert srocc_interval(predicted, truth, together, before=predicted) == [0.0, 0.0]
    assert srocc_interval(predicted[:100], truth[:100], together[:100]) is None  # five references
    assert srocc_interval(np.ones(160), truth, together) is None

"""LCC, SROCC, KROCC and RMSE against exact arithmetic; their laws; what is undefined and what is an error."""

from collections.abc import Callable
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gada.metrics.correlation import (
    METRICS,
    UndefinedError,
    all_metrics,
    krocc,
    lcc,
    lcc_logistic,
    rmse,
    rows_by_distortion,
    srocc,
)

Pair = tuple[list[int], list[int]]
few_levels = st.integers(-4, 4)  # many ties
many_levels = st.integers(-(10**7), 10**7)


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Two lists of whole numbers of one length with few or many ties, neither constant."""
    size = draw(st.integers(3, 15))
    x, y = (
        draw(st.lists(draw(st.sampled_from([few_levels, many_levels])), min_size=size, max_size=size)) for _ in "xy"
    )
    assume(len(set(x)) > 1 and len(set(y)) > 1)
    return x, y


def ratio_to_root(numerator: int, squared: int) -> float:
    """`numerator / sqrt(squared)` from whole numbers, to more than 30 digits before the last rounding."""
    scale = 10**30
    return float(Fraction(numerator * scale, isqrt(squared * scale * scale)))


def exact_lcc(x: list[int], y: list[int]) -> float:
    n = len(x)
    covariance = n * sum(a * b for a, b in zip(x, y, strict=True)) - sum(x) * sum(y)
    spreads = [n * sum(a * a for a in values) - sum(values) ** 2 for values in (x, y)]
    return ratio_to_root(covariance, spreads[0] * spreads[1])


def twice_the_ranks(values: list[int]) -> list[int]:
    """Twice the mean ranks, by counting: two for each value below, one for each equal value and itself."""
    return [2 * sum(v < w for v in values) + sum(v == w for v in values) + 1 for w in values]


def exact_tau_b(x: list[int], y: list[int]) -> float:
    def sign(value: int) -> int:
        return (value > 0) - (value < 0)

    pairs = [(i, j) for i in range(len(x)) for j in range(i)]
    concordance = sum(sign(x[i] - x[j]) * sign(y[i] - y[j]) for i, j in pairs)
    untied = [sum(v[i] != v[j] for i, j in pairs) for v in (x, y)]
    return ratio_to_root(concordance, untied[0] * untied[1])


@settings(max_examples=2000)
@given(pairs())
def test_agrees_with_exact_arithmetic(pair: Pair) -> None:
    x, y = pair
    scores, others = [v / 64 for v in x], [v / 64 + 50 for v in y]  # exact in binary
    assert abs(lcc(scores, others) - exact_lcc(x, y)) < 1e-12
    assert abs(srocc(scores, others) - exact_lcc(twice_the_ranks(x), twice_the_ranks(y))) < 1e-12
    assert abs(krocc(scores, others) - exact_tau_b(x, y)) < 1e-12
    squares = sum((a - b - 50 * 64) ** 2 for a, b in zip(x, y, strict=True))
    exact_rmse = ratio_to_root(squares, squares * len(x)) / 64 if squares else 0.0
    assert rmse(scores, others) == pytest.approx(exact_rmse, rel=1e-12)


@settings(max_examples=100)
@given(pairs())
@pytest.mark.parametrize("figure", [lcc, srocc, krocc])
def test_is_symmetric_and_changes_sign_with_direction(figure: Callable[..., float], pair: Pair) -> None:
    x, y = pair
    assert figure(x, y) == pytest.approx(figure(y, x), abs=1e-13)
    assert figure([-v for v in x], y) == pytest.approx(-figure(x, y), abs=1e-13)
    assert -1 <= figure(x, y) <= 1


@settings(max_examples=100)
@given(pairs())
def test_ranks_do_not_change_under_a_monotone_map(pair: Pair) -> None:
    x, y = pair
    mapped = [v**3 + 5 * v - 1 for v in x]
    assert srocc(mapped, y) == srocc(x, y)
    assert krocc(mapped, y) == krocc(x, y)


def test_lcc_does_not_change_under_a_linear_map() -> None:
    x, y = [1.0, 4.0, 2.0, 8.0], [3.0, 5.0, 1.0, 9.0]
    assert lcc([100 - 7 * v for v in x], y) == pytest.approx(-lcc(x, y), abs=1e-14)


def test_equals_equation_5_of_the_paper_without_ties() -> None:
    ranks = np.random.default_rng(3).permutation(12) + 1
    others = np.random.default_rng(4).permutation(12) + 1
    expected = 1 - 6 * np.sum((ranks - others) ** 2) / (12 * (12**2 - 1))
    assert srocc(ranks, others) == pytest.approx(expected, abs=1e-14)


def test_golden_rank_correlations() -> None:
    """Tau 0.4444 (T = 26): the Hunter L values of Hollander and Wolfe (1973, p. 185), as in R's help of cor.test."""
    lightness, panel = (
        [44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7, 45.2, 60.1],
        [2.6, 3.1, 2.5, 5.0, 3.6, 4.0, 5.2, 2.8, 3.8],
    )
    assert krocc(lightness, panel) == pytest.approx(4 / 9, abs=1e-14)
    assert srocc(lightness, panel) == pytest.approx(0.6, abs=1e-14)


def test_golden_anscombe() -> None:
    """Anscombe (1973), data set I: r = 0.81642, from the exact decimals of its table."""
    x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
    y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
    assert lcc(x, y) == pytest.approx(0.81642051634484, abs=1e-13)


def test_rmse_is_in_units_of_the_scale() -> None:
    assert rmse([10.0, 20.0], [13.0, 16.0]) == pytest.approx(12.5**0.5, abs=1e-14)
    assert rmse([1.0], [1.0]) == 0.0
    with pytest.raises(UndefinedError, match="no image"):
        rmse([], [])


@pytest.mark.parametrize("figure", [lcc, srocc, krocc, rmse, all_metrics])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_an_error(figure: Callable[..., float], bad: float) -> None:
    with pytest.raises(ValueError, match=r"truth\[2\] is -?(nan|inf); every value must be finite"):
        figure([1.0, 2.0, 3.0], [1.0, 2.0, bad])
    with pytest.raises(ValueError, match=r"predicted\[0\]"):
        figure([bad, 2.0, 3.0], [1.0, 2.0, 3.0])


@pytest.mark.parametrize("figure", [lcc, srocc, krocc, rmse, all_metrics])
def test_different_lengths_are_an_error(figure: Callable[..., float]) -> None:
    with pytest.raises(ValueError, match=r"shape \(3,\).*shape \(2,\)"):
        figure([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="vectors of one length"):
        figure([[1.0, 2.0]], [[1.0, 2.0]])
    for one, other in [([[1.0, 2.0, 3.0]], [1.0, 2.0, 3.0]), ([1.0, 2.0, 3.0], [[1.0, 2.0, 3.0]])]:
        with pytest.raises(ValueError, match="vectors of one length"):
            figure(one, other)


@pytest.mark.parametrize("kind", [np.int8, np.float16, np.float32])
def test_scores_may_be_of_any_type_of_number(kind: type[np.number[Any]]) -> None:
    predicted, truth = (np.array(v, kind) for v in ([-90, 5, 20, 60, 80, 99, 95], [-100, 1, 33, 50, 81, 90, 100]))
    in_double = all_metrics(predicted.astype(np.float64), truth.astype(np.float64))
    assert all_metrics(predicted, truth) == in_double


@pytest.mark.parametrize("figure", [lcc, srocc, krocc])
def test_constants_and_few_images_are_undefined(figure: Callable[..., float]) -> None:
    with pytest.raises(UndefinedError, match="predicted scores are constant"):
        figure([0.1 + 0.2, 0.3, 0.3], [1.0, 2.0, 3.0])
    with pytest.raises(UndefinedError, match="true scores are constant"):
        figure([1.0, 2.0, 3.0], [5.0, 5.0, 5.0])
    with pytest.raises(UndefinedError, match="at least 3 images, there are 2"):
        figure([1.0, 2.0], [1.0, 2.0])


@pytest.mark.parametrize("unit", [1e-20, 1.0, 1e20])
def test_what_is_constant_does_not_depend_on_the_unit(unit: float) -> None:
    truth = [1.0, 2.0, 3.0]
    assert lcc([unit, 2 * unit, 3 * unit], truth) == pytest.approx(1)
    with pytest.raises(UndefinedError, match="predicted scores are constant"):
        lcc([unit, unit * (1 + 1e-13), unit], truth)
    with pytest.raises(UndefinedError, match="predicted scores are constant"):
        lcc([0.0, 0.0, 0.0], truth)


def test_each_figure_is_that_of_its_function() -> None:
    predicted = np.linspace(-3, 3, 30)
    truth = np.tanh(predicted - 1) + predicted / 3 + np.random.default_rng(2).normal(0, 0.05, 30)
    assert all_metrics(predicted, truth) == {
        "srocc": srocc(predicted, truth),
        "lcc": lcc(predicted, truth),
        "lcc_logistic4": lcc_logistic(predicted, truth, 4),
        "lcc_logistic5": lcc_logistic(predicted, truth, 5),
        "krocc": krocc(predicted, truth),
        "rmse": rmse(predicted, truth),
    }


def test_undefined_figures_stand_with_their_reason() -> None:
    figures = all_metrics([2.0, 2.0, 2.0, 2.0], [1.0, 2.0, 3.0, 4.0])
    assert figures["srocc"] is None
    assert figures["srocc_undefined"] == "the predicted scores are constant"
    assert figures["rmse"] == pytest.approx(1.5**0.5)
    assert "rmse_undefined" not in figures


def test_a_failed_fit_is_visible_and_never_raw() -> None:
    figures = all_metrics([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 5.0])
    assert figures["lcc"] is not None
    assert figures["lcc_logistic4"] is None
    assert figures["lcc_logistic4_undefined"] == "fit failed: 4 parameters need at least 5 images, there are 4"
    with pytest.raises(ValueError, match="must be 4 or 5"):
        lcc_logistic([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 3)


def test_rows_hold_each_class_then_all() -> None:
    generator = np.random.default_rng(0)
    truth = generator.uniform(0, 100, 40)
    predicted = truth + generator.normal(0, 10, 40)
    names = ["jpeg", "wn"] * 18 + [""] * 4
    rows = rows_by_distortion(predicted, truth, names, "phase1", 2, classes=["wn", "jpeg", "ff"])
    assert [row["distortion"] for row in rows] == ["wn", "jpeg", "ff", "ALL"]
    assert [row["n"] for row in rows] == [18, 18, 0, 40]
    assert all(row["stage"] == "phase1" and row["split"] == 2 for row in rows)
    assert all(figure in row for row in rows for figure in METRICS)
    assert rows[0]["srocc"] == srocc(predicted[1:36:2], truth[1:36:2])
    assert rows[2]["rmse_undefined"] == "there is no image"
    by_appearance = rows_by_distortion(predicted, truth, names, "phase1", 2)
    assert [row["distortion"] for row in by_appearance] == ["jpeg", "wn", "ALL"]


def test_rows_refuse_a_strange_class() -> None:
    with pytest.raises(ValueError, match="'gblur' is not one of the classes"):
        rows_by_distortion([1.0], [1.0], ["gblur"], "phase1", 0, classes=["wn"])
    with pytest.raises(ValueError, match="'ALL' is not one"):
        rows_by_distortion([1.0], [1.0], ["ALL"], "phase1", 0)
    with pytest.raises(ValueError, match="distortions has 2 names"):
        rows_by_distortion([1.0], [1.0], ["wn", "wn"], "phase1", 0)

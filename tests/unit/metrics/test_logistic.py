"""The logistic fits: they find a known curve, never do worse than the line, and say why they fail."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.special import expit

from gada.metrics.correlation import lcc, lcc_logistic
from gada.metrics.logistic import PRECISION, FitError, Logistic, fit_logistic


def test_four_parameters_recover_a_logistic_curve() -> None:
    x = np.linspace(0, 100, 60)
    y = 1.0 + 8.0 * expit((x - 40.0) / 12.0)
    fit = fit_logistic(x, y, 4)
    assert fit.centre == pytest.approx(40.0, abs=1e-3)
    assert fit.width == pytest.approx(12.0, abs=1e-3)
    assert fit.slope == 0.0
    np.testing.assert_allclose(fit(x), y, atol=1e-5)


def test_five_parameters_recover_a_logistic_with_a_line() -> None:
    x = np.linspace(-2, 4, 60)
    curve = Logistic(amplitude=2.0, centre=0.4, width=0.3, slope=0.5, offset=-1.0)
    np.testing.assert_allclose(fit_logistic(x, curve(x), 5)(x), curve(x), atol=1e-5)


@settings(max_examples=40)
@example(55245, 45, 1.0)
@given(st.integers(0, 10**6), st.integers(12, 60), st.floats(0.05, 1.0))
def test_a_fit_never_loses_against_the_line_and_five_never_against_four(seed: int, size: int, noise: float) -> None:
    generator = np.random.default_rng(seed)
    x = generator.uniform(0, 1, size)
    y = x + generator.normal(0, noise, size)
    try:
        four, five = lcc_logistic(x, y, 4), lcc_logistic(x, y, 5)
    except ArithmeticError as error:
        assert "fit failed" in str(error)  # noqa: PT017 - a step is an allowed and named outcome
        return
    assert four >= abs(lcc(x, y)) - 1e-3
    assert five >= abs(lcc(x, y)) - 1e-9
    assert five >= four - 1e-3


@pytest.mark.parametrize("parameters", [4, 5])
def test_the_fit_does_not_depend_on_units(parameters: int) -> None:
    generator = np.random.default_rng(5)
    truth = generator.uniform(0, 9, 80)
    predicted = np.tanh(truth / 6) + generator.normal(0, 0.05, 80)
    expected = lcc_logistic(predicted, truth, parameters)
    assert lcc_logistic(1000 * predicted + 17, 100 - truth, parameters) == pytest.approx(expected, abs=1e-6)
    assert expected > lcc(predicted, truth)


def test_failures_say_why() -> None:
    with pytest.raises(FitError, match="5 parameters need at least 6 images, there are 5"):
        fit_logistic(np.arange(5.0), np.arange(5.0), 5)
    for value in (0.3, 0.0):
        with pytest.raises(FitError, match=r"^the predictions are constant$"):
            fit_logistic(np.full(9, value), np.arange(9.0), 4)
    with pytest.raises(FitError, match=r"^the best curve is a step between two images$"):
        fit_logistic(np.arange(20.0), np.arange(20.0) >= 10, 4)


def test_a_search_that_is_cut_off_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRECISION, "maxiter", 1)
    x = np.linspace(0, 1, 30)
    with pytest.raises(FitError, match=r"^the search did not converge$"):
        fit_logistic(x, expit((x - 0.43) / 0.1))


def test_two_images_on_the_rise_are_enough_and_one_is_not() -> None:
    x = np.arange(20.0)
    fit = fit_logistic(x, expit((x - 10.5) / 0.25))
    assert fit.centre == pytest.approx(10.5)
    assert fit.width == pytest.approx(0.25)
    with pytest.raises(FitError, match="step"):
        fit_logistic(x, expit((x - 10) / 0.15))


def test_a_rise_is_found_where_it_is() -> None:
    x = np.concatenate([np.linspace(0, 10, 21), [60.0, 70.0, 80.0, 90.0, 100.0]])
    fit = fit_logistic(x, expit(x - 5))
    assert fit.centre == pytest.approx(5)


def test_no_curve_of_a_fine_grid_fits_better() -> None:
    x = np.linspace(0, 1, 30)
    y = expit((x - 0.99) / 0.01) + 0.28 * expit((x - 0.3) / 0.01)  # a steep rise at the end, and a lesser one before

    def error(centre: float, width: float) -> float:
        columns = np.stack([expit((x - centre) / width), np.ones(30)], axis=1)
        return float(np.sum((columns @ np.linalg.lstsq(columns, y)[0] - y) ** 2))

    best = min(error(centre, width) for centre in x for width in np.geomspace(0.005, 10, 40))
    assert np.sum((fit_logistic(x, y)(x) - y) ** 2) <= best + 1e-9


@pytest.mark.parametrize("bend", [np.exp, np.negative, np.log1p])
def test_the_centre_lies_among_the_predictions_and_the_width_is_bounded(bend: np.ufunc) -> None:
    x = np.linspace(0, 5, 40)
    fit = fit_logistic(x, bend(x))
    assert -1e-9 <= fit.centre <= 5 + 1e-9
    assert 0.01 <= fit.width / x.std() <= 50 + 1e-9


def test_four_parameters_are_fitted_unless_five_are_asked_for() -> None:
    x = np.linspace(-2, 4, 60)
    assert fit_logistic(x, np.tanh(x) + x) == fit_logistic(x, np.tanh(x) + x, 4)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_half_and_single_precision_are_fitted_in_double(kind: type[np.floating[Any]]) -> None:
    x = np.linspace(0, 1, 40).astype(kind)
    y = np.tanh(3 * x - 1)
    fit = fit_logistic(x, y)
    assert fit == fit_logistic(x.astype(np.float64), y.astype(np.float64))
    np.testing.assert_array_equal(fit(x), fit(x.astype(np.float64)))


def test_agrees_with_a_general_fit_of_the_published_formula() -> None:
    def vqeg(x: NDArray[np.float64], b1: float, b2: float, b3: float, b4: float) -> NDArray[np.float64]:
        return (b1 - b2) / (1 + np.exp(-(x - b3) / abs(b4))) + b2

    generator = np.random.default_rng(1)
    x = generator.uniform(0, 1, 200)
    y = vqeg(x, 80, 10, 0.4, 0.1) + generator.normal(0, 6, 200)
    fitted = curve_fit(vqeg, x, y, p0=[y.max(), y.min(), x.mean(), x.std()])[0]
    np.testing.assert_allclose(fit_logistic(x, y, 4)(x), vqeg(x, *fitted), atol=1e-3)

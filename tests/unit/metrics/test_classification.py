"""Laws and golden values of a classifier's figures."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from torchmetrics.functional.classification import binary_calibration_error

from gada.metrics.classification import (
    accuracy_kept,
    baseline_corruption_error,
    best_temperature,
    binomial_interval,
    calibration_bins,
    corruption_error,
    crossed_interval,
    expected_calibration_error,
    relative_corruption_error,
    risk_coverage,
    with_temperature,
)


def test_wilson_interval_of_newcombe() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), Table I, method 3: 81/263, 15/148, 0/20 and 1/29
    for successes, trials, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert binomial_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500), st.data())
def test_an_interval_holds_its_fraction_and_mirrors(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    low, high = binomial_interval(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    other = binomial_interval(trials - successes, trials)
    assert (1 - other[1], 1 - other[0]) == pytest.approx((low, high))


def test_no_trials_have_no_interval() -> None:
    with pytest.raises(ValueError, match="no trials"):
        binomial_interval(0, 0)


def test_calibration_error() -> None:
    assert expected_calibration_error([0.75, 0.75, 0.75, 0.75], [1, 1, 1, 0]) == 0
    assert expected_calibration_error([0.9, 0.9], [0, 0]) == pytest.approx(0.9)
    # two bins: |0.95 - 0.5| of two images and |0.2 - 1| of one
    assert expected_calibration_error([0.95, 0.95, 0.2], [1, 0, 1]) == pytest.approx((2 * 0.45 + 0.8) / 3)


def test_calibration_error_of_torchmetrics() -> None:
    random = np.random.default_rng(0)
    confidence, correct = random.uniform(0, 1, 2000), random.integers(0, 2, 2000)
    theirs = binary_calibration_error(torch.from_numpy(confidence), torch.from_numpy(correct), n_bins=15)
    assert expected_calibration_error(confidence, correct) == pytest.approx(float(theirs), abs=1e-6)


def test_certainty_shares_the_last_of_fifteen_bins() -> None:
    assert expected_calibration_error([1.0, 0.94], [0, 1]) == pytest.approx((1.94 - 1) / 2)
    assert expected_calibration_error([1.0, 0.93], [0, 1]) == pytest.approx((1 + 0.07) / 2)  # 14 / 15 is 0.9333


def test_half_and_single_precision_are_binned_and_summed_in_double() -> None:
    half = np.array([0.4, 0.42], np.float16)  # just below 0.4; times 15 it is 6 in half precision
    assert expected_calibration_error(half, [1, 0]) == pytest.approx((0.6 + 0.42) / 2, abs=1e-3)
    error = np.full(100_000, 0.1, np.float32)
    assert risk_coverage(np.arange(100_000), error)[1][-1] == pytest.approx(float(error[0]), rel=1e-12)


def test_corruption_errors() -> None:
    errors, baseline = {"blur": [0.2, 0.4], "noise": [0.5, 0.7]}, {"blur": [0.4, 0.8], "noise": [0.5, 0.7]}
    assert corruption_error(errors) == pytest.approx(0.45)
    assert baseline_corruption_error(errors, baseline) == pytest.approx((0.5 + 1) / 2)
    assert baseline_corruption_error(baseline, baseline) == pytest.approx(1)
    # losses: (0.1 + 0.3) / (0.2 + 0.6) and (0.4 + 0.6) / (0.3 + 0.5)
    assert relative_corruption_error(errors, 0.1, baseline, 0.2) == pytest.approx((0.5 + 1.25) / 2)
    assert baseline_corruption_error(errors, {"blur": [0.0, 0.0], "noise": [1.0, 1.0]}) is None


def test_risk_of_what_is_kept() -> None:
    coverage, risk = risk_coverage([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1])
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk == pytest.approx([0, 0, 1 / 3, 1 / 2])
    assert accuracy_kept([0.1, 0.2, 0.3, 0.4], [0, 0, 1, 1], 0.5) == 1
    assert accuracy_kept([0.4, 0.3, 0.2, 0.1], [0, 0, 1, 1], 0.5) == 0


def test_of_equals_each_costs_their_mean() -> None:
    assert risk_coverage([0.1, 0.1, 0.2, 0.2], [0, 1, 0, 0])[1] == pytest.approx([1 / 2, 1 / 2, 1 / 3, 1 / 4])
    assert risk_coverage([0.1, 0.2, 0.2], [0, 0, 1])[1] == pytest.approx([0, 1 / 4, 1 / 3])


@pytest.mark.parametrize(("rejected", "accuracy"), [(0.0, 1 / 4), (0.25, 1 / 3), (0.5, 1 / 2), (0.99, 1)])
def test_the_best_image_is_always_kept(rejected: float, accuracy: float) -> None:
    assert accuracy_kept([0.1, 0.2, 0.3, 0.4], [0, 1, 1, 1], rejected) == pytest.approx(accuracy)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=40), st.randoms())
def test_equal_predictions_are_kept_together(pairs: list[tuple[int, bool]], random: "np.random.Generator") -> None:
    """The order in which equally predicted images come changes nothing."""
    shuffled = list(pairs)
    random.shuffle(shuffled)
    curves = [risk_coverage([x for x, _ in some], [float(y) for _, y in some])[1] for some in (pairs, shuffled)]
    np.testing.assert_allclose(curves[0], curves[1], atol=1e-12)
    assert curves[0][-1] == pytest.approx(np.mean([y for _, y in pairs]))


def test_a_temperature_that_is_known_is_found() -> None:
    """Labels drawn from softmax(logits): logits twice as large need T = 2, their halves T = 1/2."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(20_000, 4)) * 2
    true = softmax(logits, axis=1)
    labels = (true.cumsum(axis=1) > random.random((len(true), 1))).argmax(axis=1)
    for factor in (2.0, 0.5):
        given = softmax(factor * logits, axis=1)
        assert best_temperature(given, labels) == pytest.approx(factor, rel=0.03)
        assert with_temperature(given, factor) == pytest.approx(true, abs=1e-9)


def test_the_bins_add_up_to_the_calibration_error() -> None:
    random = np.random.default_rng(0)
    confidence, correct = random.random(500), random.random(500) < 0.7
    bins = np.array(calibration_bins(confidence, correct))
    assert bins[:, 0].sum() == 500
    ece = np.abs(bins[:, 1] - bins[:, 2]).sum() / 500
    assert ece == pytest.approx(expected_calibration_error(confidence, correct), abs=1e-4)


def test_an_interval_over_seeds_and_images_is_that_of_the_mean() -> None:
    """One seed: the interval of a mean of N; equal images: that of a mean of S; both add up."""
    images = np.random.default_rng(0).normal(0.3, 1, (1, 400))
    low, high = crossed_interval(images)
    assert (low + high) / 2 == pytest.approx(images.mean())
    assert high - low == pytest.approx(2 * 1.96 * images.std(ddof=1) / 20, rel=1e-4)
    seeds = np.repeat([[0.1], [0.3], [0.2]], 50, axis=1)
    low, high = crossed_interval(seeds)
    assert high - low == pytest.approx(2 * 1.96 * 0.1 / 3**0.5, rel=1e-4)

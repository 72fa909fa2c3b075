"""The three tests of the Waterloo protocol: perfect, blind and turned models; ties; what has no value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gada.metrics.dlp import d_test, l_test, p_test

few = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=12)


def test_a_perfect_model_passes_all() -> None:
    assert d_test([0.9, 0.8], [0.7, 0.1, 0.2]).value == 1.0
    assert d_test([0.9, 0.8], [0.7, 0.1, 0.2]).threshold == 0.8
    assert l_test(np.array([[5.0, 4, 3, 2, 1], [9, 8, 2, 1, 0]])) == pytest.approx((1.0, 1.0))
    quality = np.arange(10.0)
    assert p_test(quality, [quality, quality**3], gap=15) == (1.0, 9 * 8 // 2)  # neighbours are 10 percentiles apart


def test_a_blind_model_is_at_chance_and_a_turned_one_below() -> None:
    assert d_test([0.5, 0.5], [0.5, 0.5, 0.5]).value == 0.5
    assert l_test(np.full((3, 5), 0.5)) == (0.0, 0.0)
    quality = np.arange(10.0)
    assert p_test(np.full(10, 0.5), [quality], gap=0) == (0.0, 45)  # equal qualities are no preference
    assert p_test(-quality, [quality], gap=0).value == 0.0
    assert l_test(np.array([[1.0, 2, 3, 4, 5]])) == pytest.approx((-1.0, -1.0))


def test_a_pair_counts_only_where_all_measures_agree() -> None:
    one, other = [0.0, 1, 2, 3], [1.0, 0, 2, 3]
    assert p_test(one, [one, other], gap=0).pairs == 5
    assert p_test(one, [one, [-value for value in one]], gap=0) == (None, 0)


@settings(max_examples=200)
@given(few, few)
def test_d_test_is_the_best_of_all_thresholds(good: list[float], bad: list[float]) -> None:
    shares = [
        (sum(v >= t for v in good) / len(good) + sum(v < t for v in bad) / len(bad)) / 2 for t in np.arange(-0.5, 6)
    ]
    assert d_test(good, bad).value == pytest.approx(max(*shares, 0.5))


@pytest.mark.parametrize("seed", range(5))
def test_p_test_counts_as_two_loops_do(seed: int) -> None:
    generator = np.random.default_rng(seed)
    quality, one, other = generator.integers(0, 9, (3, 300)).astype(float)  # more pictures than are compared at a time
    ranks = [[100 * (np.sum(m < v) + np.sum(m == v) / 2) / 300 for v in m] for m in (one, other)]
    clear = [(a, b) for a in range(300) for b in range(300) if all(rank[a] - rank[b] > 20 for rank in ranks)]
    found = p_test(quality, [one, other], gap=20)
    assert found.pairs == len(clear)
    assert found.value == pytest.approx(np.mean([quality[a] > quality[b] for a, b in clear]))

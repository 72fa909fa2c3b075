import numpy as np
import pytest

from gada.metrics.kernel_distance import kernel_distance


def test_one_distribution_has_no_distance() -> None:
    """The estimate is unbiased: over many draws its mean is within three standard errors of 0."""
    source = np.random.default_rng(0)
    drawn = [kernel_distance(*source.normal(size=(2, 100, 8))) for _ in range(50)]
    assert abs(np.mean(drawn)) < 3 * np.std(drawn) / 50**0.5


@pytest.mark.parametrize("other", [1.5, 2.0])
def test_it_grows_with_the_difference(other: float) -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 400, 8))
    assert kernel_distance(first, other * second) > 5 * abs(kernel_distance(first, second))
    assert kernel_distance(first, other * second) == pytest.approx(kernel_distance(other * second, first))


def test_it_is_the_mean_over_pairs() -> None:
    first, second = np.random.default_rng(1).normal(size=(2, 5, 3))

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / 3 + 1) ** 3)

    pairs = [(i, j) for i in range(5) for j in range(5) if i != j]
    within = sum(np.mean([k(part[i], part[j]) for i, j in pairs]) for part in (first, second))
    across = np.mean([k(x, y) for x in first for y in second])
    assert kernel_distance(first, second) == pytest.approx(within - 2 * across)

"""Result rows of a made-up run, as the benchmark writes them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gada.metrics.correlation import ALL, METRICS

NOISE = {"baseline": 9.0, "phase1": 11.0, "phase2": 8.0, "phase3": 7.0}

Scores = tuple[NDArray[np.float64], NDArray[np.float64], list[str]]


def made_up_scores(classes: Sequence[str], noise: float, seed: int) -> Scores:
    """Predicted and true scores on 0 to 100 and the class of each image; 12 images a class."""
    generator = np.random.default_rng(seed)
    names = [name for name in classes for _ in range(12)]
    truth = generator.uniform(0, 100, len(names))
    return truth + generator.normal(0, noise, truth.size), truth, names


@pytest.fixture
def scores() -> Callable[[Sequence[str]], Scores]:
    return lambda classes: made_up_scores(classes, 8.0, 0)


@pytest.fixture
def result_rows() -> Callable[[Sequence[str], int], list[dict[str, Any]]]:
    def row(stage: str, split: int, distortion: str) -> dict[str, Any]:
        generator = np.random.default_rng([split, *f"{stage} {distortion}".encode()])
        level = 0.95 - NOISE[stage] / 100
        figures = {name: float(level + generator.normal(0, 0.01)) for name in METRICS}
        return {"stage": stage, "split": split, "distortion": distortion, "n": 30, **figures}

    def rows(classes: Sequence[str], splits: int) -> list[dict[str, Any]]:
        return [row(stage, split, name) for split in range(splits) for stage in NOISE for name in [*classes, ALL]]

    return rows

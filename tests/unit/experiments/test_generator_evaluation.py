"""The metrics of a generator."""

from pathlib import Path

import numpy as np

from gada.experiments.generator_evaluation import correlation, within


def test_within_a_reference_what_contents_do_to_the_evaluator_does_not_count() -> None:
    targets = np.tile([0.1, 0.5, 0.9], 2)
    measured = np.array([0.5, 0.6, 0.7, 0.1, 0.2, 0.3])  # the evaluator dislikes the second image
    references = [Path("a")] * 3 + [Path("b")] * 3
    assert within(measured, targets, references) == 1
    pooled = correlation(measured, targets)
    assert pooled is not None
    assert pooled < 0.5
    measured[3:] = 0.2  # always the same image: no target was met
    assert within(measured, targets, references) == 0.5

"""The judge's figures."""

from pathlib import Path

import numpy as np

from gada.experiments.judge import correlation, within


def test_within_a_reference_what_contents_do_to_the_judge_does_not_count() -> None:
    asked = np.tile([0.1, 0.5, 0.9], 2)
    measured = np.array([0.5, 0.6, 0.7, 0.1, 0.2, 0.3])  # the judge dislikes the second picture
    references = [Path("a")] * 3 + [Path("b")] * 3
    assert within(measured, asked, references) == 1
    pooled = correlation(measured, asked)
    assert pooled is not None
    assert pooled < 0.5
    measured[3:] = 0.2  # always the same picture: nothing that was asked for came
    assert within(measured, asked, references) == 0.5

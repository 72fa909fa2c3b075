"""The direct baseline (paper, section 4.3)."""

from gada.settings import Stage
from gada.training.evaluator import EvaluatorTraining


class Baseline(EvaluatorTraining):
    """Trains the evaluator on real distorted crops alone, for as many steps as the three phases together.

    "Training only the evaluator and classifier branches of the discriminator directly on labelled training data."
    """

    stage: Stage = "baseline"

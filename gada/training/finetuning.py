"""Phase 3: fine-tuning on real crops (paper, section 3.1, step 3)."""

from gada.settings import Stage
from gada.training.evaluator import EvaluatorTraining


class FineTuning(EvaluatorTraining):
    """Trains the evaluator of phase 2 on real distorted crops alone, at the learning rates of the later phases."""

    stage: Stage = "phase3"

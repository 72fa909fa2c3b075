"""Phase 3: fine-tuning on real crops (paper, section 3.1, step 3)."""

from gada.models.evaluator import Evaluator
from gada.settings import Settings, Stage
from gada.training.evaluator import EvaluatorTraining


class FineTuning(EvaluatorTraining):
    """Trains the evaluator with only real distorted images, at the rate of the later phases."""

    stage: Stage = "phase3"

    def __init__(self, evaluator: Evaluator, settings: Settings) -> None:
        super().__init__(evaluator, settings, rate=settings.training.later_lr_factor)

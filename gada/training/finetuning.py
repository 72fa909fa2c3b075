"""Phase 3: fine-tuning on real crops (paper, section 3.1, step 3)."""

from gada.data.batches import CropBatches
from gada.models.evaluator import Evaluator
from gada.settings import Settings, Stage
from gada.training.evaluator import EvaluatorTraining, Span


class FineTuning(EvaluatorTraining):
    """Trains the evaluator with only real distorted images, at the rate of the later phases."""

    stage: Stage = "phase3"

    def __init__(
        self,
        evaluator: Evaluator,
        settings: Settings,
        span: Span | None = None,
        on_device: CropBatches | None = None,
    ) -> None:
        super().__init__(evaluator, settings, settings.training.later_lr_factor or 0, span, on_device)

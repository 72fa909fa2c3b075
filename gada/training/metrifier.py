"""The metrifier: a network that learns what error a classifier will make on an image (Cheraaqee, 2022, section 3.1)."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy

from gada.losses.supervised import class_loss
from gada.models.evaluator import EvaluatorOutput
from gada.training.evaluator import EvaluatorTraining, LabelledCrops


class MetrifierTraining(EvaluatorTraining):
    """Trains the evaluator's network on D': its quality is 1 - expected error, its class the distortion.

    The text leaves the loss open. Errors lie in [0, 1], most of them near 0 or 1, where the cross-entropy has a
    gradient and the squared error's vanishes behind the sigmoid. Both are least at the mean error of alike images.
    """

    def supervised_loss(self, output: EvaluatorOutput, crops: LabelledCrops) -> Tensor:
        """Return the loss of expected error and distortion class."""
        weights = self.settings.loss
        of_class = (class_loss(output.class_logits, crops.label) * crops.weight).sum()
        with torch.autocast(output.quality.device.type, enabled=False):  # which CUDA does not allow; all is float32
            each = binary_cross_entropy(output.quality, crops.quality, reduction="none")
        of_error = (each * crops.weight).sum()
        self.record(metrifier_class=of_class, metrifier_error=of_error)
        return weights.class_weight * of_class + of_error

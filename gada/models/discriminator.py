"""The discriminator: the evaluator's trunk with a source head (paper, section 3.3)."""

from typing import NamedTuple

from torch import Tensor, nn

from gada.models.evaluator import Evaluator, EvaluatorOutput


class DiscriminatorOutput(NamedTuple):
    """The discriminator's prediction for each crop."""

    source_logits: Tensor
    """(N,); above 0 means real."""
    evaluator: EvaluatorOutput
    """Class and quality."""
    features: Tensor
    """Pooled features of the trunk, (N, F)."""


class Discriminator(nn.Module):
    """Tells real from generated crops, and predicts class and quality of both."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__()
        self.evaluator = evaluator
        self.source_head = nn.Linear(evaluator.features, 1)

    def forward(self, images: Tensor) -> DiscriminatorOutput:
        """Return the output for crops (N, 3, H, W) in [0, 1]."""
        features = self.evaluator.extract(images)
        return DiscriminatorOutput(self.source_logits(features), self.evaluator.predict(features), features)

    def source_logits(self, features: Tensor) -> Tensor:
        """Return the source logits (N,) of pooled features (N, F)."""
        logits: Tensor = self.source_head(features).float().squeeze(1)
        return logits

    def trunk_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of trunk and source head, which share a learning rate (paper, section 4.2)."""
        return [*self.evaluator.trunk_parameters(), *self.source_head.parameters()]

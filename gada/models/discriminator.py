"""The discriminator: the evaluator's trunk with a source head (paper, section 3.3)."""

from typing import NamedTuple

from torch import Tensor, nn

from gada.models.evaluator import Evaluator, EvaluatorOutput


class DiscriminatorOutput(NamedTuple):
    """What the discriminator says of each crop."""

    source_logits: Tensor
    """(N,); above 0 means real."""
    judgement: EvaluatorOutput
    """Class and quality."""
    features: Tensor
    """What the trunk sees, pooled, (N, F)."""


class Discriminator(nn.Module):
    """Tells real from generated crops, and judges both."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__()
        self.evaluator = evaluator
        self.source_head = nn.Linear(evaluator.features, 1)

    def forward(self, images: Tensor) -> DiscriminatorOutput:
        """Judge crops, (N, 3, H, W) in [0, 1]."""
        features = self.evaluator.describe(images)
        return DiscriminatorOutput(self.source_logits(features), self.evaluator.judge(features), features)

    def source_logits(self, features: Tensor) -> Tensor:
        """Return the source logits (N,) of pooled features (N, F)."""
        logits: Tensor = self.source_head(features).float().squeeze(1)
        return logits

    def trunk_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of trunk and source head, which learn at one rate (paper, section 4.2)."""
        return [*self.evaluator.trunk_parameters(), *self.source_head.parameters()]

"""The discriminator: the evaluator's trunk with a source head (paper, section 3.3)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from gada.models.evaluator import Evaluator, EvaluatorOutput
from gada.models.projector import Projector


class DiscriminatorOutput(NamedTuple):
    """The discriminator's prediction for each crop."""

    source_logits: Tensor
    """(N,); above 0 means real."""
    evaluator: EvaluatorOutput
    """Class and quality."""
    features: Tensor
    """Pooled features of the trunk, and of a pretrained one where the discriminator has it, (N, F)."""


class Discriminator(nn.Module):
    """Tells real from generated crops, and predicts class and quality of both.

    Args:
        evaluator: trunk, class and quality head.
        projector: a pretrained trunk, through which the source head looks too.
    """

    def __init__(self, evaluator: Evaluator, projector: Projector | None = None) -> None:
        super().__init__()
        self.evaluator, self.projector = evaluator, projector
        self.source_head = nn.Linear(evaluator.features + (projector.features if projector else 0), 1)

    def forward(self, images: Tensor) -> DiscriminatorOutput:
        """Return the output for crops (N, 3, H, W) in [0, 1]."""
        own = self.evaluator.extract(images)
        features = own if self.projector is None else torch.cat([own, self.projector(images)], dim=1)
        return DiscriminatorOutput(self.source_logits(features), self.evaluator.predict(own), features)

    def source_logits(self, features: Tensor) -> Tensor:
        """Return the source logits (N,) of pooled features (N, F)."""
        logits: Tensor = self.source_head(features).float().squeeze(1)
        return logits

    def trunk_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of trunk and source head, which share a learning rate (paper, section 4.2)."""
        return [*self.evaluator.trunk_parameters(), *self.source_head.parameters()]

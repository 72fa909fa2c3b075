"""What a discriminator sees through a pretrained trunk (Projected GAN; Sauer et al., NeurIPS 2021)."""

import torch
from torch import Tensor, nn

from gada.models.efficientnet_lite import EfficientNetLite0, pretrained_trunk
from gada.models.evaluator import moments

STAGES = 5  # those behind say what is to be seen rather than how it looks


class Projector(nn.Module):
    """Pooled features of the first stages of EfficientNet-Lite0 with ImageNet weights, frozen and on one scale.

    Few scored images cannot teach a trunk what distortions look like; ImageNet has.

    Args:
        crops: whose features have mean 0 and standard deviation 1, (N, 3, H, W) in [0, 1].

    Raises:
        ConfigError: if the package that holds the weights is not installed.
    """

    features = 2 * sum(EfficientNetLite0.widths[:STAGES])
    """How many features a crop has."""
    mean: Tensor
    std: Tensor

    def __init__(self, crops: Tensor) -> None:
        super().__init__()
        self.trunk = pretrained_trunk().requires_grad_(requires_grad=False)
        self.trunk.stages = self.trunk.stages[:STAGES]
        with torch.no_grad():
            pooled = self.pooled(crops)
        self.register_buffer("mean", pooled.mean(dim=0))
        self.register_buffer("std", pooled.std(dim=0) + 1e-3)  # a feature that is constant stays so

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # the trunk's own gradient is not for the compiler
    def forward(self, images: Tensor) -> Tensor:
        """Return the features of crops (N, 3, H, W) in [0, 1], (N, `features`)."""
        features: Tensor = (self.pooled(images) - self.mean) / self.std
        return features

    def pooled(self, images: Tensor) -> Tensor:
        """Return the pooled features before their scale."""
        return torch.cat([moments(maps) for maps in self.trunk(images)], dim=1)

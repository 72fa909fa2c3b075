"""The evaluator: trunk, spatial pooling, class head and quality head (paper, section 3.3)."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from gada.settings import ModelSettings

LEAK = 0.2  # slope of the leaky rectifier, as in pix2pix, which the paper cites for its generator


class Judgement(NamedTuple):
    """What the heads say of each crop."""

    class_logits: Tensor
    """(N, K)."""
    quality: Tensor
    """(N,) in [0, 1], higher is better."""


class Evaluator(nn.Module):
    """Predicts distortion class and quality of crops; what is left of GADA after training.

    "Fully connected" on feature maps is read as spatial pooling first, so that any image size works.
    """

    def __init__(self, settings: ModelSettings, classes: int) -> None:
        super().__init__()
        self.settings = settings
        self.trunk = trunk(settings)
        self.pool = Pool(settings.pooling or "mean")
        features = settings.maps * self.pool.moments
        self.features = features
        self.class_head = head(features, settings.hidden, classes)
        self.quality_head = head(features, settings.hidden, 1)

    def forward(self, images: Tensor) -> Judgement:
        """Judge crops, (N, 3, H, W) in [0, 1] with H, W >= 8."""
        return self.judge(self.describe(images))

    def describe(self, images: Tensor) -> Tensor:
        """Return the pooled features of crops, (N, F)."""
        features: Tensor = self.pool(self.trunk(images * 2 - 1))  # centred: the first layer's padding is mid grey
        return features

    def judge(self, features: Tensor) -> Judgement:
        """Apply the two heads to pooled features, (N, F)."""
        quality = torch.sigmoid(self.quality_head(features)).squeeze(1)  # a quality is bounded
        return Judgement(self.class_head(features), quality)


def trunk(settings: ModelSettings) -> nn.Sequential:
    """Return the shared trunk: three convolutions of stride 2 and a 1x1 convolution to `maps` feature maps.

    The paper gives the widths (64, 128, 128, then 1024) but no kernel or stride; 4x4 with stride 2 are pix2pix's.
    """
    layers: list[nn.Module] = []
    inputs = 3
    for width in settings.widths:
        layers += [nn.Conv2d(inputs, width, kernel_size=4, stride=2, padding=1)]
        layers += [nn.BatchNorm2d(width)] if settings.normalisation == "batch" else []
        layers += [nn.LeakyReLU(LEAK)]
        inputs = width
    return nn.Sequential(*layers, nn.Conv2d(inputs, settings.maps, kernel_size=1), nn.LeakyReLU(LEAK))


def head(features: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return a head of two fully connected layers (section 3.3)."""
    return nn.Sequential(nn.Linear(features, hidden), nn.LeakyReLU(LEAK), nn.Linear(hidden, outputs))


class Pool(nn.Module):
    """Spatial reduction of feature maps (N, M, h, w) to (N, M) or (N, 2 M)."""

    def __init__(self, kind: Literal["mean", "mean-deviation"]) -> None:
        super().__init__()
        self.moments = 1 if kind == "mean" else 2

    def forward(self, maps: Tensor) -> Tensor:
        """Return the mean of each map, and its standard deviation where asked."""
        mean = maps.mean(dim=(2, 3))
        if self.moments == 1:
            return mean
        variance = maps.var(dim=(2, 3), correction=0)
        return torch.cat([mean, (variance + 1e-6).sqrt()], dim=1)  # the root's slope at 0 is infinite

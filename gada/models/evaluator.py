"""The evaluator: trunk, spatial pooling, class head and quality head (paper, section 3.3)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

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
        self.detail = Detail() if settings.detail else None
        self.trunk = nn.ModuleList(trunk(settings))
        self.moments = settings.pooling == "moments"
        self.features = 2 * (sum(settings.widths) + settings.maps) if self.moments else settings.maps
        self.scale = nn.BatchNorm1d(self.features) if self.moments else nn.Identity()
        self.class_head = head(self.features, settings.hidden, classes)
        self.quality_head = head(self.features, settings.hidden, 1)

    def forward(self, images: Tensor) -> Judgement:
        """Judge crops, (N, 3, H, W) in [0, 1] with H, W >= 8."""
        return self.judge(self.describe(images))

    def describe(self, images: Tensor) -> Tensor:
        """Return the pooled features of crops, (N, F)."""
        maps = images * 2 - 1  # centred: the first layer's padding is mid grey
        if self.detail is not None:
            maps = torch.cat([maps, self.detail(images)], dim=1)
        pooled = []
        for layer in self.trunk:
            maps = layer(maps)
            pooled.append(moments(maps) if self.moments else maps.mean(dim=(2, 3)))
        features: Tensor = self.scale(torch.cat(pooled, dim=1) if self.moments else pooled[-1])
        return features

    def judge(self, features: Tensor) -> Judgement:
        """Apply the two heads to pooled features, (N, F)."""
        quality = torch.sigmoid(self.quality_head(features)).squeeze(1)  # a quality is bounded
        return Judgement(self.class_head(features), quality)

    def trunk_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of the trunk and of its features' scale."""
        return [*self.trunk.parameters(), *self.scale.parameters()]

    def head_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of class and quality heads."""
        return [*self.class_head.parameters(), *self.quality_head.parameters()]


class Detail(nn.Module):
    """What a 3x3 binomial blur takes from an image, amplified: noise, edges and block borders without the content.

    Distortions are small beside the picture itself; without this the first layer spends its time to find that out.
    """

    GAIN = 8.0  # brings the detail of photographs to the range of the centred image

    def __init__(self) -> None:
        super().__init__()
        binomial = torch.tensor([1.0, 2.0, 1.0])
        kernel = torch.outer(binomial, binomial) / 16
        self.kernel: Tensor
        self.register_buffer("kernel", kernel.expand(3, 1, 3, 3).clone(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the detail of images (N, 3, H, W) in [0, 1], same shape."""
        blurred = conv2d(pad(images, (1, 1, 1, 1), mode="reflect"), self.kernel, groups=3)
        return self.GAIN * (images - blurred)


def moments(maps: Tensor) -> Tensor:
    """Return mean and log deviation of each map (N, M, h, w) over its pixels, (N, 2 M).

    Distortions change the spread of responses more than their mean, and they do so by factors: hence the logarithm.
    """
    variance, mean = torch.var_mean(maps, dim=(2, 3), correction=0)
    return torch.cat([mean, (variance + 1e-4).log() / 2], dim=1)  # 1e-4: a flat map's deviation counts as 0.01


def trunk(settings: ModelSettings) -> list[nn.Sequential]:
    """Return the shared trunk: three convolutions of stride 2 and a 1x1 convolution to `maps` feature maps.

    The paper gives the widths (64, 128, 128, then 1024) but no kernel or stride; 4x4 with stride 2 are pix2pix's.
    """
    layers = []
    inputs = 6 if settings.detail else 3
    for width in settings.widths:
        normalisation = [nn.BatchNorm2d(width)] if settings.normalisation == "batch" else []
        layers.append(
            nn.Sequential(nn.Conv2d(inputs, width, 4, stride=2, padding=1), *normalisation, nn.LeakyReLU(LEAK))
        )
        inputs = width
    return [*layers, nn.Sequential(nn.Conv2d(inputs, settings.maps, kernel_size=1), nn.LeakyReLU(LEAK))]


def head(features: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return a head of two fully connected layers (section 3.3)."""
    return nn.Sequential(nn.Linear(features, hidden), nn.LeakyReLU(LEAK), nn.Linear(hidden, outputs))

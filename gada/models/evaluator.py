"""The evaluator: trunk, spatial pooling, class head and quality head (paper, section 3.3)."""

from collections.abc import Iterable, Sequence
from functools import reduce
from math import exp
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import pad

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
        quality = torch.sigmoid(exact(self.quality_head(features))).squeeze(1)  # a quality is bounded
        return Judgement(exact(self.class_head(features)), quality)

    def trunk_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of the trunk and of its features' scale."""
        return [*self.trunk.parameters(), *self.scale.parameters()]

    def head_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of class and quality heads."""
        return [*self.class_head.parameters(), *self.quality_head.parameters()]


class JudgedCrops(NamedTuple):
    """What an evaluator says of crops, as arrays."""

    label: NDArray[np.int64]
    """Predicted class, (N,)."""
    quality: NDArray[np.float64]
    """(N,) in [0, 1]."""
    features: NDArray[np.float32]
    """Pooled features, (N, F)."""


@torch.no_grad()
def judge_crops(evaluator: Evaluator, crops: Sequence[NDArray[np.uint8]], batch: int = 256) -> JudgedCrops:
    """Judge crops (H, W, 3) uint8 of one size with an evaluator at rest."""
    parts = []
    for start in range(0, len(crops), batch):
        images = torch.from_numpy(np.stack(crops[start : start + batch])).permute(0, 3, 1, 2).float() / 255
        features = evaluator.describe(images)
        judgement = evaluator.judge(features)
        parts.append((judgement.class_logits.argmax(dim=1), judgement.quality.double(), features))
    labels, qualities, described = (torch.cat(values).numpy() for values in zip(*parts, strict=True))
    return JudgedCrops(labels, qualities, described)


BRISQUE = [exp(-(place**2) / (2 * (7 / 6) ** 2)) for place in range(-3, 4)]  # its window: 7x7, sigma 7/6


class Detail(nn.Module):
    """What is small beside the picture itself, where distortions show: two views of it, six maps.

    The first is the image minus its 3x3 binomial blur, amplified: noise and block borders at their true strength.
    The second is the image less its local mean, over its local deviation (the normalised luminance of BRISQUE, Mittal
    et al. 2012, for each colour): the same at any contrast, so that few references teach what holds for others.
    """

    GAIN = 8.0  # brings the detail of photographs to the range of the centred image
    FLOOR = 1 / 255  # deviation below which a region counts as flat
    BINOMIAL = (1 / 4, 1 / 2, 1 / 4)
    GAUSSIAN = tuple(weight / sum(BRISQUE) for weight in BRISQUE)

    def forward(self, images: Tensor) -> Tensor:
        """Return both views of images (N, 3, H, W) in [0, 1], (N, 6, H, W)."""
        strength = self.GAIN * less_local_mean(images, self.BINOMIAL)
        relative = less_local_mean(images, self.GAUSSIAN)
        variance = filtered(relative.square(), self.GAUSSIAN)
        deviation = (variance * 1e8 + 1).sqrt() * 1e-4  # = sqrt(variance + 1e-8), which exporters take for + 0
        return torch.cat([strength, relative / (deviation + self.FLOOR)], dim=1)


def filtered(images: Tensor, window: Sequence[float]) -> Tensor:
    """Return images (N, 3, H, W) filtered along height and width by a window, reflected at their borders.

    As sums of shifted images: exact also where convolutions run in bfloat16, and many times faster than a convolution
    of so few channels.
    """
    border = len(window) // 2
    height, width = images.shape[2:]
    padded = pad(images, (border,) * 4, mode="reflect")
    rows = sum_of(weight * padded[:, :, place : place + height] for place, weight in enumerate(window))
    return sum_of(weight * rows[:, :, :, place : place + width] for place, weight in enumerate(window))


def less_local_mean(images: Tensor, window: Sequence[float]) -> Tensor:
    """Return images (N, 3, H, W) less themselves `filtered` by a window whose weights add up to 1.

    As sums of differences of neighbours, which are exact: the difference of two means would leave rounding errors
    where a picture is flat, and what looks at flat pictures closely would tell machines apart.
    """
    border = len(window) // 2
    height, width = images.shape[2:]
    padded = pad(images, (border,) * 4, mode="reflect")
    pixels = padded[:, :, border : border + height]
    above = sum_of(weight * (padded[:, :, place : place + height] - pixels) for place, weight in enumerate(window))
    middle = slice(border, border + width)
    beside = sum_of(
        weight
        * (
            (pixels[..., place : place + width] - pixels[..., middle])
            + (above[..., place : place + width] - above[..., middle])
        )
        for place, weight in enumerate(window)
    )
    return -(above[..., middle] + beside)


def sum_of(tensors: Iterable[Tensor]) -> Tensor:
    """Return the sum of tensors."""
    return reduce(torch.add, tensors)


def exact(tensor: Tensor) -> Tensor:
    """Return a tensor of bfloat16 as float32, others as they are."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def moments(maps: Tensor) -> Tensor:
    """Return mean and log deviation of each map (N, M, h, w) over its pixels, (N, 2 M).

    Distortions change the spread of responses more than their mean, and they do so by factors: hence the logarithm.
    """
    maps = exact(maps)
    mean = maps.mean(dim=(2, 3))
    variance = (maps - mean[:, :, None, None]).square().mean(dim=(2, 3))  # faster than torch.var_mean
    return torch.cat([mean, (variance + 1e-4).log() / 2], dim=1)  # 1e-4: a flat map's deviation counts as 0.01


def trunk(settings: ModelSettings) -> list[nn.Sequential]:
    """Return the shared trunk: three convolutions of stride 2 and a 1x1 convolution to `maps` feature maps.

    The paper gives the widths (64, 128, 128, then 1024) but no kernel or stride; 4x4 with stride 2 are pix2pix's.
    """
    layers = []
    inputs = 9 if settings.detail else 3
    for width in settings.widths:
        layers.append(nn.Sequential(nn.Conv2d(inputs, width, 4, stride=2, padding=1), nn.LeakyReLU(LEAK)))
        inputs = width
    return [*layers, nn.Sequential(nn.Conv2d(inputs, settings.maps, kernel_size=1), nn.LeakyReLU(LEAK))]


def head(features: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return a head of two fully connected layers (section 3.3)."""
    return nn.Sequential(nn.Linear(features, hidden), nn.LeakyReLU(LEAK), nn.Linear(hidden, outputs))

"""The evaluator: trunk, spatial pooling, class head and quality head (paper, section 3.3)."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn.functional import leaky_relu

from gada.models.detail import Detail
from gada.models.efficientnet_lite import EfficientNetLite0
from gada.models.usual import Usual
from gada.settings import ModelSettings

LEAK = 0.2  # negative slope of the leaky ReLU, as in pix2pix, which the paper cites for its generator


class EvaluatorOutput(NamedTuple):
    """The prediction of the heads for each crop."""

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
        self.detail = Detail() if settings.detail and settings.trunk == "gada" else None
        self.pretrained = settings.trunk == "efficientnet-lite0"
        self.trunk = EfficientNetLite0() if self.pretrained else nn.ModuleList(trunk(settings))
        self.moments = settings.pooling == "moments"
        self.features = feature_count(settings)
        self.scale = nn.BatchNorm1d(self.features) if self.moments else nn.Identity()
        # without distortion classes the class head has nothing to say, and should take no space
        self.class_head = head(self.features, 1 if self.pretrained else settings.hidden, classes)
        self.quality_head = head(self.features, settings.hidden, 1)
        self.usual = Usual(self.features, settings.usual) if settings.usual else None

    def forward(self, images: Tensor) -> EvaluatorOutput:
        """Return the output for crops (N, 3, H, W) in [0, 1], with H, W >= 8."""
        return self.predict(self.extract(images))

    def extract(self, images: Tensor) -> Tensor:
        """Return the pooled features (N, F), on one scale, of crops (N, 3, H, W) in [0, 1]."""
        features: Tensor = self.scale(self.pooled(images))
        return features

    def pooled(self, images: Tensor) -> Tensor:
        """Return the pooled features of crops before their scale, (N, F)."""
        if not self.moments:
            *_, last = self.maps(images)
            return last.mean(dim=(2, 3))
        pooled = []
        for number, maps in enumerate(self.maps(images)):
            # EfficientNet's last maps are many, and say what is to be seen rather than how it looks
            of_content = self.pretrained and number == len(EfficientNetLite0.widths) - 1
            pooled.append(exact(maps).mean(dim=(2, 3)) if of_content else moments(maps))
        return torch.cat(pooled, dim=1)

    def maps(self, images: Tensor) -> Iterator[Tensor]:
        """Yield the maps of each layer of the trunk, (N, M, h, w) each."""
        if self.pretrained:
            yield from self.trunk(images)
            return
        maps = images * 2 - 1  # centred: the first layer's padding is mid grey
        if self.detail is not None:
            maps = torch.cat([maps, self.detail(images)], dim=1)
        for convolve in self.trunk.children():
            maps = convolve(maps)
            yield maps

    @property
    def classes(self) -> int:
        """The number of distortion classes; 1 where there are none to tell apart."""
        return cast(nn.Linear, self.class_head[-1]).out_features

    def predict(self, features: Tensor) -> EvaluatorOutput:
        """Return the output of both heads for pooled features (N, F)."""
        quality = torch.sigmoid(exact(self.quality_head(features))).squeeze(1)  # a quality is bounded
        return EvaluatorOutput(exact(self.class_head(features)), quality)

    def freeze(self, stages: int) -> None:
        """Let the first stages of a pretrained trunk, and its stem, keep their weights."""
        if isinstance(self.trunk, EfficientNetLite0) and stages:
            for part in (self.trunk.stem, *list(self.trunk.stages)[:stages]):
                part.requires_grad_(requires_grad=False)

    def trunk_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of the trunk and of its features' scale."""
        return [*self.trunk.parameters(), *self.scale.parameters()]

    def head_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of class and quality heads."""
        return [*self.class_head.parameters(), *self.quality_head.parameters()]


class PredictedCrops(NamedTuple):
    """The predictions of an evaluator for crops, as arrays."""

    label: NDArray[np.int64]
    """Predicted class, (N,)."""
    quality: NDArray[np.float64]
    """(N,) in [0, 1]."""
    features: NDArray[np.float32]
    """Pooled features, (N, F)."""


@torch.no_grad()
def predict_crops(evaluator: Evaluator, crops: Sequence[NDArray[np.uint8]], batch: int = 256) -> PredictedCrops:
    """Return the predictions for crops (H, W, 3) uint8 of one size; the evaluator is in eval mode."""
    parts = []
    for start in range(0, len(crops), batch):
        images = torch.from_numpy(np.stack(crops[start : start + batch])).permute(0, 3, 1, 2).float() / 255
        features = evaluator.extract(images)
        output = evaluator.predict(features)
        parts.append((output.class_logits.argmax(dim=1), output.quality.double(), features))
    labels, qualities, pooled = (torch.cat(values).numpy() for values in zip(*parts, strict=True))
    return PredictedCrops(labels, qualities, pooled)


def exact(tensor: Tensor) -> Tensor:
    """Return a tensor of bfloat16 as float32, others as they are."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def moments(maps: Tensor) -> Tensor:
    """Return mean and log std of each map (N, M, h, w) over its pixels, (N, 2 M).

    Distortions change the spread of responses more than their mean, and they do so by factors: hence the logarithm.
    """
    maps = exact(maps)
    mean = maps.mean(dim=(2, 3))
    variance = (maps - mean[:, :, None, None]).square().mean(dim=(2, 3))  # faster than torch.var_mean
    return torch.cat([mean, (variance + 1e-4).log() / 2], dim=1)  # 1e-4: a flat map's std counts as 0.01


def feature_count(settings: ModelSettings) -> int:
    """Return F, the number of pooled features."""
    *stages, last = (
        EfficientNetLite0.widths if settings.trunk == "efficientnet-lite0" else (*settings.widths, settings.maps)
    )
    if settings.pooling != "moments":
        return last
    return 2 * sum(stages) + (last if settings.trunk == "efficientnet-lite0" else 2 * last)


def trunk(settings: ModelSettings) -> list[nn.Sequential]:
    """Return the trunk: three convolutions and a 1x1 convolution to `maps` feature maps.

    The paper gives the widths (64, 128, 128, then 1024) but no kernel or stride; 4x4 with stride 2 are pix2pix's.
    """
    layers = []
    inputs = 9 if settings.detail else 3
    for width, stride in zip(settings.widths, settings.strides, strict=True):
        layers.append(layer(nn.Conv2d(inputs, width, stride + 2, stride, padding=1), settings))
        inputs = width
    return [*layers, layer(nn.Conv2d(inputs, settings.maps, kernel_size=1), settings)]


def layer(convolution: nn.Conv2d | nn.ConvTranspose2d, settings: ModelSettings) -> nn.Sequential:
    """Return a convolution with what follows it."""
    normalize = [nn.BatchNorm2d(convolution.out_channels)] if settings.normalization == "batch" else []
    return nn.Sequential(convolution, *normalize, Leaky())


def head(features: int, hidden: int, outputs: int) -> nn.Sequential:
    """Return a head of two fully connected layers (section 3.3)."""
    return nn.Sequential(nn.Linear(features, hidden), Leaky(), nn.Linear(hidden, outputs))


class Leaky(nn.Module):
    """The leaky rectifier of all networks: max(x, LEAK x)."""

    def forward(self, maps: Tensor) -> Tensor:
        """Rectify maps of any shape."""
        if not torch.compiler.is_dynamo_compiling():
            return leaky_relu(maps, LEAK)
        rectified: Tensor = LeakyRectifier.apply(maps)  # type: ignore[no-untyped-call]
        return rectified


class LeakyRectifier(torch.autograd.Function):
    """The same for the compiler, with a gradient that is computed from the output and without comparisons.

    Of torch's own it would keep the comparison as a mask, and loops that write masks are not vectorised.
    """

    @staticmethod
    def forward(maps: Tensor) -> Tensor:
        """Rectify maps of any shape."""
        return leaky_relu(maps, LEAK)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep the output, whose sign is the input's."""
        del inputs
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """Return the gradient of the maps: 1 or LEAK times that of the output."""
        (output,) = ctx.saved_tensors
        gradient: Tensor = grad * ((1 + LEAK) / 2 + (1 - LEAK) / 2 * output.sign())
        return gradient

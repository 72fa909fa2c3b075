"""SSIM and MS-SSIM of 8-bit images, computed by pytorch-msssim."""

import numpy as np
import pytorch_msssim
import torch
from numpy.typing import NDArray
from pytorch_msssim.ssim import _ssim as single_scale
from torch.nn.functional import avg_pool2d

from gada.metrics.psnr import check_pair

SSIM_SMALLEST_SIDE = 11
"""The window has to fit."""

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the five scales, the finest first

MS_SSIM_SMALLEST_SIDE = 161
"""The window has to fit after four halvings: more than (11 - 1) * 2^4 pixels."""


def ssim(image: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Return SSIM (Wang et al., 2004), at most 1, higher is better.

    Gaussian window of 11 x 11 with sigma 1.5, K = 0.01 and 0.03, L = 255, valid region only, no downsampling; of R, G
    and B the mean.

    Args:
        image: (H, W) or (H, W, 3), 8-bit, sides of at least 11.
        reference: The same shape, 8-bit.

    Raises:
        ValueError: if the shapes differ, an array is not 8-bit, or a side is too short.
    """
    pair = _planes(image, reference, SSIM_SMALLEST_SIDE, "SSIM")
    return float(pytorch_msssim.ssim(*pair, data_range=255, win=_window(pair[0].shape[1])))


def ssim_each(images: NDArray[np.uint8], references: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the SSIM of each image, (N,), as `ssim` gives it; many small ones are faster together.

    Args:
        images: (N, H, W, 3), 8-bit, sides of at least 11.
        references: The same shape, 8-bit.

    Raises:
        ValueError: if the shapes differ, an array is not 8-bit, or a side is too short.
    """
    pair, window = _many(images, references), _window(images.shape[-1])
    values: NDArray[np.float64] = pytorch_msssim.ssim(*pair, data_range=255, size_average=False, win=window).numpy()
    return values


def ms_ssim_each(images: NDArray[np.uint8], references: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the MS-SSIM of each image, (N,), as `ms_ssim` gives it, also of small ones.

    Those have room for the window on fewer of the five scales (32 x 32: two), whose weights are then scaled to the sum
    of all five.

    Args:
        images: (N, H, W, 3), 8-bit, sides of at least 11.
        references: The same shape, 8-bit.

    Raises:
        ValueError: if the shapes differ, an array is not 8-bit, or a side is too short.
    """
    first, second = _many(images, references)
    scales = min(len(WEIGHTS), 1 + int(np.log2((min(images.shape[1:3]) - 1) / (SSIM_SMALLEST_SIDE - 1))))
    product = torch.ones(first.shape[:2], dtype=first.dtype)
    for scale in range(scales):
        similarity, contrast = single_scale(first, second, 255, _window(first.shape[1]), size_average=False)
        value = similarity if scale == scales - 1 else contrast
        product *= value.relu() ** (WEIGHTS[scale] * sum(WEIGHTS) / sum(WEIGHTS[:scales]))
        odd = [side % 2 for side in first.shape[2:]]
        first, second = (avg_pool2d(planes, 2, padding=odd) for planes in (first, second))
    values: NDArray[np.float64] = product.mean(dim=1).numpy()
    return values


def ms_ssim(image: NDArray[np.uint8], reference: NDArray[np.uint8]) -> float:
    """Return MS-SSIM (Wang et al., 2003; five scales), at most 1, higher is better.

    Args:
        image: (H, W) or (H, W, 3), 8-bit, sides of more than 160.
        reference: The same shape, 8-bit.

    Raises:
        ValueError: if the shapes differ, an array is not 8-bit, or a side is too short.
    """
    pair = _planes(image, reference, MS_SSIM_SMALLEST_SIDE, "MS-SSIM")
    return float(pytorch_msssim.ms_ssim(*pair, data_range=255, win=_window(pair[0].shape[1])))


def _planes(
    image: NDArray[np.uint8], reference: NDArray[np.uint8], smallest_side: int, name: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return both images as (1, C, H, W), float64."""
    check_pair(image, reference)
    if image.ndim not in (2, 3):
        raise ValueError(f"{name} takes (H, W) or (H, W, 3), not {image.shape}.")
    if min(image.shape[:2]) < smallest_side:
        raise ValueError(f"{name} needs sides of {smallest_side} pixels or more, not {image.shape[:2]}.")
    planes = (np.atleast_3d(array).transpose(2, 0, 1)[None] for array in (image, reference))
    # Contiguous, for torch filters a strided view at half the speed.
    first, second = (torch.from_numpy(np.ascontiguousarray(plane, dtype=np.float64)) for plane in planes)
    return first, second


def _many(images: NDArray[np.uint8], references: NDArray[np.uint8]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images and references as (N, 3, H, W), float64."""
    check_pair(images, references)
    if images.ndim != 4 or min(images.shape[1:3]) < SSIM_SMALLEST_SIDE:
        raise ValueError(f"SSIM takes (N, H, W, 3) with sides of {SSIM_SMALLEST_SIDE} or more, not {images.shape}.")
    first, second = (torch.from_numpy(array.transpose(0, 3, 1, 2).astype(np.float64)) for array in (images, references))
    return first, second


def _window(channels: int) -> torch.Tensor:
    """Return the Gaussian of 11 taps and sigma 1.5 for each channel, float64; the library's own is float32."""
    taps = torch.exp(-0.5 * (torch.arange(-5, 6, dtype=torch.float64) / 1.5) ** 2)
    return (taps / taps.sum()).expand(channels, 1, 1, -1)

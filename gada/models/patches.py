"""Patches at an image's own resolution, seen through the trunk of an evaluator of crops, beside the whole image.

Reducing an image removes faint noise and blocks; a trunk that learnt them from crops of distorted images is at hand.
"""

from typing import Protocol

from torch import Tensor, nn
from torch.nn.functional import interpolate, pad


class CropsEvaluator(Protocol):
    """An evaluator of crops, as far as patches need it."""

    @property
    def trunk(self) -> nn.Module:
        """What patches are seen through."""

    def pooled(self, images: Tensor) -> Tensor:
        """Return the pooled features of crops, (N, F)."""


class Patches(nn.Module):
    """The mean features of patches that cover a quarter of an image: every second one of every second row.

    Args:
        network: an evaluator of crops, whose trunk sees them and stays as it is.
        side: of a patch, in pixels; a multiple of 8, so that patches lie on JPEG's blocks.
    """

    def __init__(self, network: CropsEvaluator, side: int) -> None:
        super().__init__()
        self.network, self.side = network, side

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images (N, 3, H, W) in [0, 1] with H, W >= side, (N, F)."""
        side, pitch = self.side, 2 * self.side
        rows, columns = ((length + side) // pitch for length in images.shape[2:])
        padded = pad(images, [0, side, 0, side])[:, :, : rows * pitch, : columns * pitch]  # what is padded is not seen
        tiles = padded.reshape(-1, 3, rows, pitch, columns, pitch)[:, :, :, :side, :, :side]
        features = self.network.pooled(tiles.permute(0, 2, 4, 1, 3, 5).reshape(-1, 3, side, side))
        return features.reshape(images.shape[0], -1, features.shape[1]).mean(dim=1)


def reduced(images: Tensor) -> Tensor:
    """Return images (N, 3, H, W) as they are seen whole beside their patches: three quarters as high and wide."""
    height, width = images.shape[2:]
    return interpolate(images, (height * 3 // 4, width * 3 // 4), mode="bilinear")

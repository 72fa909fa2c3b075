"""A trained evaluator inside other people's training: a differentiable score and a torchmetrics metric."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torchmetrics import Metric

from gada.data.whole_view import SMALLEST, view_size
from gada.errors import ConfigError, DataError
from gada.io.checkpoints import find_checkpoint
from gada.io.pixels import check_unit
from gada.models.files import load_evaluator
from gada.scoring.views import Mode, positions


class DifferentiableScorer(nn.Module):
    """The evaluator as part of a loss: `loss = (1 - scorer(images)).mean()`.

    Its weights are frozen; gradients flow to the pixels. In mode `grid` or `dense` it gives what `Scorer` gives,
    up to the rounding of pixels to 8 bits.

    Args:
        model: a .safetensors evaluator, the folder of a run, or `bundled`.
        mode: which crops; see `gada.load_scorer`.
        crops: crops an image; by default the mode's.
        seed: of the positions of mode `crops`.

    Raises:
        ConfigError: if there is no such model, it is exported or a metrifier, or mode or crops are wrong.
        DataError: if the file is damaged or does not hold an evaluator.
    """

    def __init__(
        self, model: str | Path = "bundled", mode: Mode = "grid", crops: int | None = None, seed: int = 0
    ) -> None:
        super().__init__()
        path = find_checkpoint(str(model), "evaluator")
        if path.suffix in (".onnx", ".xml", ".pt2"):
            raise ConfigError(f"{path} is an exported model, which gives no gradients; name a .safetensors evaluator.")
        evaluator, card = load_evaluator(path)
        if card.kind == "metrifier":
            raise ConfigError(
                f"{model} predicts a classifier's error, not quality; use it with `gada metrify predict`."
            )
        self.evaluator = evaluator.requires_grad_(requires_grad=False)
        self.name, self.scale, self.size, self.grid = card.name, card.scale, card.crop_size, card.crop_grid
        self.whole_view = card.whole_view
        self.mode: Mode = mode
        self.crops, self.seed = crops, seed
        self.corners(self.size, self.size)  # a wrong mode or count is refused at once

    def train(self, mode: bool = True) -> "DifferentiableScorer":  # noqa: ARG002
        """Stay in eval mode, also when the training around it begins: normalisation must not adapt."""
        super().train(mode=False)
        return self

    def corners(self, height: int, width: int) -> list[tuple[int, int]]:
        """Return the (top, left) of each crop of an image of this size."""
        corners: list[tuple[int, int]] = positions(
            self.mode, height, width, self.size, self.crops, self.seed, self.grid
        ).tolist()
        return corners

    def forward(self, images: Tensor) -> Tensor:
        """Return the quality of images.

        Args:
            images: (N, 3, H, W) in [0, 1], which rounding may leave by 1e-3; sides shorter than a crop are reflected
                up to it.

        Returns:
            (N,) in [0, 1], higher is better; differentiable.

        Raises:
            DataError: if the images have another shape, type or range.
        """
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point() or 0 in images.shape[2:]:
            raise DataError(
                f"images of shape {tuple(images.shape)} and {images.dtype} cannot be scored: "
                "give floats (N, 3, H, W) in [0, 1]."
            )
        if images.numel():
            least, most = images.detach().aminmax()
            check_unit(float(least), float(most), (0.0, 1.0), "the tensor")
        images = images.clamp(0, 1).to(next(self.evaluator.parameters()).dtype)
        if self.whole_view:
            whole: Tensor = self.evaluator(whole_view(images, self.whole_view)).quality
            return whole
        images = reflect_up(images, self.size)
        corners = self.corners(*images.shape[2:])
        crops = torch.stack(
            [images[:, :, top : top + self.size, left : left + self.size] for top, left in corners], dim=1
        )
        quality: Tensor = self.evaluator(crops.flatten(0, 1)).quality
        return quality.view(crops.shape[:2]).mean(dim=1)

    def __repr__(self) -> str:
        """Return model and scale, instead of every layer."""
        return f"<{type(self).__name__} {self.name}: {self.scale.describe()}>"


class QualityScore(Metric):
    """Mean score of images on the model's scale, as a torchmetrics metric.

    Args:
        model: a .safetensors evaluator, the folder of a run, or `bundled`.
        mode: which crops; see `gada.load_scorer`.
        crops: crops an image; by default the mode's.
        **options: of torchmetrics.
    """

    is_differentiable = True
    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(
        self, model: str | Path = "bundled", mode: Mode = "grid", crops: int | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.scorer = DifferentiableScorer(model, mode, crops)
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("count", torch.tensor(0), dist_reduce_fx="sum")

    def __repr__(self) -> str:
        """Return model and scale."""
        return f"<{type(self).__name__} {self.scorer.name}: {self.scorer.scale.describe()}>"

    @property
    def higher_is_better(self) -> bool:  # type: ignore[override]
        """Direction of the model's scale."""
        return self.scorer.scale.higher_is_better

    def update(self, images: Tensor) -> None:
        """Score images, (N, 3, H, W) uint8 or in [0, 1].

        Raises:
            DataError: if they are of another shape, type or range.
        """
        images = images.float() / 255 if images.dtype == torch.uint8 else images
        scale = self.scorer.scale
        low, high = scale.score(0.0), scale.score(1.0)
        self.total = self.total + (low + self.scorer(images) * (high - low)).sum()
        self.count = self.count + len(images)

    def compute(self) -> Tensor:
        """Return the mean score of all images so far."""
        return self.total / self.count


def whole_view(images: Tensor, longer_side: int) -> Tensor:
    """Return images (N, 3, H, W) as they are seen whole, as `gada.data.whole_view` does up to rounding to 8 bits."""
    size = view_size(images.shape[2], images.shape[3], longer_side)
    if size != tuple(images.shape[2:]):
        images = interpolate(images, size, mode="bilinear", antialias=True)
    return reflect_up(images, SMALLEST)


def reflect_up(images: Tensor, size: int) -> Tensor:
    """Reflect images (N, C, H, W) at their far borders until both sides have at least `size` pixels."""
    while min(images.shape[2:]) < size:  # a border can be reflected once at most in each step
        height, width = images.shape[2:]
        images = torch.cat([images, images.flip(2)[:, :, : max(0, size - height)]], dim=2)
        images = torch.cat([images, images.flip(3)[:, :, :, : max(0, size - width)]], dim=3)
    return images

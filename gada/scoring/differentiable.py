"""A trained evaluator inside other people's training: a differentiable score and a torchmetrics metric."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from gada.errors import ConfigError, DataError
from gada.io.checkpoints import find_checkpoint
from gada.models.files import load_evaluator
from gada.scoring.views import Mode, positions


class DifferentiableScorer(nn.Module):
    """The evaluator as part of a loss: `loss = (1 - scorer(images)).mean()`.

    Its weights are frozen; gradients flow to the pixels. In mode `grid` or `dense` it gives what `Scorer` gives,
    up to the rounding of pixels to 8 bits.

    Args:
        model: a .safetensors evaluator, the folder of a run, or `bundled`.
        mode: which crops; see `gada.load_scorer`.
        crops: crops a picture; by default the mode's.
        seed: of the positions of mode `crops`.

    Raises:
        ConfigError: if there is no such model, it is a metrifier, or mode and crops are none.
        DataError: if the file is damaged or is no evaluator's.
    """

    def __init__(
        self, model: str | Path = "bundled", mode: Mode = "grid", crops: int | None = None, seed: int = 0
    ) -> None:
        super().__init__()
        path = find_checkpoint(str(model), "evaluator")
        evaluator, card = load_evaluator(path)
        if card.kind == "metrifier":
            raise ConfigError(
                f"{model} predicts a classifier's error, not quality; use it with `gada metrify predict`."
            )
        self.evaluator = evaluator.requires_grad_(requires_grad=False)
        self.scale, self.size, self.grid = card.scale, card.crop_size, card.crop_grid
        self.mode: Mode = mode
        self.crops, self.seed = crops, seed
        positions(
            mode, self.size, self.size, self.size, crops, seed, self.grid
        )  # refuses what no picture could be scored by

    def train(self, mode: bool = True) -> "DifferentiableScorer":  # noqa: ARG002
        """Stay at rest, also when the training around it begins: normalisation must not adapt."""
        super().train(mode=False)
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Return the quality of images.

        Args:
            images: (N, 3, H, W) in [0, 1]; sides shorter than a crop are reflected up to it.

        Returns:
            (N,) in [0, 1], higher is better; differentiable.

        Raises:
            DataError: if the images are of another shape or type.
        """
        if images.ndim != 4 or images.shape[1] != 3 or not images.is_floating_point() or 0 in images.shape[2:]:
            raise DataError(
                f"images of shape {tuple(images.shape)} and {images.dtype} cannot be scored: "
                "give floats (N, 3, H, W) in [0, 1]."
            )
        images = reflect_up(images.to(next(self.evaluator.parameters()).dtype), self.size)
        height, width = images.shape[2:]
        corners = positions(self.mode, height, width, self.size, self.crops, self.seed, self.grid)
        crops = torch.stack(
            [images[:, :, top : top + self.size, left : left + self.size] for top, left in corners.tolist()], dim=1
        )
        quality: Tensor = self.evaluator(crops.flatten(0, 1)).quality
        return quality.view(crops.shape[:2]).mean(dim=1)


class QualityScore(Metric):
    """Mean score of images on the model's scale, as a torchmetrics metric.

    Args:
        model: a .safetensors evaluator, the folder of a run, or `bundled`.
        mode: which crops; see `gada.load_scorer`.
        crops: crops a picture; by default the mode's.
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

    @property
    def higher_is_better(self) -> bool:  # type: ignore[override]
        """Direction of the model's scale."""
        return self.scorer.scale.higher_is_better

    def update(self, images: Tensor) -> None:
        """Score images, (N, 3, H, W) uint8 or in [0, 1].

        Raises:
            DataError: if they are of another shape, type or range.
        """
        images = images if images.is_floating_point() else images.float() / 255
        if images.numel() and not (images.min() >= 0 and images.max() <= 1):
            raise DataError("images of floats must lie in [0, 1], black to white.")
        scale = self.scorer.scale
        low, high = scale.score(0.0), scale.score(1.0)
        self.total = self.total + (low + self.scorer(images) * (high - low)).sum()
        self.count = self.count + len(images)

    def compute(self) -> Tensor:
        """Return the mean score of all images so far."""
        return self.total / self.count


def reflect_up(images: Tensor, size: int) -> Tensor:
    """Reflect images (N, C, H, W) at their far borders until both sides have at least `size` pixels."""
    while min(images.shape[2:]) < size:  # a border can be reflected once at most in each step
        height, width = images.shape[2:]
        images = torch.cat([images, images.flip(2)[:, :, : max(0, size - height)]], dim=2)
        images = torch.cat([images, images.flip(3)[:, :, :, : max(0, size - width)]], dim=3)
    return images

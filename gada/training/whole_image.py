"""Phase 3 of an evaluator of whole images: human scores of several sets, and the order that it must not unlearn."""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule
from torch import Tensor, nn
from torch.nn.functional import dropout, smooth_l1_loss
from torch.utils.data import DataLoader

from gada.data.whole_batches import TRIPLE, WholeBatch, WholeBatches
from gada.losses.whole_image import STEEPNESS, blank_loss, mean_over_sets, on_scales_of, order_loss
from gada.metrics.correlation import UndefinedError, srocc
from gada.models.evaluator import Evaluator
from gada.settings import Settings, Stage
from gada.training.data import Steps
from gada.training.evaluator import UNDEFINED, EvaluatorTraining, as_images, parameters_at

SET_LR = 3e-3  # of the line from one quality to each set's scale
STEP = 64  # images whose features the head is fitted to at a time


class WholeData(LightningDataModule):
    """What a training on whole images reads.

    Args:
        batches: one for each step.
        validation: views (h, w, 3) uint8 of the validation images of each set, each with its quality in [0, 1].
        every: steps between two validations.
        workers: processes that make batches; 0 makes them in this one. The batches are the same.
    """

    def __init__(
        self,
        batches: WholeBatches,
        validation: Sequence[Sequence[tuple[NDArray[np.uint8], float]]],
        every: int,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.batches, self.workers = batches, workers
        self.steps = Steps(len(batches), every)
        self.validation = [
            (as_view(view)[0], torch.tensor(score), number)
            for number, one in enumerate(validation)
            for view, score in one
        ]

    def train_dataloader(self) -> DataLoader[WholeBatch]:
        """Return the batches of the steps."""
        kept = self.workers > 0
        return DataLoader(
            self.batches, batch_size=None, sampler=self.steps, num_workers=self.workers, persistent_workers=kept
        )

    def val_dataloader(self) -> DataLoader[tuple[Tensor, Tensor, int]]:
        """Return the validation images one at a time, for their sizes differ."""
        return DataLoader(self.validation, batch_size=1)  # type: ignore[arg-type]  # a list is a data set


class WholeImageTraining(EvaluatorTraining):
    """Trains an evaluator on windows of whole images, and keeps a moving average of its weights, which is what scores.

    Args:
        evaluator: the network; its first stages stay as they are.
        settings: of the run.
        sets: names of the scored sets; the first is the one whose validation images choose the checkpoint.
    """

    stage: Stage = "phase3"

    def __init__(self, evaluator: Evaluator, settings: Settings, sets: Sequence[str]) -> None:
        super().__init__(evaluator, settings, alone=True)
        self.whole, self.sets = settings.whole, sets
        self.number: list[Tensor] = []
        evaluator.eval()  # the scale of its features stays; nothing else in it knows a mode
        self.average = deepcopy(evaluator).requires_grad_(requires_grad=False)
        self.log_scale, self.shift = (nn.Parameter(torch.zeros(len(sets))) for _ in range(2))
        evaluator.freeze(self.whole.frozen_stages)

    def train(self, mode: bool = True) -> "WholeImageTraining":
        """Leave the scale of features alone: a batch of blank and ruined images must not move it."""
        super().train(mode)
        self.evaluator.eval()
        self.average.eval()
        return self

    def player_losses(self, batch: WholeBatch, batch_idx: int) -> Iterator[Tensor]:
        """Yield the loss of scores, order and blank images."""
        quality = self.logits(self.evaluator.extract(as_images(batch.images)), batch_idx)
        scored, ordered, blank = torch.split(quality, [len(batch.quality), batch.strength.numel(), len(batch.limit)])
        on_scales = on_scales_of(scored, batch.number, self.log_scale, self.shift)
        losses = {"score": mean_over_sets(on_scales, batch.quality, batch.number, len(self.shift))}
        if len(batch.strength):
            losses["order"] = self.whole.order_weight * order_loss(ordered.view(-1, TRIPLE), batch.strength)
        if len(batch.limit):
            losses["blank"] = self.whole.order_weight * blank_loss(blank, batch.limit)
        self.record(**losses)
        yield torch.stack(list(losses.values())).sum()

    def logits(self, features: Tensor, batch_idx: int) -> Tensor:
        """Return the quality head's outputs before the sigmoid, (N,), with dropout that a resumed run finds again."""
        with torch.random.fork_rng(devices=[]), torch.autocast(self.device.type, enabled=False):
            torch.manual_seed(self.settings.seed * 1_000_003 + self.step_number(batch_idx))
            return with_dropout(self.evaluator.quality_head, features.float(), self.whole.dropout)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Return AdamW with learning rates for the trunk, the head, and the sets' scales."""
        training = self.settings.training
        trunk = [weights for weights in self.evaluator.trunk_parameters() if weights.requires_grad]
        groups = [
            parameters_at(training.trunk_lr, trunk, "trunk"),
            parameters_at(training.head_lr, self.evaluator.head_parameters(), "head"),
            parameters_at(SET_LR, [self.log_scale, self.shift], "scales") | {"weight_decay": 0.0},
        ]
        decay = self.whole.weight_decay
        return [torch.optim.AdamW(groups, betas=training.betas, weight_decay=decay, fused=True)]

    def on_train_batch_end(self, outputs: Any, batch: WholeBatch, batch_idx: int) -> None:
        """Count a step that was taken, and move the average."""
        super().on_train_batch_end(outputs, batch, batch_idx)
        kept = min(self.whole.average, (self.step_number(batch_idx) + 1) / (self.step_number(batch_idx) + 10))
        with torch.no_grad():
            for mean, weights in zip(self.average.parameters(), self.evaluator.parameters(), strict=True):
                mean.lerp_(weights, 1 - kept)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Score a whole image; `batch` is uint8 (1, 3, h, w), quality (1,) and the number of the set (1,)."""
        view, quality, number = batch
        self.predicted.append(self.average(as_images(view)).quality)
        self.true.append(quality)
        self.number.append(number)

    def on_validation_epoch_end(self) -> None:
        """Log SROCC of each further set, and what is logged of the first, which alone chooses the checkpoint."""
        predicted, true, number = (torch.cat(values).cpu() for values in (self.predicted, self.true, self.number))
        self.number.clear()
        for one, name in enumerate(self.sets[1:], start=1):
            own = number == one
            if own.any():
                self.log(f"val_srocc_{name}", defined_srocc(predicted[own], true[own]))
        self.predicted[:], self.true[:] = [predicted[number == 0]], [true[number == 0]]
        super().on_validation_epoch_end()


def defined_srocc(predicted: Tensor, true: Tensor) -> float:
    """Return the SROCC of two tensors (n,), or what stands for one that is undefined."""
    try:
        return srocc(predicted.double().numpy(), true.double().numpy())
    except (UndefinedError, ValueError):  # constant or not finite
        return UNDEFINED


def as_view(view: NDArray[np.uint8]) -> Tensor:
    """Return a view (h, w, 3) uint8 as a batch of one, (1, 3, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(view.transpose(2, 0, 1)))[None]  # a copy: views may be read-only


@torch.no_grad()
def features_of(evaluator: Evaluator, views: Iterable[Tensor]) -> Tensor:
    """Return pooled features before their scale, (N, F), of views (1, 3, h, w) uint8."""
    return torch.cat([evaluator.pooled(as_images(view)) for view in views])


def with_dropout(head: nn.Sequential, features: Tensor, fraction: float) -> Tensor:
    """Return a head's outputs (N,) for features (N, F), a fraction of which and of its hidden units are dropped."""
    first, rectify, last = head
    outputs: Tensor = last(dropout(rectify(first(dropout(features, fraction))), fraction))
    return outputs.squeeze(1)


class HeadSet(NamedTuple):
    """What the head is fitted to of one scored set."""

    features: Tensor
    """Pooled features before their scale, (N, F)."""
    quality: Tensor
    """Human scores in standard deviations of the set, (N,)."""
    in_batch: int
    """How many of its images each batch of the training holds."""


def fit_head(evaluator: Evaluator, sets: Sequence[HeadSet], settings: Settings) -> None:
    """Set the scale of features, and fit the quality head to them before the trunk begins to move.

    A trunk that moves under a random head forgets what it knew (Kumar et al., ICLR 2022). Each set has the part of a
    step that it has of a batch: a large set of distorted images would teach the head little about photos.
    """
    features = torch.cat([one.features for one in sets])
    mean, std = features.mean(dim=0), features.std(dim=0) + 0.02
    evaluator.scale.running_mean.copy_(mean)  # type: ignore[union-attr, operator]
    evaluator.scale.running_var.copy_(std.square())  # type: ignore[union-attr, operator]
    evaluator.scale.eval()
    scaled = [evaluator.scale(one.features).detach() for one in sets]
    log_scale, shift = (nn.Parameter(torch.zeros(len(sets))) for _ in range(2))
    groups = [
        {"params": evaluator.quality_head.parameters(), "weight_decay": settings.whole.weight_decay},
        {"params": [log_scale, shift], "weight_decay": 0.0},
    ]
    optimizer, random = torch.optim.AdamW(groups, lr=1e-3), torch.Generator().manual_seed(settings.seed)
    steps = settings.whole.head_steps  # and not passes: of few images a pass is one step
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
    torch.manual_seed(settings.seed)
    total = sum(one.in_batch for one in sets)
    drawn = [drawn_rows(len(one.features), round(STEP * one.in_batch / total), random) for one in sets]
    for parts in islice(zip(*drawn, strict=True), steps):
        inputs = torch.cat([given[rows] for given, rows in zip(scaled, parts, strict=True)])
        quality = torch.cat([one.quality[rows] for one, rows in zip(sets, parts, strict=True)])
        number = torch.repeat_interleave(torch.arange(len(sets)), torch.tensor([len(rows) for rows in parts]))
        predicted = with_dropout(evaluator.quality_head, inputs, settings.whole.dropout)
        loss = smooth_l1_loss(on_scales_of(predicted, number, log_scale, shift), quality, beta=STEEPNESS)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()


def drawn_rows(count: int, most: int, random: torch.Generator) -> Iterator[Tensor]:
    """Yield `most` of `count` rows or fewer, pass after pass in another order, for ever."""
    while True:
        yield from torch.randperm(count, generator=random).chunk(-(-count // max(1, most)))

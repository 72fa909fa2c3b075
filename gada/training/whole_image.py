"""Phase 3 of an evaluator of whole images: human scores of several sets, and the order that it must not unlearn."""

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import dropout

from gada.data.whole_batches import TRIPLE, WholeBatch
from gada.losses.whole_image import blank_loss, mean_over_sets, on_scales_of, order_loss
from gada.metrics.correlation import UndefinedError, srocc
from gada.models.evaluator import Evaluator
from gada.settings import Settings, Stage
from gada.training.evaluator import UNDEFINED, EvaluatorTraining, as_images, parameters_at

SET_LR = 3e-3  # of the line from one quality to each set's scale


class WholeImageTraining(EvaluatorTraining):
    """Trains an evaluator on windows of whole images, and keeps a moving average of its weights, which is what scores.

    A part of the weights that the training starts from stays in it: what was learnt from a few sets moves towards them
    and away from what other photos have in common (WiSE-FT; Wortsman et al., CVPR 2022).

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
        self.start, self.average = (deepcopy(evaluator).requires_grad_(requires_grad=False) for _ in range(2))
        self.log_scale, self.shift = (nn.Parameter(torch.zeros(len(sets))) for _ in range(2))
        evaluator.freeze(self.whole.frozen_stages)

    def train(self, mode: bool = True) -> "WholeImageTraining":
        """Leave the scale of features alone: a batch of blank and ruined images must not move it."""
        super().train(mode)
        for network in (self.evaluator, self.average, self.start):
            network.eval()
        return self

    def player_losses(self, batch: WholeBatch, batch_idx: int) -> Iterator[Tensor]:
        """Yield the loss of scores, order and blank images."""
        logits = self.logits(self.evaluator.extract(as_images(batch.images)), batch_idx)
        losses = losses_of(logits, batch, self.log_scale, self.shift, self.whole.order_weight)
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
        """Count a step that was taken, and move the average of the weights and of those that they started from."""
        super().on_train_batch_end(outputs, batch, batch_idx)
        kept = min(self.whole.average, (self.step_number(batch_idx) + 1) / (self.step_number(batch_idx) + 10))
        networks = (network.parameters() for network in (self.average, self.evaluator, self.start))
        with torch.no_grad():
            for mean, weights, start in zip(*networks, strict=True):
                mean.lerp_(weights.lerp(start, self.whole.start_part), 1 - kept)

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


def losses_of(logits: Tensor, batch: WholeBatch, log_scale: Tensor, shift: Tensor, weight: float) -> dict[str, Tensor]:
    """Return the losses of scores, order and blank images, as far as a batch has them.

    Args:
        logits: quality of each image of the batch, (N,).
        batch: what is known of the images.
        log_scale: of the line from one quality to the scale of each set, (sets,).
        shift: of that line, (sets,).
        weight: of order and blank images.
    """
    scored, ordered, blank = torch.split(logits, [len(batch.quality), batch.strength.numel(), len(batch.limit)])
    on_scales = on_scales_of(scored, batch.number, log_scale, shift)
    losses = {"score": mean_over_sets(on_scales, batch.quality, batch.number, len(shift))}
    if len(batch.strength):
        losses["order"] = weight * order_loss(ordered.view(-1, TRIPLE), batch.strength)
    if len(batch.limit):
        losses["blank"] = weight * blank_loss(blank, batch.limit)
    return losses


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

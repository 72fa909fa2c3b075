"""The quality head of an evaluator of whole images, fitted to what its trunk sees before the trunk begins to move."""

from collections.abc import Iterator, Sequence
from itertools import islice, repeat
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gada.data.whole_batches import WholeBatch
from gada.models.evaluator import Evaluator
from gada.settings import Settings
from gada.training.whole_image import losses_of, with_dropout

STEP = 64  # images with a score that the head is fitted to at a time
LR = 1e-3


class HeadPart(NamedTuple):
    """What the head is fitted to of one scored set, of photos in order or of images without content."""

    features: Tensor
    """Pooled features before their scale, (N, F); of orders (T, 3, F): each photo, a milder and a stronger version."""
    target: Tensor
    """Human scores in standard deviations of the set, (N,); of orders the strengths, (T, 3) in [0, 1], rising; of
    images without content the greatest quality that each should get, (N,)."""
    in_batch: int
    """How many of its images, or orders, each batch of the training holds."""


def fit_head(
    evaluator: Evaluator, sets: Sequence[HeadPart], orders: HeadPart, blanks: HeadPart, settings: Settings
) -> None:
    """Set the scale of features, and fit the quality head to them with the losses of the training.

    A trunk that moves under a random head forgets what it knew (Kumar et al., ICLR 2022). Each set has the part of a
    step that it has of a batch: a large set of distorted images would teach the head little about photos.

    Args:
        evaluator: its trunk stays as it is.
        sets: the scored sets, whose features together give the scale.
        orders: photos in order; there may be none.
        blanks: images without content; there may be none.
        settings: of the run.
    """
    features = torch.cat([one.features for one in sets])
    mean, std = features.mean(dim=0), features.std(dim=0) + 0.02
    evaluator.scale.running_mean.copy_(mean)  # type: ignore[union-attr, operator]
    evaluator.scale.running_var.copy_(std.square())  # type: ignore[union-attr, operator]
    evaluator.scale.eval()
    log_scale, shift = (nn.Parameter(torch.zeros(len(sets))) for _ in range(2))
    groups = [
        {"params": evaluator.quality_head.parameters(), "weight_decay": settings.whole.weight_decay},
        {"params": [log_scale, shift], "weight_decay": 0.0},
    ]
    optimizer, random = torch.optim.AdamW(groups, lr=LR), torch.Generator().manual_seed(settings.seed)
    steps = settings.whole.head_steps  # and not passes: of few images a pass is one step
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
    torch.manual_seed(settings.seed)
    for batch in islice(head_batches(sets, orders, blanks, random), steps):
        scaled = evaluator.scale(batch.images).detach()
        logits = with_dropout(evaluator.quality_head, scaled, settings.whole.dropout)
        losses = losses_of(logits, batch, log_scale, shift, settings.whole.order_weight)
        optimizer.zero_grad()
        torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()


def head_batches(
    sets: Sequence[HeadPart], orders: HeadPart, blanks: HeadPart, random: torch.Generator
) -> Iterator[WholeBatch]:
    """Yield, for ever, batches of the training made larger, with features (N, F) before their scale as images."""
    factor = STEP / sum(one.in_batch for one in sets)
    parts = [drawn_rows(len(one.features), one.in_batch * factor, random) for one in (*sets, orders, blanks)]
    for *scored, ordered, blank in zip(*parts, strict=True):
        features = [one.features[rows] for one, rows in zip(sets, scored, strict=True)]
        number = torch.repeat_interleave(torch.arange(len(sets)), torch.tensor([len(rows) for rows in scored]))
        yield WholeBatch(
            torch.cat([*features, orders.features[ordered].flatten(0, 1), blanks.features[blank]]),
            torch.cat([one.target[rows] for one, rows in zip(sets, scored, strict=True)]),
            number,
            orders.target[ordered],
            blanks.target[blank],
        )


def drawn_rows(count: int, most: float, random: torch.Generator) -> Iterator[Tensor]:
    """Yield `most` of `count` rows, rounded, or fewer, pass after pass in another order, for ever; none of none."""
    if not count or not most:
        yield from repeat(torch.arange(0))
    while True:
        yield from torch.randperm(count, generator=random).chunk(-(-count // max(1, round(most))))

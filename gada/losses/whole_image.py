"""What an evaluator of whole images learns from: human scores of several sets, order within a photo, and blank images.

All qualities are logits: in standard deviations of human scores, unbounded, higher is better.
"""

import torch
from torch import Tensor
from torch.nn.functional import relu, smooth_l1_loss

STEEPNESS = 0.5  # of the score loss: below this error it is quadratic, above it linear
ORDER_MARGIN = 0.1  # by which the better of two versions should lead, whatever their strengths
FIRST_MARGIN = 0.15  # by which the photo itself should lead


def score_loss(predicted: Tensor, quality: Tensor) -> Tensor:
    """Return the smooth absolute error of predicted qualities, and half of what their correlation lacks.

    Args:
        predicted: (M,) on the set's own scale.
        quality: (M,) human scores on it.
    """
    error: Tensor = smooth_l1_loss(predicted, quality, beta=STEEPNESS)
    if len(predicted) < 3:  # two points always correlate
        return error
    one, other = predicted - predicted.mean(), quality - quality.mean()
    correlation: Tensor = (one * other).sum() / (one.norm() * other.norm() + 1e-6)
    return error + (1 - correlation) / 2


def order_loss(predicted: Tensor, strength: Tensor) -> Tensor:
    """Return the margin ranking loss of versions of one photo: a stronger distortion is a worse image.

    The margin grows with the difference of strengths (RankIQA; Liu et al., ICCV 2017, with graded margins).

    Args:
        predicted: (T, 3), the photo itself first, then the milder version.
        strength: (T, 3), 0 for the photo itself.
    """
    lost = predicted.new_zeros(())
    for better, worse in ((0, 1), (1, 2), (0, 2)):
        margin = strength[:, worse] - strength[:, better] + (ORDER_MARGIN if better else FIRST_MARGIN)
        lost = lost + relu(margin - (predicted[:, better] - predicted[:, worse])).mean()
    return lost / 3


def blank_loss(predicted: Tensor, limit: Tensor) -> Tensor:
    """Return by how much images without content exceed the quality that they should have at most, (B,) both."""
    return relu(predicted - limit).mean()


def on_scales_of(quality: Tensor, number: Tensor, log_scale: Tensor, shift: Tensor) -> Tensor:
    """Return one quality (M,) on the scale of the set that each image is of: a rising line for each set."""
    return quality * log_scale.exp()[number] + shift[number]  # exp: it never falls


def mean_over_sets(predicted: Tensor, quality: Tensor, number: Tensor, sets: int) -> Tensor:
    """Return the score losses of the sets of a batch, each weighted by its number of images, over that of the first."""
    first = int((number == 0).sum()) or 1
    losses = [
        score_loss(predicted[number == one], quality[number == one]) * ((number == one).sum() / first)
        for one in range(sets)
    ]
    return torch.stack(losses).sum()

"""Label distributions of IQA-LS, and the loss against them (Chen et al., 2017, section 3)."""

from importlib import import_module
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from gada.errors import ConfigError

LabelLoss = Literal["squared", "cross-entropy"]


def iqa_label_distribution(labels: Tensor, quality: Tensor, num_classes: int, transform: str = "identity") -> Tensor:
    """Return q', T(s) on the true class and the rest uniform over the others (equation 2).

    T(s) is clipped to [1/K, 1], so that the true class is never the least likely; s = 1 gives the usual 0-1 labels.

    Args:
        labels: true classes, (N,) integers in [0, K).
        quality: s, the quality of each image, (N,); 1 is pristine.
        num_classes: K, at least 2.
        transform: T: `identity` (the paper), `square`, `root`, or `package.module:function`, (N,) to (N,) in (0, 1].

    Returns:
        (N, K), each row sums to 1.

    Raises:
        ConfigError: if the transform is unknown, or gives something outside (0, 1].
    """
    confidence = confidence_of(quality, num_classes, transform)
    others = (1 - confidence) / (num_classes - 1)
    return others[:, None].expand(-1, num_classes).scatter(1, labels[:, None], confidence[:, None])


def confidence_of(quality: Tensor, num_classes: int, transform: str = "identity") -> Tensor:
    """Return T(s), clipped to [1/K, 1], of qualities of any shape; see `iqa_label_distribution`."""
    match transform:
        case "identity":
            confidence = quality
        case "square":
            confidence = quality.clamp_min(0).square()
        case "root":
            confidence = quality.clamp_min(0).sqrt()
        case _:
            confidence = own_transform(quality, transform)
    return confidence.clamp(1 / num_classes, 1)


def check_transform(transform: str, num_classes: int) -> None:
    """Refuse a T that is unknown, or gives something outside (0, 1].

    Raises:
        ConfigError: if it is, or does.
    """
    confidence_of(torch.tensor([0.01, 0.5, 1.0]), num_classes, transform)


def own_transform(quality: Tensor, transform: str) -> Tensor:
    """Return what a user's T makes of qualities.

    Raises:
        ConfigError: if it cannot be imported, or gives something outside (0, 1].
    """
    module, _, name = transform.partition(":")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        known = "identity, square, root or package.module:function"
        raise ConfigError(f"the transform {transform!r} is unknown; give {known}.") from error
    confidence: Tensor = torch.as_tensor(function(quality))
    if confidence.shape != quality.shape or not bool(((confidence > 0) & (confidence <= 1)).all()):
        raise ConfigError(f"the transform {transform} must give one number in (0, 1] for each quality.")
    return confidence


def label_loss(logits: Tensor, distribution: Tensor, kind: LabelLoss = "squared") -> Tensor:
    """Return the loss of each image against its label distribution.

    `squared` is the sum over classes of (p - q)^2, equation 1 without its minus sign, which is a misprint: it would
    reward the error. `cross-entropy` is - sum q log p.

    Args:
        logits: (N, K).
        distribution: q, (N, K).
        kind: which.

    Returns:
        (N,).
    """
    if kind == "squared":
        return (logits.softmax(dim=1) - distribution).square().sum(dim=1)
    return -(distribution * log_softmax(logits, dim=1)).sum(dim=1)

"""Label distributions of IQA-LS, and the loss against them (Chen et al., 2017, section 3)."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from gada.errors import ConfigError, DataError

LabelLoss = Literal["squared", "cross-entropy"]
Transform = Callable[[Tensor], Tensor]
TRANSFORMS: dict[str, Transform] = {
    "identity": lambda quality: quality,
    "square": lambda quality: quality.clamp_min(0).square(),
    "root": lambda quality: quality.clamp_min(0).sqrt(),
}


def iqa_label_distribution(
    labels: Tensor, quality: Tensor, num_classes: int, transform: str | Transform = "identity"
) -> Tensor:
    """Return q', T(s) on the true class and the rest uniform over the others (equation 2).

    T(s) is clipped to [1/K, 1], so that the true class is never the least likely; s = 1 gives the usual one-hot labels.

    Args:
        labels: true classes, (N,) integers in [0, K).
        quality: s, the quality of each image, (N,); 1 is pristine.
        num_classes: K, at least 2.
        transform: T, (N,) to (N,) in (0, 1]: `identity` (the paper), `square`, `root`, `package.module:function`, or a
            function.

    Returns:
        (N, K), each row sums to 1.

    Raises:
        DataError: if a label is not an integer in [0, K), or there is not one quality for each label, or it is NaN.
        ConfigError: if the transform is unknown, or returns something outside (0, 1].
    """
    check_labels(labels, quality, num_classes)
    confidence = confidence_of(quality, num_classes, transform)
    others = (1 - confidence) / (num_classes - 1)
    return others[:, None].expand(-1, num_classes).scatter(1, labels[:, None], confidence[:, None])


def check_labels(labels: Tensor, quality: Tensor, num_classes: int) -> None:
    """Raise DataError unless labels (N,) are integers in [0, K) and there is one quality for each, not NaN."""
    if num_classes < 2:
        raise DataError(f"num_classes is {num_classes} but must be at least 2.")
    if labels.is_floating_point() or labels.ndim != 1 or quality.shape != labels.shape:
        raise DataError(
            f"labels {tuple(labels.shape)} {labels.dtype} and quality {tuple(quality.shape)} must be integers (N,) and "
            "a number for each."
        )
    if bool(quality.isnan().any()):
        raise DataError("quality holds NaN; it must be a number for each image, 1 being pristine.")
    if labels.numel() and not bool(((labels >= 0) & (labels < num_classes)).all()):
        lowest, highest = (int(value) for value in labels.aminmax())
        raise DataError(f"labels range from {lowest} to {highest} but must lie in 0 to {num_classes - 1}.")


def confidence_of(quality: Tensor, num_classes: int, transform: str | Transform = "identity") -> Tensor:
    """Return T(s), clipped to [1/K, 1], of qualities of any shape; see `iqa_label_distribution`."""
    function = load_transform(transform) if isinstance(transform, str) else transform
    return function(quality).clamp(1 / num_classes, 1)


@cache
def load_transform(name: str) -> Transform:
    """Return T: `identity`, `square`, `root`, or the user's `package.module:function`.

    Raises:
        ConfigError: if it is unknown or cannot be imported, or returns something outside (0, 1].
    """
    if name in TRANSFORMS:
        return TRANSFORMS[name]
    module, _, function_name = name.partition(":")
    try:
        function = getattr(import_module(module), function_name)
    except (ImportError, AttributeError, ValueError) as error:
        known = f"{', '.join(TRANSFORMS)} or package.module:function"
        raise ConfigError(f"the transform {name!r} is unknown; give {known}.") from error

    def checked(quality: Tensor) -> Tensor:
        confidence: Tensor = torch.as_tensor(function(quality))
        if confidence.shape != quality.shape or not bool(((confidence > 0) & (confidence <= 1)).all()):
            raise ConfigError(f"the transform {name} must return one number in (0, 1] for each quality.")
        return confidence

    checked(torch.tensor([0.01, 0.5, 1.0]))
    return checked


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

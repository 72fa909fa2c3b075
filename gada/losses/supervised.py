"""Losses against labels: distortion class, quality, and the true distorted crop (paper, section 3.2)."""

from torch import Tensor
from torch.nn.functional import cross_entropy


def class_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Return -log P(C = c | X) of each crop, one term of -L_C (equation 2).

    Args:
        logits: class logits, (N, K).
        label: distortion class indices, (N,).

    Returns:
        (N,).
    """
    return cross_entropy(logits, label, reduction="none")


def quality_loss(predicted: Tensor, quality: Tensor) -> Tensor:
    """Return the squared error of each crop's quality, one term of L_E (equation 3).

    Args:
        predicted: (N,) in [0, 1].
        quality: (N,) in [0, 1].

    Returns:
        (N,).
    """
    return (predicted - quality).square()


def reconstruction_loss(generated: Tensor, distorted: Tensor) -> Tensor:
    """Return L_L1 = E |y - G(z, x, c, q)|, the mean over crops and pixels (section 3.2).

    Args:
        generated: generated crops, (N, 3, H, W) in [0, 1].
        distorted: true distorted crops y, (N, 3, H, W) in [0, 1].
    """
    return (distorted - generated).abs().mean()


def feature_loss(generated: Tensor, distorted: Tensor) -> Tensor:
    """Return E |f(y) - f(G(z, x, c, q))|, the distance of the discriminator's pooled features.

    Not in the paper. L_L1 alone averages noise away, because the best guess of an unknown value is its mean; pooled
    moments of maps do not say where a noisy pixel is, only how much noise there is.

    Args:
        generated: features of generated crops, (N, F).
        distorted: features of the true distorted crops y, (N, F).
    """
    return (distorted - generated).abs().mean()

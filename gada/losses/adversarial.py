"""Source losses: telling real crops from generated ones (paper, section 3.2, equation 1)."""

from typing import Literal

from torch import Tensor
from torch.nn.functional import relu, softplus

Adversarial = Literal["logistic", "hinge"]


def discriminator_source_loss(real_logits: Tensor, generated_logits: Tensor, kind: Adversarial) -> Tensor:
    """Return what the discriminator minimises, -L_S for `logistic`.

    Args:
        real_logits: source logits of real crops, (N,); above 0 means real.
        generated_logits: source logits of generated crops, (M,).
        kind: `logistic` is equation 1; `hinge` stops pulling at crops that are already told apart by a margin of 1.
    """
    if kind == "hinge":
        return relu(1 - real_logits).mean() + relu(1 + generated_logits).mean()
    real = softplus(-real_logits).mean()  # -log P(S = real | X_real)
    generated = softplus(generated_logits).mean()  # -log P(S = fake | X_fake) = -log(1 - sigmoid(logit))
    return real + generated


def generator_source_loss(generated_logits: Tensor, kind: Adversarial) -> Tensor:
    """Return what the generator minimises to be taken for real.

    The paper prints that the generator minimises L_C - L_S, which with log-likelihoods is a misprint: it maximises
    L_C - L_S, as in AC-GAN. Its source part is used in the non-saturating form.

    Args:
        generated_logits: source logits of generated crops, (N,).
        kind: as for the discriminator.
    """
    if kind == "hinge":
        return -generated_logits.mean()
    return softplus(-generated_logits).mean()  # -log P(S = real | X_fake)

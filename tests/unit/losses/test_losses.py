"""The losses against their formulas, computed independently in float64."""

import math

import pytest
import torch

from gada.losses.adversarial import Adversarial, discriminator_source_loss, generator_source_loss
from gada.losses.supervised import class_loss, feature_loss, quality_loss, reconstruction_loss

KINDS: tuple[Adversarial, ...] = ("logistic", "hinge")


def doubles(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_logistic_source_loss_is_minus_equation_1() -> None:
    real, generated = [0.3, -1.2, 2.0], [-0.7, 1.5]
    log_real = sum(math.log(sigmoid(logit)) for logit in real) / 3
    log_generated = sum(math.log(1 - sigmoid(logit)) for logit in generated) / 2
    loss = discriminator_source_loss(doubles(*real), doubles(*generated), "logistic")
    assert loss.item() == pytest.approx(-(log_real + log_generated), abs=1e-12)


def test_the_generator_gains_by_being_taken_for_real() -> None:
    for kind in KINDS:
        logits = torch.zeros(4, requires_grad=True)
        (grad,) = torch.autograd.grad(generator_source_loss(logits, kind), logits)
        assert (grad < 0).all()


def test_non_saturating_form() -> None:
    loss = generator_source_loss(doubles(0.4), "logistic")
    assert loss.item() == pytest.approx(-math.log(sigmoid(0.4)), abs=1e-12)


def test_hinge_stops_at_the_margin() -> None:
    assert discriminator_source_loss(doubles(1.0, 3.0), doubles(-1.0, -5.0), "hinge") == 0
    assert discriminator_source_loss(doubles(0.0), doubles(0.5), "hinge").item() == pytest.approx(2.5)


def test_hinge_pulls_the_generator_beyond_the_margin() -> None:
    assert generator_source_loss(doubles(0.5, 2.5), "hinge").item() == pytest.approx(-1.5)


def test_extreme_logits_stay_finite() -> None:
    far = doubles(1e4, -1e4)
    for kind in KINDS:
        assert torch.isfinite(discriminator_source_loss(far, far, kind))
        assert torch.isfinite(generator_source_loss(far, kind))


def test_class_loss_is_minus_log_of_the_softmax() -> None:
    logits = [0.1, 2.0, -1.0]
    expected = -math.log(math.exp(2.0) / sum(math.exp(one) for one in logits))
    losses = class_loss(doubles(*logits).expand(2, 3), torch.tensor([1, 1]))
    assert losses.shape == (2,)
    assert losses[0].item() == pytest.approx(expected, abs=1e-12)


def test_quality_loss_is_equation_3() -> None:
    predicted, quality = doubles(0.2, 0.9), doubles(0.5, 0.5)
    torch.testing.assert_close(quality_loss(predicted, quality), doubles(0.09, 0.16))


def test_reconstruction_is_the_mean_absolute_difference() -> None:
    crops = torch.full((2, 3, 4, 4), 0.5)
    assert reconstruction_loss(crops, crops / 2).item() == pytest.approx(0.25)
    assert reconstruction_loss(crops / 2, crops).item() == pytest.approx(0.25)


def test_features_alike_cost_nothing_and_noise_is_not_averaged_away() -> None:
    noisy, other = torch.randn(2, 64, 1, 32, 32)
    assert feature_loss(noisy, noisy) == 0
    # Another draw of the same noise has its moments; the mean, which L1 prefers, has not.
    spread = noisy.std(dim=(1, 2, 3))[:, None]
    assert feature_loss(other.std(dim=(1, 2, 3))[:, None], spread) < feature_loss(torch.zeros_like(spread), spread) / 10
    assert reconstruction_loss(torch.zeros_like(noisy), noisy) < reconstruction_loss(other, noisy)

"""Laws of the losses of whole images."""

import pytest
import torch
from torch import tensor

from gada.losses.whole_image import blank_loss, mean_over_sets, on_scales_of, order_loss, score_loss


def test_right_scores_cost_nothing_and_wrong_order_costs_more_than_wrong_scale() -> None:
    quality = torch.linspace(-1, 1, 8)
    assert float(score_loss(quality, quality)) == pytest.approx(0, abs=1e-5)
    assert score_loss(-quality, quality) > score_loss(2 * quality, quality) > 0
    assert float(score_loss(quality[:2] + 1, quality[:2])) == pytest.approx(1 - 0.25)  # |1| - beta / 2, no correlation


def test_order_costs_nothing_beyond_its_margin() -> None:
    strength = tensor([[0.0, 0.2, 0.6]])
    good = tensor([[2.0, 1.0, 0.0]])
    assert float(order_loss(good, strength)) == 0
    assert order_loss(good.flip(1), strength) > order_loss(torch.zeros(1, 3), strength) > 0
    exact = tensor([[0.0, -0.35, -0.85]])  # leads of 0.2 + 0.15 and 0.4 + 0.1
    assert float(order_loss(exact, strength)) == pytest.approx(0, abs=1e-6)
    assert order_loss(exact + tensor([[0.0, 0.01, 0.0]]), strength) > 0


def test_order_pushes_the_better_up_and_the_worse_down() -> None:
    predicted = torch.zeros(1, 3, requires_grad=True)
    (grad,) = torch.autograd.grad(order_loss(predicted, tensor([[0.0, 0.3, 0.9]])), predicted)
    assert grad[0, 0] < 0 < grad[0, 2]


def test_blank_images_cost_only_above_their_limit() -> None:
    assert float(blank_loss(tensor([-2.0, 0.0]), tensor([-1.5, -0.5]))) == pytest.approx(0.25)


def test_each_set_has_a_rising_line_of_its_own() -> None:
    quality = tensor([-1.0, 0.0, 1.0, -1.0, 0.0, 1.0])
    number = tensor([0, 0, 0, 1, 1, 1])
    mapped = on_scales_of(quality, number, tensor([0.0, -3.0]), tensor([0.0, 2.0]))
    assert mapped[:3].tolist() == [-1, 0, 1]
    assert mapped[3] < mapped[4] < mapped[5]
    right = mean_over_sets(quality, quality, number, 2)
    assert float(right) == pytest.approx(0, abs=1e-5)

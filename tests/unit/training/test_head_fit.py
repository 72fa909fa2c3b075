"""The head of an evaluator of whole images is fitted to its sets in their parts of a batch."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gada.models.evaluator import Evaluator
from gada.settings import Settings
from gada.training.head_fit import HeadPart, drawn_rows, fit_head

SETTINGS = Settings()


@pytest.mark.parametrize(("in_batch", "sign"), [((3, 1), 1), ((1, 3), -1)])
def test_sets_that_disagree_weigh_what_they_have_of_a_batch(in_batch: tuple[int, int], sign: int) -> None:
    settings = replace(SETTINGS, whole=replace(SETTINGS.whole, head_steps=300, dropout=0.0))
    torch.manual_seed(0)
    evaluator = Evaluator(replace(settings.model, widths=(8, 8, 8), maps=16, hidden=8), classes=1)
    small, large, new = (torch.randn(count, evaluator.features) for count in (400, 2000, 500))
    sets = [HeadPart(small, quality_of(small), in_batch[0]), HeadPart(large, -quality_of(large), in_batch[1])]
    fit_head(evaluator, sets, no_orders(evaluator.features), no_blanks(evaluator.features), settings)
    with torch.no_grad():
        predicted = evaluator.predict(evaluator.scale(new)).quality
    assert torch.corrcoef(torch.stack([predicted, quality_of(new)]))[0, 1] * sign > 0.7


def test_orders_and_blank_images_are_fitted_too() -> None:
    settings = replace(SETTINGS, whole=replace(SETTINGS.whole, head_steps=300, dropout=0.0))
    torch.manual_seed(0)
    evaluator = Evaluator(replace(settings.model, widths=(8, 8, 8), maps=16, hidden=8), classes=1)
    scored, photos = (torch.randn(count, evaluator.features) for count in (400, 60))
    scored[:, -1] = 0.0  # no score tells anything of what a distortion changes, or of content
    versions = torch.stack([photos] * 3, dim=1)
    strength = torch.tensor([0.0, 0.4, 0.9]).expand(len(photos), 3)
    versions[:, :, -1] = strength / 10
    blank = torch.randn(50, evaluator.features) - 0.5
    sets = [HeadPart(scored, quality_of(scored), 6)]
    limit = torch.full((50,), -2.0)
    fit_head(evaluator, sets, HeadPart(versions, strength, 3), HeadPart(blank, limit, 2), settings)
    with torch.no_grad():
        best, mild, strong = evaluator.predict(evaluator.scale(versions.flatten(0, 1))).quality.view(-1, 3).T
        empty = evaluator.predict(evaluator.scale(blank)).quality.logit()
    assert ((best > mild) & (mild > strong)).float().mean() > 0.95
    assert empty.mean() < -1.5


def no_orders(features: int) -> HeadPart:
    """Return no photos in order."""
    return HeadPart(torch.empty(0, 3, features), torch.empty(0, 3), 3)


def no_blanks(features: int) -> HeadPart:
    """Return no images without content."""
    return HeadPart(torch.empty(0, features), torch.empty(0), 2)


def quality_of(features: Tensor) -> Tensor:
    """Return a quality that some features carry, with a standard deviation of 1."""
    return features[:, :8].sum(dim=1) / 8**0.5


def test_each_pass_draws_every_row_once() -> None:
    rows = drawn_rows(10, 4, torch.Generator().manual_seed(0))
    first, second = (torch.cat([next(rows) for _ in range(3)]) for _ in range(2))
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(10))
    assert first.tolist() != second.tolist()

"""The distance from usual photos."""

import torch

from gada.models.usual import Usual


def test_usual_features_are_near_and_others_far() -> None:
    random = torch.Generator().manual_seed(0)
    basis = torch.randn(4, 40, generator=random)
    photos = torch.randn(300, 4, generator=random) @ basis + 0.1 * torch.randn(300, 40, generator=random) + 5
    usual = Usual(40, 8)
    usual.fit(photos[:200])
    held_out = usual(photos[200:])
    assert 0.6 < held_out.mean() < 1.4
    assert usual(torch.full((1, 40), 5.0) + 3 * torch.randn(1, 40, generator=random)) > 3 * held_out.max()
    assert usual(5 + 20 * basis[:1]) > 3 * held_out.max()


def test_it_is_kept_with_the_weights() -> None:
    usual, other = Usual(6, 2), Usual(6, 2)
    features = torch.randn(30, 6, generator=torch.Generator().manual_seed(1))
    usual.fit(features)
    other.load_state_dict(usual.state_dict())
    assert torch.equal(usual(features), other(features))


def test_few_photos_are_enough() -> None:
    usual, features = Usual(50, 30), torch.randn(12, 50, generator=torch.Generator().manual_seed(2))
    usual.fit(features)
    assert torch.isfinite(usual(features)).all()
    assert usual(10 * features).min() > usual(features).max()

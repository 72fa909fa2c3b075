"""Patches beside the whole image: which pixels they are, and what of them reaches the features."""

from dataclasses import replace

import pytest
import torch

from gada.models.evaluator import Evaluator, of_patches
from gada.models.patches import Patches
from gada.settings import preset_settings

SIDE = 16
MODEL = replace(
    preset_settings("photos").model,
    patches=SIDE,
    widths=(4, 4, 4),
    decoder_widths=(4, 4, 4),
    maps=8,
    hidden=4,
    detail=True,
)


@pytest.fixture(scope="module")
def patches() -> Patches:
    """Patches of 16 pixels through a small trunk."""
    torch.manual_seed(0)
    return Patches(Evaluator(of_patches(MODEL), classes=1).eval(), SIDE).requires_grad_(requires_grad=False)


@pytest.mark.parametrize(("height", "width", "tops", "lefts"), [(48, 80, (0, 32), (0, 32, 64)), (47, 16, (0,), (0,))])
def test_every_second_patch_of_every_second_row_counts_alike(
    patches: Patches, height: int, width: int, tops: tuple[int, ...], lefts: tuple[int, ...]
) -> None:
    images = torch.rand(2, 3, height, width)
    found = patches(images)
    for image, features in zip(images, found, strict=True):
        tiles = torch.stack([image[:, top : top + SIDE, left : left + SIDE] for top in tops for left in lefts])
        assert torch.allclose(features, patches.network.pooled(tiles).mean(dim=0), atol=1e-5)


def test_what_lies_between_patches_is_not_seen(patches: Patches) -> None:
    image = torch.rand(1, 3, 48, 48)
    other = image.clone()
    other[:, :, SIDE : 2 * SIDE] = 0
    other[:, :, :, SIDE : 2 * SIDE] = 1
    assert torch.equal(patches(image), patches(other))
    other[:, :, 40, 40] = 0
    assert not torch.equal(patches(image), patches(other))


def test_the_evaluator_joins_both_views_and_only_one_of_them_learns() -> None:
    evaluator = Evaluator(MODEL, classes=1)
    evaluator.freeze(0)
    images = torch.rand(2, 3, 96, 128, requires_grad=True)
    evaluator(images).quality.sum().backward()
    assert evaluator.extract(images).shape == (2, evaluator.features)
    assert evaluator.patches is not None
    assert all(weights.grad is None for weights in evaluator.patches.parameters())
    assert all(weights.grad is not None for weights in evaluator.trunk.parameters() if weights.requires_grad)
    assert images.grad is not None  # a loss on the score reaches the pixels by both ways
    assert images.grad[:, :, :SIDE, :SIDE].abs().sum() > 0

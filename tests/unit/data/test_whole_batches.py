"""Batches of whole images: pure functions of (seed, step), each image once an epoch, orders that rise in strength."""

from typing import Any

import numpy as np
import torch
from evaluators import picture

from gada.data.blank import blank, on_canvas
from gada.data.whole_batches import BLANK_LIMIT, CANVAS_LIMIT, ScoredViews, WholeBatches, in_order
from gada.distortions.graded import GRADED
from gada.metrics.psnr import psnr

VIEWS = [picture(seed, 40, 56) for seed in range(7)]
QUALITY = np.linspace(-1, 1, 7).astype(np.float32)


def batches(seed: int = 0, **options: Any) -> WholeBatches:
    sets = [
        ScoredViews("a", VIEWS, QUALITY, 3, [f"a{n}" for n in range(7)]),
        ScoredViews("b", VIEWS[:4], QUALITY[:4], 2),
    ]
    given = {"orders": 2, "blanks": 3, "window": 32, "longer_side": 48, "steps": 20} | options
    return WholeBatches(sets, VIEWS[4:], seed=seed, **given)


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    one, other = batches(), batches()
    for step in (5, 0, 19):
        assert all(torch.equal(first, second) for first, second in zip(one[step], other[step], strict=True))
    assert not torch.equal(one[3].images, one[4].images)
    assert not torch.equal(one[3].images, batches(seed=1)[3].images)


def test_the_parts_of_a_batch_have_their_sizes() -> None:
    batch = batches()[0]
    assert batch.images.shape == (3 + 2 + 2 * 3 + 3, 3, 32, 32)
    assert batch.number.tolist() == [0, 0, 0, 1, 1]
    assert batch.strength.shape == (2, 3)
    assert set(batch.limit.tolist()) <= {BLANK_LIMIT, CANVAS_LIMIT}
    assert batches(orders=0, blanks=0)[0].images.shape == (5, 3, 32, 32)


def test_each_image_of_a_set_comes_once_in_an_epoch() -> None:
    found = [index for step in range(7) for index in batches().chosen(step)[0].tolist()]
    for epoch in range(3):
        assert sorted(found[7 * epoch : 7 * epoch + 7]) == list(range(7))
    assert [len(batches().files_of(step)) for step in (0, 1)] == [3, 3]


def test_human_scores_belong_to_their_images() -> None:
    batch, chosen = batches()[6], batches().chosen(6)
    assert np.array_equal(batch.quality.numpy(), np.concatenate([QUALITY[rows] for rows in chosen]))


def test_the_stronger_version_is_further_from_the_photo() -> None:
    photo = picture(3, 64, 80)
    for seed in range(20):
        (same, mild, strong), strengths = in_order(np.random.default_rng(seed), photo)
        assert same is photo
        assert strengths == sorted(strengths)
        assert strengths[0] == 0
        assert psnr(mild, photo) >= psnr(strong, photo)


def test_every_graded_distortion_rises_in_strength() -> None:
    photo = picture(5, 96, 128)
    for name, apply in GRADED.items():
        values = [psnr(apply(photo, strength, np.random.default_rng(0)), photo) for strength in np.linspace(0, 1, 6)]
        assert values == sorted(values, reverse=True), name


def test_blank_images_have_the_size_of_a_window_and_differ() -> None:
    drawn = [blank(np.random.default_rng(seed), 48) for seed in range(30)]
    assert all(image.shape == (48, 48, 3) and image.dtype == np.uint8 for image in drawn)
    assert len({image.tobytes() for image in drawn}) > 25
    canvas = on_canvas(np.random.default_rng(0), VIEWS[0], 64)
    assert canvas.shape == (64, 64, 3)
    assert len(np.unique(canvas[:4].reshape(-1, 3), axis=0)) == 1

"""The trust checks: laws of the ladders, and what a model that knows nothing, or everything, is told."""

import numpy as np
import pytest
from evaluators import picture

from gada.distortions.graded import rescaled
from gada.experiments.trust.checks import Check, Trust, content, order
from gada.experiments.trust.probes import on_canvas, product, without_content
from gada.experiments.trust.report import trust_rows, trust_table
from gada.metrics.psnr import psnr
from gada.reports.layout import render
from gada.scoring.ladders import LADDERS
from gada.scoring.order import order_metrics
from gada.scoring.scorer import Prediction

PHOTO = picture(3, 192, 224)


def test_tau_is_1_where_quality_falls_and_minus_1_where_it_rises() -> None:
    for qualities, tau in (([0.9, 0.7, 0.2], 1), ([0.2, 0.7, 0.9], -1), ([0.5] * 3, 0)):
        assert order_metrics({"noise": np.array([qualities])}) == {"noise": pytest.approx(tau)}


@pytest.mark.parametrize("ladder", LADDERS, ids=lambda ladder: ladder.name)
def test_each_level_is_further_from_the_photo(ladder) -> None:  # type: ignore[no-untyped-def]
    images = ladder.images(PHOTO, seed=1)
    assert len(images) == len(ladder.strengths) + 1
    assert images[0] is PHOTO
    assert all(image.shape == PHOTO.shape and image.dtype == np.uint8 for image in images)
    distances = [psnr(image, PHOTO) for image in images[1:]]
    assert distances == sorted(distances, reverse=True)


def test_images_without_content_have_none() -> None:
    shown = without_content(64, 80, seed=0)
    assert all(image.shape == (64, 80, 3) for image in shown.values())
    assert all(not np.ptp(shown[name]) for name in ("flat 128", "black", "white"))
    assert shown["text"].min() < 100 < shown["text"].mean()
    assert np.array_equal(on_canvas(PHOTO)[96 : 96 + 192, 112 : 112 + 224], PHOTO)
    assert product(PHOTO).shape == PHOTO.shape
    assert (product(PHOTO) == 255).mean() > 0.8
    assert rescaled(PHOTO, 2).shape == PHOTO.shape


def test_a_model_that_prefers_strong_distortions_is_told_so() -> None:
    curves = {ladder.name: np.tile(np.arange(len(ladder.strengths) + 1.0), (3, 1)) for ladder in LADDERS}
    checks = tuple(order(curves))
    assert [check.value for check in checks] == [pytest.approx(-1)] * len(LADDERS)
    assert all(check.passed is False and "in 3" in check.note for check in checks)
    found = Trust("model", "a model", 3, checks, curves)
    right = tuple(order({name: -rows for name, rows in curves.items()}))
    assert all(check.passed for check in right)
    shown = render(trust_table(trust_rows(found, 0)), "text")
    assert "mild JPEG" in shown
    assert "yes" not in shown


class Everything:
    """A scorer that prefers what is brighter and marks what has no variance."""

    def score_all(self, images):  # type: ignore[no-untyped-def]
        for image in images:
            quality = float(image.mean() / 255)
            unusual = "" if 0 < image.std() < 70 else "flat"
            yield Prediction(quality, quality, 0.0, "", 1.0, None, "toy", unusual)  # type: ignore[arg-type]


def test_images_without_content_are_counted_and_named() -> None:
    below, marked, photos = content(Everything(), [PHOTO], np.array([0.5]), seed=0)  # type: ignore[arg-type]
    assert below.passed is False
    for name in ("white", "flat 192", "text"):
        assert name in below.note
    assert "black" not in below.note
    assert below.value is not None
    assert 0 < below.value < 1
    assert marked.n == below.n
    assert photos == Check("content", "photos not marked", 1.0, 0.9, 1)

"""The view of a whole image: its size, its aspect, and that nothing is too small or too thin for it."""

import numpy as np
import pytest
from evaluators import picture
from PIL import Image

from gada.data.whole_view import SMALLEST, reduced, view_size, whole_view


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((768, 1024), (288, 384)),
        ((288, 384), (288, 384)),
        ((100, 75), (384, 288)),
        ((16, 16), (384, 384)),
        ((100, 10), (384, 64)),
    ],
)
def test_the_longer_side_is_fitted_and_the_aspect_kept(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert whole_view(picture(0, *size), 384).shape == (*expected, 3)


def test_a_thin_image_has_a_view() -> None:
    assert whole_view(picture(0, 3, 3000), 384).shape == (SMALLEST, 384, 3)
    assert view_size(1, 50_000, 384) == (1, 384)


def test_a_view_is_made_by_pillows_bilinear_filter_which_is_antialiased() -> None:
    image = picture(1, 90, 120)
    right = np.asarray(Image.fromarray(image).resize((60, 45), Image.Resampling.BILINEAR))
    assert np.array_equal(reduced(image, 60), right)
    assert reduced(image, 120) is image
    enlarged = np.asarray(Image.fromarray(image).resize((240, 180), Image.Resampling.BILINEAR))
    assert np.array_equal(whole_view(image, 240), enlarged)
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.ptp(whole_view(stripes, 64)[:, 4:-4]) <= 2, "fine stripes become grey, not coarse stripes"

"""The view of a whole image: its size, its aspect, and that nothing is too small or too thin for it."""

import numpy as np
import pytest
from evaluators import picture
from PIL import Image

from gada.data.whole_view import SMALLEST, reduced, reduced_size, whole_view


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((768, 1024), (288, 384)),
        ((288, 384), (288, 384)),
        ((100, 70), (100, 70)),
        ((100, 60), (100, 64)),
        ((16, 16), (64, 64)),
    ],
)
def test_the_longer_side_is_reduced_and_the_aspect_kept(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert whole_view(picture(0, *size), 384).shape == (*expected, 3)


def test_a_thin_image_has_a_view() -> None:
    assert whole_view(picture(0, 3, 3000), 384).shape == (SMALLEST, 384, 3)
    assert reduced_size(1, 50_000, 384) == (1, 384)


def test_reduction_is_pillows_antialiased_bilinear_filter_and_small_images_stay() -> None:
    image = picture(1, 90, 120)
    right = np.asarray(Image.fromarray(image).resize((60, 45), Image.Resampling.BILINEAR))
    assert np.array_equal(reduced(image, 60), right)
    assert reduced(image, 120) is image
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.ptp(whole_view(stripes, 64)[:, 4:-4]) <= 2, "fine stripes become grey, not coarse stripes"

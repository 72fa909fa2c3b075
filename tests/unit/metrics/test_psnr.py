"""PSNR and luminance."""

from math import inf, log10

import numpy as np
import pytest

from gada.metrics.psnr import luminance, psnr


def test_luminance_of_known_colours() -> None:
    """ITU-R BT.601, range 16 to 235: white, black and the three primaries."""
    colours = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    assert luminance(colours).tolist() == [235, 16, 81, 145, 41]


def test_psnr_by_hand() -> None:
    black = np.zeros((8, 8, 3), np.uint8)
    assert psnr(black + 5, black) == pytest.approx(20 * log10(255 / 5), abs=1e-12)
    assert psnr(black, black + 255) == 0
    assert psnr(black, black) == inf


def test_psnr_does_not_wrap_around() -> None:
    dark, light = np.full((4, 4), 10, np.uint8), np.full((4, 4), 250, np.uint8)
    assert psnr(dark, light) == psnr(light, dark) == pytest.approx(20 * log10(255 / 240))


def test_wrong_pairs_are_refused() -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match=r"float64 but must be uint8"):
        psnr(picture.astype(float), picture)
    with pytest.raises(ValueError, match=r"\(8, 8, 3\) but the reference \(8, 9, 3\)"):
        psnr(picture, np.zeros((8, 9, 3), np.uint8))

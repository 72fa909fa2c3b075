"""GMSD and VIF: equal images, growing damage, and the published formulas written plainly."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.signal import convolve2d
from torchmetrics.functional.image import visual_information_fidelity

from gada.distortions import distort
from gada.io.images import read_image
from gada.metrics.gmsd import gmsd
from gada.metrics.psnr import luminance
from gada.metrics.vif import vif

PHOTO = read_image(Path(__file__).parents[3] / "data" / "photos" / "coffee.png")[100:228, 100:260]
Plane = NDArray[np.uint8]


def test_equal_images_are_perfect() -> None:
    plane = luminance(PHOTO)
    assert gmsd(plane, plane) == 0.0
    assert vif(plane, plane) == pytest.approx(1.0, abs=1e-9)
    flat = np.full((50, 50), 7, dtype=np.uint8)
    assert (gmsd(flat, flat), vif(flat, flat)) == (0.0, 1.0)


@pytest.mark.parametrize("family", ["live/wn", "live/gblur", "live/jpeg"])
def test_more_damage_is_worse(family: str) -> None:
    planes = [luminance(distort(PHOTO, family, level, seed=1)) for level in range(6)]
    for measure, sign in ((gmsd, 1), (vif, -1)):
        values = [measure(plane, planes[0]) for plane in planes]
        assert all(sign * (after - before) > 0 for before, after in pairwise(values)), values


def test_vif_rewards_contrast_and_gmsd_is_symmetric() -> None:
    plane = luminance(PHOTO)
    stronger = np.clip(1.3 * (plane.astype(float) - 110) + 110, 0, 255).astype(np.uint8)
    assert vif(stronger, plane) > 1
    assert gmsd(stronger, plane) == gmsd(plane, stronger)


def test_gmsd_is_the_published_formula() -> None:
    image, reference = luminance(distort(PHOTO, "live/jpeg", 4)), luminance(PHOTO)
    maps = []
    for plane in (image, reference):
        half = convolve2d(plane.astype(float), np.full((2, 2), 0.25), mode="valid")[::2, ::2]
        kernel = np.array([[1, 0, -1], [1, 0, -1], [1, 0, -1]]) / 3
        maps.append(np.sqrt(convolve2d(half, kernel, mode="same") ** 2 + convolve2d(half, kernel.T, mode="same") ** 2))
    similarity = (2 * maps[0] * maps[1] + 170) / (maps[0] ** 2 + maps[1] ** 2 + 170)
    assert gmsd(image, reference) == pytest.approx(similarity.std(), abs=1e-12)


@pytest.mark.parametrize("family", ["live/wn", "live/gblur", "tid2013/17"])
def test_vif_is_that_of_torchmetrics(family: str) -> None:
    image, reference = luminance(distort(PHOTO, family, 2)), luminance(PHOTO)
    first, second = (torch.from_numpy(plane.astype(np.float64))[None, None] for plane in (image, reference))
    assert vif(image, reference) == pytest.approx(float(visual_information_fidelity(first, second)), abs=1e-10)


@pytest.mark.parametrize("measure", [gmsd, vif])
def test_unequal_pairs_are_refused(measure: Callable[[Plane, Plane], float]) -> None:
    with pytest.raises(ValueError, match="sizes must agree"):
        measure(np.zeros((50, 50), dtype=np.uint8), np.zeros((50, 51), dtype=np.uint8))
    with pytest.raises(ValueError, match="41 pixels or more"):
        vif(np.zeros((40, 50), dtype=np.uint8), np.zeros((40, 50), dtype=np.uint8))

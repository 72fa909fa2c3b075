"""s of IQA-LS by every measure: 1 for the pristine image, less for a worse one, and a user's own function."""

import sys
from pathlib import Path

import numpy as np
import pytest
from evaluators import save_evaluator
from toys import coloured

from gada.distortions import distort
from gada.errors import ConfigError
from gada.experiments.iqa_ls.quality import EACH, TOGETHER, Quality, psnr_quality
from gada.metrics.psnr import psnr
from gada.metrics.ssim import ms_ssim, ms_ssim_each, ssim, ssim_each
from gada.metrics.vif import smallest_side, vif

N = 6
PIXELS = np.stack([coloured(label % 3, label)[:32, :32] for label in range(N)])


def brightness(distorted: np.ndarray) -> float:
    return float(distorted.mean() / 255)


def likeness(distorted: np.ndarray, pristine: np.ndarray) -> float:
    return float((distorted == pristine).mean())


def too_much(distorted: np.ndarray) -> float:
    return 2.0


def three(distorted: np.ndarray, pristine: np.ndarray, more: int) -> float:
    return 0.0


@pytest.mark.parametrize("name", [*TOGETHER, *EACH, f"{__name__}:likeness"])
def test_a_pristine_image_is_best_and_stronger_noise_is_worse(name: str) -> None:
    measure = Quality(name, "")
    means = [measure(distort(PIXELS, "iqa-ls/noise", level), PIXELS).mean() for level in (1, 2, 3)]
    assert measure(PIXELS, PIXELS) == pytest.approx(np.ones(N), abs=1e-6)
    assert 1 > means[0] > means[1] > means[2] > 0


def test_many_are_measured_as_each() -> None:
    blurred = distort(PIXELS, "iqa-ls/blur", 2)
    assert ssim_each(blurred, PIXELS) == pytest.approx([ssim(a, b) for a, b in zip(blurred, PIXELS, strict=True)])
    with pytest.raises(ValueError, match="11 or more"):
        ssim_each(PIXELS[:, :8], PIXELS[:, :8])
    large = np.tile(PIXELS[:2], (1, 6, 6, 1))[:, :171]  # five scales, and an odd side
    worse = distort(large, "iqa-ls/noise", 2)
    expected = [ms_ssim(a, b) for a, b in zip(worse, large, strict=True)]
    assert ms_ssim_each(worse, large) == pytest.approx(expected, rel=1e-6)


def test_psnr_as_quality() -> None:
    noisy = distort(PIXELS, "iqa-ls/noise", 3)
    assert psnr_quality(noisy[0], PIXELS[0]) == pytest.approx(psnr(noisy[0], PIXELS[0]) / 50)
    assert psnr_quality(255 * (PIXELS[0] < 128).astype(np.uint8), PIXELS[0]) > 0


@pytest.mark.parametrize(("scales", "side"), [(1, 17), (2, 25), (3, 33), (4, 41)])
def test_vif_takes_the_scales_that_have_room(scales: int, side: int) -> None:
    plane = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
    assert smallest_side(scales) == side
    assert vif(plane, plane, scales) == pytest.approx(1)
    with pytest.raises(ValueError, match=f"{side} pixels"):
        vif(plane[1:], plane[1:], scales)


def test_a_function_may_see_the_distorted_image_alone() -> None:
    found = Quality(f"{__name__}:brightness", "")(PIXELS, 255 - PIXELS)
    assert found == pytest.approx([image.mean() / 255 for image in PIXELS])


def test_an_evaluator_sees_the_distorted_image_alone(tmp_path: Path) -> None:
    measure = Quality("evaluator", str(save_evaluator(tmp_path / "e.safetensors")))
    found = measure(PIXELS, 255 - PIXELS)
    assert found.shape == (N,)
    assert ((found >= 0) & (found <= 1)).all()
    assert measure.key.startswith("evaluator-")


@pytest.mark.parametrize("name", ["photos", "tid2013-r"])
def test_both_kinds_of_bundled_evaluators_serve(name: str) -> None:
    measure = Quality("evaluator", name)
    found = measure(distort(PIXELS, "iqa-ls/jpeg", 3), PIXELS)
    assert found.shape == (N,)
    assert ((found >= 0) & (found <= 1)).all()
    assert (found != measure(PIXELS, PIXELS)).any()


def test_a_changed_function_has_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    keys = []
    for value in ("0.5", "0.25"):
        (tmp_path / "mine_for_key.py").write_text(f"def s(image):\n    return {value}\n")
        sys.modules.pop("mine_for_key", None)
        keys.append(Quality("mine_for_key:s", "").key)
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("fsim", "'fsim' is unknown"),
        ("absent.module:s", "No module named"),
        (f"{__name__}:absent", "has no attribute 'absent'"),
        ("math:sqrt", "is unknown"),
        (f"{__name__}:three", "must take the distorted image, or it and the pristine one"),
    ],
)
def test_a_wrong_measure_is_named(name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Quality(name, "")


def test_a_measure_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"too_much must return one number in \[0, 1\]"):
        Quality(f"{__name__}:too_much", "")(PIXELS, PIXELS)

"""SSIM against scikit-image, MS-SSIM against its definition."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import structural_similarity

from gada.metrics.psnr import luminance
from gada.metrics.ssim import ms_ssim, ssim

PHOTOS = Path(__file__).parents[3] / "data" / "photos"
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def pair() -> tuple[Pixels, Pixels]:
    with Image.open(PHOTOS / "china.png") as image:
        reference = np.asarray(image.convert("RGB"))[:200, :232].copy()
    noise = np.random.default_rng(0).normal(0, 18, reference.shape)
    return np.clip(reference + noise, 0, 255).astype(np.uint8), reference


def independent(image: Pixels, reference: Pixels) -> float:
    """SSIM by scikit-image, over the region where the 11 x 11 window fits."""
    _, similarity = structural_similarity(  # type: ignore[no-untyped-call]
        image, reference, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, full=True
    )
    return float(similarity[5:-5, 5:-5].mean())


def test_ssim_agrees_with_scikit_image(pair: tuple[Pixels, Pixels]) -> None:
    luma = luminance(pair[0]), luminance(pair[1])
    assert ssim(*luma) == pytest.approx(independent(*luma), abs=1e-6)
    planes = [independent(pair[0][..., channel], pair[1][..., channel]) for channel in range(3)]
    assert ssim(*pair) == pytest.approx(np.mean(planes), abs=1e-6)


def test_ms_ssim_is_the_weighted_product_of_five_scales(pair: tuple[Pixels, Pixels]) -> None:
    """Wang et al. (2003): contrast and structure at scales 1 to 5, luminance at scale 5."""
    weights = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    first, second = (luminance(picture).astype(np.float64) for picture in pair)
    first, second = first[:192, :224], second[:192, :224]  # divisible by 16: no rounding of sizes
    expected = 1.0
    for scale, weight in enumerate(weights):
        contrast, similarity = scale_terms(first, second)
        expected *= (similarity if scale == 4 else contrast) ** weight
        first, second = (
            picture.reshape(picture.shape[0] // 2, 2, picture.shape[1] // 2, 2).mean((1, 3))
            for picture in (first, second)
        )
    ours = ms_ssim(luminance(pair[0])[:192, :224], luminance(pair[1])[:192, :224])
    assert ours == pytest.approx(expected, abs=1e-6)


def scale_terms(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[float, float]:
    """Mean contrast-structure term and mean SSIM of one scale, by plain sums over windows."""
    taps = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window = np.outer(taps, taps) / taps.sum() ** 2

    def local(values: NDArray[np.float64]) -> NDArray[np.float64]:
        views = np.lib.stride_tricks.sliding_window_view(values, (11, 11))
        return np.asarray(np.einsum("hwij,ij->hw", views, window))

    mean1, mean2 = local(first), local(second)
    var1, var2 = local(first**2) - mean1**2, local(second**2) - mean2**2
    covariance = local(first * second) - mean1 * mean2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    contrast = (2 * covariance + c2) / (var1 + var2 + c2)
    similarity = (2 * mean1 * mean2 + c1) / (mean1**2 + mean2**2 + c1) * contrast
    return float(contrast.mean()), float(similarity.mean())


def test_equal_pictures_score_1(pair: tuple[Pixels, Pixels]) -> None:
    assert ssim(pair[1], pair[1]) == pytest.approx(1)
    assert ms_ssim(pair[1], pair[1]) == pytest.approx(1)


def test_wrong_pairs_are_refused(pair: tuple[Pixels, Pixels]) -> None:
    small = np.zeros((160, 300, 3), np.uint8)
    with pytest.raises(ValueError, match=r"MS-SSIM needs sides of 161 pixels or more, not \(160, 300\)"):
        ms_ssim(small, small)
    with pytest.raises(ValueError, match="SSIM needs sides of 11"):
        ssim(small[:10], small[:10])
    with pytest.raises(ValueError, match="must be uint8"):
        ssim(pair[0].astype(np.float32), pair[1])
    with pytest.raises(ValueError, match="takes"):
        ssim(small[None], small[None])

"""What single distortions promise: printed strengths, and the figure that names them."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from gada.distortions import FAMILIES, distort
from gada.distortions.blur import framed_gaussian_blur, windowed_gaussian_blur
from gada.distortions.colour import blend_with_grey, chromatic_aberration, mean_shift
from gada.distortions.compression import encode_jpeg2000, jpeg, jpeg2000_at_rate
from gada.distortions.noise import colour_noise, correlated_noise, high_frequency_noise, impulse_noise
from gada.distortions.pixels import Pixels, rgb_to_ycbcr, ycbcr_to_rgb
from gada.distortions.quantization import quantize, quantize_with_dither
from gada.errors import ConfigError
from gada.metrics.psnr import luminance, psnr

PHOTOS = Path(__file__).parents[3] / "data" / "photos"
GREY = np.full((128, 160, 3), 128, np.uint8)


@pytest.fixture(scope="module")
def photo() -> Pixels:
    with Image.open(PHOTOS / "picosdeeuropa.png") as image:
        return np.asarray(image.convert("RGB"))[100:260, 120:320].copy()


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(4))


def test_dodge_karam_is_as_printed() -> None:
    """Section III-C: JPEG quality 2 to 20 by 2, JPEG2000 20 to 40 dB by 2, noise 10 to 100, blur 1 to 9, contrast."""
    printed = {
        "jpeg": [20, 18, 16, 14, 12, 10, 8, 6, 4, 2],
        "jpeg2000": [40, 38, 36, 34, 32, 30, 28, 26, 24, 22, 20],
        "noise": [10, 20, 30, 40, 50, 60, 70, 80, 90, 100],
        "blur": [1, 2, 3, 4, 5, 6, 7, 8, 9],
        "contrast": [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0],
    }
    assert {name: list(FAMILIES[f"dodge-karam/{name}"].strengths) for name in printed} == printed


def test_iqa_ls_is_as_printed() -> None:
    """Section 4.3: sigma 0.7, 1.0, 1.2; variance 0.005, 0.01, 0.02 on [0, 1]; JPEG quality 12, 8, 4."""
    printed = {"blur": [0.7, 1.0, 1.2], "noise": [0.005, 0.01, 0.02], "jpeg": [12, 8, 4]}
    assert {name: list(FAMILIES[f"iqa-ls/{name}"].strengths) for name in printed} == printed
    noise = distort(GREY, "iqa-ls/noise", 2, seed=1)[..., 0] - 128.0
    assert noise.std() == pytest.approx(255 * 0.01**0.5, rel=0.03)


@pytest.mark.parametrize("sigma", [1, 2, 5])
def test_dodge_karam_blur_has_4_sigma_plus_1_taps(sigma: int) -> None:
    point = np.zeros((65, 65, 3), np.uint8)
    point[32, :] = 255
    touched = np.flatnonzero(windowed_gaussian_blur(point, sigma)[:, 32, 0])
    assert len(touched) == 4 * sigma + 1
    assert touched.mean() == 32


def test_contrast_0_is_mid_grey(photo: Pixels) -> None:
    assert (distort(photo, "dodge-karam/contrast", 10) == 128).all()
    assert np.array_equal(blend_with_grey(photo, 1.0), photo)


def test_what_the_paper_leaves_open_has_a_ladder_of_its_own(photo: Pixels) -> None:
    """The other grey is the image's mean luminance, 0.299 R + 0.587 G + 0.114 B; noise of variance 50 is level 5."""
    grey = round(float((photo @ [0.299, 0.587, 0.114]).mean()))
    assert abs(distort(photo, "dodge-karam-variant/contrast", 10).astype(int) - grey).max() <= 1
    noise = distort(GREY, "dodge-karam-variant/noise", 5, seed=1) - 128.0
    assert noise.var() == pytest.approx(50, rel=0.03)


@pytest.mark.parametrize("quality", [2, 20, 25, 50, 51, 80, 100])
def test_jpeg_qualities_that_libjpeg_does_not_round_are_its_own(photo: Pixels, quality: int) -> None:
    assert np.array_equal(jpeg(photo, quality), libjpeg(photo, quality))


@pytest.mark.parametrize("quality", [3, 7, 12, 13, 18, 30, 49])
def test_other_jpeg_qualities_are_next_to_libjpegs(photo: Pixels, quality: int) -> None:
    expected = libjpeg(photo, quality)
    assert psnr(jpeg(photo, quality), photo) == pytest.approx(psnr(expected, photo), abs=0.03)


def libjpeg(photo: Pixels, quality: int) -> Pixels:
    stream = BytesIO()
    Image.fromarray(photo).save(stream, "JPEG", quality=quality)
    with Image.open(stream) as image:
        return np.asarray(image)


def test_rates_are_met(photo: Pixels) -> None:
    area = photo.shape[0] * photo.shape[1]
    stream = encode_jpeg2000(photo, quality_mode="rates", quality_layers=[24 / 0.5])
    assert 8 * len(stream) / area == pytest.approx(0.5, rel=0.15)
    assert psnr(jpeg2000_at_rate(photo, 1.0), photo) > psnr(jpeg2000_at_rate(photo, 0.5), photo)


@pytest.mark.parametrize("name", ["04", "11", "19", "20", "23", "24"])
@pytest.mark.parametrize("level", [1, 3.3, 5])
def test_a_strength_in_decibels_is_met_on_any_picture(photo: Pixels, name: str, level: float) -> None:
    family = FAMILIES[f"tid2013/{name}"]
    assert family.parameter == "PSNR on R, G, B"
    assert psnr(distort(photo, family.name, level, seed=2), photo) == pytest.approx(family.strength(level), abs=0.2)


@pytest.mark.parametrize("name", ["12", "13"])
def test_transmission_errors_meet_their_psnr(photo: Pixels, name: str) -> None:
    family = FAMILIES[f"tid2013/{name}"]
    for level in (3, 5):
        damaged = distort(photo, family.name, level, seed=1)
        figure = min(psnr(luminance(damaged), luminance(photo)), psnr(damaged, photo) + 4)  # colour may limit
        assert figure == pytest.approx(family.strength(level), abs=0.4)


def test_transmission_errors_strike_in_places(photo: Pixels) -> None:
    """A restart marker ends each damage: a row of blocks that is not hit is as in the JPEG without errors."""
    damaged = distort(photo, "tid2013/12", 1, seed=1)
    intact = jpeg(photo, float(FAMILIES["tid2013/10"].strengths[0]))
    rows = [np.array_equal(damaged[top : top + 16], intact[top : top + 16]) for top in range(0, 160, 16)]
    assert 0 < rows.count(True) < len(rows)


def test_saturation_leaves_luminance_alone(photo: Pixels) -> None:
    for level in (1, 3, 5):
        changed = distort(photo, "tid2013/18", level)
        assert psnr(luminance(changed), luminance(photo)) >= 50
        assert psnr(changed, photo) < 40
    assert np.ptp(distort(photo, "tid2013/18", 5).astype(int), axis=-1).max() <= 1


def test_mean_shift_and_contrast_alternate_as_tid2013_does(photo: Pixels) -> None:
    means = [distort(photo, "tid2013/16", level).mean() - photo.mean() for level in range(1, 6)]
    assert [mean > 0 for mean in means] == [False, True, False, True, False]
    deviations = [distort(photo, "tid2013/17", level).std() - photo.std() for level in range(1, 6)]
    assert [deviation > 0 for deviation in deviations] == [False, True, False, True, False]
    assert np.array_equal(mean_shift(GREY, 10.0), GREY + 10)


def test_local_blocks_get_fewer_and_stronger() -> None:
    flat = np.zeros((384, 512, 3), np.uint8) + np.array([90, 100, 110], np.uint8)
    counts, strengths = [], []
    for level in range(1, 6):
        change = np.abs(rgb_to_ycbcr(distort(flat, "tid2013/15", level, seed=3))[..., 0] - rgb_to_ycbcr(flat)[..., 0])
        counts.append(np.count_nonzero(change) / 32**2)
        strengths.append(change.max())
    assert counts == [10, 8, 6, 4, 2]
    assert strengths == sorted(strengths)


def test_local_blocks_are_partly_vivid_at_a_fixed_luminance() -> None:
    """The tint gives way to the luminance: no block is clipped, so all differ alike from what they cover."""
    flat = np.zeros((384, 512, 3), np.uint8) + np.array([90, 100, 110], np.uint8)
    for level in (1, 3, 5):
        change = (rgb_to_ycbcr(distort(flat, "tid2013/15", level, seed=3)) - rgb_to_ycbcr(flat)).reshape(-1, 3)
        blocks = change[np.abs(change[:, 0]) > 1]
        assert np.ptp(blocks[:, 0]) < 1.5
        chroma = np.hypot(blocks[:, 1], blocks[:, 2])
        assert chroma.max() > 0.5 * blocks[:, 0].mean()
        assert level == 5 or chroma.min() < 0.5 * chroma.max()


def test_noise_has_the_deviation_and_colour_it_names(random: np.random.Generator) -> None:
    noise = rgb_to_ycbcr(colour_noise(GREY, 6.0, random)) - rgb_to_ycbcr(GREY)
    assert noise.std((0, 1)) == pytest.approx([6, 12, 12], rel=0.05)
    smooth, rough = correlated_noise(GREY, 10.0, random) - 128.0, high_frequency_noise(GREY, 10.0, random) - 128.0
    for values, expected in ((smooth, 2 / 3), (rough, -0.13)):  # means over 3 x 3 share 2 of 3 columns
        assert values.std() == pytest.approx(10, rel=0.05)
        neighbours = np.corrcoef(values[:, 1:, 0].ravel(), values[:, :-1, 0].ravel())[0, 1]
        assert neighbours == pytest.approx(expected, abs=0.06)
    hit = impulse_noise(GREY, 0.2, random) != 128
    assert hit.mean() == pytest.approx(0.2 * 255 / 256, rel=0.05)


def test_masked_noise_hides_in_texture(photo: Pixels) -> None:
    half = photo.copy()
    half[:, :100] = 90
    error = (distort(half, "tid2013/04", 3, seed=1).astype(float) - half) ** 2
    assert error[:, :80].mean() < 0.01 * error[:, 120:].mean()


def test_quantization_keeps_whole_steps(photo: Pixels) -> None:
    assert set(np.unique(quantize(photo, 55.0))) <= {0, 55, 110, 165, 220, 255}
    dithered = quantize_with_dither(photo, 55.0)
    assert set(np.unique(dithered)) <= {0, 55, 110, 165, 220, 255}
    flat = np.full((64, 64, 3), 80, np.uint8)  # between two steps dither mixes both, rounding takes one
    assert len(np.unique(quantize(flat, 55.0))) == 1
    assert len(np.unique(quantize_with_dither(flat, 55.0))) == 2


def test_framed_blur_darkens_edges_only(photo: Pixels) -> None:
    blurred = framed_gaussian_blur(GREY, 4.0)
    assert (blurred[5:-5, 5:-5] == 128).all()
    assert blurred[0, 80, 0] < 90


def test_aberration_shifts_red_right_and_blue_left() -> None:
    line = np.zeros((32, 64, 3), np.uint8)
    line[:, 30] = 200
    shifted = chromatic_aberration(line, 5.0, 0.0)
    assert [int(np.argmax(shifted[16, :, channel])) for channel in range(3)] == [35, 30, 25]  # as in TID2013's files


def test_fading_loses_more_as_the_channel_gets_worse(photo: Pixels) -> None:
    """One channel realisation, so that the losses of a good channel are among those of a bad one."""
    figures = [psnr(distort(photo, "live/fastfading", level, seed=9), photo) for level in (1, 2, 3, 4, 5)]
    assert figures == sorted(figures, reverse=True)
    assert figures[0] - figures[-1] > 3


def test_ycbcr_is_inverted_exactly(photo: Pixels) -> None:
    assert ycbcr_to_rgb(rgb_to_ycbcr(photo)) == pytest.approx(photo, abs=1e-9)
    assert rgb_to_ycbcr(np.array([[[255, 0, 0]]], np.uint8))[0, 0] == pytest.approx([76.245, -43.028, 127.5], abs=1e-3)


def test_a_pillow_without_a_codec_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda name: name != "avif")
    distort(GREY, "web/webp", 1)
    with pytest.raises(ConfigError, match="this Pillow cannot write AVIF"):
        distort(GREY, "web/avif", 1)

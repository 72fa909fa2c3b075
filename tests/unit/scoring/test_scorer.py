import subprocess
import sys
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from evaluators import CARD, picture, save_evaluator
from PIL import Image

import gada
from gada.errors import ConfigError, DataError
from gada.scoring.scorer import Scorer
from gada.scoring.views import Mode

TOLERANCE = 1e-5 * 100  # of the scale


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_evaluator(tmp_path_factory.mktemp("model") / "evaluator.safetensors")


@pytest.fixture(scope="module")
def scorer(checkpoint: Path) -> Scorer:
    return gada.load_scorer(checkpoint, device="cpu")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    return [picture(seed, 40 + 7 * seed, 100 - 5 * seed) for seed in range(12)]


def scores(predictions: list[gada.Prediction]) -> np.ndarray:
    return np.array([prediction.score for prediction in predictions])


def test_a_score_says_what_it_is(scorer: Scorer) -> None:
    prediction = scorer(picture(0))
    assert prediction.scale.describe() == "DMOS, 0 to 100, lower is better"
    assert prediction.score == pytest.approx(100 - 100 * prediction.quality)
    assert prediction.distortion in CARD["classes"]
    assert 0.5 <= prediction.probability <= 1
    assert prediction.spread > 0
    name, digest = prediction.model.split()
    assert name == "toy"
    assert len(digest) == 12
    assert "proxy" in scorer.describe()


def test_every_holder_of_a_picture_has_one_score(scorer: Scorer, tmp_path: Path) -> None:
    pixels = picture(1)
    path = tmp_path / "picture.png"
    Image.fromarray(pixels).save(path)
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)
    expected = scorer(pixels)
    for other in (
        BytesIO(path.read_bytes()),
        path,
        str(path),
        path.read_bytes(),
        Image.open(path),
        tensor,
        tensor.float() / 255,
        tensor.double() / 255,
        np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)]),
        pixels.astype(np.uint16) * 257,
    ):
        assert scorer(other) == expected, type(other)
    assert scorer(pixels / 255, float_range=(0, 1)) == expected


LOSSLESS = {
    "RGB": ["PNG", "BMP", "TIFF", "TIFF:tiff_lzw", "TIFF:tiff_adobe_deflate", "WEBP", "JPEG2000"],
    "RGBA": ["PNG", "TIFF", "WEBP", "JPEG2000"],
    "L": ["PNG", "BMP", "TIFF", "JPEG2000", "GIF"],
    "LA": ["PNG", "TIFF", "JPEG2000"],
    "P": ["PNG", "BMP", "TIFF", "GIF"],
    "I;16": ["PNG", "TIFF"],
    "1": ["PNG", "BMP", "TIFF"],
}


def contained(image: Image.Image, container: str) -> bytes:
    """The bytes of a file without loss."""
    kind, _, compression = container.partition(":")
    file = BytesIO()
    options: dict[str, object] = {"lossless": True} if kind == "WEBP" else {}
    image.save(file, kind, **options, **({"compression": compression} if compression else {}))
    return file.getvalue()


@pytest.mark.parametrize("mode", LOSSLESS)
def test_lossless_containers_score_exactly_alike(scorer: Scorer, mode: str) -> None:
    colour = Image.fromarray(picture(2))
    match mode:
        case "P":
            image = colour.quantize(200)
        case "I;16":
            image = Image.fromarray(picture(2)[..., 0].astype(np.uint16) * 257)
        case _:
            image = colour.convert(mode)
    expected = np.asarray(colour.convert("RGB") if mode == "RGBA" else image.convert("RGB"))
    if mode == "I;16":
        expected = np.dstack([picture(2)[..., 0]] * 3)
    assert {scorer(contained(image, container)) for container in LOSSLESS[mode]} == {scorer(expected)}


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_tensors_of_short_floats_are_pictures(scorer: Scorer, kind: torch.dtype) -> None:
    tensor = (torch.from_numpy(picture(1)).permute(2, 0, 1) / 255).to(kind)
    assert scorer(tensor) == scorer(tensor.float())


def test_grey_is_scored_as_colour(scorer: Scorer) -> None:
    grey = picture(3)[..., 0]
    assert scorer(grey) == scorer(np.dstack([grey] * 3)) == scorer(grey[..., None])


@pytest.mark.parametrize("mode", ["crops", "grid", "dense"])
def test_scores_do_not_depend_on_batch_and_order(checkpoint: Path, pictures: list[np.ndarray], mode: Mode) -> None:
    scorer = gada.load_scorer(checkpoint, mode, device="cpu")
    alone = scores([scorer(image) for image in pictures])
    assert alone.std() > 1, "the toy must tell pictures apart, or the test shows nothing"
    assert scores(scorer(pictures)) == pytest.approx(alone, abs=TOLERANCE)
    assert scores(scorer(pictures[::-1]))[::-1] == pytest.approx(alone, abs=TOLERANCE)
    again = scores([scorer(image) for image in pictures])
    assert (again == alone).all()


def test_many_at_once(scorer: Scorer) -> None:
    batch = np.stack([picture(seed) for seed in range(3)])
    expected = pytest.approx(scores([scorer(image) for image in batch]), abs=TOLERANCE)
    tensor = torch.from_numpy(batch).permute(0, 3, 1, 2)
    assert scores(scorer(batch)) == expected
    assert scores(scorer(tensor)) == expected
    assert scores(scorer(tuple(batch))) == expected
    assert scorer([]) == []


def test_memory_bound_does_not_change_a_score(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = scorer(picture(4)).score
    monkeypatch.setattr("gada.scoring.scorer.AT_ONCE", 32 * 32 * 3)
    assert scorer(picture(4)).score == pytest.approx(expected, abs=TOLERANCE)


def test_dense_is_the_mean_of_the_map(checkpoint: Path) -> None:
    scorer = gada.load_scorer(checkpoint, "dense", device="cpu")
    quality_map = scorer.predict_map(picture(5))
    assert quality_map.scores.shape == (len(quality_map.tops), len(quality_map.lefts)) == (2, 3)
    assert scorer(picture(5)).score == pytest.approx(quality_map.scores.mean(), abs=TOLERANCE)


def test_map_shows_where(scorer: Scorer) -> None:
    image = np.concatenate([picture(0, 64, 64), picture(7, 64, 64)], axis=1)
    left, right = scorer.predict_map(picture(0, 64, 64)).scores, scorer.predict_map(picture(7, 64, 64)).scores
    whole = scorer.predict_map(image).scores
    assert whole == pytest.approx(np.concatenate([left, right], axis=1), abs=TOLERANCE)


def test_a_picture_smaller_than_a_crop_has_a_score(scorer: Scorer) -> None:
    assert np.isfinite(scorer(picture(6, 1, 1)).score)
    small = picture(6, 20, 15)
    assert scorer(small).score == pytest.approx(scorer(np.pad(small, ((0, 12), (0, 17), (0, 0)), "symmetric")).score)


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        (np.zeros((4, 4, 3)), "float_range"),
        (np.full((4, 4), np.nan), "float_range"),
        (np.zeros((4, 4, 2), np.uint8), "shape"),
        (np.zeros((4, 4), np.int32), "int32"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
        (torch.zeros(4, 4), "shape"),
        (torch.zeros(3, 0, 0), "shape"),
        (torch.full((3, 4, 4), 255.0), r"\[0, 1\]"),
        (torch.full((3, 4, 4), float("nan")), r"\[0, 1\]"),
        (b"no picture", "not an image"),
        ("missing.png", "missing.png"),
        (3, "int"),
    ],
)
def test_what_is_no_picture_is_refused(scorer: Scorer, wrong: object, word: str) -> None:
    with pytest.raises(DataError, match=word):
        scorer(wrong)


def test_black_of_an_array_must_lie_below_white(scorer: Scorer) -> None:
    with pytest.raises(ConfigError, match="black must lie below white"):
        scorer(np.zeros((4, 4, 3)), float_range=(1, 1))


def test_a_stream_that_was_read_is_read_again(scorer: Scorer) -> None:
    stream = BytesIO()
    Image.fromarray(picture(1)).save(stream, "PNG")  # leaves it at its end
    assert scorer(stream) == scorer(stream) == scorer(picture(1))
    with pytest.raises(DataError, match="opened as text"):
        scorer(StringIO("text"))


def test_the_white_of_16_bits_is_named(scorer: Scorer, tmp_path: Path) -> None:
    deep = (picture(1) * (4095 / 255)).astype(np.uint16)
    with pytest.warns(UserWarning, match=r"16-bit samples up to \d\d\d\d only.*--white 4095"):
        dark = scorer(deep)
    bright = scorer(deep, white=4095)
    assert bright.score == pytest.approx(scorer(picture(1)).score, abs=1)
    assert abs(dark.score - bright.score) > 1
    Image.fromarray(deep[..., 0]).save(tmp_path / "grey.png")
    assert scorer(tmp_path / "grey.png", white=4095) == scorer(deep[..., 0], white=4095)
    assert scorer(Image.fromarray(deep[..., 0]), white=4095) == scorer(deep[..., 0], white=4095)
    with pytest.raises(ConfigError, match="white is 0"):
        scorer(deep, white=0)


def test_a_model_without_classes(tmp_path: Path) -> None:
    path = save_evaluator(tmp_path / "plain.safetensors", classes=["one"])
    with pytest.raises(DataError, match="does not fit its own card"):
        gada.load_scorer(path)


@pytest.mark.parametrize(
    "card",
    [
        {"scale": {**CARD["scale"], "unit": "points"}},
        {"scale": {"name": "MOS", "low": 0, "high": 1}},
        {"view": {"size": 32}},
        {"view": {"size": 32, "resize": 40, "filter": "none"}},
    ],
)
def test_a_card_with_other_entries_is_refused(tmp_path: Path, card: dict[str, object]) -> None:
    path = save_evaluator(tmp_path / "plain.safetensors", **card)
    for load in (gada.load_scorer, gada.DifferentiableScorer):
        with pytest.raises(DataError, match=f"has no valid {next(iter(card))}"):
            load(path)


def test_a_device_that_is_not_there_is_named(checkpoint: Path) -> None:
    if torch.backends.mps.is_available():
        pytest.skip("this machine has mps")
    with pytest.raises(ConfigError, match="mps"):
        gada.load_scorer(checkpoint, device="mps")


def test_importing_gada_imports_nothing_heavy() -> None:
    code = "import sys, gada; print([m for m in ('numpy', 'torch', 'PIL', 'jsonargparse') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_scorer_says_what_it_is(scorer: Scorer) -> None:
    assert repr(scorer) == f"<Scorer toy: DMOS, 0 to 100, lower is better; {scorer.protocol()}>"
    assert scorer.digest[:12] not in scorer.describe()  # people read it; rows and JSON have it


def test_completion_shows_what_there_is() -> None:
    assert set(dir(gada)) == {*gada.__all__, "__version__"}

"""Scoring whole images: any size, one score for an image and its view, percentile, and what is unusual."""

from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from evaluators import picture
from PIL import Image
from whole_images import SIDE, save_whole_evaluator

import gada
from gada.data.whole_view import whole_view
from gada.errors import DataError
from gada.experiments.trust.probes import on_canvas
from gada.scoring.bulk import line_of
from gada.scoring.differentiable import DifferentiableScorer
from gada.scoring.export import export_evaluator
from gada.scoring.rows import row_of
from gada.scoring.scorer import Scorer
from gada.scoring.streaming import score_files

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_whole_evaluator(tmp_path_factory.mktemp("whole") / "whole.safetensors")


@pytest.fixture(scope="module")
def scorer(model: Path) -> Scorer:
    return gada.load_scorer(model, device="cpu")


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (20, 900), (300, 200), (64, 64)])
def test_an_image_of_any_size_has_the_score_of_its_view(scorer: Scorer, size: tuple[int, int]) -> None:
    image = picture(1, *size)
    one, view = scorer(image), scorer(whole_view(image, SIDE))
    assert 0 < one.quality < 1
    assert one.score == pytest.approx(view.score, abs=1e-9)
    assert one.spread == 0
    assert one.distortion == ""


def test_mode_and_crops_change_nothing_and_the_protocol_says_what_is_seen(model: Path, scorer: Scorer) -> None:
    image = picture(2, 100, 140)
    for mode in ("crops", "dense"):
        other = gada.load_scorer(model, mode, device="cpu")
        assert other(image).score == scorer(image).score
    assert scorer.protocol() == f"whole image at {SIDE}"


def test_a_score_does_not_depend_on_its_neighbours(scorer: Scorer) -> None:
    images = [picture(seed, 60 + seed, 90) for seed in range(5)]
    assert [one.score for one in scorer(images)] == [scorer(image).score for image in images]


def test_the_percentile_rises_with_quality(scorer: Scorer) -> None:
    predictions = sorted(scorer([picture(seed) for seed in range(40)]), key=lambda one: one.quality)
    percentiles = [one.percentile for one in predictions]
    assert percentiles == sorted(percentiles)
    assert percentiles[0] == pytest.approx(0, abs=1)
    assert percentiles[-1] == pytest.approx(100, abs=1)


def test_a_photo_on_a_canvas_is_mostly_flat_and_noise_is_unlike_the_training_photos(scorer: Scorer) -> None:
    photo = picture(3, 120, 160)
    noise = np.random.default_rng(0).integers(0, 256, photo.shape, dtype=np.uint8)
    assert not scorer(photo).unusual
    assert scorer(on_canvas(photo)).unusual == "mostly flat"
    assert scorer(noise).unusual == "unlike the training photos"


def test_a_blank_image_is_unusual_in_every_output(scorer: Scorer) -> None:
    usual, blank = scorer(picture(3)), scorer(np.full((60, 90, 3), 255, np.uint8))
    assert not usual.unusual
    assert blank.unusual
    row = row_of(Path("a.png"), blank, scorer)
    assert row["unusual"] == blank.unusual
    assert "[unusual: " in line_of(row)
    assert "unusual" not in line_of(row_of(Path("a.png"), usual, scorer))
    assert f"better than {int(usual.percentile or 0):3} %" in line_of(row_of(Path("a.png"), usual, scorer))


def test_the_map_covers_the_image_in_its_own_pixels(scorer: Scorer) -> None:
    found = scorer.predict_map(picture(4, 600, 900))
    assert found.scores.shape == (len(found.tops), len(found.lefts))
    assert found.tops[0] == found.lefts[0] == 0
    assert abs(found.tops[-1] + found.size - 600) <= 8
    assert abs(found.lefts[-1] + found.size - 900) <= 8


def test_a_photo_scores_lower_the_smaller_it_is() -> None:
    photo = Image.open(ROOT / "data/photos/coffee.png").convert("RGB")
    sizes = [(photo.width // part, photo.height // part) for part in (2, 3, 5, 8)]
    small = [np.asarray(photo.resize(size, Image.Resampling.LANCZOS)) for size in sizes]
    qualities = [one.quality for one in gada.load_scorer(device="cpu")(small)]
    assert qualities == sorted(qualities, reverse=True)


@pytest.mark.parametrize("size", [(150, 200), (30, 40)])
def test_the_differentiable_score_is_the_same_up_to_rounding(
    model: Path, scorer: Scorer, size: tuple[int, int]
) -> None:
    image = picture(5, *size)
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    tensor.requires_grad_()
    quality = DifferentiableScorer(model)(tensor)
    assert float(quality.detach()) == pytest.approx(scorer(image).quality, abs=5e-3)
    quality.sum().backward()
    assert tensor.grad is not None
    assert tensor.grad.abs().sum() > 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of the exporter
def test_an_exported_model_says_the_same(
    model: Path, scorer: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ort = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    out, parity = export_evaluator(str(model), "onnx", tmp_path / "whole.onnx")
    assert parity.greatest < 1e-5
    opened = Mock(wraps=ort.InferenceSession)
    monkeypatch.setattr(ort, "InferenceSession", opened)
    other = gada.load_scorer(out)
    opened.assert_called_once()
    for image in (picture(6, 33, 50), np.zeros((40, 40, 3), np.uint8)):
        one, exported = scorer(image), other(image)
        assert exported.score == pytest.approx(one.score, abs=1e-3)
        assert exported.unusual == one.unusual
        assert exported.percentile == pytest.approx(one.percentile, abs=0.1)


def test_files_are_scored_in_order_and_a_bad_one_is_its_own_outcome(scorer: Scorer, tmp_path: Path) -> None:
    paths = []
    for number in range(12):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(picture(number, 50, 70)).save(paths[-1])
    paths[5].write_bytes(b"not an image")
    outcomes = list(score_files(scorer, paths, jobs=3))
    assert [path for path, _ in outcomes] == paths
    assert isinstance(outcomes[5][1], DataError)
    good = [number for number in range(12) if number != 5]
    assert [outcomes[n][1].score for n in good] == [scorer(paths[n]).score for n in good]  # type: ignore[union-attr]

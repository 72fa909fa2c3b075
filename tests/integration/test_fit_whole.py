"""`gada fit --preset photos`: an evaluator of whole images, from two tables and photos without scores."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import layouts
import numpy as np
import pytest
import tiny
import yaml
from evaluators import picture
from PIL import Image
from safetensors.numpy import load_file

from gada.__main__ import main
from gada.errors import DataError
from gada.io.checkpoints import find_checkpoint
from gada.io.records import read_rows
from gada.metrics.ssim import ssim
from gada.models.files import load_evaluator
from gada.runs import orders, whole_image
from gada.runs.orders import generated_orders

Fit = Callable[..., int]


def table(root: Path, count: int, first: int) -> Path:
    """Write images and scores."""
    rows = []
    for number in range(count):
        (root / "images").mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(first + number, 48, 60 + number % 3)).save(root / f"images/{number}.png")
        rows.append({"image": f"images/{number}.png", "score": number % 7 + number / 100})
    layouts.table(root / "scores.csv", rows)
    return root


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two tables and a tiny configuration, in which runs are trained."""
    return prepared(tmp_path_factory.mktemp("home"))


def prepared(home: Path) -> Path:
    """Write tables and configuration."""
    scale = {"format": "table", "scale_low": 0, "scale_high": 8, "higher_is_better": True}
    first, second = table(home / "first", 20, 0), table(home / "second", 12, 100)
    config: dict[str, Any] = {
        "preset": "photos",
        "data": {"root": str(first), "name": "first", **scale, "weight": 2},
        "model": {"hidden": 8, "usual": 2},
        "training": {"batch_size": 6, "crop_size": 32, "phase3_steps": 4, "validate_every": 2, "precision": "float32"},
        "whole": {
            "sets": [{"root": str(second), "name": "second", **scale}],
            "longer_side": 48,
            "orders": 1,
            "blanks": 1,
            "head_steps": 2,
        },
    }
    (home / "config.yaml").write_text(yaml.safe_dump(config))
    return home


@pytest.fixture
def fit(home: Path, monkeypatch: pytest.MonkeyPatch) -> Fit:
    """Call `gada fit` with tiny settings; the trunk has random weights in place of ImageNet's."""
    monkeypatch.setattr(whole_image, "pretrained_trunk", tiny.random_trunk)

    def call(run: str, *options: str) -> int:
        given = ["--config", str(home / "config.yaml"), "--run", str(home / run), "--wandb", "off"]
        return main(["fit", "--phase", "3", *given, *options])

    return call


@pytest.fixture
def finished(fit: Fit, home: Path) -> Path:
    """A finished run; trained once, for a finished stage is not trained again."""
    assert fit("run") == 0
    return home / "run"


def test_it_trains_on_several_sets_and_knows_its_photos(
    fit: Fit, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (finished / "phase3/metrics.csv").read_text().splitlines()[0].count("loss_") == 3
    assert {row["dataset"] for row in read_rows(finished / "phase3/sets.jsonl")} == {"second"}
    capsys.readouterr()
    white = tmp_path / "white.png"
    Image.fromarray(np.full((40, 50, 3), 255, np.uint8)).save(white)
    assert main(["score", str(white), "--model", str(finished), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["mode"] == "whole image at 48"
    assert 0 <= answer["results"][0]["percentile"] <= 100
    before, weights = (finished / "results.jsonl").read_bytes(), finished / "phase3/best.safetensors"
    trained = weights.stat().st_mtime_ns
    assert fit("run") == 0  # finished stages are not trained again
    assert (finished / "results.jsonl").read_bytes() == before
    assert weights.stat().st_mtime_ns == trained


def test_phase_1_is_not_for_whole_images(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "--phase", "1", "--config", str(home / "config.yaml"), "--run", str(home / "no")]) == 2
    assert "phase 3 alone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("preset", "options", "words"),
    [
        ("photos", ["--from", "tid2013-r"], "of --from sees crops; give --preset gada"),
        ("photos", ["--training.unlabelled", "photos"], "training.unlabelled is of phase 2"),
        ("photos", ["--whole.generated_weight", "1"], "whole.generated_weight needs whole.generator"),
        ("gada", [], "whole.sets trains an evaluator of whole images, but this one sees crops"),
    ],
)
def test_what_does_not_fit_the_kind_of_evaluator_is_told(
    home: Path, preset: str, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = yaml.safe_load((home / "config.yaml").read_text()) | {"preset": preset}
    (home / "other.yaml").write_text(yaml.safe_dump(config))
    given = ["fit", "--phase", "3", "--config", str(home / "other.yaml"), "--run", str(home / "no"), *options]
    assert main(given) == 2
    assert words in capsys.readouterr().err


def test_without_validation_photos_the_last_checkpoint_is_kept(fit: Fit, home: Path) -> None:
    assert fit("nine", "--split.validation", "0", "--split.scored", "9") == 0
    best, ended = (load_file(home / f"nine/phase3/{name}.safetensors") for name in ("best", "ended"))
    trunk = [name for name in best if name.startswith("trunk")]
    assert trunk
    assert all(np.array_equal(best[name], ended[name]) for name in trunk)
    (row,) = [row for row in read_rows(home / "nine/results.jsonl") if row["distortion"] == "ALL"]
    assert (row["validated"], row["scored"]) == (False, 9)


def test_the_last_checkpoint_is_kept_however_often_it_is_validated(fit: Fit, home: Path) -> None:
    """A generator that makes nothing is not looked for."""
    often, once = home / "often/phase3", home / "once/phase3"
    assert fit("often", "--training.keep", "last", "--whole.generator", "nowhere") == 0
    assert fit("once", "--training.keep", "last", "--training.validate_every", "4") == 0
    kept, same = (load_file(folder / "best.safetensors") for folder in (often, once))
    assert all(np.array_equal(kept[name], same[name]) for name in kept)
    ended = load_file(often / "ended.safetensors")
    assert all(np.array_equal(kept[name], ended[name]) for name in ended if name.startswith("trunk"))
    assert not read_rows(home / "often/results.jsonl")[0]["validated"]
    assert "Each checkpoint is the last one" in (home / "often/report.html").read_text()


def test_few_photos_alone_are_told_what_helps_unless_it_is_there(
    fit: Fit, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit("ten", "--whole.sets", "[]", "--split.scored", "10") == 0
    assert " scored photos train, and they alone." in capsys.readouterr().err
    start = home / "ten" / "phase3" / "best.safetensors"
    assert fit("ten more", "--whole.sets", "[]", "--split.scored", "10", "--from", str(start)) == 0
    assert "they alone" not in capsys.readouterr().err


def test_a_stop_changes_nothing(fit: Fit, finished: Path, home: Path) -> None:
    with tiny.stopped_after_an_epoch():
        assert fit("stopped") == 130
    assert fit("stopped") == 0
    one, other = (load_file(run / "phase3/best.safetensors") for run in (finished, home / "stopped"))
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_scene_of_a_test_in_another_set_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepared(tmp_path)
    shared = np.asarray(Image.open(tmp_path / "first/images/0.png").convert("RGB"))
    for number in range(12):
        Image.fromarray(shared).save(tmp_path / f"second/images/{number}.png")
    for number in range(20):
        Image.fromarray(shared).save(tmp_path / f"first/images/{number}.png")
    given = ["--config", str(tmp_path / "config.yaml"), "--run", str(tmp_path / "run"), "--wandb", "off"]
    assert main(["fit", "--phase", "3", *given, "--split.by_scene", "false"]) == 2
    assert "shows the same scene" in capsys.readouterr().err


def test_order_is_measured_before_and_after_and_each_set_keeps_its_scale(fit: Fit, finished: Path, home: Path) -> None:
    order = json.loads((finished / "phase3/order.json").read_text())
    assert set(order) == {"photos", "after"}
    assert all(-1 <= tau <= 1 for tau in order["after"].values())
    (own,) = load_evaluator(finished / "phase3/best.safetensors")[1].sets
    assert own.name == "second"
    qualities = [own.quality(quality) for quality in np.linspace(0, 1, 9).tolist()]
    assert qualities == sorted(qualities)
    assert fit("tuned", "--from", str(finished), "--whole.sets", "[]") == 0
    assert set(json.loads((home / "tuned/phase3/order.json").read_text())) == {"photos", "before", "after"}
    assert "before this training" in (home / "tuned/report.html").read_text()
    page = (finished / "report.html").read_text()
    assert "Results on second" in page
    assert "not trained on; 1 is always" in page
    assert fit("bound", "--split.upper_bound", "true") == 0
    page = (home / "bound/report.html").read_text()
    assert "which this upper bound was trained on; 1 is always" in page
    assert "not trained on" not in page


def test_a_generator_makes_orders_of_photos(
    fit: Fit, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_image, "GENERATED", 3)
    assert fit("none", "--whole.generated_orders", "1") == 2
    assert "whole.generator" in capsys.readouterr().err
    options = ("--whole.generator", "live-like", "--whole.generated_orders", "1", "--whole.orders", "0")
    assert fit("generated", *options) == 0
    assert "loss_order" in (home / "generated/phase3/metrics.csv").read_text()


def test_generated_orders_are_checked_and_a_generator_that_disobeys_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small photos are reflected; SSIM with the photo falls in each order that is left."""
    path = find_checkpoint("live-like", "generator")
    photos = [picture(0, 60, 100), picture(1, 7, 40)]
    made = generated_orders(path, photos, 12, 64, 0)
    assert 2 <= len(made) <= 12
    assert {one.images[0].shape[:2] for one in made} <= {(37, 64), (16, 40)}
    for one in made:
        photo, milder, stronger = one.images
        assert one.strength == sorted(one.strength)
        assert ssim(milder, photo) > ssim(stronger, photo)
    monkeypatch.setattr(orders, "ssim", lambda image, reference: 1.0)
    with pytest.raises(DataError, match="follows the target quality on none of 12 photos"):
        generated_orders(path, photos, 12, 64, 0)

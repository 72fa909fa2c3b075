"""`gada fit --preset photos`: an evaluator of whole images, from two tables and photos without scores."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import layouts
import numpy as np
import pytest
import tiny
import torch
import yaml
from evaluators import picture
from PIL import Image
from safetensors.numpy import load_file

from gada.__main__ import main
from gada.io.records import read_rows
from gada.models.efficientnet_lite import EfficientNetLite0
from gada.models.files import load_evaluator
from gada.runs import whole_image

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


@pytest.fixture
def fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fit:
    """Call `gada fit` with tiny settings; the trunk has random weights in place of ImageNet's."""

    def random_trunk() -> EfficientNetLite0:
        torch.manual_seed(3)
        return EfficientNetLite0()

    monkeypatch.setattr(whole_image, "pretrained_trunk", random_trunk)
    scale = {"format": "table", "scale_low": 0, "scale_high": 8, "higher_is_better": True}
    first, second = table(tmp_path / "first", 20, 0), table(tmp_path / "second", 12, 100)
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
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))

    def call(run: str, *options: str) -> int:
        given = ["--config", str(tmp_path / "config.yaml"), "--run", str(tmp_path / run), "--wandb", "off"]
        return main(["fit", "--phase", "3", *given, *options])

    return call


def test_it_trains_on_several_sets_and_knows_its_photos(
    fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit("run") == 0
    phase = tmp_path / "run" / "phase3"
    assert (phase / "metrics.csv").read_text().splitlines()[0].count("loss_") == 3
    assert {row["dataset"] for row in read_rows(phase / "sets.jsonl")} == {"second"}
    capsys.readouterr()
    white = tmp_path / "white.png"
    Image.fromarray(np.full((40, 50, 3), 255, np.uint8)).save(white)
    assert main(["score", str(white), "--model", str(tmp_path / "run"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["mode"] == "whole image at 48"
    assert 0 <= answer["results"][0]["percentile"] <= 100
    before = (tmp_path / "run/results.jsonl").read_bytes()
    assert fit("run") == 0  # finished stages are not trained again
    assert (tmp_path / "run/results.jsonl").read_bytes() == before
    assert fit("again", "--from", str(tmp_path / "run"), "--whole.sets", "[]") == 0
    assert main(["fit", "--phase", "1", "--config", str(tmp_path / "config.yaml"), "--run", str(tmp_path / "no")]) == 2
    assert "phase 3 alone" in capsys.readouterr().err


def test_without_validation_photos_the_last_checkpoint_is_kept(fit: Fit, tmp_path: Path) -> None:
    assert fit("run", "--split.validation", "0", "--split.scored", "9") == 0
    best, ended = (load_file(tmp_path / f"run/phase3/{name}.safetensors") for name in ("best", "ended"))
    trunk = [name for name in best if name.startswith("trunk")]
    assert trunk
    assert all(np.array_equal(best[name], ended[name]) for name in trunk)
    (row,) = [row for row in read_rows(tmp_path / "run/results.jsonl") if row["distortion"] == "ALL"]
    assert (row["validated"], row["scored"]) == (False, 9)


def test_few_photos_alone_are_told_what_helps_unless_it_is_there(
    fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit("run", "--whole.sets", "[]", "--split.scored", "10") == 0
    assert " scored photos train, and they alone." in capsys.readouterr().err
    start = tmp_path / "run" / "phase3" / "best.safetensors"
    assert fit("again", "--whole.sets", "[]", "--split.scored", "10", "--from", str(start)) == 0
    assert "they alone" not in capsys.readouterr().err


def test_a_stop_changes_nothing(fit: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fit("whole") == 0
    with tiny.stopped_after_an_epoch():
        assert fit("stopped") == 130
    assert fit("stopped") == 0
    one, other = (load_file(tmp_path / run / "phase3/best.safetensors") for run in ("whole", "stopped"))
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_scene_of_a_test_in_another_set_is_told(fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shared = np.asarray(Image.open(tmp_path / "first/images/0.png").convert("RGB"))
    for number in range(12):
        Image.fromarray(shared).save(tmp_path / f"second/images/{number}.png")
    for number in range(20):
        Image.fromarray(shared).save(tmp_path / f"first/images/{number}.png")
    assert fit("run", "--split.by_scene", "false") == 2
    assert "shows the same scene" in capsys.readouterr().err


def test_order_is_measured_before_and_after_and_each_set_keeps_its_scale(fit: Fit, tmp_path: Path) -> None:
    assert fit("first-run") == 0
    order = json.loads((tmp_path / "first-run/phase3/order.json").read_text())
    assert set(order) == {"photos", "after"}
    assert all(-1 <= tau <= 1 for tau in order["after"].values())
    (own,) = load_evaluator(tmp_path / "first-run/phase3/best.safetensors")[1].sets
    assert own.name == "second"
    qualities = [own.quality(quality) for quality in np.linspace(0, 1, 9).tolist()]
    assert qualities == sorted(qualities)
    assert fit("tuned", "--from", str(tmp_path / "first-run"), "--whole.sets", "[]") == 0
    assert set(json.loads((tmp_path / "tuned/phase3/order.json").read_text())) == {"photos", "before", "after"}
    assert "before this training" in (tmp_path / "tuned/report.html").read_text()
    page = (tmp_path / "first-run/report.html").read_text()
    assert "Results on second" in page
    assert "not trained on; 1 is always" in page
    assert fit("bound", "--split.upper_bound", "true") == 0
    page = (tmp_path / "bound/report.html").read_text()
    assert "which this upper bound was trained on; 1 is always" in page
    assert "not trained on" not in page


def test_a_generator_makes_orders_of_photos(
    fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_image, "GENERATED", 3)
    assert fit("none", "--whole.generated_orders", "1") == 2
    assert "whole.generator" in capsys.readouterr().err
    options = ("--whole.generator", "live-like", "--whole.generated_orders", "1", "--whole.orders", "0")
    assert fit("generated", *options) == 0
    assert "loss_order" in (tmp_path / "generated/phase3/metrics.csv").read_text()

"""`gada evaluate` on another database: the ready configs on small copies of their layouts, and shared scenes."""

import csv
import json
from pathlib import Path
from typing import Any

import layouts
import numpy as np
import pytest
import tiny
from evaluators import picture, save_evaluator
from PIL import Image

from gada.__main__ import main
from gada.data.cache import PackedImages
from gada.data.databases import load_database
from gada.data.live_itw import load_live_itw
from gada.data.perceptual_hash import perceptual_hash
from gada.errors import DataError
from gada.io.images import read_image
from gada.io.records import read_rows
from gada.runs.by_error import by_error_section, scores_of
from gada.settings import DataSettings

CONFIGS = Path(__file__).parents[2] / "configs"
Report = dict[str, Any]


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_evaluator(tmp_path_factory.mktemp("model") / "evaluator.safetensors")


def evaluate(capsys: pytest.CaptureFixture[str], *options: object) -> Report:
    capsys.readouterr()
    assert main(["evaluate", "--json", "--evaluation.crops", "2", *map(str, options)]) == 0
    report: Report = json.loads(capsys.readouterr().out)
    return report


def photographs(folder: Path, count: int, height: int = 40, width: int = 60) -> list[str]:
    names = [f"{number}.jpg" for number in range(count)]
    for number, name in enumerate(names):
        tiny.save(Image.fromarray(picture(number, height, width)), folder / name)
    return names


def test_koniq10k_as_it_is_published(evaluator: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = photographs(tmp_path / "1024x768", 6)
    counts = {f"c{number}": 20 for number in range(1, 6)} | {"c_total": 100}
    rows = [
        {"image_name": name, **counts, "MOS": 1.5 + at / 2, "SD": 0.6, "MOS_zscore": 60}
        for at, name in enumerate(names)
    ]
    layouts.table(tmp_path / "koniq10k_scores_and_distributions.csv", rows)
    report = evaluate(capsys, "--config", CONFIGS / "koniq10k.yaml", "--model", evaluator, "--data.root", tmp_path)
    assert [(row["distortion"], row["n"]) for row in report["results"]] == [("ALL", 6)]
    assert "KonIQ-10k" in report["data"]


def test_evaluators_and_databases_stand_in_one_table(
    evaluator: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pair that is evaluated again replaces its row; the interval holds the SROCC."""
    photographs(tmp_path / "set", 8)
    layouts.table(tmp_path / "set" / "scores.csv", [{"image": f"{at}.jpg", "score": at * at % 11} for at in range(8)])
    scale = ["--data.format", "table", "--data.scale_low", 0, "--data.scale_high", 11, "--data.higher_is_better", True]
    options = ["--model", evaluator, "--data.root", tmp_path / "set", *scale, "--results", tmp_path / "pairs.jsonl"]
    for name in ("first", "second", "first"):
        evaluate(capsys, *options, "--data.name", name)
    rows = read_rows(tmp_path / "pairs.jsonl")
    assert [row["dataset"] for row in rows] == ["second", "first"]
    low, high = rows[0]["interval"]
    assert -1 <= low <= rows[0]["srocc"] <= high <= 1
    page = tmp_path / "page.md"
    block = f"gada table --layout databases {tmp_path}/pairs.jsonl"
    page.write_text(f"<!-- {block} -->\n<!-- end -->\n")
    assert main([*block.split()[1:], "--into", str(page)]) == 0
    assert f"| {evaluator} |" in page.read_text()
    assert main(["table", str(tmp_path / "pairs.jsonl"), "--layout", "summary"]) == 2
    (tmp_path / "pairs.jsonl").write_text("no rows\n")
    assert main(["evaluate", *map(str, options)]) == 2
    assert "pairs.jsonl" in capsys.readouterr().err


def test_spaq_is_reduced_first(evaluator: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = photographs(tmp_path / "TestImage", 5, 600, 640)
    rows = [{"Image name": name, "MOS": 20.5 + at, "Brightness": 50} for at, name in enumerate(names)]
    layouts.table(tmp_path / "Annotations" / "MOS and Image attribute scores.csv", rows)
    options = ["--config", CONFIGS / "spaq.yaml", "--model", evaluator, "--data.root", tmp_path]
    small, large = (evaluate(capsys, *options, "--evaluation.shorter_side", side) for side in (100, 512))
    assert evaluate(capsys, *options)["results"] == large["results"] != small["results"]
    assert main(["evaluate", *map(str, options), "--evaluation.shorter_side", "3"]) == 2


def test_live_in_the_wild_drops_what_trained_the_observers(tmp_path: Path) -> None:
    scored = load_live_itw(layouts.live_itw(tmp_path / "whole"))
    assert len(scored) == 1162
    assert not scored.has_references
    assert scored.images[0].image.name == "3.bmp"
    assert scored.images[0].score == np.random.default_rng(0).uniform(3, 93, 1169)[7]
    (tmp_path / "whole" / "Images" / "4.bmp").unlink()
    with pytest.raises(DataError, match=r"4\.bmp does not exist"):
        load_live_itw(tmp_path / "whole")
    (tmp_path / "whole" / "Images" / "5.bmp").rename(tmp_path / "whole" / "Images" / "5.BMP")
    assert len(load_live_itw(tmp_path / "whole", partial=True)) == 1161


def test_scenes_of_the_training_are_left_out_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tiny.scored_set(tmp_path / "set")
    seen = {"kodim03": perceptual_hash(read_image(root / "references" / "r2.png")).text()}
    model = save_evaluator(tmp_path / "evaluator.safetensors", references=seen)
    options = ["--model", model, "--data.root", root]
    report = evaluate(capsys, *options, "--out", tmp_path / "scores.csv")
    assert report["left_out"] == {"references/r2.png": "kodim03"}
    assert report["results"][-1]["n"] == 30
    with (tmp_path / "scores.csv").open() as file:
        assert "references/r2.png" not in {row["reference"] for row in csv.DictReader(file)}
    assert evaluate(capsys, *options, "--keep-shared")["results"][-1]["n"] == 36
    assert main(["evaluate", *map(str, options), "--evaluation.crops", "2"]) == 0
    assert "left out: references/r2.png shows the scene of kodim03" in capsys.readouterr().out


def test_nothing_is_left_out_in_silence(evaluator: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tiny.scored_set(tmp_path / "set", references=3)
    assert evaluate(capsys, "--model", evaluator, "--data.root", root)["left_out"] is None
    assert main(["evaluate", "--model", str(evaluator), "--data.root", str(root), "--evaluation.crops", "1"]) == 0
    assert "does not say on which scenes it was trained" in capsys.readouterr().out
    seen = {path.stem: perceptual_hash(read_image(path)).text() for path in (root / "references").iterdir()}
    model = save_evaluator(tmp_path / "evaluator.safetensors", references=seen)
    assert main(["evaluate", "--model", str(model), "--data.root", str(root)]) == 3
    assert "trained on every scene" in capsys.readouterr().err


def test_names_in_the_scores_are_written_as_text(evaluator: Path, tmp_path: Path) -> None:
    photographs(tmp_path / "set", 2)
    (tmp_path / "set" / "1.jpg").rename(tmp_path / "set" / "=1+1.jpg")
    rows = [{"image": "=1+1.jpg", "score": -3.5}, {"image": "0.jpg", "score": 2}]
    layouts.table(tmp_path / "set" / "scores.csv", rows)
    scale = ["--data.scale_low", "-5", "--data.scale_high", "5", "--data.higher_is_better", "true"]
    options = ["--data.format", "table", "--data.root", str(tmp_path / "set"), *scale]
    scores = tmp_path / "split-00" / "phase3" / "scores.csv"  # as a benchmark has them, whose page reads them back
    assert main(["evaluate", "--model", str(evaluator), *options, "--evaluation.crops", "2", "--out", str(scores)]) == 0
    assert scores.read_text().splitlines()[1].startswith("'=1+1.jpg,'=1+1.jpg,,-3.5,")
    data = DataSettings(format="table", root=tmp_path / "set", scale_low=-5, scale_high=5, higher_is_better=True)
    images = load_database(data)
    packed = PackedImages.open(images.files, images.root, tmp_path)
    section = by_error_section(scores_of(scores.parent), images, packed)
    assert [len(row) for row in section.tiles.values()] == [2, 2, 2]
    assert "true -3.5" in section.tiles["Typical error"][0].caption

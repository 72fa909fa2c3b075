"""A run resumes where its files have moved or its options were called otherwise, and not where its data changed."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import tiny
import yaml

from gada.__main__ import main

STAGE = ["--phase", "baseline"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny set in `set` and a run of the baseline in `run`."""
    folder = tmp_path_factory.mktemp("trained")
    assert fit(folder, tiny.scored_set(folder / "set"), folder / "cache") == 0
    return folder


def fit(folder: Path, root: Path, cache: Path, run: str = "run", **others: Any) -> int:
    data = {**tiny.SETTINGS["data"], "root": str(root), "cache": str(cache)}
    (folder / "config.yaml").write_text(yaml.safe_dump({**tiny.SETTINGS, "data": data, **others}))
    options = ["--config", str(folder / "config.yaml"), "--run", str(folder / run), "--wandb", "off"]
    return main(["fit", *STAGE, *options])


def test_a_run_resumes_where_its_set_and_cache_have_moved(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(trained / "set", tmp_path / "moved")
    before = (trained / "run/results.jsonl").read_bytes()
    assert fit(trained, tmp_path / "moved", tmp_path / "cache") == 0
    assert (trained / "run/results.jsonl").read_bytes() == before, "nothing is trained again"
    assert yaml.safe_load((trained / "run/config.yaml").read_text())["data"]["root"] == str(tmp_path / "moved")
    table = (tmp_path / "moved/scores.csv").read_text()
    (tmp_path / "moved/scores.csv").write_text(table.replace(",20,", ",21,"))
    assert fit(trained, tmp_path / "moved", tmp_path / "cache") == 2
    assert "holds a run on other scores or classes of tiny set" in capsys.readouterr().err


def test_a_run_of_the_previous_version_resumes(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(trained / "run", tmp_path / "run")
    config = yaml.safe_load((tmp_path / "run/config.yaml").read_text())
    training, split = config["training"], config["split"]
    for old, new in (("trunk_rate", "trunk_lr"), ("head_rate", "head_lr"), ("generator_rate", "generator_lr")):
        training[old] = training.pop(new)
    training["later_rate"], training["generated_share"] = (
        training.pop("later_lr_factor"),
        training.pop("generated_fraction"),
    )
    split["ceiling"] = split.pop("upper_bound")
    del split["by_scene"], config["data"]["group_column"]
    config["loss"]["quality"] = "squared"
    rows = [json.loads(line) for line in (tmp_path / "run/results.jsonl").read_text().splitlines()]
    older = [{key: value for key, value in row.items() if key != "upper_bound"} | {"others": []} for row in rows]
    (tmp_path / "run/results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in older))
    (tmp_path / "run/config.yaml").write_text(yaml.safe_dump(config))
    assert fit(tmp_path, trained / "set", trained / "cache") == 0
    assert "SROCC" in capsys.readouterr().out
    training["trunk_rate"] = 0.5
    (tmp_path / "run/config.yaml").write_text(yaml.safe_dump(config))
    assert fit(tmp_path, trained / "set", trained / "cache") == 2
    assert "holds a run with training.trunk_lr=0.5, not " in capsys.readouterr().err


def test_images_without_scores_may_move_but_not_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tiny.scored_set(tmp_path / "set", references=12)
    others = tmp_path / "photos"
    others.mkdir()
    for number in range(6, 12):
        (root / f"references/r{number}.png").rename(others / f"r{number}.png")
    lines = (root / "scores.csv").read_text().splitlines()
    kept = [line for line in lines if not any(f"r{number}_" in line for number in range(6, 12))]
    (root / "scores.csv").write_text("\n".join(kept) + "\n")

    def generated(folder: Path, **others: Any) -> int:
        training = {**tiny.SETTINGS["training"], "unlabelled": str(folder)}
        data = {**tiny.SETTINGS["data"], "root": str(root)}
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({**tiny.SETTINGS, "data": data, "training": training}))
        options = ["--config", str(tmp_path / "config.yaml"), "--run", str(tmp_path / "run"), "--wandb", "off"]
        return main(["fit", *options])

    assert generated(others) == 0
    shutil.rmtree(tmp_path / "run/phase2")
    shutil.rmtree(tmp_path / "run/phase3")
    shutil.copytree(others, tmp_path / "moved")
    assert generated(tmp_path / "moved") == 0
    shutil.rmtree(tmp_path / "run/phase2")
    (tmp_path / "moved/r6.png").unlink()
    assert generated(tmp_path / "moved") == 2
    assert "holds a run with other images than training.unlabelled" in capsys.readouterr().err

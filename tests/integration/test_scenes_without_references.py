"""Images without references that show one scene stand on one side of a split."""

import json
from pathlib import Path
from typing import Any

import layouts
import numpy as np
import pytest
import tiny
import yaml
from evaluators import picture
from PIL import Image

from gada.__main__ import main

SCALE = {"format": "table", "scale_low": 0, "scale_high": 10, "higher_is_better": True}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Eight photos in three versions each, listed without references."""
    rows = []
    for number in range(8):
        pixels = picture(number, 64, 64).astype(float)
        for version in range(3):
            name = f"p{number}_{version}.png"
            noise = np.random.default_rng([number, version]).normal(0, 6 * version, pixels.shape)
            tiny.save(Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)), tmp_path / "own" / name)
            rows.append({"image": name, "score": 9 - 2 * version - number / 10, "photo": f"p{number}"})
    layouts.table(tmp_path / "own/scores.csv", rows)
    return tmp_path / "own"


def fit(root: Path, run: Path, *options: str, **data: Any) -> int:
    config = {**tiny.SETTINGS, "data": {**SCALE, "root": str(root), **data}}
    (root.parent / "config.yaml").write_text(yaml.safe_dump(config))
    command = ["fit", "--phase", "baseline", "--config", str(root.parent / "config.yaml"), "--run", str(run)]
    return main([*command, "--wandb", "off", *options])


def sides(run: Path) -> dict[str, set[str]]:
    """The photos on each side of a run's split."""
    split = json.loads((run / "split.json").read_text())
    return {side: {name[:2] for name in split[side]} for side in ("train", "validation", "test")}


def apart(found: dict[str, set[str]]) -> bool:
    return not (
        found["train"] & found["test"] | found["train"] & found["validation"] | found["validation"] & found["test"]
    )


def test_versions_of_a_photo_stay_on_one_side(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(root, tmp_path / "run") == 0
    assert apart(sides(tmp_path / "run"))
    assert "show the same scene" not in capsys.readouterr().err
    report = [
        "evaluate",
        "--model",
        str(tmp_path / "run"),
        "--config",
        str(tmp_path / "run"),
        "--side",
        "test",
        "--json",
    ]
    assert main(report) == 0, "the same split is drawn again"
    stored = [json.loads(line) for line in (tmp_path / "run/results.jsonl").read_text().splitlines()]
    assert json.loads(capsys.readouterr().out)["results"][-1]["srocc"] == stored[-1]["srocc"]


def test_without_that_a_warning_names_a_pair(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(root, tmp_path / "run", "--split.by_scene", "false") == 0
    assert not apart(sides(tmp_path / "run"))
    told = capsys.readouterr().err
    assert "show the same scene, as" in told
    assert "leave split.by_scene true" in told
    config = yaml.safe_load((tmp_path / "run/config.yaml").read_text())
    del config["split"]["by_scene"]  # as in a run of the previous version
    (tmp_path / "run/config.yaml").write_text(yaml.safe_dump(config))
    assert fit(root, tmp_path / "run") == 2
    assert "or split.by_scene was another" in capsys.readouterr().err
    assert fit(root, tmp_path / "run", "--split.by_scene", "false") == 0


def test_a_column_may_name_the_scenes(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in root.glob("p*.png"):  # nothing looks alike
        seed = [ord(letter) for letter in path.stem]
        tiny.save(Image.fromarray(np.random.default_rng(seed).integers(0, 255, (64, 64, 3), dtype=np.uint8)), path)
    assert fit(root, tmp_path / "run", group_column="photo") == 0
    split = json.loads((tmp_path / "run/split.json").read_text())
    assert sorted([*split["train"], *split["validation"], *split["test"]]) == [f"p{number}" for number in range(8)]
    assert fit(root, tmp_path / "other", group_column="nothing") == 3
    assert "has no column 'nothing'" in capsys.readouterr().err

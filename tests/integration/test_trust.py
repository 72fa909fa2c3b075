"""`gada trust` through the command line."""

import json
from pathlib import Path

import pytest
from evaluators import picture, save_evaluator
from PIL import Image

from gada.__main__ import main
from gada.io.records import read_rows


def test_every_check_has_a_row_and_the_plot_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(save_evaluator(tmp_path / "toy.safetensors"))
    photos = tmp_path / "photos"
    photos.mkdir()
    assert main(["trust", "--photos", str(photos), "--model", model]) == 3
    for number in range(3):
        Image.fromarray(picture(number, 180, 200)).save(photos / f"{number}.png")
    assert main(["trust", "--photos", str(photos), "--model", model, "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    for words in ("mild noise", "marked as unusual", "D-test", "files a second", "not measured", "toy"):
        assert words in shown
    rows = read_rows(tmp_path / "out" / "trust.jsonl")
    assert {row["test"] for row in rows} == {"order", "content", "size", "dlp", "speed"}
    assert all(row["passed"] is None or row["passed"] == (row["value"] >= row["limit"]) for row in rows)
    with Image.open(tmp_path / "out" / "trust.png") as plot:
        assert plot.width > 500
    page = tmp_path / "page.md"
    page.write_text("<!-- gada trust -->\n<!-- end -->\n")
    again = ["trust", "--results", str(tmp_path / "out/trust.jsonl")]
    assert main([*again, "--into", str(page)]) == 0
    assert "| mild noise |" in page.read_text()
    assert main([*again, "--require"]) == 4  # a toy passes none of this
    capsys.readouterr()
    assert main(["trust", "--photos", str(photos), "--model", model, "--json"]) == 0
    anew = json.loads(capsys.readouterr().out)
    assert [row["value"] for row in anew[:8]] == [row["value"] for row in rows[:8]]

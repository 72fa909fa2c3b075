"""`gada dlp` through the real command line, on two small photographs."""

import csv
import json
from pathlib import Path

import pytest
import tiny
from evaluators import save_evaluator
from PIL import Image

from gada.__main__ import main
from gada.experiments.dlp import ScoredVersion, write_versions
from gada.io.images import read_image

PHOTOS = Path(__file__).parents[2] / "data" / "photos"


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("dlp")
    for name in ("coffee", "bridge"):
        tiny.save(Image.fromarray(read_image(PHOTOS / f"{name}.png")[:180, :190]), folder / "photos" / f"{name}.png")
    model = save_evaluator(folder / "evaluator.safetensors")
    photographs = ["--photos", str(folder / "photos")]
    return ["dlp", "--model", str(model), *photographs, "--evaluation.crops", "2"]


def test_three_tests_and_a_line_for_each_picture(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*options, "--json", "--gap", "20", "--out", str(tmp_path / "versions.csv")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert 0.5 <= report["d"]["value"] <= 1
    assert set(report["l"]) == {"live/wn", "live/gblur", "live/jpeg", "live/jp2k", "ALL"}
    assert -1 <= report["l"]["ALL"]["srocc"] <= 1
    assert report["p"]["pairs"] > 100
    with (tmp_path / "versions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 21
    assert [float(row["ms_ssim"]) for row in rows if row["level"] == "0"] == [1.0, 1.0]
    assert main([*options, "--gap", "20"]) == 0  # the same pictures, the same seed, the same figures
    printed = capsys.readouterr().out
    assert f"{report['d']['value']:.3f}" in printed
    assert f"{report['p']['pairs']} clear pairs" in printed


def test_bad_input_is_one_sentence(options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.save(Image.new("RGB", (200, 100)), tmp_path / "small.png")
    for more, code, words in (
        (["--photos", str(tmp_path)], 3, "small.png has 200 x 100 pixels"),
        (["--photos", str(tmp_path / "nowhere")], 3, "nowhere"),
        (["--gap", "100"], 2, "--gap is 100"),
    ):
        assert main([*options, *more]) == code
        message = capsys.readouterr().err
        assert words in message
        assert message.count("\n") == 1


def test_names_of_photographs_are_written_as_text(tmp_path: Path) -> None:
    write_versions(tmp_path / "versions.csv", [ScoredVersion("=1+1.png", "live/wn", 2, 0.5, 0.25, 1.0, -0.5)])
    assert (tmp_path / "versions.csv").read_text().splitlines()[1] == (
        "'=1+1.png,live/wn,2,0.500000,0.250000,1.000000,-0.500000"
    )

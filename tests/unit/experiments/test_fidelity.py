"""The comparison with published values: its arithmetic, and what the committed results say."""

from math import inf
from pathlib import Path

import numpy as np
import pytest

from gada.__main__ import main
from gada.data.proxy import noise_seed
from gada.distortions import distort
from gada.errors import DataError
from gada.experiments.fidelity import fidelity_table, measure_fidelity, psnr_met, read_published, ssim_met
from gada.io.images import write_png
from gada.io.records import read_rows
from gada.metrics.psnr import luminance, psnr

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests/golden/tid2013_published_psnr_ssim.csv"
RESULTS = ROOT / "docs/results/fidelity.jsonl"


def test_rows_of_another_verb_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fidelity.jsonl").write_text('{"reference": "I01"}\n')
    assert main(["fidelity", "--results", str(tmp_path)]) == 3
    assert "has a row without 'distortion'" in capsys.readouterr().err


def test_results_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fidelity", "--results", str(tmp_path / "nowhere")]) == 3
    assert "nowhere holds no fidelity.jsonl" in capsys.readouterr().err


def test_the_golden_table_is_whole() -> None:
    published = read_published(GOLDEN)
    cells = {(name, number, level) for name, number, level, _, _ in published}
    assert cells == {
        (name, number, level) for name in ("I01", "I03") for number in range(1, 25) for level in range(1, 6)
    }
    assert {number for _, number, _, decibels, _ in published if decibels == inf} == {18}


def test_the_committed_results_compare_with_the_golden_values() -> None:
    published = {(name, number, level): figures for name, number, level, *figures in read_published(GOLDEN)}
    rows = read_rows(RESULTS, missing="refuse")
    assert len(rows) == len(published)
    for row in rows:
        decibels, similarity = published[row["reference"], row["distortion"], row["level"]]
        assert row["published_psnr_db"] == (None if decibels == inf else decibels)
        assert row["published_ssim"] == similarity


@pytest.mark.parametrize("reference", ["I01", "I03"])
def test_the_committed_results_reach_the_figures(reference: str) -> None:
    """Of 120 cells of a reference 100 within 0.5 dB and 95 within 0.03 of SSIM."""
    rows = [row for row in read_rows(RESULTS) if row["reference"] == reference]
    assert sum(map(psnr_met, rows)) >= 100
    assert sum(map(ssim_met, rows)) >= 95


@pytest.mark.parametrize(
    ("ours", "published", "met"),
    [
        (30.5, 30.0, True),
        (30.51, 30.0, False),
        (29.49, 30.0, False),
        (50.0, None, True),
        (None, None, True),
        (49.9, None, False),
    ],
)
def test_tolerance_of_psnr(ours: float | None, published: float | None, met: bool) -> None:
    assert psnr_met({"psnr_db": ours, "published_psnr_db": published}) is met


def test_tolerance_of_ssim() -> None:
    assert ssim_met({"ssim": 0.93, "published_ssim": 0.96})
    assert not ssim_met({"ssim": 0.9299, "published_ssim": 0.96})


def measured(folder: Path, published: str) -> list[dict[str, object]]:
    pixels = np.random.default_rng(0).integers(0, 256, (384, 512, 3), dtype=np.uint8)
    write_png(folder / "k.png", pixels)
    (folder / "crops.csv").write_text("reference,kodak,top,left\nI01,k.png,0,0\n")
    (folder / "published.csv").write_text(f"reference,distortion,level,psnr_db,ssim\n{published}")
    return measure_fidelity(folder, folder / "crops.csv", folder / "published.csv", seed=3)


def test_cells_are_those_of_synthesize(tmp_path: Path) -> None:
    (row,) = measured(tmp_path, "I01,1,2,34.8,0.93\n")
    pixels = np.random.default_rng(0).integers(0, 256, (384, 512, 3), dtype=np.uint8)
    expected = distort(pixels, "tid2013/01", 2, noise_seed(3, "I01", "01", 2))
    assert row["psnr_db"] == pytest.approx(psnr(luminance(expected), luminance(pixels)), abs=1e-4)


@pytest.mark.parametrize(
    ("published", "words"),
    [("I09,1,2,34.8,0.93\n", "no crop for reference I09"), ("I01,1,2,high,0.93\n", "must have the columns")],
)
def test_wrong_tables_are_told(published: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        measured(tmp_path, published)


def test_the_table_counts_cells() -> None:
    row = {"reference": "I01", "distortion": 18, "published_psnr_db": None, "published_ssim": 1.0}
    rows = [row | {"level": 1, "psnr_db": 60.0, "ssim": 0.999}, row | {"level": 2, "psnr_db": 40.0, "ssim": 0.9}]
    assert "| 18 change of colour saturation | 1/2 | 1/2 | - | -0.0505 |" in fidelity_table(rows)

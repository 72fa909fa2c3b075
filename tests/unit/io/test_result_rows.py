"""Result rows that are read back, and cells that no spreadsheet runs."""

import csv
import io
from pathlib import Path

import pytest

from gada.io.records import as_csv, harmless, read_rows, write_rows


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-rf.png", "@SUM(A1)", "\t=1", "-1+HYPERLINK(1)"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"
    assert list(csv.reader(io.StringIO(as_csv([["image"], [cell]]), newline=""))) == [["image"], [f"'{cell}"]]


def test_no_cell_begins_a_row() -> None:
    assert as_csv([["a\r=1+1", "b\n=1+1", 'c"']]) == 'a\\r=1+1,"b\n=1+1","c"""\n'


@pytest.mark.parametrize(
    "cell", ["-0.5", "-1e-05", "+0.013 (+0.001 to +0.025)", "-0.1 ± 0.2", "-", "a=1", "", -2, None]
)
def test_figures_and_plain_text_stay(cell: object) -> None:
    assert harmless(cell) == cell


def test_rows_come_back_whatever_their_text_holds(tmp_path: Path) -> None:
    rows = [{"image": "a\u2028b\x85\r\n=1"}, {"image": "ü"}]  # some of which str.splitlines takes for an end of line
    write_rows(tmp_path / "rows.jsonl", rows)
    assert read_rows(tmp_path / "rows.jsonl") == rows

"""The tables hold the rows' own figures, in the paper's layout, and their captions say what the data are."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import layouts
import pytest

from gada.data.live import load_live
from gada.data.tid2013 import load_tid2013
from gada.io.origin import Origin
from gada.metrics.statistics import stage_difference
from gada.reports.layout import Format, Provenance, Table, render
from gada.reports.over_splits import differences_table, summary_table
from gada.reports.published import heading, published_headings, published_systems, published_values
from gada.reports.tables import by_distortion_table, stages_table, systems_table
from gada.runs.report import provenance_of

LIVE = ["live/jp2k", "live/jpeg", "live/wn", "live/gblur", "live/fastfading"]
TID = [f"tid2013/{number:02d}" for number in range(1, 25)]

Rows = Callable[[Sequence[str], int], list[dict[str, Any]]]


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def table1(rows: Sequence[dict[str, Any]], form: Format = "text", **chosen: Any) -> str:
    return render(stages_table(rows, **chosen), form)


def table2(rows: Sequence[dict[str, Any]], form: Format = "text", provenance: Provenance | None = None) -> str:
    return render(systems_table(rows, "LIVE", ("lcc", "srocc"), provenance), form)


def test_table_1_has_the_layout_of_the_paper(result_rows: Rows) -> None:
    header, *lines = cells(table1(result_rows(LIVE, 1), "csv"))
    assert header == ["stage", "metric", "JP2K", "JPEG", "WN", "GBLUR", "FF", "ALL"]
    stages = ["Baseline", "Phase 1", "Phase 2", "Phase 3"]
    assert [line[:2] for line in lines] == [[stage, figure] for stage in stages for figure in ("LCC", "SROCC")]


def test_table_1_holds_the_median_over_splits_or_one_split(result_rows: Rows) -> None:
    rows = result_rows(LIVE, 3)
    chosen = [row for row in rows if row["stage"] == "phase2" and row["distortion"] == "live/wn"]
    lines = cells(table1(rows, "csv"))
    assert float(lines[5][4]) == pytest.approx(median(row["lcc"] for row in chosen), abs=1e-6)
    lines = cells(table1([row for row in rows if row["split"] == 1], "csv"))
    assert float(lines[6][4]) == pytest.approx(chosen[1]["srocc"], abs=1e-6)
    assert "median over 3 splits" in table1(rows)
    assert "split 1." in table1([row for row in rows if row["split"] == 1])


def test_an_undefined_figure_is_marked_and_its_reason_stands_below(result_rows: Rows) -> None:
    rows = result_rows(LIVE, 2)
    rows[0] |= {"srocc": None, "srocc_undefined": "the predicted scores are constant"}
    one = table1([row for row in rows if row["split"] == 0])
    assert "undef." in one
    assert "SROCC is undefined, the predicted scores are constant: Baseline JP2K." in one
    both = " ".join(table1(rows).split())
    assert "undef." not in both
    assert "the predicted scores are constant: Baseline JP2K (1 of 2 splits)." in both


def test_the_caption_states_where_the_figures_come_from(result_rows: Rows) -> None:
    rows = result_rows(LIVE, 1)
    text = " ".join(table1(rows, provenance=Provenance("my set", True, 7, "2 cores", "abc1234")).split())
    for part in ("Data: my set", "proxy scores", "not given by people", "Seed 7; machine 2 cores; commit abc1234"):
        assert part in text
    human = " ".join(table1(rows, provenance=Provenance("TID2013-R", False)).split())
    assert "human scores" in human
    assert "is not TID2013 itself" in human
    assert "eed" not in human.split("Data:")[1].replace("re-simulates", "")


def test_a_caption_names_every_data_set(result_rows: Rows) -> None:
    rows = result_rows(LIVE, 1)
    for row in rows:
        row |= {"dataset": "TID2013-R", "proxy": False, "seed": 0, "machine": "2 cores", "commit": "abc1234"}
    rows[-1] |= {"dataset": "tid2013-like", "proxy": True}
    text = " ".join(table2(rows, provenance=provenance_of(map(Origin.from_plain, rows))).split())
    assert "Data: TID2013-R; human scores. Other rows: tid2013-like; proxy scores" in text
    assert "ours on TID2013-R, tid2013-like" in text
    assert "Other rows" not in provenance_of(map(Origin.from_plain, rows[:-1])).describe()


def test_published_rows_stand_beside_ours_and_are_never_mixed(result_rows: Rows) -> None:
    lines = cells(table1(result_rows(LIVE, 1), "csv", published=True))
    published = {(line[0], line[1]): line[2:] for line in lines[9:]}
    assert published["Phase 3, published", "SROCC"] == [f"{v:.6f}" for v in (0.955, 0.941, 0.99, 0.953, 0.912, 0.955)]
    text = table2(result_rows(LIVE, 1), provenance=Provenance("LIVE-like", True))
    assert "not comparable value by value" in text
    assert "not comparable" not in table2(result_rows(LIVE, 1), provenance=Provenance("LIVE", False))


def test_a_table_by_distortion_names_each_and_explains_its_abbreviations(result_rows: Rows) -> None:
    rows = result_rows(LIVE, 1)
    table = by_distortion_table(rows, metrics=("srocc", "lcc"))
    assert [row[0] for row in table.rows] == [
        "JPEG2000 compression", "JPEG compression", "white Gaussian noise", "Gaussian blur", "fast fading",
        "all images",
    ]  # fmt: skip
    assert table.groups == ("SROCC",) * 4 + ("LCC",) * 4
    assert table.columns == ("Baseline", "Phase 1", "Phase 2", "Phase 3") * 2
    (row,) = (one for one in rows if (one["stage"], one["distortion"]) == ("phase2", "live/wn"))
    assert table.rows[2][4] == pytest.approx(row["srocc"])
    assert table.rows[2][8] == pytest.approx(row["lcc"])
    assert "SROCC: rank correlation" in table.notes[0]
    assert "LCC: linear correlation" in table.notes[0]
    assert "KROCC" not in table.notes[0]


def test_a_table_by_distortion_of_one_stage_has_a_column_for_each_metric(result_rows: Rows) -> None:
    rows = [row for row in result_rows(TID[:2], 1) if row["stage"] == "phase3"]
    rows[0] |= {"srocc": None, "srocc_undefined": "the predicted scores are constant"}
    table = by_distortion_table(rows, metrics=("srocc", "lcc"))
    assert (table.columns, table.groups) == (("SROCC", "LCC"), ())
    assert table.caption == "Metrics of phase 3 by distortion, split 0."
    assert "the predicted scores are constant: Phase 3 additive Gaussian noise." in table.notes[1]


def test_a_single_distortion_is_all_images(result_rows: Rows) -> None:
    table = by_distortion_table(result_rows(LIVE[:1], 1), metrics=("srocc", "lcc"))
    assert [row[0] for row in table.rows] == ["all images"]
    assert table.caption == "Metrics, split 0."


def test_table_2_has_the_published_systems_then_ours(result_rows: Rows) -> None:
    rows = result_rows(LIVE, 1)
    header, *lines = cells(table2(rows, "csv"))
    assert header[1] == "LCC JP2K"
    assert header[-1] == "SROCC ALL"
    by_system = {line[0]: line[1:] for line in lines}
    assert len(by_system) == 13 + 2
    assert by_system["PQR"] == [""] * 5 + ["0.971000"] + [""] * 5 + ["0.965000"]
    ours = next(row for row in rows if row["stage"] == "phase3" and row["distortion"] == "ALL")
    assert float(by_system["This run, phase 3"][5]) == pytest.approx(ours["lcc"], abs=1e-6)


def test_table_3_leaves_unreadable_and_missing_cells_blank(result_rows: Rows) -> None:
    rows = result_rows(TID[:12], 1)
    header, *lines = cells(render(systems_table(rows, "TID2013", ("srocc",)), "csv"))
    assert header[1:] == [f"#{number:02d}" for number in range(1, 25)] + ["ALL"]
    by_system = {line[0]: line[1:] for line in lines}
    assert by_system["GADA (published)"][:13].count("") == 0
    assert by_system["GADA (published)"][13:] == [""] * 12
    assert by_system["This run, phase 3"][12:24] == [""] * 12
    assert by_system["This run, phase 3"][24] != ""


def test_a_set_of_other_classes_keeps_its_own_columns(result_rows: Rows) -> None:
    table = systems_table(result_rows(["rain", "fog"], 1), "LIVE", ("srocc",))
    assert table.columns == ("rain", "fog", "ALL")
    assert next(row for row in table.rows if row[0] == "CNN") == ("CNN", None, None, 0.956)


def test_wide_tables_are_set_in_blocks_that_fit(result_rows: Rows) -> None:
    text = table1(result_rows(TID, 1))
    assert max(map(len, text.splitlines())) <= 120
    assert text.count("Baseline") == 2
    markdown = table1(result_rows(TID, 1), "markdown")
    widths = {line.count("|") for line in markdown.splitlines() if line.startswith("|")}
    assert widths == {1 + 2 + 13, 1 + 2 + 12}


def test_no_column_is_lost_in_blocks() -> None:
    columns = tuple(f"c{number}" for number in range(40))
    groups = ("a",) * 15 + ("b",) * 25
    table = Table("", ("x",), columns, (("row", *map(float, range(40))),), groups)
    blocks = table.blocks()
    assert tuple(name for block in blocks for name in block.columns) == columns
    assert [cell for block in blocks for cell in block.rows[0][1:]] == [float(number) for number in range(40)]
    assert all(len(block.columns) <= 13 and len(set(block.groups)) == 1 for block in blocks)


def test_markdown_and_latex_escape_their_special_characters() -> None:
    table = Table("50 % of a_b & c", ("who",), ("#1",), (("a|b_c", 0.5), ("a|b_c", None)), notes=("x < y",))
    markdown, latex = render(table, "markdown"), render(table, "latex")
    assert "| a\\|b\\_c | 0.500 |" in markdown
    assert "50 \\% of a\\_b \\& c" in latex
    assert "\\#1" in latex
    assert latex.count("{") == latex.count("}")
    with pytest.raises(ValueError, match="must be text, markdown, latex or csv"):
        render(table, "word")  # type: ignore[arg-type]


def test_summary_and_differences(result_rows: Rows) -> None:
    rows = result_rows(LIVE, 3)
    summary = summary_table(rows)
    assert summary.rows[0][:2] == ("Baseline", "median")
    assert summary.columns[0] == "SROCC"
    values = [row["srocc"] for row in rows if row["stage"] == "baseline" and row["distortion"] == "ALL"]
    assert summary.rows[0][2] == pytest.approx(median(values))
    few = differences_table([stage_difference(rows, "phase3", "baseline", "srocc", 0)])
    assert few.rows[0][-5:] == (None,) * 5
    assert any("3 of at least 6 splits" in note for note in few.notes)
    assert any("in each split: +" in note for note in few.notes)
    rows = result_rows(LIVE, 7)
    many = differences_table([stage_difference(rows, "phase3", "baseline", "srocc", 0, 0.2)])
    assert all(isinstance(cell, float) for cell in many.rows[0][2:])


def test_headings() -> None:
    assert heading("live/fastfading") == "FF"
    assert heading("jp2k") == "JP2K"
    assert heading("tid2013/08") == heading("8") == heading("#08") == "#08"
    assert heading("lens flare") == "lens flare"
    assert heading("ALL") == "ALL"


def test_every_published_row_names_its_source_and_is_a_correlation() -> None:
    rows = published_values()
    assert all("ICIAP 2019, Table" in row["source"] for row in rows)
    assert all(-1 <= row["value"] <= 1 for row in rows)
    keys = [(row["database"], row["system"], row["stage"], row["metric"], row["distortion"]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert published_headings("LIVE") == ["JP2K", "JPEG", "WN", "GBLUR", "FF", "ALL"]
    assert len(published_headings("TID2013")) == 25


def test_published_values_equal_the_papers() -> None:
    """Spot checks against Tables 2 and 3 of the GADA paper."""
    assert published_systems("LIVE", "lcc")["GADA (published)"]["ALL"] == 0.973
    assert published_systems("LIVE", "srocc")["GADA (published)"]["FF"] == 0.917
    tid = published_systems("TID2013", "srocc")
    assert list(tid["GADA (published)"].values()) == [
        0.932, 0.897, 0.943, 0.825, 0.949, 0.920, 0.919, 0.790, 0.881, 0.775, 0.886, 0.435, 0.702,
    ]  # fmt: skip
    assert {name: tid[name]["ALL"] for name in tid if "ALL" in tid[name]} == {
        "BLIINDS-II": 0.550, "BRISQUE": 0.562, "CORNIA-10K": 0.651, "HOSA": 0.728,
        "RankIQA+FT": 0.780, "NSSADNN": 0.844, "HallIQA": 0.879,
    }  # fmt: skip


def test_the_classes_of_the_loaders_are_the_published_columns(tmp_path: Path) -> None:
    for load, write, name in ((load_live, layouts.live, "LIVE"), (load_tid2013, layouts.tid2013, "TID2013")):
        assert [heading(one) for one in load(write(tmp_path / name)).classes] == published_headings(name)[:-1]


def test_no_cell_of_csv_is_run_by_a_spreadsheet() -> None:
    rows = (("=1+1", "@a", -0.5), ("b", "-0.1 ± 0.2", None))
    text = render(Table("", ("network",), ("+cmd", "-0.1"), rows), "csv")
    assert cells(text) == [["network", "'+cmd", "-0.1"], ["'=1+1", "'@a", "-0.500000"], ["b", "-0.1 ± 0.2", ""]]

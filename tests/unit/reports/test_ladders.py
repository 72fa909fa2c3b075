"""Tables and findings of a sweep, from rows that are typed here."""

from gada.io.records import Row
from gada.reports.canvas import png, svg
from gada.reports.dodge_karam import findings, findings_table
from gada.reports.ladders import ladder_figure, ladder_table, networks_table, summary_table, sweep_csv
from gada.reports.layout import render

LADDERS = {"blur": (1, 2), "noise": (10, 90), "jpeg": (20, 12, 8), "jpeg2000": (30, 20), "contrast": (0.9, 0.4, 0.1)}


def rows_of(network: str, top1: dict[str, list[float]], partial: str = "") -> list[Row]:
    """Result rows of one network; `top1` has "none" and each ladder."""
    rows = []
    for name, values in top1.items():
        for level, value in enumerate(values, start=0 if name == "none" else 1):
            strength = None if name == "none" else LADDERS[name][level - 1]
            row: Row = {"network": network, "distortion": "none" if name == "none" else f"dodge-karam/{name}"}
            row |= {"level": level, "strength": strength, "title": name, "parameter": "strength", "n": 100}
            row |= {
                "top1": value,
                "top1_low": value - 0.05,
                "top1_high": value + 0.04,
                "top5": value,
                "confidence": 0.5,
            }
            row |= {"top5_low": value, "top5_high": value, "ece": 0.1, "dataset": "ImageNet", "seed": 0, "machine": "m"}
            rows.append({**row, "commit": "c", "partial": partial})
    return rows


ROBUST = {
    "none": [0.9],
    "blur": [0.6, 0.2],
    "noise": [0.7, 0.3],
    "jpeg": [0.9, 0.85, 0.4],
    "jpeg2000": [0.8, 0.6],
    "contrast": [0.9, 0.84, 0.3],
}
FRAGILE = {**ROBUST, "noise": [0.9, 0.9], "jpeg": [0.8, 0.7, 0.2], "jpeg2000": [0.7, 0.7], "contrast": [0.9, 0.7, 0.3]}


def outcomes(rows: list[Row]) -> dict[tuple[str, str], str]:
    """The outcome on each finding and network, by the beginning of the finding."""
    return {(row["finding"][:12], row["network"]): row["outcome"] for row in findings(rows)}


def test_findings_are_decided_by_losses() -> None:
    rows = [*rows_of("robust", ROBUST), *rows_of("fragile", FRAGILE)]
    found = outcomes(rows)
    for claim in ("Blur and noi", "JPEG of qual", "JPEG2000 of ", "Contrast dow"):
        assert found[claim, "robust"] == "reproduced"
        assert found[claim, "fragile"] == "not reproduced"
    texts = {row["finding"][:12]: row["found"] for row in findings(rows) if row["network"] == "robust"}
    assert texts["Blur and noi"].startswith("blur 0.500, noise 0.400,")
    assert texts["JPEG of qual"] == "greatest loss 0.050"
    assert texts["JPEG2000 of "] == "greatest loss 0.100"  # at 30 dB; at 20 it is more
    assert found["Moderate blu", "robust"] == "reproduced"
    assert found["Confidence f", "robust"] == "not reproduced"  # it stays at 0.5 here
    assert found["Noise of std", "all"] == "not reproduced"  # (0.3 + 0.9) / 2 are left
    assert found["Noise costs ", "all"] == found["VGG-16 is th", "all"] == "not tested"
    table = findings_table(findings(rows))
    assert {row[2] for row in table.rows} == {"reproduced", "not reproduced", "not tested"}


def test_deeper_and_shallower_networks_are_compared_with_an_interval() -> None:
    """0.25 and 0.1 are lost of 0.9: 0.15 less, and the interval of 100 images is 1.96 sqrt(.25 .75 + .1 .9) / 10."""
    shallow, deep = dict(ROBUST, noise=[0.8, 0.5]), dict(ROBUST, noise=[0.9, 0.7])
    for depths, outcome in (((5, 16), "reproduced"), ((16, 5), "not reproduced"), ((5, 5), "not tested")):
        rows = [{**row, "depth": depths[0]} for row in rows_of("alexnet", shallow)]
        rows += [{**row, "depth": depths[1]} for row in rows_of("vgg16", deep)]
        found = outcomes(rows)
        assert found["Noise costs ", "all"] == outcome
        assert found["VGG-16 is th", "all"] == "reproduced"
        text = next(row["found"] for row in findings(rows) if row["finding"].startswith("Noise costs"))
        assert outcome != "reproduced" or text.endswith("+0.150 (+0.047 to +0.253)")


def test_what_a_network_was_not_swept_over_is_not_tested() -> None:
    rows = [*rows_of("whole", ROBUST), *rows_of("begun", {"none": [0.9], "blur": [0.5, 0.1]})]
    found = outcomes(rows)
    assert found["JPEG of qual", "begun"] == found["Blur and noi", "begun"] == "not tested"
    assert found["Moderate blu", "begun"] == "reproduced"
    table = summary_table(rows, "whole")
    assert table.rows[1][-3:] == (None, None, None)
    other = [{**row, "distortion": row["distortion"].replace("dodge-karam", "live")} for row in rows]
    assert findings(other) == []


def test_networks_are_described() -> None:
    size = {"depth": 8, "convolutions": 5, "fully_connected": 3, "parameters": 61_100_840}
    rows = [*({**row, **size} for row in rows_of("alexnet", ROBUST)), *rows_of("file.onnx", ROBUST)]
    assert networks_table(rows).rows == (("alexnet", "8", "5", "3", "61.10 million"), ("file.onnx", *[None] * 4))


def test_nothing_is_said_of_a_paper_on_images_of_one_s_own() -> None:
    assert findings([{**row, "dataset": "my-photos"} for row in rows_of("robust", ROBUST)]) == []


def test_summary_has_corruption_errors_over_the_baseline() -> None:
    rows = [*rows_of("robust", ROBUST), *rows_of("fragile", FRAGILE)]
    robust, fragile = summary_table(rows, "robust").rows
    assert robust[-2:] == (1.0, 1.0)
    means = [(0.6 + 0.2) / 2, 0.5, (0.9 + 0.85 + 0.4) / 3, 0.7, (0.9 + 0.84 + 0.3) / 3]
    assert abs(float(robust[-3] or 0) - (1 - sum(means) / 5)) < 1e-12
    # summed errors over the baseline's: blur 1, noise .2/1, jpeg 1.3/.85, jpeg2000 1, contrast 1.1/.96
    assert abs(float(fragile[-2] or 0) - (1 + 0.2 + 1.3 / 0.85 + 1 + 1.1 / 0.96) / 5) < 1e-9


def test_a_partial_result_says_so_and_shows_intervals() -> None:
    rows = rows_of("one", ROBUST, partial="3 of 9 steps are done")
    assert "PARTIAL: 3 of 9 steps are done." in render(summary_table(rows, "one"), "text")
    text = render(ladder_table(rows, "top1", intervals=True), "markdown")
    assert "0.600 (0.55 to 0.64)" in text
    assert "reach at most 0.050 to either side" in text
    assert "JPEG compression: strength 20, 12, 8." in text


def test_the_figure_is_the_same_each_time() -> None:
    rows = rows_of("one", ROBUST)
    assert png(ladder_figure(rows, "title")) == png(ladder_figure(rows, "title"))
    assert svg(ladder_figure(rows, "title")) == svg(ladder_figure(rows, "title"))


def test_csv_holds_all_columns_and_nothing_that_a_spreadsheet_runs() -> None:
    rows: list[Row] = [{"network": "=1+1", "top1": 0.5, "strength": None}, {"network": "b", "level": 2}]
    assert sweep_csv(rows) == "network,top1,strength,level\n'=1+1,0.5,,\nb,,,2\n"

"""`gada study` through the real command line, on a tiny set."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import tiny
import yaml
from matplotlib.figure import Figure as Plot

from gada.__main__ import main
from gada.errors import ConfigError
from gada.experiments.study.few_scores import few_scores_curve, few_scores_table
from gada.experiments.study.report import headline, variants_plot
from gada.experiments.study.rows import StudyRow
from gada.experiments.study.table import by_variant, study_table
from gada.io.checkpoints import load_checkpoint
from gada.io.records import read_rows


def config(folder: Path, *variants: dict[str, Any]) -> list[str]:
    data = tiny.SETTINGS["data"] | {"root": str(folder / "set")}
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(tiny.SETTINGS | {"data": data, "variants": list(variants)}))
    return ["study", "--config", str(path), "--run", str(folder / "study"), "--wandb", "off"]


def test_a_study_changes_one_thing_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.scored_set(tmp_path / "set")
    page, kept = tmp_path / "study.md", tmp_path / "kept.jsonl"
    page.write_text(f"<!-- gada study {kept} -->\n<!-- end -->\n")
    variants: list[dict[str, Any]] = [
        {"name": "GAN", "stages": ["phase1"]},
        {
            "name": "GAN, share 0.2",
            "stages": ["phase2"],
            "after": "GAN",
            "changes": {"training.generated_fraction": 0.2},
        },
        {"name": "mean pooling", "changes": {"model.pooling": "mean"}},
        {"name": "ceiling", "changes": {"split.upper_bound": True}},
        {"name": "tuned", "stages": ["phase3"], "after": "mean pooling", "changes": {"model.pooling": "mean"}},
        {"name": "elsewhere", "changes": {"split.number": 1}},
    ]
    assert main([*config(tmp_path, *variants), "--out", str(kept)]) == 0
    assert "model.pooling mean" in capsys.readouterr().out
    rows = [json.loads(line) for line in kept.read_text().splitlines()]
    assert [(row["variant"], row["stage"], row["steps"]) for row in rows] == [
        ("GAN", "phase1", 5),
        ("GAN, share 0.2", "phase2", 9),
        ("mean pooling", "baseline", 11),
        ("ceiling", "baseline", 11),
        ("tuned", "phase3", 13),
        ("elsewhere", "baseline", 11),
    ]
    assert [row["upper_bound"] for row in rows] == [False, False, False, True, False, False]
    ceiling = yaml.safe_load((tmp_path / "study" / "ceiling" / "split.json").read_text())
    card = load_checkpoint(tmp_path / "study" / "ceiling" / "baseline" / "best.safetensors", "evaluator")[1]
    assert card["upper_bound"]
    assert set(card["references"]) == {*ceiling["train"], *ceiling["validation"], *ceiling["test"]}
    assert "An upper bound, not a result" in (tmp_path / "study" / "ceiling" / "report.html").read_text()
    settings = yaml.safe_load((tmp_path / "study" / "mean-pooling" / "config.yaml").read_text())
    assert settings["model"]["pooling"] == "mean"
    assert main(["study", "--results", str(kept), "--into", str(page)]) == 0
    assert "| GAN, share 0.2 |" in page.read_text()
    assert "at a time, splits 0, 1." in page.read_text()
    assert "kernel distance" not in page.read_text()


def test_a_study_takes_several_splits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.scored_set(tmp_path / "set")
    variants: list[dict[str, Any]] = [
        {"name": "plain"},
        {"name": "tuned", "stages": ["phase3"], "after": "plain"},
    ]
    assert main([*config(tmp_path, *variants), "--splits", "2", "--split.number", "1"]) == 0
    said = capsys.readouterr()
    assert "splits 1, 2; differences are from 'plain' on the same split." in " ".join(said.out.split())
    assert f"gada: wrote {tmp_path / 'study'}: report.html, study.jsonl" in said.err
    page = (tmp_path / "study" / "report.html").read_text()
    for words in ("study: a study on", "difference from plain", "These splits cannot tell it from", "starts after"):
        assert words in page
    assert page.count("<svg ") == 1
    assert page.count("<details>") == 3
    rows = read_rows(tmp_path / "study" / "study.jsonl")
    assert [(row["split"], row["variant"], row["steps"]) for row in rows] == [
        (1, "plain", 11),
        (1, "tuned", 13),
        (2, "plain", 11),
        (2, "tuned", 13),
    ]
    assert main([*config(tmp_path, *variants), "--splits", "2", "--split.number", "2"]) == 0  # split 2 is finished
    rows = read_rows(tmp_path / "study" / "study.jsonl")
    assert [row["split"] for row in rows] == [1, 1, 2, 2, 3, 3]
    for number in (1, 2):
        settings = yaml.safe_load((tmp_path / "study" / f"split-{number:02d}" / "tuned" / "config.yaml").read_text())
        assert settings["split"]["number"] == number


def test_few_scores_are_a_curve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.scored_set(tmp_path / "set")
    variants: list[dict[str, Any]] = [{"name": "plain"}, {"name": "tuned", "stages": ["phase3"], "after": "plain"}]
    given = [*config(tmp_path, *variants), "--split.validation", "0", "--scored"]
    picture = tmp_path / "curve.png"
    assert main([*given, "1,3", "--figure", str(picture)]) == 0
    assert "number of scored references, split 0; differences are from 'plain'" in " ".join(
        capsys.readouterr().out.split()
    )
    assert picture.read_bytes().startswith(b"\x89PNG")
    rows = read_rows(tmp_path / "study" / "study.jsonl")
    assert [(row["scored"], row["variant"]) for row in rows] == [(1, "plain"), (1, "tuned"), (3, "plain"), (3, "tuned")]
    one, three = (json.loads((tmp_path / f"study/scored-{n:03d}/plain/split.json").read_text()) for n in (1, 3))
    assert set(one["train"]) < set(three["train"])
    assert one["test"] == three["test"]
    before = picture.read_bytes()
    assert main([*given, "3"]) == 0  # finished, and the rows of the other number stay
    assert len(read_rows(tmp_path / "study" / "study.jsonl")) == 4
    assert "Of 1, 3 scored references" in (tmp_path / "study" / "report.html").read_text()
    assert main(["study", "--run", str(tmp_path / "study"), "--figure", str(picture)]) == 0
    assert picture.read_bytes() == before
    capsys.readouterr()
    assert main([*given, "3,3"]) == 2
    assert "must be different numbers" in capsys.readouterr().err
    assert main([*given, "1,99"]) == 3
    assert "split.scored is 99 but must be at most 5" in capsys.readouterr().err
    assert main([*given, "1", "--figure", str(picture)]) == 2
    assert "give several --scored" in capsys.readouterr().err
    own = [{"name": "own", "changes": {"split.scored": 1}}]
    assert main([*config(tmp_path, *own), "--scored", "1,2"]) == 2
    assert "'own' changes split.scored, but --scored 1, 2 takes the splits in turn" in capsys.readouterr().err


def test_variants_are_compared_at_each_number_of_scores() -> None:
    plain = [*rows_of("plain", [0.5, 0.4], scored=1), *rows_of("plain", [0.8, 0.7], scored=5)]
    tuned = [*rows_of("tuned", [0.6, 0.7], scored=1), *rows_of("tuned", [0.8, 0.6], scored=5)]
    table = few_scores_table([*plain, *tuned])
    assert [row[:2] for row in table.rows] == [("1", "plain"), ("1", "tuned"), ("5", "plain"), ("5", "tuned")]
    assert table.rows[1][6] == pytest.approx(0.2)
    assert table.rows[3][6] == pytest.approx(-0.05)
    assert table.rules == {2}
    with pytest.raises(ConfigError, match="given twice"):
        few_scores_table([*plain, *plain])
    undefined = [*rows_of("plain", [None, None], scored=1), *rows_of("plain", [0.8, 0.7], scored=5)]
    everything = rows_of("plain", [0.9, 0.9])
    drawn = few_scores_curve([*undefined, *tuned, *everything])
    assert [list(np.asarray(line.get_xdata())) for line in drawn.axes[0].get_lines()] == [[5], [1, 5]]
    later = [*plain, *rows_of("later", [0.9], scored=7)]
    assert few_scores_table(later).rows[-1][6] is None  # its first variant is not there


def rows_of(variant: str, sroccs: list[float | None], **others: Any) -> list[StudyRow]:
    same = {"changes": {}, "stage": "baseline", "steps": 5, "dataset": "set", "proxy": False, "seed": 0, "after": ""}
    return [
        StudyRow.from_plain(
            {"variant": variant, "split": split, "srocc": value, "lcc": 0.5, "machine": "m", "commit": "c", **same}
            | others,
            "study.jsonl",
        )
        for split, value in enumerate(sroccs)
    ]


def test_variants_are_compared_on_the_same_splits() -> None:
    baseline = rows_of("baseline", [0.52, 0.61, 0.73, 0.55, 0.66, 0.71])
    tuned = rows_of("tuned", [0.5, 0.6, 0.7, 0.5, 0.6, 0.7])
    table = study_table([*reversed(baseline), *tuned])
    assert table.labels == ("variant", "changed", "last stage", "steps", "splits")
    assert table.groups == ("SROCC, ALL",) * 6 + ("LCC, ALL",) * 6
    cells = {row[0]: row[5:] for row in table.rows}
    assert cells["baseline"][2:6] == (None,) * 4
    mean, deviation, difference, low, high, p = cells["tuned"][:6]
    assert mean == pytest.approx(0.6)
    assert deviation == pytest.approx(0.0894427)
    assert difference == pytest.approx(-0.03)
    assert low < difference < high < 0  # type: ignore[operator]
    assert p == pytest.approx(2 / 2**6)  # all six of one sign
    assert cells["tuned"][8] == 0.0
    assert any("-0.010 (1)" in note for note in table.notes)


def test_a_page_says_whether_the_best_variant_is_better_than_the_first() -> None:
    first = rows_of("first", [0.52, 0.61, 0.73, 0.55, 0.66, 0.71])
    better = rows_of("better", [0.53, 0.63, 0.74, 0.57, 0.68, 0.73])
    bound = rows_of("bound", [0.9] * 6, upper_bound=True)
    few = rows_of("on three splits", [0.9] * 3)
    elsewhere = rows_of("elsewhere", [0.95] * 6, dataset="other")
    found = headline(by_variant([*first, *better, *bound, *few, *elsewhere]))
    assert found
    assert found.number == "SROCC 0.647"
    assert found.meaning.startswith("'better', the best of 2 comparable variants, on 6 splits (95 % interval")
    assert found.comparison.startswith("Better than 'first' on the same images: +0.017 (95 % interval +0.01")
    worse = rows_of("worse", [0.42, 0.51, 0.63, 0.45, 0.56, 0.61])
    found = headline(by_variant([*first, *worse]))
    assert found
    assert found.comparison == "Better than 'worse' on the same images: +0.100 (95 % interval +0.100 to +0.100)."
    found = headline(by_variant([first[0], better[0]]))
    assert found
    assert found.comparison == "A single split cannot tell it from 'first' on the same images: +0.010."
    assert "interval needs 6" in found.meaning
    assert headline(by_variant(rows_of("first", [None]))) is None


def test_the_plot_of_a_study_has_differences_where_there_are_several_splits() -> None:
    first, other = rows_of("first", [0.5, None, 0.7]), rows_of("other", [0.6, 0.9, None])
    for rows, panels in (([first[0], other[0]], 1), ([*first, *other], 2)):
        drawn = variants_plot(by_variant(rows)).image
        assert isinstance(drawn, Plot)
        assert len(drawn.axes) == panels
        upper = drawn.axes[0]
    assert [text.get_text() for text in upper.get_yticklabels()] == ["first", "other"]
    means = [np.asarray(line.get_xdata()).item() for line in upper.get_lines() if line.get_marker() == "D"]
    assert means == pytest.approx([0.6, 0.75])


def test_a_split_without_a_figure_is_left_out_of_the_difference() -> None:
    table = study_table([*rows_of("first", [0.5, None, 0.7]), *rows_of("other", [0.6, 0.9, None, 0.8])])
    cells = {row[0]: row[4:] for row in table.rows}
    assert cells["first"][0] == "3"
    assert cells["first"][1] == pytest.approx(0.6)
    assert cells["other"][3] == pytest.approx(0.1)  # split 0 alone has both
    assert cells["other"][4:7] == (None,) * 3  # nothing is claimed of one split
    assert "SROCC, ALL, other (split): +0.100 (0)." in table.notes
    assert "1 of at least 6 splits: the differences are listed, no more." in table.notes


def test_rows_of_two_studies_are_refused() -> None:
    twice = [*rows_of("first", [0.5, 0.6]), *rows_of("first", [0.5])]
    with pytest.raises(ConfigError, match="the row of variant first, split 0 is given twice"):
        study_table(twice)
    longer = [replace(row, result=replace(row.result, split=2), steps=6) for row in rows_of("first", [0.7])]
    with pytest.raises(ConfigError, match="different steps: 5 and 6"):
        study_table([*rows_of("first", [0.5, 0.6]), *longer])


def test_other_data_have_no_difference() -> None:
    """Split 0 of another set is not the same split; an upper bound's is."""
    other = rows_of("elsewhere", [0.6, 0.7], dataset="another")
    bound = rows_of("bound", [0.6, 0.7], upper_bound=True)
    table = study_table([*rows_of("first", [0.5, 0.6]), *other, *bound])
    cells = {row[0]: row[len(table.labels) :] for row in table.rows}
    assert cells["elsewhere"][2] is None
    assert cells["bound"][2] == pytest.approx(0.1)


def test_a_variant_after_one_on_other_data_is_not_tested_on_what_it_saw(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.scored_set(tmp_path / "set")
    shutil.copytree(tmp_path / "set", tmp_path / "copy")
    for path in [*(tmp_path / "set").rglob("r?.png"), *(tmp_path / "set").rglob("r?_?.png")]:
        other = tmp_path / "copy" / path.relative_to(tmp_path / "set")
        shutil.copy(
            path, other.with_name(f"r{5 - int(path.name[1])}{path.name[2:]}")
        )  # the same scenes, named otherwise
    variants: list[dict[str, Any]] = [
        {"name": "GAN", "stages": ["phase1"], "changes": {"data.root": str(tmp_path / "copy")}},
        {"name": "on", "stages": ["phase2"], "after": "GAN", "changes": {"split.number": 0}},
    ]
    assert main(config(tmp_path, *variants)) == 2
    assert "has seen" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--splits", "2", "--evaluator", "live-like", "--variants", "[{name: a}]"], "leave --splits 2 out"),
        (["--splits", "0"], "--splits is 0 but must be at least 1"),
        (["--splits", "2"], "'b' changes split.number, but --splits 2 takes the splits in turn"),
        (["--evaluator", "live-like"], "'b' is on another"),
        (["--evaluator", "nobody", "--variants", "[{name: a, stages: [phase1]}]"], "nobody"),
    ],
)
def test_wrong_splits_are_refused(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    variants: list[dict[str, Any]] = [
        {"name": "a"},
        {"name": "b", "stages": ["phase1"], "changes": {"split.number": 1}},
    ]
    assert main([*config(tmp_path, *variants), *options]) == 2
    assert words in capsys.readouterr().err


def test_a_study_marks_rows_of_other_data() -> None:
    results = Path(__file__).parents[2] / "docs/results/study-augmentation.jsonl"
    table = study_table([StudyRow.from_plain(row, str(results)) for row in read_rows(results)])
    data = {row[0]: row[table.labels.index("data")] for row in table.rows}
    assert data["real distortions, proxy scores"] == "tid2013-like, proxy scores"
    assert data["real distortions, ranked by level"] == "tid2013-like by level, proxy scores"
    assert data["baseline"] == "TID2013-R, human scores"
    assert "Other rows: tid2013-like; proxy scores" in table.caption


def test_an_evaluator_evaluates_the_generators_of_a_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.scored_set(tmp_path / "set")
    variants: list[dict[str, Any]] = [{"name": "real"}, {"name": "GAN", "stages": ["phase1"]}]
    evaluator = ["--evaluator", str(tmp_path / "study" / "real")]
    assert main([*config(tmp_path, *variants), *evaluator]) == 0
    assert "kernel distance" in capsys.readouterr().out
    plain, gan = [json.loads(line) for line in (tmp_path / "study" / "study.jsonl").read_text().splitlines()]
    assert "named" not in plain
    assert gan["named"] is None or gan["named"] >= 0
    assert -1 <= gan["target"] <= 1
    assert -1 <= gan["within"] <= 1
    assert isinstance(gan["distance"], float)
    with patch("gada.experiments.study.study.evaluate_generator", side_effect=AssertionError):  # it has been evaluated
        assert main([*config(tmp_path, *variants), *evaluator]) == 0
    assert json.loads((tmp_path / "study" / "study.jsonl").read_text().splitlines()[1]) == gan
    shutil.rmtree(tmp_path / "study" / "real")
    variants[0]["changes"] = {"loss.class_weight": 0.0}
    assert main([*config(tmp_path, *variants), *evaluator]) == 0  # it is another evaluator now, which evaluates again
    assert json.loads((tmp_path / "study" / "study.jsonl").read_text().splitlines()[1])["distance"] != gan["distance"]


def test_a_study_looks_for_its_page_before_it_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("no block")
    assert main([*config(tmp_path, {"name": "a"}), "--into", str(page)]) == 2
    assert "has no block that begins with '<!-- gada study" in capsys.readouterr().err
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("variants", "words"),
    [
        ([{"name": "a"}, {"name": "a"}], "two variants of the name 'a'"),
        ([{"name": "a", "after": "b"}, {"name": "b"}], "not a variant before it"),
        ([{"name": "a", "stages": []}], "no stages"),
        ([{"name": "a", "changes": {"model.poling": "mean"}}], "poling is not a setting"),
        ([{"name": "a", "changes": {"model.pooling": "momments"}}], "'a' changes model.pooling momments: "),
        ([{"name": "a", "changes": {"preset": "papper"}}], "papper"),
        ([{"name": "a", "changes": {"training.batch_size": "many"}}], "many"),
        ([{"name": "a", "changes": {"split": {"number": 1}}}], "split is not a setting; known here are number"),
        ([{"name": "a b"}, {"name": "a-b"}], "no folder of its own"),
        ([{"name": "a"}, {"name": "b", "after": "a", "changes": {"split.number": 1}}], "another split"),
        (
            [{"name": "a"}, {"name": "b", "after": "a", "changes": {"model.maps": 8}}],
            "model.maps 8, but starts after 'a'",
        ),
        ([{"name": "a", "stages": ["phase2"]}], "'a' has phase2 without phase1"),
        ([{"name": "a"}, {"name": "b", "after": "a", "stages": ["phase2"]}], "'b' has phase2 without phase1"),
        ([{"name": "a", "stages": ["phase1", "phase3"]}], "'a' has phase3 without phase2"),
    ],
)
def test_a_wrong_study_is_refused(
    variants: list[dict[str, Any]], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(config(tmp_path, *variants)) == 2
    assert words in capsys.readouterr().err


def test_whole_images_have_a_row_for_each_metric_and_variant() -> None:
    def of(name: str, clive: list[float]) -> list[StudyRow]:
        more = [{"SROCC, CLIVE": value, "tau, blur": 0.9} for value in clive]
        return [replace(row, more=one) for row, one in zip(rows_of(name, [0.8] * len(clive)), more, strict=True)]

    table = study_table([*of("first", [0.5, 0.7]), *of("orders", [0.6, 0.9])])
    assert [row[:2] for row in table.rows[2:4]] == [("SROCC, CLIVE", "first"), ("SROCC, CLIVE", "orders")]
    assert table.rows[3][2] == pytest.approx(0.75)
    assert table.rows[3][4] == pytest.approx(0.15)
    assert {row[0] for row in table.rows[4:]} == {"tau, blur"}
    assert len(study_table([*of("first", [0.5]), *of("orders", [0.6])]).rows) == 6  # also of one split

"""`gada fit` through the real command line, on a tiny set."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import yaml
from PIL import Image, ImageOps
from safetensors.numpy import load_file

from gada.__main__ import main
from gada.io.checkpoints import load_checkpoint, save_checkpoint
from gada.models import projector
from gada.training import callbacks

STAGES = ("baseline", "phase1", "phase2", "phase3")
Fit = Callable[..., int]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny scored set."""
    return tiny.scored_set(tmp_path_factory.mktemp("set"))


@pytest.fixture
def fit(root: Path, tmp_path: Path) -> Fit:
    """Call `gada fit` with the tiny settings and further options."""

    def call(*options: str, run: str = "run", root: Path = root, **settings: dict[str, Any]) -> int:
        config: dict[str, Any] = {name: {**values, **settings.get(name, {})} for name, values in tiny.SETTINGS.items()}
        config["data"]["root"] = str(root)
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump({**settings, **config}))
        return main(["fit", "--config", str(path), "--run", str(tmp_path / run), "--wandb", "off", *options])

    return call


def rows(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "results.jsonl").read_text().splitlines()]


def test_all_stages_leave_what_they_say(fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit() == 0
    printed = capsys.readouterr().out
    for words in ("Baseline", "Phase 1", "Phase 2", "Phase 3", "SROCC", "blur", "all images", "proxy"):
        assert words.lower() in printed.lower()
    run = tmp_path / "run"
    assert [row["stage"] for row in rows(run) if row["distortion"] == "ALL"] == list(STAGES)
    assert all(row["n"] == 3 for row in rows(run) if row["distortion"] == "blur")  # one test reference, three levels
    for stage in STAGES:
        for name in ("best.safetensors", "last.ckpt", "metrics.csv", "scores.csv", "scatter.png"):
            assert (run / stage / name).is_file(), f"{stage}/{name}"
    lines = (run / "baseline" / "metrics.csv").read_text().splitlines()
    assert len(lines) == 1 + 6  # 11 steps, validated every 2
    assert lines[-1].split(",")[2] != lines[-2].split(",")[2], "the last stretch, which is shorter, is validated too"
    assert (run / "phase1" / "generator.safetensors").is_file()
    grid = np.asarray(Image.open(sorted((run / "phase1" / "samples").glob("*.png"))[-1]))
    assert grid.shape[0] > 2 * 128
    page = (run / "report.html").read_text()
    assert "Learning curves" in page
    assert "too few for an interval" in page
    assert "from the baseline" in page
    assert "Typical error" in page
    assert "Validation references chose each checkpoint" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")
    environment = json.loads((run / "env.json").read_text())
    assert environment["packages"]["torch"]
    assert environment["data"]
    split = json.loads((run / "split.json").read_text())
    assert not set(split["train"]) & set(split["test"]) | set(split["validation"]) & set(split["test"])
    assert (
        yaml.safe_load((run / "config.yaml").read_text())["model"]["pooling"] == "moments"
    )  # resolved from the preset

    before = (run / "results.jsonl").read_bytes()
    assert fit() == 0  # finished stages are not trained again
    assert (run / "results.jsonl").read_bytes() == before

    assert fit(training={"batch_size": 4}) == 2
    assert "training.batch_size=8, not 4" in capsys.readouterr().err
    assert (run / "results.jsonl").read_bytes() == before


def test_the_paper_s_protocol_trains_on_all_but_the_test_and_takes_the_last_checkpoint(
    fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert fit("--preset", "paper", "--split.validation", "0") == 0
    assert "(last checkpoint)" in capsys.readouterr().out
    assert {row["validated"] for row in rows(run)} == {False}
    split = json.loads((run / "split.json").read_text())
    assert [len(split[side]) for side in ("train", "validation", "test")] == [5, 0, 1]
    for stage in STAGES:
        best, ended = (load_file(run / stage / f"{name}.safetensors") for name in ("best", "ended"))
        assert all(np.array_equal(best[key], ended[key]) for key in best), stage
    head, *values = (run / "phase1" / "metrics.csv").read_text().splitlines()
    assert "loss_generator_class" in head
    assert "val_srocc" not in head
    assert "lr_trunk" in head
    assert len(values) == 3  # 5 steps, a checkpoint every 2
    assert "Each checkpoint is the last one" in (run / "report.html").read_text()
    assert main(["generate", "--model", str(run), "--config", str(run), "--side", "validation"]) == 2
    assert "split.validation is 0" in capsys.readouterr().err


def test_a_run_of_crops_resumes_whatever_became_of_settings_of_whole_images(fit: Fit, tmp_path: Path) -> None:
    assert fit("--phase", "baseline") == 0
    file = tmp_path / "run" / "config.yaml"
    before = yaml.safe_load(file.read_text())
    before["whole"] = {**before["whole"], "head_epochs": 20}
    del before["whole"]["head_steps"]
    file.write_text(yaml.safe_dump(before))
    assert fit("--phase", "baseline") == 0
    before["loss"]["class_weight"] = 0.3
    file.write_text(yaml.safe_dump(before))
    assert fit("--phase", "baseline") == 2


def test_few_scored_references_train_and_the_test_stays_the_same(
    fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit("--phase", "baseline", run="all") == 0
    assert fit("--phase", "baseline", "--split.scored", "2", run="few") == 0
    shown = capsys.readouterr()
    assert "(trained with 2 scored)" in shown.out
    assert "1 scored reference trains. With so few GADA gains" in shown.err
    assert fit("--phase", "1", "--split.scored", "2", run="few") == 0  # the first of three single phases
    assert "GADA gains" not in capsys.readouterr().err
    whole, few = (json.loads((tmp_path / run / "split.json").read_text()) for run in ("all", "few"))
    assert [len(few[side]) for side in ("train", "validation")] == [1, 1]
    assert few["test"] == whole["test"]
    assert {row["scored"] for row in rows(tmp_path / "few")} == {2}
    start = ("--phase", "3", "--from", str(tmp_path / "all"), "--split.scored", "2")
    capsys.readouterr()
    assert fit(*start, run="more") == 2
    assert "than the scores that split.scored 2 leaves" in capsys.readouterr().err
    assert fit("--phase", "baseline", "--split.scored", "1", run="one") == 3
    assert (
        "split.scored is 1, of one scene; give more to train and validate, or split.validation 0"
        in capsys.readouterr().err
    )
    assert fit("--phase", "baseline", "--split.scored", "9", run="nine") == 3
    assert "split.scored is 9 but must be at most 5" in capsys.readouterr().err
    assert fit("--phase", "baseline", "--split.scored", "2", "--split.upper_bound", "true", run="both") == 2
    assert "exclude each other" in capsys.readouterr().err


@pytest.mark.parametrize("projected", ["false", "true"])
def test_same_seed_same_weights_and_a_stop_changes_nothing(
    fit: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], projected: str
) -> None:
    monkeypatch.setattr(projector, "pretrained_trunk", tiny.random_trunk)
    phase_1 = ("--phase", "1", "--loss.projected", projected)
    assert fit(*phase_1, run="whole") == 0
    with tiny.stopped_after_an_epoch():
        assert fit(*phase_1, run="stopped") == 130
        assert "resumes where it stopped" in capsys.readouterr().err
    assert main(["score", str(tmp_path), "--model", str(tmp_path / "stopped")]) == 2
    assert "holds no finished evaluator" in capsys.readouterr().err
    assert not (tmp_path / "stopped" / "results.jsonl").exists()
    assert fit(*phase_1, run="stopped") == 0
    for name in ("best.safetensors", "generator.safetensors"):
        whole, stopped = (load_file(tmp_path / run / "phase1" / name) for run in ("whole", "stopped"))
        assert all(np.array_equal(whole[key], stopped[key]) for key in whole), name
    metrics = [(tmp_path / run / "phase1" / "metrics.csv").read_text() for run in ("whole", "stopped")]
    assert metrics[0] == metrics[1]


def test_phase_3_from_a_checkpoint_with_other_classes(
    fit: Fit, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit("--phase", "baseline", run="first") == 0
    start = str(tmp_path / "first")
    table = {"format": "table", "scale_name": "MOS", "scale_low": 0, "scale_high": 120, "higher_is_better": True}
    classless = {"distortion_column": "none", "reference_column": "none"}
    assert fit("--phase", "3", "--from", start, run="second", data=table | classless) == 2
    assert "shows the same scene as 'images/blur/r1_1.png', a test image of split 0" in capsys.readouterr().err
    root = tiny.scored_set(tmp_path / "others", references=12)
    seen = [f"r{number}_" for number in range(6)]
    lines = (root / "scores.csv").read_text().splitlines()
    (root / "scores.csv").write_text("\n".join(line for line in lines if not any(one in line for one in seen)) + "\n")
    assert fit("--phase", "3", "--from", start, run="second", root=root, data=table | classless) == 0
    assert {row["distortion"] for row in rows(tmp_path / "second")} == {"ALL"}
    stages = [tmp_path / "first" / "baseline", tmp_path / "second" / "phase3"]
    before, after = (load_checkpoint(stage / "best.safetensors", "evaluator")[1]["references"] for stage in stages)
    assert before
    assert after == before  # it has seen what its beginning has seen
    assert fit("--phase", "3", "--from", start, run="second", root=root, data=table | classless) == 0
    assert fit("--phase", "3", "--from", "live-like", run="second", root=root, data=table | classless) == 2
    assert "holds a run with model.widths" in capsys.readouterr().err
    other = str(shutil.copy(stages[1] / "best.safetensors", tmp_path / "other.safetensors"))
    assert fit("--phase", "3", "--from", other, run="second", root=root, data=table | classless) == 2
    assert "did not start from" in capsys.readouterr().err


def test_a_training_from_an_evaluator_says_whether_it_helped(
    fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The start on the same test images, in rows, report and one sentence; with no class there is no class loss."""
    table = {"format": "table", "distortion_column": "none", "scale_low": 0, "scale_high": 120}
    given = {"data": table | {"higher_is_better": False}}
    assert fit("--phase", "baseline", run="first", **given) == 0
    said = capsys.readouterr()
    assert "on 6 test images; an interval needs 6 references, here 1." in said.out
    assert f"Next: gada score --model {tmp_path / 'first'} photos/" in said.err
    assert fit("--phase", "3", "--from", str(tmp_path / "first"), run="second", **given) == 0
    assert "Whether the training helped cannot be told from 6 test images" in capsys.readouterr().out
    before, after = rows(tmp_path / "second")
    assert before | {"stage": "baseline"} == rows(tmp_path / "first")[0]  # the very evaluator on the very images
    assert after["stage"] == "phase3"
    assert "Before training" in (tmp_path / "second/report.html").read_text()
    assert "class" not in (tmp_path / "second/phase3/metrics.csv").read_text()
    shutil.rmtree(tmp_path / "second/phase3")
    assert fit("--phase", "3", "--from", str(tmp_path / "first"), run="second", **given) == 0
    assert rows(tmp_path / "second") == [before, after]


def test_a_long_training_says_what_it_will_take(
    fit: Fit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("TIMED_SECONDS", "LONG", "TOO_LONG"):
        monkeypatch.setattr(callbacks, name, -1.0)
    assert fit("--phase", "1", training={"phase1_steps": 8, "validate_every": 8}) == 0
    said = capsys.readouterr().err
    assert "gada: phase1 8 steps; images: 24 for train, 6 for validation, 6 for test." in said
    told = (
        r"phase1: 8 steps of 8 images of 32 x 32 pixels, [\d.]+ million weights; about 1 min left at [\d.e-]+ s a step"
    )
    assert re.search(f"{told}, and validations. Cheaper: narrow networks", said)
    assert callbacks.duration(7530) == "2 h 6 min"


def test_the_config_of_a_run_names_the_networks_that_it_began_from(fit: Fit, tmp_path: Path) -> None:
    assert fit("--phase", "3", "--from", "live-like", run="tuned") == 0
    tuned = yaml.safe_load((tmp_path / "tuned/config.yaml").read_text())["model"]
    assert tuned["widths"] == [32, 64, 64]
    assert (tuned["maps"], tuned["decoder_widths"]) == (256, tiny.SETTINGS["model"]["decoder_widths"])


def test_a_run_goes_on_from_what_it_began_from(fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit("--phase", "baseline", run="first") == 0
    start = ["--phase", "baseline", "--from", str(tmp_path / "first")]
    assert fit(*start, run="second") == 0
    (tmp_path / "second/results.jsonl").unlink()  # as if it had been stopped in its test
    assert fit("--phase", "baseline", run="second") == 2
    assert f"started from {tmp_path / 'first'}" in capsys.readouterr().err
    (tmp_path / "second/baseline/ended.safetensors").unlink()  # as if it had been stopped after its last step
    assert fit("--phase", "baseline", run="second") == 2
    assert f"started from {tmp_path / 'first'}" in capsys.readouterr().err
    assert fit(*start, run="second") == 0
    assert [row["stage"] for row in rows(tmp_path / "second") if row["distortion"] == "ALL"] == ["start", "baseline"]


def test_a_deleted_stage_is_trained_anew(fit: Fit, tmp_path: Path) -> None:
    assert fit("--phase", "baseline") == 0
    before = (tmp_path / "run/results.jsonl").read_bytes()
    shutil.rmtree(tmp_path / "run/baseline")
    assert fit("--phase", "1") == 0
    assert {row["stage"] for row in rows(tmp_path / "run")} == {"phase1"}
    shutil.rmtree(tmp_path / "run/phase1")
    assert fit("--phase", "baseline") == 0
    assert (tmp_path / "run/baseline/scores.csv").is_file()
    assert (tmp_path / "run/results.jsonl").read_bytes() == before


def test_what_the_test_shows_is_not_trained_on(
    fit: Fit, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit("--phase", "1", run="first", split={"number": 1}) == 0
    assert fit("--phase", "3", "--from", str(tmp_path / "first"), run="second") == 2
    message = capsys.readouterr().err
    assert "which shows the same scene as" in message
    assert "a test reference of split 0 (1 of 1 are seen)" in message
    assert fit("--phase", "3", "--from", str(tmp_path / "first"), run="second", split={"upper_bound": True}) == 0

    unlabelled = {"unlabelled": str(root / "references")}
    assert fit(run="third", training=unlabelled) == 2
    assert f"training.unlabelled {root / 'references'} has seen" in capsys.readouterr().err
    assert not (tmp_path / "third").exists()
    assert fit(run="third", training={"unlabelled": str(tmp_path / "nowhere")}) == 3
    assert not (tmp_path / "third").exists(), "found before baseline and phase 1 are trained"

    others = tiny.scored_set(tmp_path / "others", references=9)
    for number in range(6):
        (others / f"references/r{number}.png").unlink()
    assert fit(run="third", training={"unlabelled": str(others / "references")}) == 0
    for stage, known in (("phase1", False), ("phase2", True), ("phase3", True)):
        card = load_checkpoint(tmp_path / "third" / stage / "best.safetensors", "evaluator")[1]
        assert ("unlabelled: r7.png" in card["references"]) is known, stage


def test_data_that_grew_do_not_move_the_split(fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grown = tiny.scored_set(tmp_path / "set")
    assert fit("--phase", "1", root=grown) == 0
    before = (tmp_path / "run/split.json").read_bytes()
    tiny.scored_set(grown, references=9)
    assert fit("--phase", "2", root=grown) == 2
    assert "holds a run on another split" in capsys.readouterr().err
    assert (tmp_path / "run/split.json").read_bytes() == before


def test_references_without_classes_train_all_phases(fit: Fit, tmp_path: Path) -> None:
    table = {"format": "table", "scale_low": 0, "scale_high": 120, "higher_is_better": False}
    assert fit(data=table | {"distortion_column": "none"}) == 0
    assert {row["distortion"] for row in rows(tmp_path / "run")} == {"ALL"}
    assert sorted((tmp_path / "run/phase1/samples").glob("*.png"))


def test_a_rival_set_takes_the_place_of_the_generator(
    fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = [tiny.scored_set(tmp_path / name, levels=True) for name in ("set", "rival")]
    rival = {"distorted": str(sets[1])}
    assert fit(root=sets[0], training=rival) == 2
    assert f"training.distorted {sets[1]} has seen" in capsys.readouterr().err  # the scenes are the same
    for path in sets[1].rglob("*.png"):
        ImageOps.mirror(Image.open(path)).save(path)
    assert fit(root=sets[0], training=rival, run="rival") == 0
    evaluator = tmp_path / "rival/phase1/best.safetensors"  # no generator: nothing generates
    assert fit("--phase", "2", "--from", str(evaluator), root=sets[0], training=rival, run="alone") == 0
    assert fit("--phase", "2", "--from", str(evaluator), root=sets[0], run="generated") == 3
    assert "generator" in capsys.readouterr().err
    assert fit(root=sets[0], training=rival | {"unlabelled": str(sets[1])}, run="both") == 2
    assert "exclude each other" in capsys.readouterr().err
    table = (sets[1] / "scores.csv").read_text()
    (sets[1] / "scores.csv").write_text(table.replace(",3\n", ",4\n"))
    assert fit(root=sets[0], training=rival, run="other") == 2
    assert "level 4.0, of which" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_class_that_validation_lacks_has_no_sample(fit: Fit, tmp_path: Path) -> None:
    whole = tiny.scored_set(tmp_path / "set")
    assert fit("--phase", "baseline", root=whole, run="first") == 0
    (validation,) = json.loads((tmp_path / "first/split.json").read_text())["validation"]
    table = (whole / "scores.csv").read_text().splitlines()
    kept = [line for line in table if not ("noise" in line and f"{Path(validation).stem}_" in line)]
    assert len(kept) < len(table)
    (whole / "scores.csv").write_text("\n".join(kept) + "\n")
    assert fit("--phase", "1", root=whole) == 0


def test_without_references_no_other_split_is_begun_from(
    fit: Fit, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scale = {"scale_low": 0, "scale_high": 120, "higher_is_better": False}
    table = {"format": "table", "distortion_column": "none", "reference_column": "none"} | scale
    start = ["--phase", "3", "--from", str(tmp_path / "first")]
    assert fit("--phase", "baseline", run="first", data=table) == 0
    assert fit(*start, "--split.number", "1", run="second", data=table) == 2
    assert "was trained on another split of" in capsys.readouterr().err
    assert not (tmp_path / "second").exists()
    assert fit(*start, run="second", data=table) == 0
    assert fit("--phase", "baseline", "--split.upper_bound", "true", run="ceiling", data=table) == 0
    assert fit("--phase", "3", "--from", str(tmp_path / "ceiling"), run="third", data=table) == 2
    assert "was trained on another split of" in capsys.readouterr().err


def test_where_validation_is_undefined_the_last_evaluator_is_kept(fit: Fit, tmp_path: Path) -> None:
    own = tiny.scored_set(tmp_path / "set")
    header, *lines = (own / "scores.csv").read_text().splitlines()
    constant = [",".join([line.split(",")[0], "50", *line.split(",")[2:]]) for line in lines]
    (own / "scores.csv").write_text("\n".join([header, *constant]) + "\n")
    assert fit("--phase", "baseline", root=own) == 0
    best, ended = (load_file(tmp_path / f"run/baseline/{name}.safetensors") for name in ("best", "ended"))
    assert all(np.array_equal(best[name], ended[name]) for name in ended)


def test_an_image_too_small_for_any_crop_and_a_class_called_all_are_refused(
    fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tiny.scored_set(tmp_path / "set")
    table = (own / "scores.csv").read_text()
    (own / "scores.csv").write_text(table.replace(",blur", ",ALL"))
    assert fit("--phase", "1", root=own) == 3
    assert "a distortion class is called 'ALL'" in capsys.readouterr().err
    (own / "scores.csv").write_text(table)
    for path in own.rglob("r0*.png"):
        tiny.save(Image.open(path).resize((6, 5)), path)
    assert fit("--phase", "1", root=own) == 3
    assert "6 x 5 pixels, too small to train on (the least side is 8)" in capsys.readouterr().err


def test_scores_that_changed_are_refused(fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tiny.scored_set(tmp_path / "set")
    assert fit("--phase", "1", root=own) == 0
    table = (own / "scores.csv").read_text()
    (own / "scores.csv").write_text(table.replace(",20,", ",21,"))
    assert (own / "scores.csv").read_text() != table
    assert fit("--phase", "2", root=own) == 2
    assert "on other scores or classes of" in capsys.readouterr().err
    (own / "scores.csv").write_text(table)
    assert fit("--phase", "2", root=own) == 0


def test_references_of_one_id_and_different_scenes_are_both_kept(fit: Fit, tmp_path: Path) -> None:
    assert fit("--phase", "baseline", run="first") == 0
    begun = tmp_path / "first" / "baseline"
    tensors, card = load_checkpoint(begun / "best.safetensors", "evaluator")
    name, text = next(iter(card["references"].items()))
    other = text.translate(str.maketrans("0123456789abcdef", "fedcba9876543210"))
    save_checkpoint(tmp_path / "other.safetensors", tensors, {**card, "data": "other", "references": {name: other}})
    assert fit("--phase", "3", "--from", str(tmp_path / "other.safetensors"), run="second") == 0
    seen = load_checkpoint(tmp_path / "second" / "phase3" / "best.safetensors", "evaluator")[1]["references"]
    assert seen == {**card["references"], f"other: {name}": other}


@pytest.mark.parametrize(
    ("options", "settings", "code", "words"),
    [
        (["--phase", "2"], {}, 2, "--phase 1 first"),
        (["--phase", "3"], {}, 2, "starts from phase 2"),
        (["--phase", "4"], {}, 2, "phase"),
        (["--devices", "5", "--device", "cpu"], {}, 2, "training.batch_size is 8, too few for --devices 5"),
        (["--phase", "3", "--from", "nowhere"], {}, 2, "nowhere"),
        (["--from", "bundled"], {}, 2, "--phase 1, 2, 3"),
        ([], {"training": {"crop_size": 128}}, 2, "training.crop_size is 128"),
        ([], {"training": {"crop_size": 33}}, 2, "multiple of 8"),
        ([], {"training": {"batchsize": 33}}, 2, "batchsize"),
        ([], {"model": {"pooling": "max"}}, 2, "pooling"),
        ([], {"model": {"widths": [8, 8, 8, 8]}}, 2, "one to three positive counts"),
        ([], {"model": {"decoder_widths": [8, 8]}}, 2, "model.decoder_widths is [8, 8] but must be 3 positive"),
        ([], {"model": {"strides": [2, 2, 3]}}, 2, "model.strides is [2, 2, 3]"),
        ([], {"model": {"maps": 0}}, 2, "model.maps is 0"),
        ([], {"loss": {"class_weight": -1}}, 2, "loss.class_weight is -1"),
        ([], {"training": {"batch_size": 1}}, 2, "training.batch_size is 1 but must be at least 2"),
        ([], {"training": {"generator_batch": 0}}, 2, "training.generator_batch is 0"),
        ([], {"training": {"trunk_lr": -0.1}}, 2, "training.trunk_lr is -0.1"),
        ([], {"training": {"later_lr_factor": -1}}, 2, "training.later_lr_factor is -1"),
        ([], {"training": {"head_lr": float("nan")}}, 2, "training.head_lr is nan"),
        (["--seed", "-1"], {}, 2, "seed is -1"),
        (["--seed", str(2**32)], {}, 2, "below 2^32"),
        ([], {"training": {"betas": [2, 3]}}, 2, "training.betas is [2.0, 3.0]"),
        ([], {"evaluation": {"crops": 0}}, 2, "evaluation.crops is 0"),
        ([], {"evaluation": {"validation_crops": 0}}, 2, "evaluation.validation_crops is 0"),
        ([], {"split": {"test": 1.5}}, 2, "split.test is 1.5"),
        ([], {"split": {"validation": 1}}, 2, "split.validation is 1 but must be 0"),
        ([], {"data": {"classes": ["rain"]}}, 2, "rain"),
        ([], {"data": {"format": "table"}}, 2, "scale"),
    ],
)
def test_bad_options_are_one_sentence(
    fit: Fit,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    settings: dict[str, dict[str, Any]],
    code: int,
    words: str,
) -> None:
    assert fit(*options, **settings) == code
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_missing_data_is_one_sentence(fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(root=tmp_path / "nowhere") == 3
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_without_references_there_is_no_generator(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    scale = {"format": "table", "scale_low": 0, "scale_high": 120, "higher_is_better": False}
    assert fit("--phase", "1", data=scale | {"reference_column": "none"}) == 2
    message = capsys.readouterr().err
    assert "no reference images" in message
    assert "--phase baseline" in message


def test_phase_2_from_a_run_of_other_classes(fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit("--phase", "1", run="first", data={"classes": ["blur"]}) == 0
    assert fit("--phase", "2", "--from", str(tmp_path / "first"), run="second") == 2
    assert "1 distortion classes" in capsys.readouterr().err

"""`evaluate`, `generate`, `table` and the command line itself, on a tiny trained run."""

import io
import json
import re
import shlex
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest
import tiny
import yaml
from PIL import Image

from gada import __version__
from gada.__main__ import main
from gada.io.checkpoints import load_checkpoint, save_checkpoint
from gada.options import VERBS, function_of, kinds_of, parse
from gada.reports.contact_sheet import GAP

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny set in `set` and a run of phase 1 in `run`."""
    folder = tmp_path_factory.mktemp("trained")
    data = tiny.SETTINGS["data"] | {"root": str(tiny.scored_set(folder / "set"))}
    (folder / "config.yaml").write_text(yaml.safe_dump(tiny.SETTINGS | {"data": data}))
    options = ["--config", str(folder / "config.yaml"), "--run", str(folder / "run"), "--wandb", "offline"]
    assert main(["fit", "--phase", "1", *options]) == 0
    return folder


def on(trained: Path, *options: str) -> list[str]:
    return [
        *options,
        "--model",
        str(trained / "run"),
        "--data.root",
        str(trained / "set"),
        "--data.format",
        "synthetic",
    ]


def test_evaluate_agrees_with_the_run(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    crops = ["--evaluation.crops", "4"]
    assert main(["evaluate", *on(trained, "--side", "test", "--json", "--out", str(tmp_path / "s.csv")), *crops]) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert f"gada: wrote {tmp_path / 's.csv'}, in" in said.err
    assert {row["split"] for row in report["results"]} == {0}
    stored = [json.loads(line) for line in (trained / "run" / "results.jsonl").read_text().splitlines()]
    for found, kept in zip(report["results"], stored, strict=True):
        assert {key: kept[key] for key in found} == found
    assert (tmp_path / "s.csv").read_text() == (trained / "run" / "phase1" / "scores.csv").read_text()
    assert "proxy" in report["data"]
    assert main(["evaluate", *on(trained)]) == 0
    shown = capsys.readouterr().out
    assert "SROCC" in shown
    assert "Metrics of phase 1 by distortion, all images." in shown


def test_a_training_s_config_serves_what_was_trained(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Data, split and evaluation are taken from it, the rest is passed over; a slip is told as ever."""
    run, config = str(trained / "run"), trained / "config.yaml"
    for given in (run, f"{run}/config.yaml", str(config)):
        assert main(["evaluate", "--model", run, "--config", given, "--side", "test", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["results"][-1]["n"] == 6
        assert main(["generate", "--model", run, f"--config={given}", "--out", str(tmp_path / "sheet.png")]) == 0
        capsys.readouterr()
    assert main(["evaluate", "--config", run, "--side", "test"]) == 0  # of a run's config, its own model
    assert "photos" not in capsys.readouterr().out
    assert main(["export", "--config", run, "--format", "gada", "--out", str(tmp_path / "e.safetensors")]) == 0
    capsys.readouterr()
    assert main(["score", str(trained), "--model", str(tmp_path / "e.safetensors"), "--json"]) in (0, 4)
    assert not json.loads(capsys.readouterr().out)["model"].startswith("photos")
    (tmp_path / "slip.yaml").write_text(yaml.safe_dump({**yaml.safe_load(config.read_text()), "evaluaton": {}}))
    assert main(["evaluate", "--model", run, "--config", str(tmp_path / "slip.yaml")]) == 2
    assert main(["evaluate", "--model", run, "--config", str(tmp_path)]) == 2
    assert "is not the folder of a run" in capsys.readouterr().err


def test_a_generator_of_a_set_without_classes_is_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scale = {"scale_low": 0, "scale_high": 120, "higher_is_better": True}
    data = {"root": str(tiny.scored_set(tmp_path)), "format": "table", "distortion_column": "none"} | scale
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(tiny.SETTINGS | {"data": data}))
    (tmp_path / "data.yaml").write_text(yaml.safe_dump({"data": data}))
    run = str(tmp_path / "run")
    assert main(["fit", "--phase", "1", "--config", str(tmp_path / "config.yaml"), "--run", run]) == 0
    sheet = ["--config", str(tmp_path / "data.yaml"), "--out", str(tmp_path / "sheet.png")]
    assert main(["generate", "--model", run, *sheet, "--evaluator", run]) == 0
    assert "no class" in capsys.readouterr().out


def test_the_sides_of_another_split_are_refused(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = on(trained, "--side", "test", "--split.number", "1")
    assert main(["evaluate", *other]) == 2
    assert "give the split of its run's split.json" in capsys.readouterr().err
    assert main(["evaluate", *other, "--keep_shared", "true"]) == 0


def test_a_side_that_was_seen_elsewhere_is_refused(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a set of another name, or as an upper bound."""
    tensors, card = load_checkpoint(trained / "run/phase1/best.safetensors", "evaluator")
    data = ["--data.root", str(trained / "set"), "--data.format", "synthetic"]
    for other in ({**card, "data": "another set"}, {**card, "upper_bound": True}):
        model = tmp_path / "model.safetensors"
        save_checkpoint(model, tensors, other)
        assert main(["evaluate", "--model", str(model), "--side", "train", *data]) == 2
        assert "which shows the same scene as" in capsys.readouterr().err


def test_an_evaluator_that_is_missing_is_told_before_a_sheet_is_drawn(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.png"
    assert main(["generate", *on(trained, "--out", str(sheet), "--evaluator", f"{trained}/run/baseline")]) == 2
    assert "run/baseline': give a file, a run's folder" in capsys.readouterr().err
    assert not sheet.exists()


def test_a_sheet_of_crops_larger_than_the_pictures(tmp_path: Path, trained: Path) -> None:
    """Sides of 50 and 70 pixels hold 48 of the generator's eights."""
    own = tiny.scored_set(tmp_path / "set")
    for path in own.rglob("r*.png"):
        tiny.save(Image.open(path).resize((70, 50)), path)
    sheet = ["--out", str(tmp_path / "sheet.png"), "--side", "all", "--crop_size", "64"]
    options = ["--data.root", str(own), "--data.format", "synthetic", *sheet]
    assert main(["generate", "--model", str(trained / "run"), *options]) == 0
    six_columns = np.asarray(Image.open(tmp_path / "sheet.png"))
    beside = ["--beside", str(trained / "run/phase1/generator.safetensors")]  # as in the paper's Figure 1
    assert main(["generate", "--model", str(trained / "run"), *beside, *options]) == 0
    four_columns = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert six_columns.shape[1] - four_columns.shape[1] == 2 * (3 * 48 + GAP), "tiles of 48 pixels, enlarged"


def test_another_set_of_the_same_name_has_sides_of_its_own(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every set of one recipe has one name; whether it is the same set is seen from its scenes."""
    tensors, card = load_checkpoint(trained / "run/phase1/best.safetensors", "evaluator")
    mirrored = str.maketrans("0123456789abcdef", "fedcba9876543210")
    others = {name: text.translate(mirrored) for name, text in card["references"].items()}
    for references, code in ((card["references"], 2), (others, 0)):
        model = tmp_path / "model.safetensors"
        save_checkpoint(model, tensors, {**card, "references": references, "split": "another"})
        data = ["--data.root", str(trained / "set"), "--data.format", "synthetic"]
        assert main(["evaluate", "--model", str(model), "--side", "train", *data]) == code
        assert ("or --side all" in capsys.readouterr().err) == (code == 2)


def test_only_what_goes_on_promises_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gada.io.results.read_result_files", stop)
    assert main(["table", "results.jsonl"]) == 130
    assert capsys.readouterr().err == "gada: interrupted.\n"
    monkeypatch.setattr("gada.scoring.bulk.check_arguments", stop)
    for options, words in (([], "interrupted."), (["--out", "scores.csv"], "resumes where it stopped")):
        assert main(["score", "pictures", *options]) == 130
        assert words in capsys.readouterr().err


def test_a_name_that_cannot_be_shown_does_not_end_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "\u732b.png")
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="cp1252"))
    assert main(["score", str(tmp_path)]) == 0
    assert b"\\u732b.png" in shown.getvalue()


def test_an_evaluator_evaluates_the_generator(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- gada generate --evaluator -->\n<!-- end -->\n")
    kept = ["--evaluator", str(trained / "run" / "phase1"), "--results", str(tmp_path / "generator.jsonl")]
    told = ["--out", str(tmp_path / "sheet.png"), "--into", str(page)]
    assert main(["generate", *on(trained, "--side", "test"), *kept, *told]) == 0
    *classes, whole = [json.loads(line) for line in (tmp_path / "generator.jsonl").read_text().splitlines()]
    assert [row["distortion"] for row in classes] == ["blur", "noise"]
    for figure in ("accuracy_real", "accuracy_generated", "srocc_real", "srocc_evaluator", "srocc_ssim"):
        assert whole[figure] == pytest.approx(np.mean([row[figure] or 0 for row in classes]), abs=1e-4), figure
    assert whole["accuracy_real"] == np.mean([row["accuracy_real"] for row in classes])
    assert "class named, generated" in page.read_text()


def test_evaluate_maps_another_direction(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same images on a scale where higher is better rank the same."""
    figures = []
    for better in ("false", "true"):
        table = [
            "--data.format",
            "table",
            "--data.scale_low",
            "0",
            "--data.scale_high",
            "100",
            "--data.higher_is_better",
            better,
        ]
        assert main(["evaluate", *on(trained, "--json"), *table]) == 0
        figures.append(json.loads(capsys.readouterr().out)["results"][-1]["srocc"])
    assert figures[0] == pytest.approx(-figures[1])


def test_generate_draws_each_class(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", *on(trained, "--out", str(tmp_path / "sheet.png"))]) == 0
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape[0] > 2 * 128
    assert sheet.shape[1] > 6 * 128
    assert main(["generate", *on(trained, "--out", str(tmp_path / "x.png"), "--data.classes", "[noise]")]) == 2
    assert "blur, noise" in capsys.readouterr().err
    for size in ("30", "-8"):
        assert main(["generate", *on(trained, "--out", str(tmp_path / "x.png"), "--crop_size", size)]) == 2
        assert f"--crop_size is {size} but must be a multiple of 8" in capsys.readouterr().err
    for option in ("--results", "--into"):
        assert main(["generate", *on(trained, "--out", str(tmp_path / "x.png"), option, "something")]) == 2
        assert f"{option} something is for the generator's metrics" in capsys.readouterr().err
    assert not (tmp_path / "x.png").exists()


def test_table_goes_into_its_block(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = (trained / "run" / "results.jsonl").as_posix()
    page = tmp_path / "page.md"
    page.write_text(f"before\n<!-- gada table {rows} -->\nold\n<!-- end -->\nafter\n")
    assert main(["table", rows, "--into", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("<!-- end -->\nafter\n")
    assert "| all images |" in text
    assert "old" not in text
    page.write_text(f"<!-- gada table --layout summary {rows} -->\n<!-- end -->\n")
    assert main(["table", "--layout", "summary", rows, "--into", str(page)]) == 0
    assert "| Phase 1 | median |" in page.read_text()
    assert main(["table", "--layout", "differences", rows]) == 0  # one stage has no difference, and says nothing
    for layout in ("summary", "differences"):
        assert main(["table", "--layout", layout, rows, "--published", "true"]) == 2
        assert "--published" in capsys.readouterr().err
    page.write_bytes("größe".encode("latin-1"))
    assert main(["table", rows, "--into", str(page)]) == 2
    assert "is not UTF-8 text" in capsys.readouterr().err
    page.write_text("nothing")
    assert main(["table", rows, "--into", str(page)]) == 2
    assert "has no block" in capsys.readouterr().err
    assert main(["table", rows, "--into", str(tmp_path / "nowhere.md")]) == 2
    assert "nowhere.md is not a file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verb", "option", "file"),
    [
        ("table", "", "iqa-ls"),
        ("table", "", "study-augmentation"),
        ("study", "--results", "demo"),
        ("sweep", "--results", "demo"),
        ("metrify evaluate", "--results", "sweep-cifar10"),
        ("classify table", "", "demo"),
    ],
)
def test_results_of_another_verb_are_refused(
    verb: str, option: str, file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = str(ROOT / f"docs/results/{file}.jsonl")
    page = tmp_path / "page.md"
    assert main([*verb.split(), *([option] if option else []), results, "--into", str(page)]) == 3
    said = capsys.readouterr().err
    assert f"{file}.jsonl has a row without" in said
    assert f"results of `gada {'fit' if verb == 'table' else verb.removesuffix(' table')}`" in said
    assert not page.exists()


@pytest.mark.parametrize(
    ("verb", "block", "following"),
    [
        ("table {}/demo.jsonl", "gada table {}/demo.jsonl", ""),
        ("classify table {}/iqa-ls-cpu.jsonl", "gada classify table {}/iqa-ls-cpu.jsonl", "gada classify figures {}"),
        ("fidelity --results {}", "gada fidelity -->\n<!-- end -->\n<!-- gada fidelity ranking", ""),
        ("layers --results {}/layers-imagenet.jsonl", "gada layers {}/layers-imagenet.jsonl", ""),
        ("metrify evaluate --results {}/metrify-cifar10.jsonl", "gada metrify evaluate {}/metrify-cifar10.jsonl", ""),
    ],
)
def test_what_was_written_stands_on_standard_error(
    verb: str, block: str, following: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, page = ROOT / "docs/results", tmp_path / "page.md"
    page.write_text(f"<!-- {block.format(kept.as_posix())} -->\n<!-- end -->\n")
    assert main([*verb.format(kept.as_posix()).split(), "--into", str(page)]) == 0
    said = capsys.readouterr()
    assert f"gada: wrote {page}, in" in said.err
    assert ("Next: " + following.format(kept.as_posix()) in said.err) == bool(following)
    assert "wrote" not in said.out
    assert "|" in page.read_text()


def test_a_table_is_of_one_data_set_and_names_each_run_once(capsys: pytest.CaptureFixture[str]) -> None:
    kept = Path(__file__).parents[2] / "docs/results"
    assert main(["table", str(kept / "live-like.jsonl"), str(kept / "tid2013-r.jsonl"), "--layout", "summary"]) == 2
    assert "different dataset: live-like and TID2013-R" in capsys.readouterr().err
    assert main(["table", str(kept / "live-like.jsonl"), str(kept / "live-like.jsonl")]) == 2
    assert "is given twice; name each file or folder once" in capsys.readouterr().err


def test_the_dashboard_stays_in_the_run(trained: Path) -> None:
    assert list((trained / "run" / "wandb").glob("offline-run-*/*.wandb"))


def test_help_is_light() -> None:
    code = "import sys; from gada.__main__ import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "gada.__main__" in loaded
    assert not loaded & {"torch", "numpy", "scipy", "PIL"}
    assert not any(name.startswith("gada.commands") for name in loaded)
    assert all(re.search(rf"\b{word}\b", done.stdout) for verb in VERBS for word in verb.split())


def test_only_the_chosen_verb_is_imported() -> None:
    code = (
        "import sys; from gada.__main__ import main; main(['doctor', '--help']); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stderr.split() if name.startswith("gada.commands.")}
    assert loaded == {"gada.commands.doctor"}


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_explains_itself_on_one_screen(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*verb.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert len(shown.splitlines()) <= 60
    assert "NoneType" not in shown
    assert "inspect" not in shown
    groups = [name for name, kind in kinds_of(function_of(verb)).items() if is_dataclass(kind)]
    for group in groups:
        assert main([*verb.split(), f"--help.{group}"]) == 0
        listed = capsys.readouterr().out.splitlines()
        heads = [number for number, line in enumerate(listed) if line.startswith(f"--{group}.")]
        assert len(heads) == len(fields(kinds_of(function_of(verb))[group]))
        assert all(listed[number + 1].startswith("    ") for number in heads), "each setting has its sentence"
    assert main([*verb.split(), "--help.nothing"]) == 2
    assert f"it has {', '.join(groups) or 'none'}." in capsys.readouterr().err


def test_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "synthesize" in capsys.readouterr().out
    assert main(["classify"]) == 2
    shown = capsys.readouterr().out
    assert "accuracy and calibration" in shown
    assert "synthesize" not in shown
    assert main(["tune"]) == 2
    assert "known are fit, benchmark, evaluate" in capsys.readouterr().err
    assert main(["classify", "tune"]) == 2
    assert (
        "'classify tune'; known are classify fit, classify evaluate, classify table, classify figures."
        in capsys.readouterr().err
    )
    assert main(["--version"]) == 0
    assert re.fullmatch(rf"gada {__version__}( \(commit [0-9a-f]{{12}}\+?\))?\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("fit --phase 4", "--phase is 4 but must be 1, 2, 3, all or baseline."),
        ("fit --data.format foo", "--data.format is foo but must be live, tid2013, csiq, kadid10k, live-itw, table or"),
        ("fit --seed x", "--seed is x but must be a whole number."),
        ("score x --crops a", "--crops is a but must be a whole number."),
        ("score x --float-range [0]", "--float_range is [0] but must be a list in brackets, each a number."),
        ("serve --max-megabytes much", "--max_megabytes is much but must be a number."),
        ("fit --training.betas 0.1,0.2", "must be a list in brackets, each a number; write '[0.1,0.2]'."),
        ("fit --data 5", "--data is 5 but must be a YAML file of settings, or its keys."),
        ("fit --pha 1", "`gada fit` does not take '--pha'; did you mean --phase?"),
        ("fit --data.rot x", "`gada fit` does not take '--data.rot'; did you mean --data.root?"),
        ("fit extra", "`gada fit` does not take 'extra'; --help lists what it takes."),
        ("score x --json maybe", "`gada score` does not take 'maybe'"),
        ("score", "`gada score` needs PATHS"),
        ("synthesize", "`gada synthesize` needs --references and --out; `gada synthesize --help` says what that is."),
        ("doctor --data.root x", "`gada doctor` does not take '--data.root'; did you mean --data?"),
        ("evaluate --run x", "`gada evaluate` does not take '--run'; did you mean --model?"),
        ("classify evaluate --run x", "does not take '--run'; give PATHS alone, without --run."),
        ("fit --batch-size 4", "`gada fit` does not take '--batch_size'; did you mean --training.batch_size?"),
        ("generate --judge x", "judge is called evaluator now."),
        ("scor x", "unknown verb 'scor'; did you mean score? known are fit, "),
        ("classify fti", "unknown verb 'classify fti'; did you mean fit? known are classify fit, "),
        ("score x --mode gird", "--mode is gird but must be grid, crops or dense; did you mean grid?"),
        ("evaluate --model photso", "one of: photos, authentic, live-like, tid2013-r; did you mean photos?"),
        ("distortions --sheet x.png", "sheet is called out now."),
        ("dlp --references x", "references is called photos now."),
        ("fit --from", "--from needs a value."),
        ("fit --config nowhere.yaml", "--config nowhere.yaml does not exist."),
    ],
)
def test_a_mistake_is_told_in_one_sentence(line: str, sentence: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(line.split()) == 2
    said = capfd.readouterr().err
    assert sentence in said
    assert said.startswith("gada: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("data: {rot: x}", "data.rot in {} is not a setting of `gada fit`; did you mean data.root?"),
        ("nope: 3", "nope in {} is not a setting of `gada fit`; --help lists what it takes."),
        ("3: nope", "{} is not a YAML file of settings: Key must be a string, got: 3."),
        ("phase: 7", "phase is 7 but must be 1, 2, 3, all or baseline."),
        ("data: 5", "data is 5 but must be a YAML file of settings, or its keys."),
        ("[1, 2", "{} is not a YAML file of settings: while parsing"),
        ("5", "{} is not a YAML file of settings."),
    ],
)
def test_a_mistake_in_a_config_names_the_file_or_the_key(
    content: str, sentence: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(content)
    assert main(["fit", f"--config={config}"]) == 2
    said = capfd.readouterr().err
    assert sentence.format(config) in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("verb", ["fit", "metrify fit", "classify fit", "classify evaluate x"])
def test_an_unknown_key_is_told_for_every_verb(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.yaml"
    for content, key in (("nope: 3", "nope in"), ("judge: x", "judge is called evaluator")):
        config.write_text(content)
        assert main([*verb.split(), "--config", str(config)]) == 2
        assert capsys.readouterr().err.startswith(f"gada: {key}")


@pytest.mark.parametrize("verb", ["trust", "metrify evaluate", "metrify learn"])
def test_results_that_are_shown_again_are_written_nowhere_else(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*verb.split(), "--results", "old.jsonl", "--out", str(tmp_path / "new")]) == 2
    assert "--results old.jsonl is shown again" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("verb", ["dlp", "trust"])
def test_where_the_bundled_photos_are_missing_the_option_is_named(
    verb: str, trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(trained)
    assert main([verb, "--config", "run"]) == 3
    assert "is not a folder of images; name yours with --photos." in capsys.readouterr().err


URL = "https://example.com/set"


@pytest.mark.parametrize(
    "line",
    [
        f"evaluate --data.root {URL}",
        f"fit --config={URL}",
        f"fit --phase 3 --from {URL}",
        f"score {URL}",
        f"score photos --out {URL}",
        f"dlp --references {URL}",
        f"synthesize --references {URL} --out set",
        f"classify evaluate {URL}",
        f"metrify predict photos --model {URL}",
        "evaluate --config config.yaml",
        "classify fit --config config.yaml",
    ],
)
def test_a_url_is_told_whatever_it_is_for(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(f"data: {{root: '{URL}'}}")
    assert main(line.split()) == 3
    said = capsys.readouterr().err
    assert said == f"gada: {URL} is a URL; gada fetches nothing: give the path of a file or folder on this machine.\n"


def test_a_flag_may_stand_alone() -> None:
    assert parse(["score", "--json", "photo.png"])["json"] is True
    assert parse(["score", "photo.png", "--json", "false", "--max-pixels", "7"])["json"] is False
    assert parse(["score", "photo.png", "--max-pixels=7"])["max_pixels"] == 7
    assert parse(["fit", "--from", "bundled"])["from_"] == "bundled"


@pytest.mark.parametrize("config", sorted(path.name for path in (ROOT / "configs").glob("*.yaml")))
def test_every_config_states_its_command_and_parses(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / "configs" / config).read_text()
    commands = re.findall(r"^#   python -m gada (.*)$", text, re.MULTILINE)
    assert any(config in command for command in commands)
    for command in commands:
        parse(shlex.split(command, comments=True))


def commands_of(page: Path) -> list[str]:
    """Return the options of every `python -m gada` in the shell blocks of a page."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    text = "".join(blocks).replace("\\\n", " ").replace("$n", "0")  # lines that go on, and the number of a loop
    return re.findall(r"python -m gada ([^&|\n]*)", text)


@pytest.mark.parametrize("page", ["README.md", "docs/*.md", "docs/results/*.md", "checkpoints/*.md"])
def test_every_command_of_the_pages_parses(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    commands = [command for path in ROOT.glob(page) for command in commands_of(path)]
    assert len(commands) > 2
    whole = [command for command in commands if "--images.layout imagenet" in command]
    assert all("--images.per_class" in command for command in whole), "or the disk is full"
    for command in commands:
        parse(shlex.split(command, comments=True))


CHEAP = ("score data/photos", "export --format onnx")  # beginnings of commands that take seconds


def test_the_cheap_commands_of_the_readme_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On two of the photos; the others are parsed."""
    photos = tmp_path / "data/photos"
    photos.mkdir(parents=True)
    for name in ("coffee.png", "wine.png"):
        (photos / name).symlink_to(ROOT / "data/photos" / name)
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(one, comments=True) for one in commands_of(ROOT / "README.md") if one.startswith(CHEAP)]
    assert len(commands) == 4
    for command in commands:
        assert main(command) == 0, command
    assert len((tmp_path / "scores.csv").read_text().splitlines()) == 3
    assert (tmp_path / "evaluator.onnx").is_file()
    capsys.readouterr()
    (program,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    exec(program, {})  # noqa: S102  # our own page
    assert "higher is better" in capsys.readouterr().out


def test_the_readme_is_short() -> None:
    """Besides its commands and its generated table."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$|<!-- gada .*?<!-- end -->", "", text, flags=re.MULTILINE | re.DOTALL)
    assert len(prose.split()) <= 900


@pytest.mark.parametrize("options", [["score", "x", "--config"], ["fit", "--data"]])
def test_settings_that_are_not_text_are_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    photo = str(ROOT / "data/photos/coffee.png")
    assert main([*options, photo]) == 2
    said = capsys.readouterr().err
    assert f"{photo} is not UTF-8 text; give a YAML file of settings." in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"5\n", "rows.jsonl, line 1 is not a JSON object"),
        (b'{"a": 1}\n[["a", 1]]\n', "line 2 is not a JSON object"),
        (b"\xff\xfe{}", "rows.jsonl is not UTF-8 text"),
    ],
)
def test_files_that_hold_no_rows_are_refused(
    content: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rows.jsonl").write_bytes(content)
    assert main(["table", str(tmp_path / "rows.jsonl")]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1

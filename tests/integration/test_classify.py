"""`gada classify fit | evaluate | table` through the command line, on images of three colours."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluators import save_evaluator
from PIL import Image
from safetensors.numpy import load, load_file
from toys import WandbRun, coloured, folders

from gada.__main__ import main
from gada.data.cifar10c import CORRUPTIONS
from gada.data.mixtures import STRATEGIES
from gada.io.cards import Card
from gada.io.records import read_rows
from gada.metrics.scale import Scale
from gada.models.classifier import load_network
from gada.models.files import save_network
from gada.models.generator import Generator
from gada.reports.iqa_ls import SETS
from gada.settings import ModelSettings
from gada.training.checkpoints import Checkpoints

QUICK = ["--training.epochs", "2", "--training.batch_size", "6", "--training.inputs", "centred"]
FIVE_LEVELS = ["--training.fractions", "[0.2,0.2,0.2,0.2,0.2]", "--training.target_qualities", "[0.8,0.6,0.4,0.2]"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folders(tmp_path / "images/train", each=6)
    folders(tmp_path / "images/test", each=4)
    return tmp_path


def data(root: Path) -> list[str]:
    return ["--data.root", str(root / "images"), "--data.layout", "folders"]


def fit(root: Path, strategies: str, *options: str) -> int:
    own = ["--training.network", "toys:small"]
    run = ["--run", str(root / "run"), "--strategies", f"[{strategies}]", "--wandb", "off"]
    return main(["classify", "fit", *run, *data(root), *own, *QUICK, *options])


def sets_of(path: Path) -> list[dict[str, Any]]:
    """The rows of test sets; the others are of single images."""
    return [row for row in read_rows(path) if "set" in row]


def with_models(root: Path) -> list[str]:
    settings = ModelSettings(
        widths=(8, 8, 8), decoder_widths=(8, 8, 4), noise=2, embedding=4, pixel_noise=True, modulation=True
    )
    card = Card("generator", "toy", "toy", ("blur", "noise"), Scale("MOS", 0.0, 1.0, True), crop_size=32)
    save_network(root / "g.safetensors", Generator(settings, 2), card)
    save_evaluator(root / "e.safetensors")
    return ["--training.generator", str(root / "g.safetensors"), "--training.evaluator", str(root / "e.safetensors")]


def test_every_strategy_is_trained_and_tested(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = with_models(root)
    assert fit(root, ",".join(STRATEGIES), *models) == 0
    rows = sets_of(root / "run/results.jsonl")
    assert {row["strategy"] for row in rows} == set(STRATEGIES)
    assert [row["set"] for row in rows if row["strategy"] == "9"] == list(SETS)
    metrics = ("accuracy", "ece", "ece_scaled", "confidence", "true_confidence")
    assert all(0 <= row[name] <= 1 for row in rows for name in metrics)
    assert {row["n"] for row in rows} == {12}
    shown = capsys.readouterr().out
    assert "MIX generated, predicted quality" in shown
    assert "published" not in shown  # those are of CIFAR-10
    page = (root / "run" / "report.html").read_text()
    assert "IQA-LS (strategy" in page
    assert "published" not in page
    stamps = {path: path.stat().st_mtime_ns for path in (root / "run").rglob("classifier.safetensors")}
    assert len(stamps) == len(STRATEGIES)
    assert fit(root, "9,10", *models[2:], *models[:2]) == 0  # nothing is trained again
    assert stamps == {path: path.stat().st_mtime_ns for path in stamps}


def test_changed_images_are_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(root, "1") == 0
    Image.fromarray(coloured(0, 99)).save(root / "images/train/blue/0.png")
    assert fit(root, "1") == 2
    assert "holds a training with data.images=" in capsys.readouterr().err


def test_changed_test_images_are_predicted_again(root: Path) -> None:
    assert fit(root, "1") == 0
    before = {row["test"] for row in read_rows(root / "run/results.jsonl")}
    Image.fromarray(coloured(0, 99)).save(root / "images/test/blue/0.png")
    assert fit(root, "1") == 0
    after = {row["test"] for row in read_rows(root / "run/results.jsonl")}
    assert len(before) == len(after) == 1
    assert before != after


def test_a_damaged_image_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "images/train/red/bad.png").write_bytes(b"no image")
    assert fit(root, "1") == 3
    assert "red/bad.png cannot be used" in capsys.readouterr().err
    (root / "images/train/red/bad.png").rename(root / "images/train/logo.png")
    assert fit(root, "1") == 3
    assert "logo.png is not in the folder of a class" in capsys.readouterr().err


def test_seeds_of_other_labels_are_not_averaged(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(root, "9") == 0
    assert fit(root, "9", "--seeds", "[1]", "--training.quality", "psnr") == 2
    assert "different quality: ssim and psnr" in capsys.readouterr().err
    assert main(["classify", "table", str(root / "run")]) == 0  # as strategies of their own
    assert "9, s = psnr" in capsys.readouterr().out


def test_the_baselines_say_how_much_they_smooth(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(root, "8,9,smoothing", "--training.smoothing", "0.4") == 0
    assert main(["classify", "table", str(root / "run")]) == 0
    assert "0.4 of the label uniform" in capsys.readouterr().out


@pytest.mark.parametrize("part", ["classifier.safetensors", "last.ckpt"])
def test_a_changed_setting_is_refused(part: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(root, "1") == 0
    folder = root / "run/strategy-1/seed-0"
    shutil.copytree(root / "images", root / "other")
    for path in folder.iterdir():
        if path.name != part:
            path.unlink()
    for key, before, now in (
        ("training.epochs", "2", "3"),
        ("data.root", (root / "images").as_posix(), (root / "other").as_posix()),
        ("data.size", "32", "40"),
        ("data.per_class", "None", "5"),
        ("data.test_per_class", "None", "2"),
        ("data.seed", "0", "1"),
    ):
        assert fit(root, "8,1", f"--{key}", now) == 2
        said = f"{folder} holds a training with {key}={before}, not {now}; choose another --run"
        assert said in capsys.readouterr().err
    assert not (root / "run/strategy-8").exists()


def kept(distorted: np.ndarray, pristine: np.ndarray) -> float:
    return float((distorted == pristine).mean())


@pytest.mark.parametrize("quality", ["gmsd", "evaluator", f"{__name__}:kept"])
def test_other_measures_of_quality(root: Path, quality: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(root, "3,12", "--training.quality", quality, *with_models(root)) == 0
    assert {row["quality"] for row in read_rows(root / "run/results.jsonl")} == {quality}
    assert main(["classify", "table", str(root / "run")]) == 0
    assert f"3, s = {quality} MIX blur" in capsys.readouterr().out


def test_evaluate_takes_the_run_s_own_images(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(root, "1", "--data.test_per_class", "2") == 0
    again = ["classify", "evaluate", str(root / "run"), "--network", "toys:small", "--out", str(root / "again.jsonl")]
    assert main(again) == 0
    first, second = (read_rows(path) for path in (root / "run/results.jsonl", root / "again.jsonl"))
    for row in (*first, *second):
        row["commit"] = ""  # which may change while tests run
    assert first == second
    assert {row["n"] for row in second} == {6}
    assert main([*again, "--data.test_per_class", "3"]) == 0
    assert {row["n"] for row in read_rows(root / "again.jsonl")} == {9}


def test_every_training_of_a_run_is_logged_to_one_w_and_b_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[WandbRun] = []

    def start(**_: Any) -> WandbRun:
        started.append(WandbRun())
        return started[-1]

    monkeypatch.setattr("wandb.init", start)
    assert fit(root, "8,9", "--wandb", "offline") == 0
    (run,) = started
    names = {
        f"strategy-{one}/seed-0/{name}" for one in "89" for name in ("loss", "grad_norm_classifier", "step_seconds")
    }
    figures = {"calibration", "confidence", "figure-1", "figure-3", "figure-4"}
    assert names | figures | {"results", "classifiers-toy"} <= run.logged


def test_a_killed_fit_resumes_with_the_same_weights(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fit(root, "3,9") == 0
    weights = {path: path.read_bytes() for path in (root / "run").rglob("classifier.safetensors")}
    shutil.rmtree(root / "run")
    save, saved = Checkpoints.save_checkpoint, []

    def killed(self: Checkpoints, *values: Any, **named: Any) -> None:
        save(self, *values, **named)
        saved.append(self.last)
        if len(saved) == 3:  # within the second training
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save_checkpoint", killed)
        assert fit(root, "3,9") == 130
    assert fit(root, "3,9") == 0
    tensors = {path: load_file(path) for path in weights}
    for path, content in weights.items():
        whole = load(content)
        assert all(np.array_equal(tensors[path][name], whole[name]) for name in whole)


def test_results_again_tables_and_figures(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(root, "1,8,9", "--seeds", "[0,1]") == 0
    own = ["--network", "toys:small", *data(root)]
    again = root / "again.jsonl"
    assert main(["classify", "evaluate", str(root / "run"), "--out", str(again), *own]) == 0
    key = ("strategy", "seed", "set", "accuracy", "ece", "ece_scaled")
    results = [sets_of(path) for path in (root / "run/results.jsonl", again)]
    first, second = ({tuple(row[name] for name in key) for row in rows} for rows in results)
    assert first == second
    drawn = ["figure-3", "calibration", "confidence", "figure-1", "figure-4"]
    report = (root / "run/report.html").read_text()
    assert all((root / f"run/{name}.png").is_file() for name in drawn)
    assert "before and after temperature scaling" in report
    assert report.count("<img") + report.count("<svg") == len(drawn)
    assert main(["classify", "figures", str(again), "--out", str(root / "drawn"), *data(root)]) == 0
    assert sorted(path.stem for path in (root / "drawn").iterdir()) == sorted(drawn)
    with Image.open(root / "drawn/figure-4.png") as sheet:
        assert sheet.size[0] >= 480
    Image.fromarray(coloured(0, 99)).save(root / "images/test/blue/0.png")
    assert main(["classify", "figures", str(again), "--out", str(root / "drawn"), *data(root)]) == 2
    assert "the rows are of other test images" in capsys.readouterr().err
    page, curves = root / "page.md", root / "figure-3.png"
    name = f"gada classify table {root / 'run'}"
    page.write_text(f"# Page\n<!-- {name} -->\n<!-- end -->\n")
    options = ["--into", str(page), "--figure", str(curves)]
    assert main(["classify", "table", str(root / "run"), *options]) == 0
    text = page.read_text()
    assert "9 - 8, MIX all 3" in text
    assert "±" in text
    assert "seed 0, 1" in text
    assert "Figure 4" in text
    assert curves.read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    assert main(["classify", "table", str(root / "run"), "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("strategy,labels,pristine,Blur level 1")


def test_a_classifier_is_tested_by_the_names_of_classes(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(root, "1", "--training.epochs", "8") == 0
    own = ["classify", "evaluate", str(root / "run"), "--network", "toys:small", "--data.layout", "folders"]
    right = {row["set"]: row["accuracy"] for row in sets_of(root / "run/results.jsonl")}
    for part in ("train", "test"):  # a set without the class of the first index
        shutil.copytree(root / "images" / part, root / "part" / part)
        shutil.rmtree(root / "part" / part / "blue")
    assert main([*own, "--data.root", str(root / "part"), "--out", str(root / "part.jsonl")]) == 0
    rows = sets_of(root / "part.jsonl")
    assert {row["dataset"] for row in rows} == {"part"}
    of_blue = [main([*own, "--data.root", str(only(root, "blue")), "--out", str(root / "blue.jsonl")])]
    assert of_blue == [0]
    blue = {row["set"]: row["accuracy"] for row in sets_of(root / "blue.jsonl")}
    for row in rows:  # 8 of the 12 test images, and the other 4
        assert (8 * row["accuracy"] + 4 * blue[row["set"]]) / 12 == pytest.approx(right[row["set"]], abs=1e-5)
    (root / "part/train/red").rename(root / "part/train/pink")
    (root / "part/test/red").rename(root / "part/test/pink")
    assert main([*own, "--data.root", str(root / "part")]) == 2
    assert "does not know the class 'pink' of part" in capsys.readouterr().err


def only(root: Path, name: str) -> Path:
    """Return a copy of the images with one class alone."""
    for part in ("train", "test"):
        shutil.copytree(root / "images" / part / name, root / name / part / name)
    return root / name


def test_a_deleted_training_takes_its_results_along(root: Path) -> None:
    assert fit(root, "1") == 0
    shutil.rmtree(root / "run/strategy-1/seed-0")
    assert fit(root, "1", "--training.loss", "cross-entropy") == 0
    assert {row["loss"] for row in read_rows(root / "run/results.jsonl")} == {"cross-entropy"}


def test_one_training_stands_in_a_table_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(root, "1") == 0
    assert main(["classify", "table", str(root / "run"), str(root / "run")]) == 2
    assert "strategy 1, seed 0, set pristine is given twice" in capsys.readouterr().err


def test_cifar10c_layout(root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert fit(root, "1") == 0
    corrupted = root / "cifar10c"
    corrupted.mkdir()
    further = ("gaussian_blur", "saturate", "spatter", "speckle_noise")  # lie there too, and are not of the 15
    for name in (*CORRUPTIONS, *further):
        np.save(corrupted / f"{name}.npy", np.stack([coloured(i % 3, i)[:32, :32] for i in range(10)]))
    np.save(corrupted / "labels.npy", np.arange(10, dtype=np.uint8) % 3)
    own = ["--network", "toys:small", *data(root), "--corruptions", str(corrupted)]
    command = ["classify", "evaluate", str(root / "run"), "--out", str(root / "c.jsonl"), *own]
    assert main(command) == 2
    assert "has other classes than CIFAR-10-C" in capsys.readouterr().err
    monkeypatch.setattr("gada.experiments.iqa_ls.evaluation.CLASSES", ("blue", "green", "red"))
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "not normalised" in shown
    assert "mean ECE" in shown
    rows = read_rows(root / "c.jsonl")
    assert len(rows) == 15 * 5
    assert {row["n"] for row in rows} == {2}


def test_the_trained_classifier_is_one_of_the_sweep_s(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path
    for part, each in (("train", 6), ("test", 4)):
        folders(root / "images" / part, each, side=48)  # resized to 32
    assert fit(root, "1") == 0
    path = root / "run/strategy-1/seed-0/classifier.safetensors"
    network, card = load_network(path, "toys:small")
    assert card["classes"] == ["blue", "green", "red"]
    assert (card["size"], card["train_images"]) == (32, 18)
    assert not network.training
    images = ["--images.root", str(root / "images/test"), "--distortions", "[iqa-ls]", "--run", str(root / "sweep")]
    sweep = ["sweep", "--classifiers", f"[{path}]", *images]
    assert main(sweep) == 2
    assert "made by toys:small; give that function again" in capsys.readouterr().err
    assert main([*sweep, "--input.network", "toys:small"]) == 0
    trained, swept = sets_of(root / "run/results.jsonl"), read_rows(root / "sweep/results.jsonl")
    assert [row["top1"] for row in swept] == pytest.approx([row["accuracy"] for row in trained], abs=1e-6)
    assert [row["confidence"] for row in swept] == pytest.approx([row["true_confidence"] for row in trained], abs=1e-5)


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--strategies", "[13]"], 2, "strategy '13' is unknown"),
        (["--strategies", "8,13"], 2, "strategy '13' is unknown"),
        (["--training.rate", "0.1"], 2, "training.rate is called training.lr now."),
        (["--training.decay_every=6"], 2, "training.decay_every is called training.decay_fraction, a fraction"),
        (["--strategies", "[]"], 2, "strategies and seeds are empty"),
        (["--seeds", "[-1]"], 2, "seed is -1"),
        (["--strategies", "[1,8]", *FIVE_LEVELS], 2, "names 5 levels"),
        (["--training.network", "nowhere:network"], 2, "nowhere:network"),
        (["--training.network", "torch.nn:Linear"], 2, "'torch.nn:Linear' cannot be made (TypeError"),
        (["--training.network", "table1", "--data.size", "64"], 2, "data.size is 64"),
        (["--data.per_class", "100"], 2, "--data.per_class is 100"),
        (["--data.test_per_class", "100"], 2, "--data.test_per_class is 100"),
        (["--strategies", "[10]", "--training.generator", "absent"], 2, "absent"),
        (["--strategies", "[1,10]", "--training.generated_classes", "[jpeg9000]"], 2, "does not make jpeg9000"),
        (["--data.root", "absent"], 3, "absent"),
        (["--training.transform", "cube", "--strategies", "[1,9]"], 2, "cube"),
    ],
)
def test_a_mistake_is_one_sentence(
    root: Path, options: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fit(root, "1", *options) == code
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("gada: ")
    assert says in error
    assert not list((root / "run").rglob("classifier.safetensors"))

"""`gada metrify` through the command line: a classifier of colours, whose error JPEG makes and blur does not."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file
from toys import WandbRun, coloured, distance, folders

import gada
from gada.__main__ import main
from gada.data.batches import Batch
from gada.data.distorted import CLEAN
from gada.data.resident import ResidentImages, fits
from gada.errors import ConfigError
from gada.experiments.metrifier.error_set import build_error_set
from gada.io.records import read_rows
from gada.scoring.metrifier import load_metrifier
from gada.settings import ImageSettings, InputSettings, MetrifierSettings

TINY = "--steps 40 --validate_every 20 --batch_size 16 --lr 0.005".split()
TINY += "--model.widths [8,8,8] --model.maps 16 --model.hidden 8".split()
PREDICTORS = ["metrifier", "1 - maximum softmax", "entropy", "metrifier and maximum softmax", "1 - SSIM"]
PREDICTORS += ["feature change, early layers", "feature change, late layers", "1 - quality (toy)", "known level"]


OTHERS = ["--wandb", "off", "--evaluators"]


def fit(root: Path, *options: str) -> int:
    given = [
        "--classifiers",
        "[toys:plain]",
        "--images.root",
        str(root / "pictures"),
        "--run",
        str(root / "run"),
        "--wandb",
        "off",
    ]
    return main(["metrify", "fit", *given, "--distortions", "[iqa-ls/blur,iqa-ls/jpeg]", *TINY, *options])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained and evaluated metrifier."""
    from evaluators import save_evaluator

    root = tmp_path_factory.mktemp("metrify")
    folders(root / "pictures", each=6)
    evaluator = save_evaluator(root / "toy.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GADA_CACHE", str(root / "cache"))
        assert fit(root) == 0
        assert main(["metrify", "evaluate", "--run", str(root / "run"), *OTHERS, str(evaluator)]) == 0
    return root


def test_predictors_stand_beside_each_other(root: Path) -> None:
    rows = read_rows(root / "run" / "results.jsonl")
    whole = [row for row in rows if row["distortion"] == "ALL"]
    assert [row["predictor"] for row in whole] == PREDICTORS
    assert 0 <= whole[0]["calibration"] <= 1
    assert whole[2]["calibration"] is None  # entropy is no estimate of the error
    # Two colours as likely as each other: entropy, maximum softmax and error rank almost alike here.
    assert whole[1]["srocc"] > 0.9
    for row in whole:
        assert row["n"] == row["sources"] * row["steps"]
        assert 0 <= row["kept_0.5"] <= 1
    for row in whole[1:]:
        assert row["lead"] == pytest.approx(whole[0]["srocc"] - row["srocc"])
        assert row["lead_low"] <= row["lead_high"]
    assert {row["distortion"] for row in rows} == {"ALL", "iqa-ls/blur", "iqa-ls/jpeg"}


def test_flaws_are_pointed_out(root: Path) -> None:
    """Each row of the confusion table sums to 1, and the whole is right as often as its diagonal says."""
    first, *others = read_rows(root / "run" / "results.jsonl")
    shares = first["confusion"]
    assert list(shares) == ["none", "iqa-ls/blur", "iqa-ls/jpeg"]
    for named in shares.values():
        assert sum(named.values()) == pytest.approx(1)
    steps = {"none": 1, "iqa-ls/blur": 3, "iqa-ls/jpeg": 3}
    right = sum(count * shares[name][name] for name, count in steps.items()) / 7
    assert first["named_top1"] == pytest.approx(right)
    assert first["named_low"] <= right <= first["named_high"]
    assert not any("confusion" in row for row in others)


def test_errors_stand_against_level(root: Path) -> None:
    rows = read_rows(root / "run" / "results.jsonl")
    jpeg = {row["predictor"]: row for row in rows if row["distortion"] == "iqa-ls/jpeg" and "true_errors" in row}
    assert set(jpeg) == {"metrifier", "1 - maximum softmax", "metrifier and maximum softmax", "known level"}
    for row in jpeg.values():
        assert len(row["true_errors"]) == len(row["predicted_errors"]) == 4  # undistorted and three levels
        assert row["true_errors"][0] < row["true_errors"][-1]


def test_what_the_metrifier_adds_to_maximum_softmax_has_an_interval(root: Path) -> None:
    rows = {row["predictor"]: row for row in read_rows(root / "run" / "results.jsonl") if row["distortion"] == "ALL"}
    both = rows["metrifier and maximum softmax"]
    assert both["gain"] == pytest.approx(both["srocc"] - rows["1 - maximum softmax"]["srocc"])
    assert both["gain_low"] <= both["gain_high"]


def test_the_error_is_the_mean_over_the_classifiers(tmp_path: Path) -> None:
    """The two differ in their view's mean and std."""
    images = ImageSettings(folders(tmp_path / "pictures", each=2))
    found: list[Any] = []
    for names in (("toys:plain",), ("other=toys:network",), ("toys:plain", "other=toys:network")):
        settings = MetrifierSettings(names, ("iqa-ls/blur",), images=images, input=InputSettings(size=32, resize=0))
        errors = build_error_set(settings, tmp_path / "run", "cpu", jobs=1)
        found.append(errors.errors)
        assert errors.wrong.shape == errors.errors.shape == (6, 4)
    np.testing.assert_allclose(found[2], (found[0] + found[1]) / 2, atol=1e-6)
    assert not np.allclose(found[0], found[1], atol=1e-3)
    assert errors.name == "plain, other"


def test_an_error_of_the_user_s_own(root: Path, tmp_path: Path) -> None:
    """The squared distance of the logits' mean from a target that the label stands for; there is no softmax then."""
    run = str(tmp_path / "run")
    assert fit(root, "--error", "toys:distance", "--run", run, "--steps", "2", "--validate_every", "2") == 0
    evaluator = str(root / "toy.safetensors")
    assert main(["metrify", "evaluate", "--run", run, *OTHERS, evaluator]) == 0
    rows = [row for row in read_rows(tmp_path / "run" / "results.jsonl") if row["distortion"] == "ALL"]
    assert [row["predictor"] for row in rows] == [
        name for name in PREDICTORS if "softmax" not in name and name != "entropy"
    ]
    settings = MetrifierSettings(
        ("toys:plain",), ("iqa-ls/blur",), error="toys:distance", images=ImageSettings(root / "pictures")
    )
    errors = build_error_set(settings, tmp_path / "again", "cpu", jobs=1)
    outputs = errors.classifiers[0].outputs(np.array(errors.distorted.array(CLEAN)))
    np.testing.assert_allclose(errors.errors[:, 0], distance(outputs, errors.distorted.images.labels))


def test_errors_are_learnt(root: Path) -> None:
    with (root / "run" / "metrics.csv").open() as file:
        best = max(float(row["val_srocc"]) for row in csv.DictReader(file))
    assert best > 0.5  # JPEG takes the colour away and blur does not


def test_the_training_is_logged_to_w_and_b(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = WandbRun()
    monkeypatch.setattr("wandb.init", lambda **_: run)
    assert fit(root, "--run", str(tmp_path / "run"), "--wandb", "offline") == 0
    assert {"run/val_srocc", "run/loss_metrifier_error", "metrifier-toy"} <= run.logged
    others = ["--wandb", "offline", "--evaluators", str(root / "toy.safetensors")]
    assert main(["metrify", "evaluate", "--run", str(tmp_path / "run"), *others]) == 0
    assert {"results", "levels", "risk", "reliability"} <= run.logged


def test_the_worst_images_are_discarded(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The metrifier knows what JPEG does to the colour: fewer of the images that it struck are kept."""
    for part in ("train", "test"):
        folders(tmp_path / "images" / part, each=12)
    data = ["--data.layout", "folders", "--data.root", str(tmp_path / "images"), "--distortions", "[iqa-ls/jpeg]"]
    training = ["--training.network", "toys:small", "--training.epochs", "2", "--training.batch_size", "8"]
    run = ["--model", str(root / "run"), "--run", str(tmp_path / "run"), "--seeds", "0,1", "--wandb", "off"]
    results, block = tmp_path / "learn.jsonl", tmp_path / "page.md"
    block.write_text(f"<!-- gada metrify learn {results} -->\n<!-- end -->\n")
    given = [*run, *data, *training, "--out", str(results)]
    assert main(["metrify", "learn", *given, "--into", str(block)]) == 0
    rows = read_rows(results)
    assert [row["arm"] for row in rows] == ["all", "worst discarded", "random discarded"] * 2
    assert [row["kept"] for row in rows[:3]] == [36, 29, 29]
    kept = {row["arm"]: row["kept_flawed"] for row in rows}
    assert kept["worst discarded"] < kept["all"]
    assert "Worst minus random, test images undistorted:" in block.read_text()
    assert "no interval; 2 seeds" in block.read_text()
    assert "random discarded" in (tmp_path / "run" / "report.html").read_text()
    assert main(["metrify", "learn", *given]) == 0  # read again
    assert read_rows(results) == rows
    assert main(["metrify", "learn", *given, "--discarded", "0.5"]) == 2
    assert "holds a training with training.discarded=0.2, not 0.5" in capsys.readouterr().err
    assert main(["metrify", "learn", *given, "--discarded", "1"]) == 2
    assert "both are fractions" in capsys.readouterr().err


def test_no_source_stands_on_two_sides(root: Path) -> None:
    split = json.loads((root / "run" / "split.json").read_text())
    sides = [set(split[name]) for name in ("train", "validation", "test")]
    assert len(set.union(*sides)) == sum(map(len, sides)) == 18


def test_what_is_left_to_look_at(root: Path) -> None:
    page = (root / "run" / "report.html").read_text()
    for text in ("Metrifier of plain", "mean risk", "known level", "JPEG compression", "of predicted and true error"):
        assert text in page
    for name in ("levels", "risk", "reliability"):
        assert (root / "run" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_predict_a_folder(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = coloured(0, 50), tmp_path / "new" / "bad.png"
    bad.parent.mkdir()
    Image.fromarray(good).save(tmp_path / "new" / "good.png")
    assert main(["metrify", "predict", str(tmp_path / "new"), "--model", str(root / "run"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["scale"]["name"] == "expected error"
    (row,) = shown["results"]
    assert 0 <= row["score"] <= 1
    assert row["better"] == "lower"
    assert row["distortion"] in ("none", "iqa-ls/blur", "iqa-ls/jpeg")
    bad.write_bytes(b"no picture")
    out = tmp_path / "errors.csv"
    assert main(["metrify", "predict", str(tmp_path / "new"), "--model", str(root / "run"), "--out", str(out)]) == 4
    assert "good.png" in out.read_text()
    Image.fromarray(good[:8, :8]).save(bad)
    assert main(["metrify", "predict", str(bad), "--model", str(root / "run")]) == 4
    assert "fewer than the network's 32 x 32" in capsys.readouterr().err
    for options, word in ((["--jobs", "-1"], "--jobs is -1"), (["--json", "--out", str(out)], "--json")):
        assert main(["metrify", "predict", str(bad), "--model", str(root / "run"), *options]) == 2
        assert word in capsys.readouterr().err
    assert main(["metrify", "predict", str(bad), "--model", "bundled"]) == 2
    assert "predicts quality, not a classifier's error" in capsys.readouterr().err


def test_an_exported_metrifier_predicts_the_same(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "metrifier.onnx"
    assert main(["export", "--model", str(root / "run"), "--out", str(file)]) == 0
    pictures = [coloured(label, 60) for label in range(3)]
    found = [[one.score for one in load_metrifier(model)(pictures)] for model in (root / "run", file)]
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)
    with pytest.raises(ConfigError, match="not quality"):
        gada.load_scorer(file)


def test_a_metrifier_is_no_model_of_quality(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(coloured(1, 0)).save(tmp_path / "picture.png")
    assert main(["score", str(tmp_path), "--model", str(root / "run")]) == 2
    assert "gada metrify predict" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="not quality"):
        gada.DifferentiableScorer(root / "run")
    assert main(["dlp", "--model", str(root / "run"), "--photos", str(tmp_path)]) == 2
    assert "gada metrify predict" in capsys.readouterr().err


def test_a_run_is_not_mixed_with_another(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit(root, "--seed", "1") == 2
    assert "holds a run with seed=0, not 1" in capsys.readouterr().err
    ended = root / "run/ended.safetensors"
    content = ended.read_bytes()
    ended.unlink()  # as after a stop
    assert main(["metrify", "evaluate", "--run", str(root / "run")]) == 3
    assert "is not finished; call `gada metrify fit" in capsys.readouterr().err
    assert main(["metrify", "predict", str(root / "pictures"), "--model", str(root / "run")]) == 2
    ended.write_bytes(content)
    assert main(["metrify", "evaluate", "--run", str(root / "nowhere")]) == 3
    assert "holds no run of `gada metrify fit`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--classifiers", "[toys:ten]"], "has 10 classes"),
        (["--classifiers", "[toys:broken]"], "not finite"),
        (["--crop_size", "64"], "crop_size is 64 but the classifier sees 32 x 32"),
        (["--classifiers", "[toys:plain,toys:plain]"], "name one or more, each once"),
        (["--classifier", "toys:plain"], "classifier is called classifiers now"),
        (["--error", "squared"], "must be confidence, decision or package.module:function"),
        (["--error", "toys:nothing"], "the error 'toys:nothing' cannot be imported"),
        (["--error", "toys:too_large"], "toys:too_large must give one number in [0, 1] for each of"),
        (["--steps", "0"], "metrifier.steps is 0"),
        (["--images.root", "nowhere"], "nowhere is not a folder"),
    ],
)
def test_bad_input_is_one_sentence(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders(tmp_path / "pictures", each=3)
    noisy = ["--distortions", "[dodge-karam/noise]"] if "[toys:broken]" in options else []
    assert fit(tmp_path, *options, *noisy) in (2, 3)
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run" / "best.safetensors").exists()


def test_on_a_gpu_the_images_lie_on_the_device(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that is pretended: this processor, said to hold all images. The weights are the same."""
    cut, steps = ResidentImages.cut, []

    def counted(self: ResidentImages, batch: Batch) -> Batch:
        steps.append(batch)
        return cut(self, batch)

    monkeypatch.setattr("torch.cuda.mem_get_info", lambda _: (2**30, 2**30))
    monkeypatch.setattr("gada.training.data.fits", lambda batches, _: fits(batches, "cuda"))
    monkeypatch.setattr(ResidentImages, "cut", counted)
    assert fit(root, "--run", str(tmp_path / "run")) == 0
    assert len(steps) == 40
    resident, mapped = (load_file(folder / "ended.safetensors") for folder in (tmp_path / "run", root / "run"))
    assert all(np.array_equal(resident[name], mapped[name]) for name in mapped)


def test_other_labels_are_refused(tmp_path: Path) -> None:
    root = folders(tmp_path / "pictures", each=2)
    classes, chosen = root / "classes.txt", ImageSettings(root, classes=root / "classes.txt")
    settings = MetrifierSettings(("toys:plain",), ("iqa-ls/blur",), images=chosen)
    classes.write_text("blue\ngreen\nred\n")
    build_error_set(settings, tmp_path / "run", "cpu")
    classes.write_text("red\ngreen\nblue\n")
    with pytest.raises(ConfigError, match="holds outcomes with labels"):
        build_error_set(settings, tmp_path / "run", "cpu")


def test_the_page_names_the_evaluator_of_its_table() -> None:
    page = (Path(__file__).parents[2] / "docs/results/metrify-cifar10.md").read_text()
    shown, named = (set(re.findall(rule, page)) for rule in (r"1 - quality \(([\w-]+)", r"--evaluators ([\w-]+)"))
    assert shown == named
    assert named

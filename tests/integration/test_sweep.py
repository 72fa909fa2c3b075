"""`gada sweep` through the command line, on pictures of three colours."""

import csv
import json
import shutil
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from stress.hostile_files import Payload, torch_bytes
from torch.export import Dim
from toys import Colours, WandbRun, coloured, folders

from gada.__main__ import main
from gada.io.records import Row, read_rows


def swept(root: Path, *options: str, classifiers: str = "toys:plain", distortions: str = "[iqa-ls/blur]") -> int:
    """Run a sweep over the pictures in `root`."""
    images = ["--images.root", str(root / "pictures"), "--run", str(root / "run"), "--wandb", "off"]
    return main(["sweep", "--classifiers", f"[{classifiers}]", "--distortions", distortions, *images, *options])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folders(tmp_path / "pictures")
    return tmp_path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished sweep of two networks."""
    root = tmp_path_factory.mktemp("sweep")
    folders(root / "pictures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GADA_CACHE", str(root / "cache"))
        assert swept(root, classifiers="toys:plain,second=toys:plain", distortions="[iqa-ls]") == 0
    return root


def test_without_distortions_there_is_the_undistorted_row(root: Path) -> None:
    assert swept(root, distortions="[]") == 0
    assert [row["distortion"] for row in rows_of(root)] == ["none"]
    assert "Example" in (root / "run" / "report.html").read_text()


def rows_of(root: Path) -> list[Row]:
    """Return the result rows without the commit, which may change while tests run."""
    return [{**row, "commit": ""} for row in read_rows(root / "run" / "results.jsonl")]


def test_a_row_for_each_network_and_step(whole: Path) -> None:
    rows = rows_of(whole)
    assert [row["network"] for row in rows] == ["plain"] * 10 + ["second"] * 10
    assert [(row["distortion"], row["level"]) for row in rows[:5]] == [
        ("none", 0),
        ("iqa-ls/blur", 1),
        ("iqa-ls/blur", 2),
        ("iqa-ls/blur", 3),
        ("iqa-ls/noise", 1),
    ]
    for row in rows:
        assert row["n"] == 12
        assert row["top1_low"] <= row["top1"] <= row["top1_high"]
        assert row["top1"] <= row["top5"]
        assert row["partial"] == ""
    clean = rows[0]
    assert clean["top1"] == 1.0
    assert clean["dataset"] == "pictures"
    with (whole / "run" / "results.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 20


def test_what_is_left_to_look_at(whole: Path) -> None:
    page = (whole / "run" / "report.html").read_text()
    for text in (
        "Top-1 accuracy",
        "Calibration error",
        "Mean confidence",
        "relative mCE",
        "Responses of the first",
        "blue/0.png",
        "what each network takes it for",
        "0.00 million",
    ):
        assert text in page
    for name in ("accuracy", "predictions", "examples", "responses-plain", "responses-second"):
        with Image.open(whole / "run" / f"{name}.png") as image:
            assert min(image.size) > 200


def test_a_network_s_size_is_in_its_rows(whole: Path) -> None:
    """Two convolutions side by side, of 4 x 3 x 9 + 4 and 3 x 3 + 3 parameters."""
    sizes = {
        tuple(row[key] for key in ("depth", "convolutions", "fully_connected", "parameters")) for row in rows_of(whole)
    }
    assert sizes == {(1, 2, 0, 124)}


def test_a_sweep_is_logged_to_w_and_b(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = WandbRun()
    monkeypatch.setattr("wandb.init", lambda **_: run)
    assert swept(root, "--wandb", "offline") == 0
    assert {"results", "accuracy", "predictions", "examples"} <= run.logged


def test_nothing_is_made_or_predicted_twice(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert swept(root) == 0
    first = rows_of(root)

    def refuse(*_: object) -> None:
        raise AssertionError("predicted or made again")

    monkeypatch.setattr("gada.data.distorted.distort", refuse)
    with monkeypatch.context() as patch:
        patch.setattr("gada.experiments.robustness.outcomes.predict", refuse)
        assert swept(root) == 0
        assert rows_of(root) == first
    assert swept(root, classifiers="toys:plain,again=toys:plain") == 0  # another network reads the same files
    mine, other = ([row for row in rows_of(root) if row["network"] == name] for name in ("plain", "again"))
    assert [{**row, "network": ""} for row in mine] == [{**row, "network": ""} for row in other]


def test_processes_make_the_same_images(root: Path) -> None:
    assert swept(root, "--jobs", "1") == 0
    first = rows_of(root)
    for folder in ("run", "cache"):
        shutil.rmtree(root / folder)
    assert swept(root, "--jobs", "2") == 0
    assert rows_of(root) == first


def test_an_interrupted_sweep_leaves_a_partial_result(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert swept(root, classifiers="toys:broken", distortions="[dodge-karam/noise]") == 3
    told = capsys.readouterr().err
    assert "broken" in told
    assert "not finite" in told
    assert "dodge-karam/noise" in told
    rows = rows_of(root)
    assert 0 < len(rows) < 11
    assert all(row["partial"].startswith(f"{len(rows)} of 11 steps") for row in rows)
    assert main(["sweep", "--results", str(root / "run" / "results.jsonl")]) == 0
    assert "PARTIAL" in capsys.readouterr().out


def test_unreadable_picturesare_left_out_and_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "pictures" / "red" / "1.png").write_bytes(b"no picture")
    assert swept(root) == 4
    assert "1 images could not be used, as red/1.png" in capsys.readouterr().out
    assert {row["n"] for row in rows_of(root)} == {11}
    assert "red/1.png" in (root / "run" / "report.html").read_text()
    for path in (root / "pictures").rglob("*.png"):
        path.write_bytes(b"no picture")
    assert swept(root, "--run", str(root / "other")) == 3
    assert "no image of pictures can be used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--classifiers", "[toys:ten]"], "has 10 classes, but the labels of pictures have 3"),
        (["--classifiers", "[vgg17]"], "classifier 'vgg17' is unknown"),
        (["--classifiers", "[toys:nothing]"], "cannot be made"),
        (["--classifiers", "[toys:coloured]"], "cannot be made"),
        (["--classifiers", "[toys:plain,toys:plain]"], "two classifiers are called 'plain'"),
        (["--classifiers", "[missing.onnx]"], "missing.onnx does not exist"),
        (["--classifiers", "[torchvision:alexnet]"], "torchvision"),
        (["--distortions", "[fog]"], "distortion 'fog' is unknown"),
        (["--distortions", "[iqa-ls,iqa-ls/blur]"], "stands twice"),
        (["--images.root", "nowhere"], "nowhere is not a folder"),
        (["--images.layout", "table"], "labels.csv cannot be read"),
        (["--images.layout", "imagenet"], "neither the label file"),
        (["--images.layout", "cifar10"], "test_batch.bin does not exist"),
        (["--images.per_class", "5"], "class 0 of pictures has 4 images"),
        (["--json", "--figure", "x.png"], "--json prints and --figure draws"),
        (["--results", "old.jsonl"], "--results old.jsonl is shown again"),
        (["--figure", "x.pdf"], "must be a .png file"),
        (["--baseline", "other"], "--baseline is other but the networks are plain"),
    ],
)
def test_bad_input_is_one_sentence(
    options: list[str], said: str, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [
        "--classifiers",
        "[toys:plain]",
        "--images.root",
        str(whole / "pictures"),
        "--distortions",
        "[iqa-ls/blur]",
    ]
    assert main(["sweep", *given, "--run", str(tmp_path / "run"), *options]) in (2, 3)
    told = capsys.readouterr().err
    assert said in told
    assert len(told.strip().splitlines()) <= 11  # progress and one sentence


def write_onnx(path: Path) -> None:
    """The same classifier for two images at once: 20 times the mean of blue, green and red, less 5."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = np.eye(3, dtype=np.float32)[::-1] * 20
    constants = {"axes": np.array([2, 3]), "weights": weights, "bias": np.full(3, -5, np.float32)}
    nodes = [
        helper.make_node("ReduceMean", ["images", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["scaled"]),
        helper.make_node("Add", ["scaled", "bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [2, 3, 32, 32])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [2, 3])],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)


def test_files_of_networks(root: Path) -> None:
    write_onnx(root / "one.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated
        torch.jit.trace(Colours().eval(), torch.zeros(2, 3, 32, 32)).save(root / "two.pt")  # type: ignore[no-untyped-call]
    images = Dim("images", min=1, max=4096)
    torch.export.save(
        torch.export.export(Colours().eval(), (torch.zeros(2, 3, 32, 32),), dynamic_shapes=({0: images},)),
        root / "three.pt2",
    )
    files = f"{root / 'one.onnx'},{root / 'two.pt'},{root / 'three.pt2'}"
    view = [
        "--input.size",
        "32",
        "--input.resize",
        "0",
        "--input.mean",
        "[0.5,0.5,0.5]",
        "--input.std",
        "[1,1,1]",
    ]
    assert swept(root, *view, classifiers=f"toys:plain,{files}", distortions="[iqa-ls/noise]") == 0
    by_network = {
        name: [row["confidence"] for row in rows_of(root) if row["network"] == name]
        for name in ("plain", "one", "two", "three")
    }
    for name in ("one", "two", "three"):
        np.testing.assert_allclose(by_network[name], by_network["plain"], atol=1e-5)


def test_an_exported_network_with_code_is_not_opened(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program, canary = root / "code.pt2", root / "canary"
    torch.export.save(torch.export.export(Colours().eval(), (torch.zeros(2, 3, 32, 32),)), root / "plain.pt2")
    with zipfile.ZipFile(root / "plain.pt2") as plain, zipfile.ZipFile(program, "w") as changed:
        for name in plain.namelist():
            changed.writestr(name, torch_bytes(Payload(canary)) if "sample_inputs" in name else plain.read(name))
    assert swept(root, classifiers=str(program), distortions="[iqa-ls/noise]") == 3
    assert "a pickle of more than tensors" in capsys.readouterr().err
    assert not canary.exists()


def test_an_image_may_be_distorted_before_it_is_resized(tmp_path: Path) -> None:
    folders(tmp_path / "pictures", side=64)
    view = ["--input.size", "32", "--input.resize", "32"]
    found = {}
    for where in ("crop", "image"):
        options = [*view, "--distorted", where, "--run", str(tmp_path / where)]
        assert swept(tmp_path, *options, distortions="[iqa-ls/blur]") == 0
        found[where] = [row["confidence"] for row in read_rows(tmp_path / where / "results.jsonl")]
    assert found["crop"][0] == found["image"][0]
    assert found["crop"][1:] != found["image"][1:]


def test_results_are_shown_again(whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = (whole / "run" / "results.jsonl").as_posix()
    page, figure = tmp_path / "page.md", tmp_path / "figure.png"
    page.write_text(f"<!-- gada sweep {results} -->\nold\n<!-- end -->\n")
    assert main(["sweep", "--results", results, "--into", str(page), "--figure", str(figure)]) == 0
    assert "| Gaussian blur | plain |" in page.read_text()
    assert figure.read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    assert main(["sweep", "--results", results, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["results"]) == 20
    assert main(["sweep", "--results", str(tmp_path / "none.jsonl")]) == 3


def test_another_classifier_of_the_same_name_is_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert swept(root, distortions="[iqa-ls/blur]") == 0
    assert swept(root, classifiers="plain=toys:network", distortions="[iqa-ls/blur]") == 2
    assert "holds outcomes with source toys:plain" in capsys.readouterr().err
    Image.fromarray(coloured(0, 99)).save(root / "pictures" / "blue" / "99.png")
    assert swept(root, distortions="[iqa-ls/blur]") == 2
    assert "choose another --run" in capsys.readouterr().err


def test_other_labels_are_refused(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{colour}/{i}.png" for colour in ("blue", "green", "red") for i in range(4)]
    table, layout = root / "pictures" / "labels.csv", ["--images.layout", "table"]
    for shift, code in ((0, 0), (1, 2)):  # the same pictures, with the label of the next colour
        rows = (f"{name},{(place // 4 + shift) % 3}\n" for place, name in enumerate(names))
        table.write_text("image,label\n" + "".join(rows))
        assert swept(root, *layout) == code
    assert "holds outcomes with labels" in capsys.readouterr().err

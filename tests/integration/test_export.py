import json
from pathlib import Path

import numpy as np
import pytest
import torch
from evaluators import picture, save_evaluator
from PIL import Image
from whole_images import save_whole_evaluator

import gada
from gada.__main__ import main
from gada.errors import ConfigError, DataError
from gada.scoring.onnx_backend import open_session
from gada.scoring.parity import synthetic_images
from gada.scoring.torch_backend import WholeEvaluator

MODULES = {"onnx": "onnxruntime", "openvino": "openvino", "torch": "torch"}
SUFFIXES = {"onnx": ".onnx", "openvino": ".xml", "torch": ".pt2"}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of the exporters


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_evaluator(tmp_path_factory.mktemp("model") / "evaluator.safetensors"))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("photographs")
    for index in range(8):
        Image.fromarray(picture(index, 120, 160)).save(folder / f"{index}.png")
    return str(folder)


@pytest.mark.parametrize("kind", MODULES)
def test_an_exported_model_scores_as_the_evaluator(
    model: str, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(MODULES[kind])
    out = tmp_path / "new" / f"evaluator{SUFFIXES[kind]}"
    assert main(["export", "--model", model, "--format", kind, "--out", str(out)]) == 0
    assert "greatest difference" in capsys.readouterr().out
    assert {path.suffix for path in out.parent.iterdir()} <= {SUFFIXES[kind], ".bin"}
    one, other = gada.load_scorer(model, "crops", device="cpu"), gada.load_scorer(out, "crops", device="cpu")
    pictures = [*synthetic_images(6), picture(0, 10, 300)]
    for first, second in zip(one(pictures), other(pictures), strict=True):
        assert second.score == pytest.approx(first.score, abs=1e-5 * 100)
        assert second.distortion == first.distortion
        assert second.probability == pytest.approx(first.probability, abs=1e-5)
        assert second.scale == first.scale
    assert other.card.more["exported_from"][:12] == one.model.split()[1]
    assert other.predict_map(pictures[0]).scores == pytest.approx(one.predict_map(pictures[0]).scores, abs=1e-3)


def test_a_torch_program_takes_views_of_any_size(tmp_path: Path) -> None:
    model, out = save_whole_evaluator(tmp_path / "whole.safetensors"), tmp_path / "whole.pt2"
    assert main(["export", "--model", str(model), "--format", "torch", "--out", str(out)]) == 0  # compares 24 sizes
    one, other = gada.load_scorer(model, device="cpu"), gada.load_scorer(out, device="cpu")
    assert other(picture(0, 3, 300)).score == pytest.approx(one(picture(0, 3, 300)).score, abs=1e-3)


def test_a_folder_is_no_file_to_write(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "evaluator.onnx").mkdir()
    assert main(["export", "--model", model, "--out", str(tmp_path / "evaluator.onnx")]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_an_onnx_file_is_complete_by_itself(model: str, tmp_path: Path) -> None:
    ort = pytest.importorskip("onnxruntime")
    out = tmp_path / "evaluator.onnx"
    assert main(["export", "--model", model, "--out", str(out)]) == 0
    session = ort.InferenceSession(out)
    (pixels,) = session.get_inputs()
    assert (pixels.name, pixels.type, pixels.shape) == ("pixels", "tensor(uint8)", ["N", "H", "W", 3])
    card = json.loads(session.get_modelmeta().custom_metadata_map["gada"])
    assert card["scale"]["name"] == "DMOS"
    assert b"/tests/" not in out.read_bytes(), "the file must not tell where it was made"
    scorer = gada.load_scorer(model, "dense")
    for count, height, width in [(1, 32, 32), (3, 32, 32), (2, 9, 71), (1, 200, 130)]:
        given = np.stack([picture(seed, height, width) for seed in range(count)])
        probabilities, quality, score = session.run(["probabilities", "quality", "score"], {"pixels": given})
        assert probabilities.sum(axis=1) == pytest.approx(np.ones(count))
        assert score == pytest.approx(100 - 100 * quality, abs=1e-4)
        if (height, width) == (32, 32):
            assert score == pytest.approx([scorer(image).score for image in given], abs=1e-3)


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_int8_is_calibrated_and_agrees(
    model: str, photographs: str, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip(MODULES[kind])
    monkeypatch.setattr("gada.scoring.parity.RANKS_SROCC", 0.9)  # the toy's random features are sensitive
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model-v1.2.safetensors").write_bytes(Path(model).read_bytes())
    call = ["export", "--model", "model-v1.2.safetensors", "--format", kind, "--precision", "int8"]
    assert main([*call, "--images", photographs]) == 0
    out = tmp_path / f"model-v1.2-int8{SUFFIXES[kind]}"  # named like its model
    scorer = gada.load_scorer(out)
    assert scorer.card.precision == "int8"
    exact = gada.load_scorer(model)
    difference = [abs(scorer(picture(seed)).score - exact(picture(seed)).score) for seed in range(6)]
    assert 0 < max(difference) < 10
    if kind == "onnx":
        assert b"QuantizeLinear" in out.read_bytes()


def test_bfloat16_is_computed_where_the_file_says_so(model: str, photographs: str, tmp_path: Path) -> None:
    """On a processor without bfloat16 nothing could be compared, and nothing is written."""
    openvino = pytest.importorskip("openvino")
    out = tmp_path / "e.xml"
    call = ["export", "--model", model, "--format", "openvino", "--precision", "bfloat16", "--images", photographs]
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        assert main([*call, "--out", str(out)]) == 2
        return
    assert main([*call, "--out", str(out)]) == 0
    exact, half = (gada.load_scorer(one) for one in (model, out))
    assert half.card.precision == "bfloat16"
    difference = [abs(half(picture(seed)).quality - exact(picture(seed)).quality) for seed in range(6)]
    assert 0 < max(difference) < 0.05


def test_a_file_that_disagrees_is_refused(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "evaluator.pt2"
    from gada.scoring import export

    honest = export.write_torch

    def dishonest(path: Path, module: WholeEvaluator, *rest: object) -> None:
        with torch.no_grad():
            for parameter in module.evaluator.quality_head.parameters():
                parameter.add_(1e-4)
        honest(path, module, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(export, "write_torch", dishonest)
    assert main(["export", "--model", model, "--format", "torch", "--out", str(out)]) == 3
    assert "does not agree" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--out", "evaluator.pt"], ".onnx"),
        (["--format", "torch", "--out", "e.pt2", "--precision", "int8"], "int8"),
        (["--out", "e.onnx", "--precision", "bfloat16"], "float32 or int8"),
        (["--format", "openvino", "--out", "e.xml", "--precision", "bfloat16"], "--images"),
        (["--out", "e.onnx", "--precision", "int8"], "--images"),
        (["--out", "e.onnx", "--precision", "int8", "--images", "."], "no image"),
    ],
)
def test_bad_requests(
    model: str, arguments: list[str], word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["export", "--model", model, *arguments]) in (2, 3)
    assert word in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_named_like_its_model(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of int8 is named in the test that writes it."""
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model-v1.2.safetensors").write_bytes(Path(model).read_bytes())
    assert main(["export", "--model", "model-v1.2.safetensors"]) == 0
    assert {path.name for path in tmp_path.glob("*.onnx")} == {"model-v1.2.onnx"}


def test_a_place_that_cannot_be_written_is_named(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "evaluator.pt2"
    assert main(["export", "--model", model, "--format", "torch", "--out", str(out)]) == 3
    assert f"{out} cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "content"), [("a.onnx", b"no model"), ("a.xml", b"<no/>"), ("a.pt2", b"no zip")])
def test_what_is_no_model_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    for module in ("onnxruntime", "openvino"):
        pytest.importorskip(module)
    path = tmp_path / name
    path.write_bytes(content)
    Image.fromarray(picture(0)).save(tmp_path / "p.png")
    assert main(["score", str(tmp_path / "p.png"), "--model", str(path)]) == 3


@pytest.mark.parametrize("card", ["{", "[1]", "[" * 100_000, "{}"])
def test_a_card_that_is_none_is_refused(tmp_path: Path, card: str) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    out = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "g", [value], [out])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=9)
    onnx.helper.set_model_props(model, {"gada": card})
    onnx.save(model, tmp_path / "a.onnx")
    with pytest.raises(DataError, match=r"a\.onnx"):
        gada.load_scorer(tmp_path / "a.onnx")


@pytest.mark.parametrize(("device", "word"), [("cuda:0", "CUDA"), ("cuda:x", "unknown"), ("tpu", "unknown")])
def test_a_device_of_onnx_is_named(tmp_path: Path, device: str, word: str) -> None:
    ort = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("this machine has cuda")
    with pytest.raises(ConfigError, match=word):
        open_session(tmp_path / "a.onnx", device)


def test_a_missing_package_is_named(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.onnx").touch()
    (tmp_path / "a.xml").touch()
    Image.fromarray(picture(0)).save(tmp_path / "p.png")
    for module in ("onnx", "onnxruntime", "openvino", "pyarrow"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    picture_file = str(tmp_path / "p.png")
    for call, extra in [
        (["score", picture_file, "--model", str(tmp_path / "a.onnx")], "[onnx]"),
        (["score", picture_file, "--model", str(tmp_path / "a.xml")], "[openvino]"),
        (["score", picture_file, "--model", model, "--out", str(tmp_path / "a.parquet")], "[parquet]"),
        (["export", "--model", model, "--out", str(tmp_path / "b.onnx")], "[onnx]"),
    ]:
        assert main(call) == 2
        assert extra in capsys.readouterr().err

"""An evaluator as a file for other programs: ONNX, OpenVINO or torch.export, with preprocessing and card inside.

What is written is read again and compared with the evaluator before it takes its name.
"""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch
from torch import Tensor
from torch.export import Dim

from gada.errors import ConfigError
from gada.io.cards import Card
from gada.io.checkpoints import CARD, find_checkpoint
from gada.io.files import sha256_of, unwritable
from gada.models.files import load_evaluator, save_network
from gada.scoring.calibration import quantize, varied_images
from gada.scoring.loading import open_scorer
from gada.scoring.parity import HELD_TO_RANKS, Parity, check, compare, synthetic_images
from gada.scoring.torch_backend import WholeEvaluator, whole

Format = Literal["onnx", "openvino", "torch", "gada"]
Precision = Literal["float32", "float16", "bfloat16", "int8"]
PRECISIONS: dict[Format, tuple[Precision, ...]] = {
    "onnx": ("float32", "int8"),
    "openvino": ("float32", "bfloat16", "int8"),
    "torch": ("float32",),
    "gada": ("float32", "float16"),
}
SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml", "torch": ".pt2", "gada": ".safetensors"}
OUTPUTS = ["probabilities", "quality", "score", "distance"]  # the last where the evaluator measures it
OPSET = 20  # what torch's exporter writes without a conversion


def export_evaluator(
    model: str,
    kind: Format,
    out: Path | None = None,
    precision: Precision = "float32",
    images: Path | None = None,
) -> tuple[Path, Parity]:
    """Write an evaluator for other programs.

    The file takes `pixels`, (N, H, W, 3) uint8 of any N and of H, W >= 8 (torch: 16), as decoders give them, and gives
    `probabilities` (N, K), `quality` (N,) in [0, 1], `score` (N,) on the model's scale and, where the evaluator
    measures it, the `distance` (N,) from its training photos. Pixels are crops, or for an evaluator of whole images
    their views (`gada.data.whole_view`). Its metadata hold the card as JSON under the key `gada`.

    Args:
        model: what `find_checkpoint` accepts.
        kind: the format.
        out: the file; by default named like the model.
        precision: `float16` halves a checkpoint's file; `bfloat16` is what OpenVINO multiplies in, on processors that
            can (others take float32); `int8` quantises weights and activations of the convolutions.
        images: folder of photos to compare with, and to calibrate int8 on; needed for bfloat16 and int8.

    Returns:
        The file, and how well it agrees with the evaluator.

    Raises:
        ConfigError: if model, format, precision and images do not fit, or a package is missing.
        DataError: if the file cannot be written, or does not agree with the evaluator.
    """
    path = find_checkpoint(model, "evaluator")
    evaluator, card = load_evaluator(path)
    card = replace(card, precision=precision, more={**card.more, "exported_from": sha256_of(path)})
    out = out or Path(f"{path.stem}{f'-{precision}' if precision in HELD_TO_RANKS else ''}{SUFFIXES[kind]}")
    check_request(kind, out, precision, images)
    calibration, held_out = varied_images(images, card.crop_size) if images else ([], [])
    with folder_beside(out) as folder, quiet():
        written = folder / out.name
        module, example = whole(evaluator, card), example_pixels(max(card.whole_view or 0, card.crop_size))
        if kind == "gada":  # a checkpoint by itself, called as its file
            named = replace(card, name=out.stem.removesuffix("-evaluator"))
            save_network(written, evaluator, named, half=precision == "float16")
        elif kind == "torch":
            write_torch(written, module, example, card)
        else:
            onnx_file = written.with_suffix(".onnx")
            write_onnx(onnx_file, module, example, card)
            if precision == "int8":
                quantize(onnx_file, calibration, card)
            if kind == "openvino":
                write_openvino(written, onnx_file, card)
        exact, exported = (open_scorer(file, device="cpu") for file in (path, written))
        parity = compare(exact, exported, held_out or synthetic_images())
        check(parity, precision)
        for suffix in (".bin", SUFFIXES[kind]) if kind == "openvino" else (SUFFIXES[kind],):
            written.with_suffix(suffix).replace(out.with_suffix(suffix))
    return out, parity


def check_request(kind: Format, out: Path, precision: Precision, images: Path | None) -> None:
    """Raise ConfigError for what cannot be done, before anything is computed."""
    if out.suffix != SUFFIXES[kind]:
        raise ConfigError(f"--out is {out} but --format {kind} is a {SUFFIXES[kind]} file.")
    if out.is_dir():
        raise ConfigError(f"--out is {out}, which is a folder; name a file.")
    if precision not in PRECISIONS[kind]:
        raise ConfigError(
            f"--precision {precision} is not for --format {kind}; it takes {' or '.join(PRECISIONS[kind])}."
        )
    if precision in HELD_TO_RANKS and images is None:
        raise ConfigError(f"--precision {precision} is compared on real photos; name a folder of them with --images.")
    needed = {
        "onnx": ["onnx", "onnxscript", "onnxruntime"],
        "openvino": ["onnx", "onnxscript", "openvino"],
        "torch": [],
        "gada": [],
    }
    for package in [*needed[kind], *(["onnxruntime"] if precision == "int8" else [])]:
        try:
            __import__(package)
        except ImportError as error:
            extra = "onnx" if kind == "onnx" else "onnx,openvino"
            raise ConfigError(f'--format {kind} needs {package}: pip install "gada-iqa[{extra}]".') from error
    if precision == "bfloat16" and not has_bfloat16():
        raise ConfigError("This processor has no bfloat16, so that nothing could be compared; export on one that has.")


def has_bfloat16() -> bool:
    """Return whether OpenVINO multiplies in bfloat16 on this processor."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@contextmanager
def folder_beside(out: Path) -> Iterator[Path]:
    """Yield a temporary folder beside a file; what cannot be written there is told of the file.

    Raises:
        DataError: if it cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise unwritable(out, error) from error


def example_pixels(size: int) -> Tensor:
    """Return pixels for tracing; two images, because a batch of one would be taken for a constant."""
    return torch.zeros((2, size, size + 8, 3), dtype=torch.uint8)


def dynamic_shapes() -> tuple[dict[int, Any]]:
    """Return which dimensions of the pixels are free: number, height, width."""
    return ({0: Dim.DYNAMIC, 1: Dim.DYNAMIC, 2: Dim.DYNAMIC},)


def write_torch(path: Path, module: WholeEvaluator, example: Tensor, card: Card) -> None:
    """Write a .pt2 file."""
    program = torch.export.export(module, (example,), dynamic_shapes=dynamic_shapes())
    torch.export.save(program, path, extra_files={CARD: json.dumps(card.as_plain())})


def write_onnx(path: Path, module: WholeEvaluator, example: Tensor, card: Card) -> None:
    """Write an .onnx file."""
    import onnx

    program = torch.onnx.export(
        module,
        (example,),
        dynamo=True,
        input_names=["pixels"],
        output_names=OUTPUTS[: 3 if module.evaluator.usual is None else 4],
        dynamic_shapes=dynamic_shapes(),
        opset_version=OPSET,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    model = program.model_proto
    for value, names in [(model.graph.input[0], "NHW"), *((output, "N") for output in model.graph.output)]:
        for dimension, name in zip(value.type.tensor_type.shape.dim, names, strict=False):
            dimension.dim_param = name
    strip_traces(model)
    model.producer_name = "gada"
    onnx.helper.set_model_props(model, {CARD: json.dumps(card.as_plain())})
    onnx.checker.check_model(model)
    onnx.save(model, path)


def strip_traces(model: Any) -> None:
    """Remove what the exporter notes of each node: source lines and paths of the machine it ran on."""
    graph = model.graph
    del graph.value_info[:]
    for item in [*graph.node, *graph.input, *graph.output, *graph.initializer, graph]:
        del item.metadata_props[:]
        item.doc_string = ""


def write_openvino(path: Path, onnx_file: Path, card: Card) -> None:
    """Write an .xml file and its .bin."""
    import openvino

    model = openvino.convert_model(onnx_file)
    model.set_rt_info(json.dumps(card.as_plain()), CARD)
    openvino.save_model(model, path, compress_to_fp16=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what exporters say about themselves."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)

"""`gada export`: an evaluator for other programs."""

from pathlib import Path
from typing import Literal


def export(
    model: str = "bundled",
    format: Literal["onnx", "openvino", "torch", "gada"] = "onnx",  # noqa: A002  # its name on the command line
    out: Path | None = None,
    precision: Literal["float32", "float16", "bfloat16", "int8"] = "float32",
    images: Path | None = None,
) -> None:
    """Write an evaluator with its preprocessing and card in one file, and compare what was written with it.

    The file takes `pixels` (N, H, W, 3) uint8 and gives `probabilities`, `quality` and `score`.

    Args:
        model: A .safetensors evaluator, a stage's or a run's folder, or the name of a bundled one.
        format: `onnx` for ONNX Runtime, `openvino` (.xml and .bin), `torch` for torch.export (.pt2), or `gada`, a
            checkpoint (.safetensors).
        out: File to write; by default named like the model.
        precision: `float16` halves a checkpoint; `bfloat16` (OpenVINO) and `int8` (OpenVINO, ONNX) need --images.
        images: Folder of photos to compare on, and to calibrate int8 on.
    """
    from gada.scoring.export import export_evaluator
    from gada.usage import ended

    path, parity = export_evaluator(model, format, out, precision, images)
    print(f"{path} ({precision}) agrees with the evaluator on {parity.describe()}")
    ended(str(path), f"gada score --model {path} photos/")

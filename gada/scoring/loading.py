"""The one way to a scorer: a model's file decides what runs it."""

from importlib import import_module
from pathlib import Path

from gada.errors import ConfigError
from gada.io.checkpoints import find_checkpoint
from gada.io.files import sha256_of
from gada.scoring.scorer import Scorer
from gada.scoring.views import Mode

BACKENDS = {".onnx": "onnx_backend", ".xml": "openvino_backend"}


def load_scorer(
    model: str | Path = "bundled",
    mode: Mode = "grid",
    crops: int | None = None,
    seed: int = 0,
    device: str = "auto",
) -> Scorer:
    """Return a scorer.

    Args:
        model: a .safetensors evaluator or what `gada export` wrote (.onnx, .xml, .pt2), the folder of a run, the name
            of a bundled evaluator, or `bundled`.
        mode: `grid` (few fixed crops: fast), `crops` (30 random ones, the paper's) or `dense` (the whole image).
        crops: crops an image; by default the mode's.
        seed: of the positions of mode `crops`.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        ConfigError: if the model, the mode, the device or the package that runs it is missing, or it is a metrifier.
        DataError: if the file is damaged or does not hold an evaluator.
    """
    scorer = open_scorer(model, mode, crops, seed, device)
    if scorer.card.kind == "metrifier":
        raise ConfigError(f"{model} predicts a classifier's error, not quality; use it with `gada metrify predict`.")
    return scorer


def open_scorer(
    model: str | Path, mode: Mode = "grid", crops: int | None = None, seed: int = 0, device: str = "auto"
) -> Scorer:
    """Return a scorer on a model, as `load_scorer` does, or on a metrifier."""
    path = find_checkpoint(str(model), "evaluator")
    module = import_module(f"gada.scoring.{BACKENDS.get(path.suffix, 'torch_backend')}")
    backend, card = module.open_backend(path, device)
    weights = path.with_suffix(".bin") if path.suffix == ".xml" else path
    return Scorer(backend, card, mode, crops, seed, sha256_of(weights))

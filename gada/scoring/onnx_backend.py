"""A trained evaluator in ONNX Runtime: no torch."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.errors import ConfigError, DataError
from gada.io.cards import Card
from gada.io.checkpoints import CARD, read_card
from gada.io.threads import available_cores
from gada.scoring.scorer import CropPredictions

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "mps": "CoreMLExecutionProvider"}


class OnnxBackend:
    """Runs an exported evaluator."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.outputs = [output.name for output in session.get_outputs() if output.name in CropPredictions._fields]

    def predict(self, crops: NDArray[np.uint8]) -> CropPredictions:
        """Predict for crops (N, H, W, 3) uint8."""
        found = self.session.run(self.outputs, {"pixels": crops})
        return CropPredictions(
            **{name: values.astype(np.float64) for name, values in zip(self.outputs, found, strict=True)}
        )


def open_backend(path: Path, device: str) -> tuple[OnnxBackend, Card]:
    """Return what `gada export --format onnx` wrote, with its card.

    Args:
        path: the .onnx file.
        device: `auto` and `cpu` are the processor; `cuda` and `mps` need that build of ONNX Runtime.

    Raises:
        ConfigError: if ONNX Runtime or the device is missing.
        DataError: if the file is missing or was not written by `gada export`.
    """
    session = open_session(path, device, threads=1)  # for whole images: `score_files` has several at work
    text = session.get_modelmeta().custom_metadata_map.get(CARD)
    if text is None:
        raise DataError(f"{path} was not written by gada; export an evaluator with `gada export --format onnx`.")
    card = read_card(text, path, "evaluator", "metrifier")
    if not card.whole_view and available_cores() > 1:
        session = open_session(path, device)
    return OnnxBackend(session), card


def open_session(path: Path, device: str, threads: int | None = None) -> Any:
    """Open an ONNX file on a device, with a thread for each core unless `threads` says otherwise.

    Raises:
        ConfigError: if ONNX Runtime or the device is missing.
        DataError: if the file is missing or not an ONNX model.
    """
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise ConfigError('scoring an .onnx model needs ONNX Runtime: pip install "gada-iqa[onnx]".') from error
    kind, _, number = ("cpu" if device == "auto" else device).partition(":")
    provider = PROVIDERS.get(kind)
    if provider is None or not (number.isdecimal() or device in ("auto", kind)):
        raise ConfigError(f"--device {device} is unknown; give auto, {', '.join(PROVIDERS)} or cuda:NUMBER.")
    if provider not in ort.get_available_providers():
        raise ConfigError(f"--device {device} is not in this build of ONNX Runtime, which lacks the {provider}.")
    if not path.is_file():
        raise DataError(f"{path} is missing; name an .onnx file of a gada evaluator.")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads would starve decoding
    options.log_severity_level = 3
    chosen = {"device_id": number} if kind == "cuda" and number else {}
    try:
        return ort.InferenceSession(path, options, providers=[(provider, chosen)])
    except Exception as error:  # onnxruntime's own classes derive from several built-in ones
        raise DataError(f"{path} cannot be read as an ONNX model ({str(error).splitlines()[0]}).") from error

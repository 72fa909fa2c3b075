"""A trained evaluator in OpenVINO: no torch."""

from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.errors import ConfigError, DataError
from gada.io.cards import Card
from gada.io.checkpoints import CARD, read_card
from gada.scoring.scorer import CropPredictions


class OpenVinoBackend:
    """Runs an exported evaluator."""

    def __init__(self, compiled: Any) -> None:
        self.request = compiled.create_infer_request()
        self.lock = Lock()  # a request serves one thread at a time

    def predict(self, crops: NDArray[np.uint8]) -> CropPredictions:
        """Return class probabilities (N, K) and qualities (N,) of crops (N, H, W, 3) uint8."""
        with self.lock:
            self.request.infer({"pixels": crops})
            probabilities, quality = (self.request.get_tensor(name).data for name in ("probabilities", "quality"))
            return CropPredictions(probabilities.astype(np.float64), quality.astype(np.float64))


def open_backend(path: Path, device: str) -> tuple[OpenVinoBackend, Card]:
    """Return what `gada export --format openvino` wrote, with its card.

    Args:
        path: the .xml file; its .bin file lies beside it.
        device: `auto` or `cpu`.

    Raises:
        ConfigError: if OpenVINO or the device is missing.
        DataError: if the file is missing or was not written by `gada export`.
    """
    if device not in ("auto", "cpu"):
        raise ConfigError(f"--device {device} is not for OpenVINO models; score them with --device cpu.")
    try:
        import openvino
    except ImportError as error:
        raise ConfigError('scoring an OpenVINO model needs OpenVINO: pip install "gada-iqa[openvino]".') from error
    if not path.is_file():
        raise DataError(f"{path} is missing; name an .xml file of a gada evaluator.")
    core = openvino.Core()
    try:
        model = core.read_model(path)
    except RuntimeError as error:
        raise DataError(f"{path} cannot be read as an OpenVINO model ({str(error).splitlines()[0]}).") from error
    if not model.has_rt_info(CARD):
        raise DataError(f"{path} was not written by gada; export one with `gada export --format openvino`.")
    card = read_card(model.get_rt_info(CARD).astype(str), path, "evaluator", "metrifier")
    # without the hint OpenVINO silently computes in bfloat16 where the processor can
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return OpenVinoBackend(compiled), card

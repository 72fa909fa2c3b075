"""A trained evaluator in OpenVINO: no torch."""

from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.errors import ConfigError, DataError
from gada.io.cards import Card
from gada.io.checkpoints import CARD, read_card
from gada.io.threads import available_cores
from gada.scoring.scorer import CropPredictions


class OpenVinoBackend:
    """Runs an exported evaluator, in as many threads at once as it has requests."""

    def __init__(self, compiled: Any, requests: int) -> None:
        self.idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(requests):
            self.idle.put(compiled.create_infer_request())
        self.outputs = [
            name for name in CropPredictions._fields if any(name in output.names for output in compiled.outputs)
        ]

    def predict(self, crops: NDArray[np.uint8]) -> CropPredictions:
        """Predict for crops (N, H, W, 3) uint8."""
        request = self.idle.get()
        try:
            request.infer({"pixels": crops})
            return CropPredictions(**{name: request.get_tensor(name).data.astype(np.float64) for name in self.outputs})
        finally:
            self.idle.put(request)


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
    hint = "bf16" if card.precision == "bfloat16" else "f32"
    # whole images: `score_files` has several at work, a core each; crops: all cores work on one batch
    requests = available_cores() if card.whole_view else 1
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": hint, "NUM_STREAMS": requests})
    return OpenVinoBackend(compiled, requests), card

"""A trained evaluator in OpenVINO: no torch."""

from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.errors import ConfigError, DataError
from gada.io.checkpoints import CARD, read_card
from gada.io.files import sha256_of
from gada.scoring.scorer import Judged, Scorer
from gada.scoring.views import Mode


class OpenVinoBackend:
    """Judges crops with an exported evaluator."""

    def __init__(self, compiled: Any) -> None:
        self.request = compiled.create_infer_request()
        self.lock = Lock()  # a request serves one thread at a time

    def judge(self, crops: NDArray[np.uint8]) -> Judged:
        """Return class probabilities (N, K) and qualities (N,) of crops (N, H, W, 3) uint8."""
        with self.lock:
            self.request.infer({"pixels": crops})
            probabilities, quality = (self.request.get_tensor(name).data for name in ("probabilities", "quality"))
            return Judged(probabilities.astype(np.float64), quality.astype(np.float64))


def load_scorer(
    path: Path, device: str = "auto", crops: int | None = None, seed: int = 0, mode: Mode = "crops"
) -> Scorer:
    """Return a scorer on an OpenVINO model.

    Args:
        path: an .xml file that `gada export --format openvino` wrote; its .bin file lies beside it.
        device: `auto` or `cpu`.
        crops: crops a picture; by default the mode's.
        seed: seed of the crop positions.
        mode: which crops; see `Scorer`.

    Raises:
        ConfigError: if OpenVINO or the device is not there.
        DataError: if the file is missing or was not written by `gada export`.
    """
    if device not in ("auto", "cpu"):
        raise ConfigError(f"--device {device} is not for OpenVINO models; score them with --device cpu.")
    try:
        import openvino
    except ImportError as error:
        raise ConfigError('scoring an OpenVINO model needs OpenVINO: pip install "gada-iqa[openvino]".') from error
    if not path.is_file():
        raise DataError(f"{path} is not there; name an .xml file of a gada evaluator.")
    core = openvino.Core()
    try:
        model = core.read_model(path)
    except RuntimeError as error:
        raise DataError(f"{path} cannot be read as an OpenVINO model ({str(error).splitlines()[0]}).") from error
    if not model.has_rt_info(CARD):
        raise DataError(f"{path} is no evaluator that gada exported; write one with `gada export --format openvino`.")
    card = read_card(model.get_rt_info(CARD).astype(str), path, "evaluator", "metrifier")
    # without the hint OpenVINO silently computes in bfloat16 where the processor can
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return Scorer(OpenVinoBackend(compiled), card, crops, seed, mode, sha256_of(path.with_suffix(".bin")))

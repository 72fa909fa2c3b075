"""A trained evaluator in torch; the only file of this room that imports torch."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gada.models.evaluator import Evaluator
from gada.models.files import load_evaluator
from gada.scoring.scorer import Judged, Scorer


class TorchBackend:
    """Judges uint8 crops with an evaluator in float32."""

    def __init__(self, evaluator: Evaluator, device: str = "cpu") -> None:
        self.evaluator = evaluator.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.device = device

    @torch.inference_mode()
    def judge(self, crops: NDArray[np.uint8]) -> Judged:
        """Return class probabilities (N, K) and qualities (N,) of crops (N, 3, H, W) uint8."""
        images = torch.from_numpy(crops).to(self.device, memory_format=torch.channels_last).float() / 255
        judgement = self.evaluator(images)
        probabilities = judgement.class_logits.softmax(dim=1)
        return Judged(probabilities.double().cpu().numpy(), judgement.quality.double().cpu().numpy())


def load_scorer(path: Path, device: str = "auto", crops: int = 30, seed: int = 0) -> Scorer:
    """Return a scorer on a checkpoint.

    Args:
        path: a .safetensors evaluator.
        device: `auto`, `cpu`, `cuda` or `mps`.
        crops: crops an image.
        seed: seed of the crop positions.

    Raises:
        DataError: if the file is missing or is no evaluator's.
    """
    evaluator, card = load_evaluator(path)
    return Scorer(TorchBackend(evaluator, choose_device(device)), card, crops=crops, seed=seed)


def choose_device(device: str) -> str:
    """Return the device that `auto` means on this machine."""
    if device != "auto":
        return device
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"

"""A trained evaluator in torch."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gada.data.records import Scale
from gada.errors import ConfigError
from gada.io.cards import Card
from gada.models.evaluator import Evaluator
from gada.models.files import load_evaluator
from gada.scoring.programs import load_exported
from gada.scoring.scorer import CropPredictions


class WholeEvaluator(nn.Module):
    """An evaluator with everything that belongs to it: 8-bit pixels in, probabilities, quality and score out."""

    def __init__(self, evaluator: Evaluator, scale: Scale) -> None:
        super().__init__()
        self.evaluator = evaluator
        self.low, self.high = (scale.score(0.0), scale.score(1.0))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predict crops.

        Args:
            pixels: (N, H, W, 3) uint8, sRGB: as decoders give them.

        Returns:
            Probabilities (N, K), quality (N,) in [0, 1], and score (N,) on the scale.
        """
        output = self.evaluator(pixels.permute(0, 3, 1, 2).float() / 255)
        score = self.low + output.quality * (self.high - self.low)
        return output.class_logits.softmax(dim=1), output.quality, score


class TorchBackend:
    """Runs a `WholeEvaluator`, or one that was exported, in float32."""

    def __init__(self, evaluator: nn.Module, device: str = "cpu") -> None:
        self.evaluator = evaluator.to(device)
        self.device = device

    @torch.inference_mode()
    def predict(self, crops: NDArray[np.uint8]) -> CropPredictions:
        """Return class probabilities (N, K) and qualities (N,) of crops (N, H, W, 3) uint8."""
        probabilities, quality, _ = self.evaluator(torch.from_numpy(crops).to(self.device))
        return CropPredictions(
            probabilities.cpu().double().numpy(), quality.cpu().double().numpy()
        )  # MPS has no float64


def open_backend(path: Path, device: str) -> tuple[TorchBackend, Card]:
    """Return a .safetensors evaluator, or a .pt2 file that `gada export` wrote, with its card.

    Raises:
        ConfigError: if the device is missing.
        DataError: if the file is missing or does not hold an evaluator.
    """
    device = choose_device(device)
    if path.suffix == ".pt2":
        evaluator, card = load_exported(path)
    else:
        network, card = load_evaluator(path)
        evaluator = whole(network, card).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return TorchBackend(evaluator, device), card


def whole(evaluator: Evaluator, card: Card) -> WholeEvaluator:
    """Return an evaluator in eval mode with its scale."""
    module = WholeEvaluator(evaluator, card.scale).eval()
    return module.requires_grad_(requires_grad=False)


def choose_device(device: str) -> str:
    """Return the device that `auto` means on this machine.

    Raises:
        ConfigError: if the device is missing.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there.get(device.split(":")[0]):
        known = ", ".join(name for name, is_there in there.items() if is_there)
        raise ConfigError(f"--device {device} is not on this machine; there is {known}.")
    return device

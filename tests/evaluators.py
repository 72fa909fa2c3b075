"""Small evaluators and pictures for tests of scoring."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gada.io.checkpoints import save_checkpoint
from gada.models.evaluator import Evaluator
from gada.settings import ModelSettings, as_plain

torch.set_num_threads(1)  # threads that wait for each other are slow on a busy machine

CARD: dict[str, Any] = {
    "name": "toy",
    "data": "toy pictures",
    "proxy": True,
    "classes": ["blur", "noise"],
    "scale": {"name": "DMOS", "low": 0.0, "high": 100.0, "higher_is_better": False},
    "crop_size": 32,
}


def save_evaluator(path: Path, **card: object) -> Path:
    """Write an evaluator with random weights whose scores differ from picture to picture."""
    torch.manual_seed(0)
    settings = ModelSettings(widths=(16, 16, 16), maps=16, hidden=8, pooling="moments")
    evaluator = Evaluator(settings, classes=2)
    crops = torch.from_numpy(np.stack([picture(seed, 32, 32) for seed in range(32)])).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        evaluator.train()(crops)  # normalisation with statistics of its own
        features = evaluator.eval().extract(crops)
        *_, last = evaluator.quality_head
        assert isinstance(last, torch.nn.Linear)
        last.weight.mul_(1.5 / evaluator.quality_head(features).std())
        last.bias.sub_(evaluator.quality_head(features).mean())
    tensors = {name: tensor.numpy() for name, tensor in evaluator.state_dict().items()}
    save_checkpoint(path, tensors, {"kind": "evaluator", "model": as_plain(settings), **CARD, **card})
    return path


def picture(seed: int, height: int = 60, width: int = 90) -> NDArray[np.uint8]:
    """A smooth picture with some noise, (height, width, 3)."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    waves = [np.sin(random.uniform(2, 20) * rows + random.uniform(2, 20) * columns) for _ in range(3)]
    noise = random.normal(0, random.uniform(0, 40), (height, width, 3))
    return np.clip(128 + 90 * np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)

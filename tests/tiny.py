"""A scored set so small that all stages train on it in seconds, and the options that do so."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import layouts
import numpy as np
import torch
from evaluators import picture
from PIL import Image, ImageFilter

from gada.models.efficientnet_lite import EfficientNetLite0
from gada.training.callbacks import KeepLast

SETTINGS: dict[str, dict[str, Any]] = {
    "data": {"format": "synthetic"},
    "model": {"widths": [8, 8, 8], "decoder_widths": [8, 8, 4], "maps": 16, "hidden": 8, "noise": 2, "embedding": 4},
    "training": {
        "crop_size": 32,
        "batch_size": 8,
        "phase1_steps": 5,
        "phase2_steps": 4,
        "phase3_steps": 2,
        "validate_every": 2,
    },
    "evaluation": {"crops": 4, "validation_crops": 2},
}


def scored_set(root: Path, references: int = 6, manifest: bool = True, levels: bool = False) -> Path:
    """Write a folder as `gada synthesize` does: blur and noise at three levels of each reference."""
    rows = []
    for number in range(references):
        reference = Image.fromarray(picture(number, 48, 64))
        save(reference, root / f"references/r{number}.png")
        for level in (1, 2, 3):
            noise = np.random.default_rng([number, level]).normal(0, 15 * level, (48, 64, 3))
            noisy = Image.fromarray(np.clip(np.asarray(reference) + noise, 0, 255).astype(np.uint8))
            blurred = reference.filter(ImageFilter.GaussianBlur(level))
            for kind, image in (("blur", blurred), ("noise", noisy)):
                name = f"images/{kind}/r{number}_{level}.png"
                save(image, root / name)
                score = {"blur": 20, "noise": 25}[kind] * level + number
                row = {"image": name, "score": score, "reference": f"references/r{number}.png", "distortion": kind}
                rows.append(row | ({"level": level} if levels else {}))
    layouts.table(root / "scores.csv", rows)
    if manifest:
        scale = {"name": "DMOS", "low": 0.0, "high": 100.0, "higher_is_better": False}
        content = {"name": "tiny set", "recipe": "live", "scale": scale, "proxy": True, "complete": True}
        (root / "manifest.json").write_text(json.dumps(content))
    return root


def save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


@contextmanager
def stopped_after_an_epoch() -> Iterator[None]:
    """Let a training be stopped by its user as soon as the first checkpoint of an epoch is kept."""
    keep = KeepLast.on_train_epoch_end

    def keep_and_stop(self: KeepLast, trainer: Any, module: Any) -> None:
        keep(self, trainer, module)
        raise KeyboardInterrupt

    with patch.object(KeepLast, "on_train_epoch_end", keep_and_stop):
        yield


def random_trunk() -> EfficientNetLite0:
    """Return a trunk with random weights in place of ImageNet's, the same at each call."""
    torch.manual_seed(3)
    return EfficientNetLite0()

"""A scored set so small that all stages train on it in seconds, and the options that do so."""

import json
from pathlib import Path
from typing import Any

import layouts
import numpy as np
from evaluators import picture
from PIL import Image, ImageFilter

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
        content = {"name": "tiny set, proxy scores", "recipe": "live", "scale": scale, "proxy": True, "complete": True}
        (root / "manifest.json").write_text(json.dumps(content))
    return root


def save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)

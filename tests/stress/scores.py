"""A folder with bad files, and scores in batches of any size."""

import csv
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from evaluators import picture, save_evaluator
from PIL import Image

import gada
from gada.__main__ import main
from gada.scoring import scorer as scoring
from gada.scoring.streaming import score_files
from stress.training import in_child

BATCHES, JOBS = (1, 7, 30), (None, 1, 2)
TOLERANCE = 1e-5  # of the scale


def folder_with_bad_files(count: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Score a folder of `count` files, of which one in twenty is bad."""
    start, pictures, bad = time.monotonic(), folder / "pictures", 0
    pictures.mkdir(parents=True, exist_ok=True)
    whole = [encoded(folder / "one.png", number) for number in range(16)]
    for number in range(count):
        is_bad = number % 20 == 7
        bad += is_bad
        content = whole[number % 16]
        (pictures / f"{number:05d}.png").write_bytes(spoiled(content, number) if is_bad else content)
    model, out = save_evaluator(folder / "evaluator.safetensors"), folder / "scores.csv"
    out.unlink(missing_ok=True)
    code = in_child(lambda: main(["score", str(pictures), "--model", str(model), "--out", str(out), "--device", "cpu"]))
    with out.open(newline="") as file:
        found = Counter(
            "reason" if row["error"] else "score" if row["score"] else "nothing" for row in csv.DictReader(file)
        )
    right = code == 4 and found == Counter(score=count - bad, reason=bad)
    return {
        "test": f"a folder of {count:,} pictures with {bad:,} bad ones",
        "count": count,
        "failures": int(not right),
        "measured": f"{found['score']:,} scores, {found['reason']:,} reasons, exit code {code}",
        "limits": f"{count - bad:,} scores, {bad:,} reasons, exit code 4",
        "held": right,
        "seconds": round(time.monotonic() - start),
        "examples": [],
    }


def encoded(path: Path, number: int) -> bytes:
    """Return a small PNG file."""
    Image.fromarray(picture(number, 32, 32)).save(path)
    return path.read_bytes()


def spoiled(content: bytes, number: int) -> bytes:
    """Return a file that is cut, empty, of another kind, or damaged in its data."""
    match number // 20 % 4:
        case 0:
            return content[: len(content) // 2]
        case 1:
            return b""
        case 2:
            return b"no picture at all"
    return content[:60] + bytes(40) + content[100:]


def same_scores(count: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Score `count` pictures in batches of 1, 7 and 30 crops, without and with threads; compare the scores."""
    start = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for number in range(count):
        height, width = (int(side) for side in random.integers(70, 200, 2))
        Image.fromarray(picture(number, height, width)).save(folder / f"{number:03d}.png")
    paths = sorted(folder.glob("*.png"))
    scorer = gada.load_scorer("bundled", mode="crops", device="cpu")
    ends, tables = scorer.scale, list[list[float]]()
    usual = scoring.AT_ONCE
    try:
        for batch in BATCHES:
            scoring.AT_ONCE = batch * scorer.size**2
            for jobs in JOBS:
                found: list[Any] = (
                    scorer(paths) if jobs is None else [outcome for _, outcome in score_files(scorer, paths, jobs)]
                )
                tables.append([outcome.score for outcome in found])
    finally:
        scoring.AT_ONCE = usual
    worst = float(np.ptp(np.array(tables), axis=0).max() / (ends.high - ends.low))
    return {
        "test": "scores in batches of 1, 7 and 30 crops, with 0, 1 and 2 threads",
        "count": len(tables) * count,
        "failures": int(worst > TOLERANCE),
        "measured": f"greatest difference {worst:.1e} of the scale",
        "limits": f"{TOLERANCE:.0e} of the scale",
        "held": worst <= TOLERANCE,
        "seconds": round(time.monotonic() - start),
        "examples": [],
    }

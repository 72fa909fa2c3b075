"""Each training gives the same weights and scores, bit for bit, as when `tests/golden/digests.json` was written.

Bits depend on the processor and on torch, so the file names those it was written with; elsewhere the test compares
rounded figures. `python tests/integration/test_digests.py` writes the file anew.
"""

import csv
import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch
import toys
import yaml
from safetensors.numpy import load_file

GOLDEN = Path(__file__).parents[1] / "golden" / "digests.json"
STAGES = ("baseline", "phase1", "phase2", "phase3")


def machine() -> str:
    """What bits depend on."""
    names = [
        line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model" in line
    ]
    return f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, {', '.join(sorted(set(names)))}"


def call(folder: Path, *options: str) -> None:
    """Run the real command line with one thread, in a process of its own."""
    here = Path(__file__).parents[1]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(here.parent), str(here)]),
        "GADA_CACHE": str(folder / "cache"),
    }
    subprocess.run(
        [sys.executable, "-m", "gada", *options], cwd=folder, env=environment, check=True, capture_output=True
    )


def weights_of(path: Path) -> dict[str, Any]:
    """A digest of all tensors of a checkpoint, whatever they are called, and a figure for other machines."""
    tensors = load_file(path)
    digests = sorted(sha256(np.ascontiguousarray(value).tobytes()).hexdigest() for value in tensors.values())
    mean = float(np.mean([np.abs(value).mean(dtype=np.float64) for value in tensors.values()]))
    return {"digest": sha256("".join(digests).encode()).hexdigest(), "figure": mean}


def scores_of(path: Path) -> dict[str, Any]:
    """A digest of predicted scores, and their mean."""
    with path.open(encoding="utf-8", newline="") as lines:
        predicted = [row["predicted"] for row in csv.DictReader(lines)]
    return {
        "digest": sha256("\n".join(predicted).encode()).hexdigest(),
        "figure": float(np.mean(np.array(predicted, float))),
    }


def trained(folder: Path, preset: str) -> dict[str, Any]:
    """Train all four stages for 20 steps each (the baseline for 60)."""
    tiny.scored_set(folder / "set")
    steps = {"phase1_steps": 20, "phase2_steps": 20, "phase3_steps": 20, "validate_every": 10, "precision": "float32"}
    config = {**tiny.SETTINGS, "training": {**tiny.SETTINGS["training"], **steps}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    options = ("--config", "config.yaml", "--data.root", "set", "--run", "run", "--wandb", "off", "--device", "cpu")
    call(folder, "fit", *options, "--preset", preset)
    return {
        f"{stage}/{name}": of(folder / "run" / stage / name)
        for stage in STAGES
        for name, of in (("best.safetensors", weights_of), ("scores.csv", scores_of))
    } | {"phase1/generator.safetensors": weights_of(folder / "run/phase1/generator.safetensors")}


def classifiers(folder: Path) -> dict[str, Any]:
    """Train two strategies of IQA-LS for two epochs, and a metrifier for 20 steps."""
    toys.folders(folder / "images/train", each=6)
    toys.folders(folder / "images/test", each=4)
    data = ("--data.root", "images", "--data.layout", "folders", "--training.network", "toys:small")
    quick = ("--training.epochs", "2", "--training.batch_size", "6", "--training.inputs", "centred")
    call(folder, "classify", "fit", "--run", "iqa-ls", "--strategies", "[3,9]", *data, *quick)
    steps = ("--steps", "20", "--validate_every", "10", "--validation_images", "8", "--split.test", "0.3")
    small = ("--crop_size", "32", "--batch_size", "4", "--model.widths", "[4,4,4]", "--model.maps", "8")
    source = (
        "--classifiers",
        "toys:plain",
        "--images.root",
        "images/train",
        "--distortions",
        "[iqa-ls/blur,iqa-ls/jpeg]",
    )
    call(folder, "metrify", "fit", "--run", "metrifier", *source, *steps, *small)
    found = sorted([*(folder / "iqa-ls").rglob("*.safetensors"), *(folder / "metrifier").rglob("*.safetensors")])
    return {path.relative_to(folder).as_posix(): weights_of(path) for path in found}


def trainings(folder: Path) -> dict[str, dict[str, Any]]:
    """All digests, by training."""
    found = {}
    for name in ("gada", "paper", "classifiers"):
        (place := folder / name).mkdir()
        found[name] = classifiers(place) if name == "classifiers" else trained(place, name)
    return found


@pytest.mark.slow
def test_every_training_gives_the_weights_and_scores_that_it_gave(tmp_path: Path) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    found = trainings(tmp_path)
    assert {name: set(of) for name, of in found.items()} == {name: set(of) for name, of in golden["trainings"].items()}
    for name, digests in golden["trainings"].items():
        for file, one in digests.items():
            assert found[name][file]["figure"] == pytest.approx(one["figure"], rel=1e-2), f"{name}: {file}"
            if golden["machine"] == machine():
                assert found[name][file]["digest"] == one["digest"], f"{name}: {file}"


if __name__ == "__main__":
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as place:
        content = {"machine": machine(), "trainings": trainings(Path(place))}
    GOLDEN.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

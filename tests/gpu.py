"""`make gpu`: what a GPU makes of the trainings, in less than ten minutes. Without one it says so and stops.

PYTHONPATH=tests python -m gpu [--set data/tid2013-r] [--seconds 360] [--results docs/results]

Three parts: the step of each phase with the paper's widths, 128-pixel crops and batches of 64, for both presets;
whether a step waits for the GPU anywhere, which `torch.cuda.set_sync_debug_mode("error")` tells; and one split of
TID2013-R with the preset `paper` for as many steps as fit into `--seconds`. `gpu.jsonl` receives the figures,
`gpu-tid2013-r.jsonl` the result rows, which `gada table` prints.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from bench_training import Take, modules, photograph_batches, stepper
from measure import say, seconds

from gada.data.batches import Batch
from gada.io.records import RESULTS, Row, commit, machine, write_rows
from gada.settings import Preset, preset_settings
from gada.training.stage import in_bfloat16

PRESETS: tuple[Preset, ...] = ("paper", "gada")
STEPS = 20
LONGEST = 40_000  # steps of phase 1


def main() -> None:
    """Measure, train, and keep the figures."""
    parser = argparse.ArgumentParser(prog="gpu")
    parser.add_argument("--set", type=Path, default=Path("data/tid2013-r"), help="a set of `gada synthesize`")
    parser.add_argument("--seconds", type=float, default=360, help="that the training may take")
    parser.add_argument("--results", type=Path, default=Path("docs/results"))
    chosen = parser.parse_args()
    if not torch.cuda.is_available():
        sys.stdout.write("make gpu: torch finds no CUDA device here, so nothing was measured.\n")
        return
    rows = [row for preset in PRESETS for row in figures(preset, "cuda")]
    origin = {"machine": machine(), "commit": commit(), "day": date.today().isoformat()}
    write_rows(chosen.results / "gpu.jsonl", [{**row, **origin} for row in rows])
    for row in rows:
        say(**row)
    if not chosen.set.is_dir():
        sys.exit(
            f"make gpu: {chosen.set} is missing, so no split was trained; docs/distortions.md says how to make it."
        )
    taken = {row["phase"]: row["seconds"] for row in rows if row["preset"] == "paper"}
    train(chosen.set, phase_steps(taken, chosen.seconds), chosen.results / "gpu-tid2013-r.jsonl")


def figures(preset: Preset, device: str) -> Iterator[Row]:
    """Yield the seconds of each phase's step, and what in it waits for the device."""
    settings = preset_settings(preset)
    with TemporaryDirectory() as folder:
        batch = Batch(*(part.to(device) for part in photograph_batches(settings, Path(folder))[0]))
    for name, module in modules(settings).items():
        take = stepper(module.to(device), batch, in_bfloat16(settings.training, module.stage, device))
        taken, waiting = step_seconds(take, device), waits(take, device)
        found = {"seconds": taken, "crops_per_second": settings.training.batch_size / taken, "waits": waiting}
        yield {"figure": f"{preset}, {name} step", "preset": preset, "phase": name, **found}


def step_seconds(take: Take, device: str) -> float:
    """Return the seconds of a step, to the end of what it starts on the device."""
    number = count()

    def steps() -> None:
        for _ in range(STEPS):
            take(next(number))
        if device == "cuda":
            torch.cuda.synchronize()

    return seconds(steps, 3) / STEPS


def waits(take: Take, device: str) -> str:
    """Return what torch says where a step waits for the device; "" if nothing does."""
    if device != "cuda":
        return ""
    torch.cuda.set_sync_debug_mode("error")
    try:
        take(0)
    except RuntimeError as error:
        return str(error).splitlines()[0]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return ""


def phase_steps(taken: dict[str, float], budget: float) -> dict[str, int]:
    """Return the steps of the phases, 4 : 2 : 1, that fit into a budget of seconds with the baseline's 7."""
    of_four = 4 * taken["phase 1"] + 2 * taken["phase 2"] + (1 + 7) * taken["baseline and phase 3"]
    first = min(LONGEST, max(4, int(4 * budget / of_four)))
    return {"phase1_steps": first, "phase2_steps": first // 2, "phase3_steps": first // 4}


def train(images: Path, steps: dict[str, int], results: Path) -> None:
    """Train and evaluate one split with the preset `paper`, and keep its result rows."""
    with TemporaryDirectory() as folder:
        options = [f"--training.{name}={value}" for name, value in steps.items()]
        options += [f"--training.validate_every={max(1, steps['phase1_steps'] // 10)}", "--wandb=off", "--device=cuda"]
        options += [f"--data.root={images}", "--data.format=synthetic", f"--run={folder}/run"]
        subprocess.run([sys.executable, "-m", "gada", "fit", "--preset=paper", *options], check=True)
        results.write_bytes((Path(folder) / "run" / RESULTS).read_bytes())


if __name__ == "__main__":
    main()

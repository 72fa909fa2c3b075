"""`gada benchmark`: the paper's experiments on several splits, with a report that can be cited."""

from pathlib import Path
from typing import Any, Literal

from gada.settings import Settings, takes


@takes(Settings)
def benchmark(
    run: Path = Path("runs/benchmark"),
    splits: int = 10,
    jobs: int = 1,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    devices: int = 1,
    wandb: Literal["auto", "offline", "online", "off"] = "auto",
    no_images: bool = False,
    **settings: Any,
) -> None:
    """Train baseline and phases 1 to 3 from scratch on each split by reference, and report them all.

    Args:
        run: Folder that receives everything, each split in a folder of its own; a stopped benchmark resumes.
        splits: How many splits; more may be asked for later.
        jobs: Splits trained side by side, each in a process of its own, on the GPUs in turn.
        device: Where to train.
        devices: How many GPUs train one split together, each on its part of every batch.
        wandb: Weights & Biases; `auto` is online only where a key is set up. It never asks.
        no_images: Leave images of the database out of the report, so that it may be published.
        settings: As `Settings` has them: `--preset`, `--seed`, and groups of which the help names the keys.
    """
    from gada.experiments.benchmark.benchmark import run_benchmark
    from gada.metrics.statistics import stage_differences
    from gada.reports.layout import render
    from gada.reports.over_splits import differences_table, summary_table
    from gada.reports.tables import by_distortion_table
    from gada.runs.hardware import Hardware
    from gada.runs.report import provenance_of
    from gada.usage import ended

    whole = Settings(**settings)
    where = Hardware(device, devices)
    rows = run_benchmark(whole, splits, run, jobs, where, wandb, database_images=not no_images)
    plain = [row.as_plain() for row in rows]
    print(render(by_distortion_table(plain, provenance_of(row.origin for row in rows), metrics=("srocc", "lcc"))))
    print(render(summary_table(plain), "text"))
    print(render(differences_table(stage_differences(plain, whole.seed, whole.split.test)), "text"))
    ended(
        f"{run}: report.html, results.jsonl, and a folder for each split",
        f"gada score --model {run}/split-00 photos/",
    )

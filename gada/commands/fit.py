"""`gada fit`: train an evaluator."""

from pathlib import Path
from typing import Any, Literal

from gada.settings import STAGES, Settings, Stage, takes


@takes(Settings)
def fit(
    phase: Literal[1, 2, 3, "all", "baseline"] = "all",
    run: Path = Path("runs/default"),
    from_: str | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    devices: int = 1,
    wandb: Literal["auto", "offline", "online", "off"] = "auto",
    workers: int = 0,
    **settings: Any,
) -> None:
    """Train an evaluator in the paper's three phases, and the direct baseline beside it.

    Args:
        phase: 1 adversarial, 2 augmentation, 3 fine-tuning, `baseline`, or `all` four.
        run: Folder that receives everything the run leaves; a started run resumes.
        from_: Start from this checkpoint (a file, a stage's folder, a bundled one's name) instead of the phase before.
        device: Where to train.
        devices: How many GPUs train together, each on its part of every batch.
        wandb: Weights & Biases; `auto` is online only where a key is set up. It never asks.
        workers: Processes that cut training batches; 0 cuts them beside the training. The weights are the same.
        settings: As `Settings` has them: `--preset`, `--seed`, and groups of which the help names the keys.
    """
    from gada.reports.layout import render
    from gada.reports.tables import by_distortion_table
    from gada.runs.comparison import measure_test
    from gada.runs.hardware import Hardware
    from gada.runs.report import provenance_of
    from gada.runs.run import Run
    from gada.usage import ended

    stages: dict[object, list[Stage]] = {"all": list(STAGES), "baseline": ["baseline"]}
    given = Settings(**settings)
    if given.whole_images:  # which trains in one phase
        stages["all"] = ["phase3"]
    chosen = stages.get(phase) or [STAGES[int(phase)]]
    rows = Run(run, given, chosen, from_, Hardware(device, devices, workers)).train(wandb)
    plain, origin = [row.as_plain() for row in rows], provenance_of(row.origin for row in rows)
    print(render(by_distortion_table(plain, origin, metrics=("srocc", "lcc"))))
    measured = measure_test(run, rows[-1].stage)
    print(measured.describe() if measured else f"The SROCC of {rows[-1].stage} is undefined.")
    ended(
        f"{run}: report.html, results.jsonl, and for each stage its checkpoint, scores and figures",
        f"gada score --model {run} photos/",
    )

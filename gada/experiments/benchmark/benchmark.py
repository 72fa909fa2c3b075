"""The benchmark (paper, section 4.2): baseline and phases 1 to 3 from scratch on each of several splits."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gada.errors import ConfigError
from gada.experiments.benchmark.report import write_benchmark_report
from gada.experiments.benchmark.side_by_side import train_runs
from gada.io.records import RESULTS, write_rows
from gada.io.results import ResultRow
from gada.metrics.correlation import ALL
from gada.metrics.statistics import stage_differences, summary_over_splits
from gada.runs.hardware import Hardware
from gada.runs.identity import RunFolder
from gada.runs.prepared import PreparedData
from gada.runs.run import SHOWN, Run
from gada.settings import STAGES, Settings, Stage, as_plain
from gada.training.loggers import Mode, run_loggers


def run_benchmark(
    settings: Settings,
    splits: int,
    folder: Path,
    jobs: int = 1,
    hardware: Hardware | None = None,
    wandb: Mode = "off",
    database_images: bool = True,
) -> list[ResultRow]:
    """Train and evaluate all stages on each split, and write the report; finished stages are not trained again.

    Args:
        settings: of every split.
        splits: how many splits, from number 0 on.
        folder: the benchmark's folder; each split has one in it.
        jobs: how many splits are trained side by side, each in a process of its own, on the GPUs in turn.
        hardware: where one split is trained.
        wandb: how to log to Weights & Biases: a run for each split, and a summary in the same group.
        database_images: whether the report may show images of the database.

    Returns:
        The result rows, by split, stage and distortion.

    Raises:
        ConfigError: if a number is wrong, or a folder holds a run with other settings.
        DataError: if the data are missing or invalid, or two sides of a split show the same scene.
        DivergedError: if a loss is not finite.
    """
    hardware = hardware or Hardware()
    for name, value in (("splits", splits), ("jobs", jobs)):
        if value < 1:
            raise ConfigError(f"--{name} is {value} but must be at least 1.")
    if jobs > 1 and hardware.devices > 1:
        raise ConfigError(f"--jobs {jobs} and --devices {hardware.devices} exclude each other: give one of them.")
    if settings.split.upper_bound:
        raise ConfigError("split.upper_bound is true, which trains on the test references; a benchmark does not.")
    if settings.split.number:
        raise ConfigError(
            f"split.number is {settings.split.number}, but a benchmark takes the splits from 0 on; leave it out."
        )
    if (folder / "split.json").exists():
        raise ConfigError(f"{folder} holds a run of one split, as `gada fit` leaves it; choose another --run.")
    place = RunFolder(folder, settings)
    turns = hardware.each() if jobs > 1 else [hardware]
    data = PreparedData.load(settings.data, settings.split, settings.least_side, settings.sets)
    stages: Sequence[Stage] = ("phase3",) if settings.whole_images else STAGES
    runs = [
        Run(split_folder(folder, number), on_split(settings, number), stages, None, turns[number % len(turns)], data)
        for number in range(splits)
    ]  # all of them are checked before the first is trained
    place.write()
    left = [run for run in runs if run.left]
    train_runs(left, jobs, wandb, folder.name)
    rows = [row for run in runs for row in sorted(run.rows, key=lambda row: STAGES.index(row.stage))]
    write_rows(folder / RESULTS, [row.as_plain() for row in rows])
    write_benchmark_report(folder, runs, rows, database_images)
    log_summary(folder, settings, rows, wandb, finished=not left)
    return rows


def on_split(settings: Settings, number: int) -> Settings:
    """Return the same settings on another split."""
    return replace(settings, split=replace(settings.split, number=number))


def split_folder(folder: Path, number: int) -> Path:
    """Return the folder of a split inside that of its benchmark."""
    return folder / f"split-{number:02d}"


def log_summary(folder: Path, settings: Settings, rows: Sequence[ResultRow], wandb: Mode, finished: bool) -> None:
    """Log all splits together to W&B, in the group of their runs."""
    plain = [row.as_plain() for row in rows]
    name = f"{folder.name}/summary"
    with run_loggers(folder, wandb, as_plain(settings), folder.name, name, finished) as loggers:
        for logger in loggers:
            logger.keep("report", "report", [folder / "report.html", folder / "config.yaml", folder / RESULTS])
            logger.log_rows("results", plain)
            logger.log_rows("differences", stage_differences(plain, settings.seed, settings.split.test))
            for path in sorted((folder / "figures").glob("*.png")):
                logger.log_image(path.stem, [str(path)])
            for summary in summary_over_splits(row for row in plain if row["distortion"] == ALL):
                logger.summarize({f"{summary['stage']}/median_{name}": summary[name]["median"] for name in SHOWN})

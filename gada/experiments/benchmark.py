"""The benchmark (paper, section 4.2): baseline and phases 1 to 3 from scratch on each of several splits."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import active_children, connection, get_context, parent_process
from pathlib import Path
from threading import Thread

from gada.data.databases import load_database
from gada.data.splits import check_apart
from gada.errors import ConfigError
from gada.experiments.benchmark_report import write_benchmark_report
from gada.experiments.run import (
    SHOWN,
    as_yaml,
    check_folder,
    check_split,
    draw_split,
    pack,
    run_stages,
)
from gada.experiments.sources import pack_sources
from gada.experiments.stages import check_scenes, check_start, finished_stages
from gada.io.files import write_text
from gada.io.records import RESULTS, Row, read_rows, write_environment, write_rows
from gada.io.threads import available_cores
from gada.metrics.correlation import ALL
from gada.metrics.statistics import stage_differences, summary_over_splits
from gada.scoring.torch_backend import each_device
from gada.settings import STAGES, Settings, as_plain, resolve
from gada.training.dashboard import Dashboard, Mode

LOG = "log.txt"  # the progress of a split that is trained in a process of its own


@dataclass(frozen=True)
class SplitRun:
    """The training of all stages on one split, in a folder of its own."""

    settings: Settings
    folder: Path
    device: str
    devices: int
    wandb: Mode

    @property
    def finished(self) -> bool:
        """Whether nothing is left to train."""
        return finished_stages(self.folder) == set(STAGES)

    def run(self) -> None:
        """Train and evaluate what is not finished yet."""
        where = {"device": self.device, "devices": self.devices, "wandb": self.wandb}
        run_stages(self.settings, STAGES, self.folder, group=self.folder.parent.name, **where)  # type: ignore[arg-type]

    def run_aside(self) -> None:
        """Do so in a process of its own, which writes its progress to a file and ends with its parent."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOG).open("a", encoding="utf-8", buffering=1) as sys.stderr:
            self.run()


def run_benchmark(
    settings: Settings,
    splits: int,
    folder: Path,
    jobs: int = 1,
    device: str = "auto",
    devices: int = 1,
    wandb: Mode = "off",
    pictures: bool = True,
) -> list[Row]:
    """Train and evaluate all stages on each split, and write the report; finished stages are not trained again.

    Args:
        settings: of every split; unset choices come from their preset.
        splits: how many splits, from number 0 on.
        folder: the benchmark's folder; each split has one in it.
        jobs: how many splits are trained side by side, each in a process of its own.
        device: `auto`, `cpu`, `cuda` or `mps`; with several jobs and GPUs the splits take turns on them.
        devices: how many devices train one split together.
        wandb: how to log to Weights & Biases: a run for each split, and a summary in the same group.
        pictures: whether the report may show pictures of the database.

    Returns:
        The result rows, by split, stage and distortion.

    Raises:
        ConfigError: if a number is wrong, or a folder holds a run with other settings.
        DataError: if the data are missing or invalid, or a split is none: two of its sides show the same scene.
        DivergedError: if a loss is not finite.
    """
    settings = resolve(settings)
    check_numbers(settings, splits, jobs, devices)
    runs = split_runs(settings, splits, folder, device, devices, wandb, jobs)
    check_folders(folder, settings, runs)
    images = load_database(settings.data)
    check_start(STAGES, settings, images, folder, None)
    drawn = [draw_split(images, run.settings) for run in runs]
    packed, hashes = pack(images, settings)
    left = [run for run in runs if not run.finished]
    sources = pack_sources(settings) if left else None
    for run, split in zip(runs, drawn, strict=True):  # all of them before the first is trained
        check_split(run.folder, split)
        check_apart(split, hashes)
        if sources:
            check_scenes(sources.name, sources.hashes, split, hashes)
    write_text(folder / "config.yaml", as_yaml(settings))
    write_environment(folder / "env.json", packed.fingerprint, images.scores_hash)
    train_splits(left, jobs)
    rows = merged(runs)
    write_rows(folder / RESULTS, rows)
    write_benchmark_report(folder, images, packed, drawn, rows, pictures)
    log_summary(folder, settings, rows, wandb)
    return rows


def check_numbers(settings: Settings, splits: int, jobs: int, devices: int) -> None:
    """Refuse counts below one, and a split number, for the benchmark takes all of them in turn."""
    for name, value in (("splits", splits), ("jobs", jobs), ("devices", devices)):
        if value < 1:
            raise ConfigError(f"--{name} is {value} but must be at least 1.")
    if jobs > 1 and devices > 1:
        raise ConfigError(f"--jobs {jobs} and --devices {devices} exclude each other: give one of them.")
    if settings.split.upper_bound:
        raise ConfigError("split.upper_bound is true, which trains on the test references; a benchmark does not.")
    if settings.split.number:
        raise ConfigError(
            f"split.number is {settings.split.number}, but a benchmark takes the splits from 0 on; leave it out."
        )


def split_runs(
    settings: Settings, splits: int, folder: Path, device: str, devices: int, wandb: Mode, jobs: int
) -> list[SplitRun]:
    """Return the run of each split; side by side they take turns on the GPUs."""
    turns = each_device(device) if jobs > 1 else [device]
    return [
        SplitRun(
            replace(settings, split=replace(settings.split, number=number)),
            split_folder(folder, number),
            turns[number % len(turns)],
            devices,
            wandb,
        )
        for number in range(splits)
    ]


def split_folder(folder: Path, number: int) -> Path:
    """Return the folder of a split inside that of its benchmark."""
    return folder / f"split-{number:02d}"


def check_folders(folder: Path, settings: Settings, runs: Sequence[SplitRun]) -> None:
    """Refuse a folder of a single run, and folders with other settings."""
    if (folder / "split.json").exists():
        raise ConfigError(f"{folder} holds a run of one split, as `gada fit` leaves it; choose another --run.")
    check_folder(folder, settings)
    for run in runs:
        check_folder(run.folder, run.settings)


def merged(runs: Sequence[SplitRun]) -> list[Row]:
    """Return the rows of all splits in a fixed order, however they came to be."""
    return [
        row
        for run in runs
        for row in sorted(read_rows(run.folder / RESULTS), key=lambda row: STAGES.index(row["stage"]))
    ]


def train_splits(runs: Sequence[SplitRun], jobs: int) -> None:
    """Train splits one after another, or several side by side."""
    if jobs > 1 and len(runs) > 1:
        train_side_by_side(runs, min(jobs, len(runs)))
        return
    for number, run in enumerate(runs, start=1):
        say(f"{run.folder.name} ({number} of {len(runs)} to train)")
        run.run()


def train_side_by_side(runs: Sequence[SplitRun], jobs: int) -> None:
    """Train splits in processes; when one fails or the user stops, all stop, and the same command goes on."""
    say(f"{len(runs)} splits to train, {jobs} side by side; their progress is in {LOG} of each split's folder")
    context = get_context("spawn")
    with (
        shared_cores(jobs),
        ProcessPoolExecutor(jobs, context, initializer=end_with_parent, max_tasks_per_child=1) as pool,
    ):
        try:
            waiting = {pool.submit(run.run_aside): run for run in runs}
            for number, future in enumerate(as_completed(waiting), start=1):
                future.result()
                say(f"{waiting[future].folder.name} is done ({number} of {len(runs)})")
        except BrokenProcessPool as error:
            raise ConfigError(
                f"one of {jobs} processes was killed, perhaps because memory ran out; the same command goes on, with "
                "fewer --jobs if it did."
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in active_children():  # every file is written whole or not at all
                child.kill()
            raise


def end_with_parent() -> None:
    """Leave Ctrl-C to the parent process, and end when it ends, whatever ended it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=lambda: (connection.wait([parent.sentinel]), os._exit(1)), daemon=True).start()


@contextmanager
def shared_cores(jobs: int) -> Iterator[None]:
    """Let each new process compute with its share of the cores, unless the user has said with how many threads."""
    name, before = "OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS")
    os.environ.setdefault(name, str(max(1, available_cores() // jobs)))
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]


def log_summary(folder: Path, settings: Settings, rows: list[Row], wandb: Mode) -> None:
    """Show the dashboard what all splits say together, in the group of their runs."""
    dashboard = Dashboard(folder, wandb, as_plain(settings), folder.name, f"{folder.name}/summary")
    try:
        dashboard.table("results", rows)
        dashboard.table("differences", stage_differences(rows, settings.seed))
        for path in sorted((folder / "figures").glob("*.png")):
            dashboard.image(path.stem, path)
        for summary in summary_over_splits(row for row in rows if row["distortion"] == ALL):
            dashboard.figures({f"{summary['stage']}/median_{name}": summary[name]["median"] for name in SHOWN})
    finally:
        dashboard.close()


def say(text: str) -> None:
    """Write a line of progress to standard error."""
    sys.stderr.write(text + "\n")

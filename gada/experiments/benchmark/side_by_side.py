"""Runs trained one after another, or side by side in processes of their own."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, connection, get_context, parent_process
from threading import Thread

from gada.errors import ConfigError
from gada.io.threads import available_cores
from gada.runs.run import Run
from gada.training.loggers import Mode

LOG = "log.txt"  # the progress of a run that is trained in a process of its own


def train_runs(runs: Sequence[Run], jobs: int, wandb: Mode, group: str) -> None:
    """Train runs one after another, or several side by side."""
    if jobs > 1 and len(runs) > 1:
        train_side_by_side(runs, min(jobs, len(runs)), wandb, group)
        return
    for number, run in enumerate(runs, start=1):
        say(f"{run.folder.name} ({number} of {len(runs)} to train)")
        run.train(wandb, group)


def train_side_by_side(runs: Sequence[Run], jobs: int, wandb: Mode, group: str) -> None:
    """Train runs in processes; when one fails or the user stops, all stop, and the same command resumes."""
    say(f"{len(runs)} splits to train, {jobs} side by side; their progress is in {LOG} of each split's folder")
    context = get_context("spawn")
    with (
        shared_cores(jobs),
        ProcessPoolExecutor(jobs, context, initializer=end_with_parent, max_tasks_per_child=1) as pool,
    ):
        try:
            waiting = {pool.submit(train_aside, run, wandb, group): run for run in runs}
            for number, future in enumerate(as_completed(waiting), start=1):
                future.result()
                say(f"{waiting[future].folder.name} is done ({number} of {len(runs)})")
        except BrokenProcessPool as error:
            raise ConfigError(
                f"one of {jobs} processes was killed, perhaps because memory ran out; the same command resumes, with "
                "fewer --jobs if it did."
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in active_children():  # every file is written whole or not at all
                child.kill()
            raise


def train_aside(run: Run, wandb: Mode, group: str) -> None:
    """Train a run in a process of its own, which writes its progress to a file and ends with its parent."""
    run.folder.mkdir(parents=True, exist_ok=True)
    with (run.folder / LOG).open("a", encoding="utf-8", buffering=1) as sys.stderr:
        run.train(wandb, group)


def end_with_parent() -> None:
    """Leave Ctrl-C to the parent process, and end when it ends, whatever ended it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=lambda: (connection.wait([parent.sentinel]), os._exit(1)), daemon=True).start()


@contextmanager
def shared_cores(jobs: int) -> Iterator[None]:
    """Let each new process compute with its part of the cores, unless the user has said with how many threads."""
    name, before = "OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS")
    os.environ.setdefault(name, str(max(1, available_cores() // jobs)))
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]


def say(text: str) -> None:
    """Write a line of progress to standard error."""
    sys.stderr.write(text + "\n")

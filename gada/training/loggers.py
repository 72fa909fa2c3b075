"""Lightning's `WandbLogger` without questions and waits: what it logs lies in the run's folder."""

import netrc
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial, wraps
from pathlib import Path
from threading import Thread
from typing import Any, Concatenate, Literal, ParamSpec
from urllib.parse import urlsplit

from pytorch_lightning.loggers import WandbLogger

Mode = Literal["auto", "offline", "online", "off"]
ANSWERS_WITHIN = 3.0  # seconds
STARTS_WITHIN = 5.0  # seconds that an online start may take
Arguments = ParamSpec("Arguments")


def or_give_up(method: Callable[Concatenate[Any, Arguments], None]) -> Callable[Concatenate[Any, Arguments], None]:
    """Return a method that, when W&B fails (its disk is full, say), ends the logging and not the training."""

    @wraps(method)
    def guarded(self: "RunLogger", /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        if self.whole.failed:
            return
        try:
            method(self, *args, **kwargs)
        except Exception as error:  # any error of wandb's own kinds
            self.whole.failed = True
            sys.stderr.write(f"wandb failed ({type(error).__name__}: {error}); the rest of this run is not logged.\n")

    return guarded


class RunLogger(WandbLogger):
    """Logs to one W&B run, under the name of a stage or of the run as a whole.

    Args:
        run: what `wandb.init` gave.
        stage: prefix of all names, as in `phase1/val_srocc`; "" is none.
        whole: the logger of the same run that has no prefix.
    """

    LOGGER_JOIN_CHAR = "/"

    def __init__(self, run: Any, stage: str = "", whole: "RunLogger | None" = None) -> None:
        super().__init__(experiment=run, prefix=stage)
        self.whole = whole or self
        self.failed = False

    def __getstate__(self) -> dict[str, Any]:
        """Return what a process of another device needs to log to the same run."""
        return self.__dict__ | {"_experiment": None} if self.whole.failed else super().__getstate__()

    def of(self, stage: str) -> "RunLogger":
        """Return the logger of one stage of this run."""
        return RunLogger(self.experiment, stage, self)

    log_metrics = or_give_up(WandbLogger.log_metrics)
    log_image = or_give_up(WandbLogger.log_image)  # type: ignore[arg-type]  # for its **kwargs might name a "self"
    log_table = or_give_up(WandbLogger.log_table)

    def log_rows(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Log result rows as a table."""
        columns = list(dict.fromkeys(key for row in rows for key in row))
        self.log_table(name, columns, [[row.get(key) for key in columns] for row in rows])

    @or_give_up
    def summarize(self, values: Mapping[str, Any]) -> None:
        """Set the metrics that stand for the run."""
        self.experiment.summary.update(dict(values))

    @or_give_up
    def close(self) -> None:
        """End the run."""
        self.experiment.finish()


@contextmanager
def run_loggers(
    folder: Path, mode: Mode, config: Mapping[str, Any], group: str = "", name: str = ""
) -> Iterator[list[RunLogger]]:
    """Open the loggers of a run, for Lightning's `Trainer(logger=...)` and for figures and tables of one's own.

    Args:
        folder: of the run; everything is kept there.
        mode: whether and how to log; `off` gives no loggers.
        config: the run's settings, as plain values.
        group: joins runs, such as the splits of one benchmark; "" is none.
        name: of the run; by default the folder's.

    Yields:
        One `RunLogger`, or none.
    """
    run = start(folder, mode, config, group, name)
    loggers = [RunLogger(run)] if run else []
    try:
        yield loggers
    finally:
        for logger in loggers:
            logger.close()


def log_results(
    folder: Path, mode: Mode, config: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], figures: Sequence[Path] = ()
) -> None:
    """Log the result rows of what is no training, and its figures, as a W&B run of their own.

    Args:
        folder: of the run.
        mode: whether and how to log.
        config: what was asked for.
        rows: the result rows, as the table `results`; lists and mappings in them are left out.
        figures: PNG files, under their names.
    """
    plain = [{key: value for key, value in row.items() if not isinstance(value, list | dict)} for row in rows]
    with run_loggers(folder, mode, config) as loggers:
        for logger in loggers:
            logger.log_rows("results", plain)
            for figure in figures:
                logger.log_image(figure.stem, [str(figure)])


def start(folder: Path, mode: Mode, config: Mapping[str, Any], group: str, name: str) -> Any:
    """Start a W&B run, offline where the service refuses; return it, or None where nothing is to be logged."""
    chosen = online_or_offline(mode)
    if chosen == "off":
        return None
    folder.mkdir(parents=True, exist_ok=True)
    for place in ("WANDB_DIR", "WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_ARTIFACT_DIR"):
        os.environ[place] = str(folder.resolve())  # wandb would use the home folder
    os.environ["WANDB_SILENT"] = "true"
    import wandb

    settings = wandb.Settings(init_timeout=STARTS_WITHIN, console="off", x_disable_stats=True)
    begin = partial(wandb.init, project="gada", name=name or folder.name, group=group or None)
    begin = partial(begin, dir=str(folder), config=dict(config), settings=settings)
    for attempt in dict.fromkeys((chosen, "offline")):
        try:
            run = begin(mode=attempt)
            run.define_metric("*", step_metric="trainer/global_step")  # the axis that Lightning logs
        except Exception as error:  # no network, a refused key, a full disk: any error of wandb's own kinds
            sys.stderr.write(f"wandb could not go {attempt} ({type(error).__name__}).\n")
        else:
            return run
    return None


def online_or_offline(mode: Mode) -> Literal["online", "offline", "off"]:
    """Return how to log: `auto` is online only where a key is set up and the service answers within 3 seconds."""
    if mode in ("off", "offline"):
        return "off" if mode == "off" else "offline"
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
    if not has_key(host):
        if mode == "online":
            sys.stderr.write("wandb has no key (WANDB_API_KEY or `wandb login`); this run is logged offline.\n")
        return "offline"
    if not reachable(host):
        sys.stderr.write(f"wandb cannot reach {host}; this run is logged offline.\n")
        return "offline"
    return "online"


def reachable(host: str) -> bool:
    """Return whether a host answers in time; the look-up of its name, which has no time-out, is left in a thread."""
    answers: list[bool] = []

    def connect() -> None:
        with suppress(OSError):
            socket.create_connection((host, 443), timeout=ANSWERS_WITHIN).close()
            answers.append(True)

    thread = Thread(target=connect, daemon=True)
    thread.start()
    thread.join(ANSWERS_WITHIN)
    return bool(answers)


def has_key(host: str) -> bool:
    """Return whether a W&B key is set up for a host."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        return netrc.netrc().authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False

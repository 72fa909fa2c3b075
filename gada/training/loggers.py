"""Lightning's `WandbLogger` without questions and waits: what it logs lies in the run's folder."""

import json
import netrc
import os
import re
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

from gada.io.files import write_json

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

    def __init__(self, run: Any, stage: str = "", whole: "RunLogger | None" = None, before: int = 0) -> None:
        super().__init__(experiment=run, prefix=stage)
        self.whole, self.before = whole or self, before
        self.failed = False

    def __getstate__(self) -> dict[str, Any]:
        """Return what a process of another device needs to log to the same run."""
        return self.__dict__ | {"_experiment": None} if self.whole.failed else super().__getstate__()

    def of(self, stage: str, before: int = 0) -> "RunLogger":
        """Return the logger of one stage of this run, before which so many steps were trained."""
        return RunLogger(self.experiment, stage, self, before)

    @or_give_up
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log metrics at a step, counted over the stages that build on each other, so that their curves compare."""
        super().log_metrics(metrics, None if step is None else self.before + step)

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
    def keep(self, name: str, kind: str, files: Sequence[Path]) -> None:
        """Keep files of the run's folder as an artifact; they are not copied."""
        import wandb

        artifact = wandb.Artifact(re.sub(r"[^\w.-]", "-", f"{name}-{self.experiment.id}"), kind)
        common = Path(os.path.commonpath([file.parent for file in files]))
        for file in files:
            artifact.add_file(str(file), file.relative_to(common).as_posix(), policy="immutable")
        self.experiment.log_artifact(artifact)

    @or_give_up
    def close(self, failed: bool = False) -> None:
        """End the run."""
        self.experiment.finish(exit_code=int(failed))


@contextmanager
def run_loggers(
    folder: Path, mode: Mode, config: Mapping[str, Any], group: str = "", name: str = "", finished: bool = False
) -> Iterator[list[RunLogger]]:
    """Open the loggers of a run, for Lightning's `Trainer(logger=...)` and for figures and tables of one's own.

    A folder has one W&B run, whose id `wandb.json` keeps: a resumed run continues it.

    Args:
        folder: of the run; everything is kept there.
        mode: whether and how to log; `off` gives no loggers.
        config: the run's settings, as plain values.
        group: joins runs, such as the splits of one benchmark; "" is none.
        name: of the run; by default the folder's.
        finished: whether nothing is left to train; then nothing is logged, unless an earlier call was stopped.

    Yields:
        One `RunLogger`, or none.
    """
    noted = folder / "wandb.json"
    before = json.loads(noted.read_text(encoding="utf-8")) if noted.is_file() else {}
    done = finished and before.get("complete", True)
    run = None if done else start(folder, mode, config, group, name, before.get("id"))
    loggers = [RunLogger(run)] if run else []
    if run:
        write_json(noted, {"id": run.id, "complete": False})
    try:
        yield loggers
    except BaseException:
        for logger in loggers:
            logger.close(failed=True)
        raise
    if run:
        loggers[0].close()
        write_json(noted, {"id": run.id, "complete": True})


def log_results(
    folder: Path,
    mode: Mode,
    config: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    figures: Sequence[Path] = (),
    report: Sequence[Path] = (),
    before: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Log the result rows, and the figures, of a verb that trains nothing as a W&B run of their own.

    Args:
        folder: of the run.
        mode: whether and how to log.
        config: what was asked for.
        rows: the result rows, as the table `results`; lists and mappings in them are left out.
        figures: PNG files, under their names.
        report: files that are kept as an artifact.
        before: rows of the last time; where they are the same, nothing is logged again.
    """
    plain = [{key: value for key, value in row.items() if not isinstance(value, list | dict)} for row in rows]
    with run_loggers(folder, mode, config, finished=list(before) == list(rows)) as loggers:
        for logger in loggers:
            logger.log_rows("results", plain)
            for figure in figures:
                logger.log_image(figure.stem, [str(figure)])
            if report:
                logger.keep("report", "report", report)


def start(
    folder: Path, mode: Mode, config: Mapping[str, Any], group: str, name: str, identity: str | None = None
) -> Any:
    """Start a W&B run, or resume that of an id, offline where the service refuses; None where nothing is logged."""
    chosen = online_or_offline(mode)
    if chosen == "off":
        return None
    folder.mkdir(parents=True, exist_ok=True)
    for place in ("WANDB_DIR", "WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_ARTIFACT_DIR"):
        os.environ[place] = str(folder.resolve())  # wandb would use the home folder
    os.environ["WANDB_SILENT"] = "true"
    import wandb

    settings = wandb.Settings(init_timeout=STARTS_WITHIN, console="off")
    project, entity = os.environ.get("WANDB_PROJECT", "gada"), os.environ.get("WANDB_ENTITY")
    begin = partial(wandb.init, project=project, entity=entity, name=name or folder.name, group=group or None)
    begin = partial(begin, dir=str(folder), config=dict(config), settings=settings)
    for attempt in dict.fromkeys((chosen, "offline")):
        try:
            run = begin(mode=attempt, id=identity, resume=None if attempt == "offline" else "allow")
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

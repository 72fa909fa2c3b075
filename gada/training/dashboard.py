"""Weights & Biases, without ever asking or waiting: what is logged lies in the run's folder."""

import netrc
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, Literal
from urllib.parse import urlsplit

Mode = Literal["auto", "offline", "online", "off"]
ANSWERS_WITHIN = 3.0  # seconds
STARTS_WITHIN = 5.0  # seconds that an online start may take


class Dashboard:
    """One W&B run for all the stages of a run; with mode `off` it does nothing.

    Args:
        folder: of the run; everything is kept there.
        mode: whether and how to log.
        config: the run's settings.
        group: joins the splits of one benchmark and its summary; "" is none.
        name: of the run; by default the folder's.
    """

    def __init__(self, folder: Path, mode: Mode, config: Mapping[str, Any], group: str = "", name: str = "") -> None:
        self.run: Any = None
        chosen = online_or_offline(mode)
        if chosen == "off":
            return
        folder.mkdir(parents=True, exist_ok=True)
        for place in ("WANDB_DIR", "WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_ARTIFACT_DIR"):
            os.environ[place] = str(folder.resolve())  # wandb would use the home folder
        os.environ["WANDB_SILENT"] = "true"
        import wandb

        settings = wandb.Settings(init_timeout=STARTS_WITHIN, console="off", x_disable_stats=True)
        start = partial(wandb.init, project="gada", name=name or folder.name, group=group or None)
        start = partial(start, dir=str(folder), config=dict(config), settings=settings)
        try:
            self.run = start(mode=chosen)
        except Exception as error:  # no network or a refused key: any error of wandb's own kinds
            sys.stderr.write(f"wandb could not go {chosen} ({type(error).__name__}); this run is logged offline.\n")
            with self.unharmed():
                self.run = start(mode="offline")

    @contextmanager
    def unharmed(self) -> Iterator[None]:
        """Leave a dashboard that fails (its disk is full, say) behind, so that the training goes on."""
        try:
            yield
        except Exception as error:  # any error of wandb's own kinds
            self.run = None
            sys.stderr.write(f"wandb failed ({type(error).__name__}: {error}); this run is logged there no more.\n")

    def __getstate__(self) -> dict[str, Any]:
        """Leave the run in this process: those of several devices log nothing."""
        return {"run": None}

    def log(self, stage: str, step: int, values: Mapping[str, Any]) -> None:
        """Log figures of a stage, with the stage's own step as their axis."""
        if not self.run:
            return
        with self.unharmed():
            self.run.define_metric(f"{stage}/*", step_metric=f"{stage}/step")
            self.run.log({f"{stage}/step": step, **{f"{stage}/{name}": value for name, value in values.items()}})

    def image(self, name: str, path: Path) -> None:
        """Log a picture."""
        if not self.run:
            return
        with self.unharmed():
            import wandb

            self.run.log({name: wandb.Image(str(path))})

    def table(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Log rows as a table."""
        if not self.run or not rows:
            return
        with self.unharmed():
            import wandb

            columns: list[str | int] = list(dict.fromkeys(key for row in rows for key in row))
            self.run.log(
                {name: wandb.Table(columns=columns, data=[[row.get(str(key)) for key in columns] for row in rows])}
            )

    def figures(self, values: Mapping[str, Any]) -> None:
        """Set the figures that stand for the run."""
        if not self.run:
            return
        with self.unharmed():
            self.run.summary.update(dict(values))

    def close(self) -> None:
        """End the run."""
        if not self.run:
            return
        with self.unharmed():
            self.run.finish()
        self.run = None


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
    """Return whether a host answers in time; the look-up of its name, which knows no time-out, is left in a thread."""
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

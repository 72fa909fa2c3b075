"""What happens around a training: progress, the metrics file, the kept checkpoints, sample grids."""

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint, RichProgressBar
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor

from gada.io.files import write_bytes, write_text
from gada.io.records import metrics_csv
from gada.training.data import Steps
from gada.training.evaluator import UNDEFINED
from gada.training.guard import SkipBadBatches

Metrics = dict[str, float]
TIMED, TIMED_SECONDS = 5, 3.0  # the fewest steps that are timed, and the shortest time
LONG, TOO_LONG = 60.0, 1200.0  # seconds from which a forecast is given, and ways to a cheaper training


class KeepMetrics(Callback):
    """Writes what was logged to `metrics.csv`, one row at the end of each Lightning epoch.

    Lightning's `CSVLogger` deletes the file when a stopped run resumes, and a kill can leave half a row in it; here the
    rows travel with the checkpoint, and the file is written whole or not at all.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[Metrics] = []

    @rank_zero_only
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add the row of this epoch."""
        self.rows.append({"step": float(steps_done(trainer)), **plain_metrics(trainer)})
        write_text(self.path, metrics_csv(self.rows))

    def state_dict(self) -> dict[str, Any]:
        """Return the rows, which travel with the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the rows of a resumed run."""
        self.rows = state_dict["rows"]


class KeepBest(Callback):
    """Saves the network with the highest validation SROCC; while that is undefined, the newest.

    Lightning's `ModelCheckpoint(monitor=...)` would keep the whole state of the trainer, not the network with its card
    in safetensors that scoring and the next phase read.

    Args:
        save: writes it.
        newest: whether to save the newest, whatever its SROCC.
    """

    def __init__(self, save: Callable[[], None], newest: bool = False) -> None:
        self.save, self.newest = save, newest
        self.best = -math.inf
        self.metrics: Metrics = {}

    @rank_zero_only
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save if this validation was the best so far, or the newest is kept."""
        metrics = plain_metrics(trainer)
        value = metrics.get("val_srocc", UNDEFINED)
        if self.newest or value > self.best or self.best <= UNDEFINED:
            self.best = value
            validation = {name: metric for name, metric in metrics.items() if name.startswith("val_")}
            self.metrics = {**validation, "step": float(steps_done(trainer))}
            self.save()

    def state_dict(self) -> dict[str, Any]:
        """Return the best SROCC so far, and what was measured with it."""
        return {"best": self.best, "metrics": self.metrics}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the best SROCC of a resumed run."""
        self.best, self.metrics = state_dict["best"], state_dict.get("metrics", {})


class TellCost(Callback):
    """Times the first steps of a training, and says on standard error what all of them will take, if that is long.

    Args:
        name: of the training.
        steps: how many it takes.
        of: what a step and the network are, in words.
        cheaper: what to do if that is too long.
    """

    def __init__(self, name: str, steps: int, of: str, cheaper: str) -> None:
        self.name, self.steps, self.of, self.cheaper = name, steps, of, cheaper
        self.started, self.first, self.told = 0.0, 0, False

    @rank_zero_only
    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Begin to time after the first step, and tell when enough steps are timed."""
        done = steps_done(trainer) + 1  # Lightning counts this one later
        if not self.started:
            self.started, self.first = time.monotonic(), done
        seconds = time.monotonic() - self.started
        if self.told or done < self.first + TIMED or seconds < TIMED_SECONDS:
            return
        self.told = True
        each = seconds / (done - self.first)
        left = each * (self.steps - done)
        if left > LONG:
            hint = f" {self.cheaper}" if left > TOO_LONG else ""
            sys.stderr.write(
                f"{self.name}: {self.steps} steps of {self.of}; about {duration(left)} left at {each:.2g} s a step, "
                f"and validations.{hint}\n"
            )


def duration(seconds: float) -> str:
    """Return a time in minutes, or in hours and minutes."""
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


class LogStepTime(Callback):
    """Logs the mean seconds of a training step in each epoch; to the loggers alone, for it never repeats.

    An epoch ends with a validation, which is not timed.

    Lightning's `DeviceStatsMonitor` and profilers log the device or each hook, and no time of a step.
    """

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note the time."""
        self.started, self.taken, self.before = time.monotonic(), 0.0, steps_done(trainer)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        """Note how long this epoch's steps have taken."""
        self.taken = time.monotonic() - self.started

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log the mean time of its steps."""
        done = steps_done(trainer)
        seconds = self.taken / max(1, done - self.before)
        for logger in trainer.loggers:
            logger.log_metrics({"step_seconds": seconds}, step=done - 1)


class KeepLast(ModelCheckpoint):
    """Keeps the newest good state in `last.ckpt`, written by `Checkpoints`; one in a row of bad batches is not good.

    Lightning must be told two things of the steps: on a resume it fetches the first batch before it tells the sampler
    the epoch; and it keeps the length of the first stretch, so that a shorter last one would not be validated.
    """

    def __init__(self, folder: Path, steps: Steps, guard: SkipBadBatches | None = None) -> None:
        super().__init__(folder, "last", save_on_train_epoch_end=True, enable_version_counter=False)
        self.steps = steps
        self.guard = guard

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Validate at the end of this stretch."""
        trainer.val_check_batch = len(self.steps)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the checkpoint."""
        if self.guard is None or not self.guard.in_a_row:
            super().on_train_epoch_end(trainer, pl_module)

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Go on with the stretch after the last whole one."""
        self.steps.set_epoch(checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: Lightning would keep the folder's path, and warn when a run that was moved is resumed."""
        return {}


class ShowSamples(Callback):
    """Draws a grid of reference, real and generated crops at each validation."""

    def __init__(self, folder: Path, draw: Callable[[], bytes], every: int) -> None:
        self.folder = folder
        self.draw = draw
        self.every = every

    @rank_zero_only
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the image, and log it."""
        step = (trainer.current_epoch + 1) * self.every
        path = self.folder / f"step_{step:06d}.png"
        write_bytes(path, self.draw())
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image("samples", [str(path)])


class ProgressBar(RichProgressBar):
    """Lightning's bar on standard error, with the name of the training before it."""

    def __init__(self, name: str) -> None:
        super().__init__(console_kwargs={"stderr": True})
        self.training = name

    def configure_columns(self, trainer: Trainer) -> list[Any]:
        """Return the bar's columns."""
        from rich.progress import TextColumn

        return [TextColumn(self.training), *super().configure_columns(trainer)]

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """Return what stands behind the bar, without the identity of the W&B run."""
        return {name: value for name, value in super().get_metrics(trainer, pl_module).items() if name != "v_num"}


class ProgressLines(Callback):
    """Writes one line at the end of each Lightning epoch to standard error, where a bar would fill a log file."""

    def __init__(self, name: str, steps: int) -> None:
        self.name = name
        self.steps = steps
        self.started = time.monotonic()

    @rank_zero_only
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the line."""
        shown = reversed([one for one in plain_metrics(trainer).items() if one[0].startswith(("val_", "loss"))])
        metrics = " ".join(f"{name} {value:.3f}" for name, value in shown)
        seconds = time.monotonic() - self.started
        sys.stderr.write(f"{self.name} {steps_done(trainer)}/{self.steps} {seconds:.0f} s {metrics}\n")


def progress(name: str, steps: int) -> Callback:
    """Return a bar on a terminal, lines elsewhere."""
    return ProgressBar(name) if sys.stderr.isatty() else ProgressLines(name, steps)


def steps_done(trainer: Trainer) -> int:
    """Return how many batches were trained on, also before a resume; `global_step` counts each player's steps."""
    return trainer.fit_loop.epoch_loop.batch_progress.total.completed


def plain_metrics(trainer: Trainer) -> Metrics:
    """Return the logged metrics as plain numbers."""
    return {name: float(value) for name, value in trainer.callback_metrics.items() if isinstance(value, Tensor)}

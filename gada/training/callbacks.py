"""What happens around a training: progress, the metrics file, the kept checkpoints, sample grids."""

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import WandbLogger
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor

from gada.io.files import write_bytes, write_text
from gada.io.records import metrics_csv
from gada.training.evaluator import UNDEFINED
from gada.training.guard import SkipBadBatches
from gada.training.steps import Steps

Metrics = dict[str, float]


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
        step = trainer.fit_loop.epoch_loop.batch_progress.total.completed
        self.rows.append({"step": float(step), **plain_metrics(trainer)})
        write_text(self.path, metrics_csv(self.rows))

    def state_dict(self) -> dict[str, Any]:
        """Return the rows, which travel with the checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the rows of a resumed run."""
        self.rows = state_dict["rows"]


class KeepBest(Callback):
    """Keeps what has the highest validation SROCC; while that is undefined, the newest."""

    def __init__(self, save: Callable[[], None]) -> None:
        self.save = save
        self.best = -math.inf

    @rank_zero_only
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save if this validation was the best so far, or there was none."""
        value = plain_metrics(trainer)["val_srocc"]
        if value > self.best or self.best <= UNDEFINED:
            self.best = value
            self.save()

    def state_dict(self) -> dict[str, Any]:
        """Return the best figure so far."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the best figure of a resumed run."""
        self.best = state_dict["best"]


class KeepLast(Callback):
    """Keeps the newest good state in `last.ckpt` and takes it up again; one in a row of bad batches is not good.

    Lightning must be told two things of the steps: on a resume it fetches the first batch before it tells the sampler
    the epoch; and it keeps the length of the first stretch, so that a shorter last one would not be validated.
    """

    def __init__(self, path: Path, steps: Steps, guard: SkipBadBatches) -> None:
        self.path = path
        self.steps = steps
        self.guard = guard

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Validate at the end of this stretch."""
        trainer.val_check_batch = len(self.steps)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the checkpoint; see `Checkpoints`."""
        if not self.guard.in_a_row:
            trainer.save_checkpoint(self.path)

    def on_load_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Go on with the stretch after the last whole one."""
        self.steps.set_epoch(checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])


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


class ShowProgress(Callback):
    """Shows a bar on a terminal and one line for each validation elsewhere, on standard error."""

    def __init__(self, stage: str, steps: int, every: int) -> None:
        self.stage = stage
        self.steps = steps
        self.every = every
        self.best = -math.inf
        self.shown: Any = None
        self.began = 0.0

    @rank_zero_only
    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Open the bar."""
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.began = time.monotonic()
        console = Console(stderr=True)
        if not console.is_terminal:
            return
        columns = [TextColumn("{task.description:9}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn()]
        self.shown = Progress(*columns, TimeRemainingColumn(), TextColumn("{task.fields[figures]}"), console=console)
        done = trainer.current_epoch * self.every
        self.shown.add_task(self.stage, total=self.steps, completed=done, figures="")
        self.shown.start()

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Advance the bar."""
        if self.shown:
            self.shown.advance(self.shown.task_ids[0])

    @rank_zero_only
    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the figures of the last validation."""
        metrics = plain_metrics(trainer)
        self.best = max(self.best, metrics["val_srocc"])
        losses = " ".join(
            f"{name.removeprefix('loss_')} {value:.3f}" for name, value in metrics.items() if "loss" in name
        )
        figures = f"val SROCC {metrics['val_srocc']:.3f} (best {self.best:.3f})"
        if self.shown:
            self.shown.update(self.shown.task_ids[0], figures=figures)
        else:
            step = min((trainer.current_epoch + 1) * self.every, self.steps)
            seconds = time.monotonic() - self.began
            sys.stderr.write(f"{self.stage} {step}/{self.steps} {seconds:.0f} s {figures} {losses}\n")

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Close the bar."""
        if self.shown:
            self.shown.stop()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Close the bar."""
        self.teardown(trainer, pl_module, "fit")


def plain_metrics(trainer: Trainer) -> Metrics:
    """Return the logged figures as plain numbers."""
    return {name: float(value) for name, value in trainer.callback_metrics.items() if isinstance(value, Tensor)}

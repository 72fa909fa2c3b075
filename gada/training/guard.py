"""Bad batches are skipped and counted, and a training that diverges returns to its last checkpoint."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from gada.data.batches import Batch
from gada.errors import DivergedError
from gada.io.files import write_text
from gada.io.records import as_csv
from gada.training.checkpoints import check_finite
from gada.training.evaluator import EvaluatorTraining

IN_A_ROW = 3  # bad batches after which the training returns
RETURNS = 3  # to the last checkpoint, each at half the learning rate
LATER = 50  # batches after which their flags are read from a GPU
NAMED = 5  # images in a message; all stand in skipped.csv


class DivergingError(ArithmeticError):
    """Several batches in a row had losses or gradients that were not finite."""


class SkipBadBatches(Callback):
    """Undoes what a bad batch did, counts it, and raises when there are too many.

    Lightning would train on it in silence (manual optimisation) or stop (`Trainer(detect_anomaly=True)`). The optimiser
    itself skips the step (`EvaluatorTraining.descend`); what is left to undo are the statistics of normalisation, which
    the forward pass moved. The flags of a GPU are read later, since reading one waits for its batch.

    Args:
        path: the CSV file that names the images of each skipped batch.
        stage: name of the stage.
        files_of: returns the images of a step.
    """

    def __init__(self, path: Path, stage: str, files_of: Callable[[int], Sequence[str]]) -> None:
        self.path = path
        self.stage = stage
        self.files_of = files_of
        self.skipped: list[int] = []
        self.in_a_row = 0
        self.returns = 0
        self.halved = 0
        self.buffers: list[Tensor] = []
        self.unseen: list[tuple[int, Tensor]] = []  # steps and their flags, 1 where bad, not read yet

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Halve the learning rates once for each return that the checkpoint does not know of."""
        for optimizer in trainer.optimizers:
            for group in optimizer.param_groups:
                group["initial_lr"] *= 0.5 ** (self.returns - self.halved)
        self.halved = self.returns

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Batch, batch_idx: int) -> None:
        """Keep the statistics."""
        self.buffers = [buffer.clone() for buffer in pl_module.buffers()]

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        """Undo a bad batch, and count what was bad when it is time."""
        assert isinstance(pl_module, EvaluatorTraining)  # noqa: S101  # for the type checker
        for buffer, before in zip(pl_module.buffers(), self.buffers, strict=True):
            buffer.copy_(torch.where(pl_module.bad > 0, before, buffer))
        self.unseen.append((pl_module.step_number(batch_idx), pl_module.bad))
        if pl_module.device.type == "cpu" or len(self.unseen) == LATER:
            self.look()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Raise before anything is kept that is not finite."""
        self.look()
        check_finite(pl_module.state_dict())

    def look(self) -> None:
        """Count the bad ones of the batches since the last look.

        Raises:
            DivergingError: if three in a row were bad.
        """
        unseen, self.unseen = self.unseen, []
        flags = torch.stack([bad for _, bad in unseen]).tolist() if unseen else []
        for (step, _), bad in zip(unseen, flags, strict=True):
            if bad:
                self.count(step)
            else:
                self.in_a_row = 0

    def count(self, step: int) -> None:
        """Count a bad batch.

        Raises:
            DivergingError: if it is the third in a row.
        """
        self.skipped.append(step)
        self.in_a_row += 1
        write_text(self.path, self.table())
        sys.stderr.write(f"{self.stage}: loss or gradient of step {step} is not finite; the batch is skipped.\n")
        if self.in_a_row == IN_A_ROW:
            raise DivergingError(f"the batches of steps {self.skipped[-IN_A_ROW:]} were bad")

    def table(self) -> str:
        """Return one CSV line for each image of each skipped batch."""
        return as_csv([("step", "image"), *((step, name) for step in self.skipped for name in self.files_of(step))])

    def go_back(self, reason: ArithmeticError) -> None:
        """Count a return to the last checkpoint.

        Raises:
            DivergedError: if there were too many; the message names the images that occurred most in bad batches.
        """
        if self.returns == RETURNS:
            images = Counter(name for step in self.skipped for name in set(self.files_of(step)))
            names = ", ".join(name for name, _ in images.most_common(NAMED)) or "none, a weight overflowed"
            raise DivergedError(
                f"{self.stage} diverged ({reason}), also at an eighth of its learning rates; most often in bad "
                f"batches: {names} (all in {self.path}). Look at these images, or try lower learning rates "
                "(training.trunk_lr, head_lr, generator_lr)."
            ) from reason
        self.returns += 1
        self.in_a_row, self.halved, self.unseen = 0, 0, []  # a checkpoint, where there is one, knows its halvings
        sys.stderr.write(f"{self.stage}: {reason}; returning to the last checkpoint, at half the learning rate.\n")

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training must know."""
        return {"skipped": self.skipped, "returns": self.halved}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the counts; what this process has counted since holds too."""
        self.halved = state_dict["returns"]
        self.returns = max(self.returns, self.halved)
        self.skipped = max(self.skipped, state_dict["skipped"], key=len)

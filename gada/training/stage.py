"""One stage of a run: loaders, Lightning's trainer and the callbacks that keep its results."""

import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from pytorch_lightning import Callback, Trainer, seed_everything
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from gada.data.batches import CropBatches
from gada.data.cache import PackedImages
from gada.data.crops import evaluation_crops
from gada.data.records import ScoredSet
from gada.settings import Settings
from gada.training.callbacks import KeepBest, KeepLast, KeepMetrics, ShowProgress, ShowSamples
from gada.training.dashboard import Dashboard
from gada.training.evaluator import EvaluatorTraining

IMAGES_AT_ONCE = 8  # images scored together during validation


class Steps(Sampler[int]):
    """The training steps of each Lightning epoch, which is the stretch between two validations.

    A step is known by its number in the whole stage, so a resumed run reads exactly the batches still to come.
    """

    def __init__(self, steps: int, every: int) -> None:
        self.steps = steps
        self.every = every
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the stretch; Lightning calls this."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        """Yield the numbers of the stretch's steps."""
        return iter(range(self.epoch * self.every, self.epoch * self.every + len(self)))

    def __len__(self) -> int:
        """Return the length of the stretch; the last may be shorter."""
        return min(self.every, self.steps - self.epoch * self.every)


class ValidationCrops(Dataset[tuple[Tensor, Tensor]]):
    """For each image its evaluation crops, (crops, 3, H, W) uint8, and its quality."""

    def __init__(self, images: ScoredSet, packed: PackedImages, settings: Settings) -> None:
        self.images = images
        self.packed = packed
        self.training = settings.training
        self.evaluation = settings.evaluation

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one image's crops and quality."""
        record = self.images.images[index]
        image = self.packed.array(record.image)
        seed, count = self.evaluation.seed, self.evaluation.validation_crops
        crops = evaluation_crops(image, seed, count, self.training.crop_size, self.training.grid)
        return torch.from_numpy(crops), torch.tensor(record.quality, dtype=torch.float32)


def train(
    module: EvaluatorTraining,
    batches: CropBatches,
    validation: ValidationCrops,
    folder: Path,
    save_best: Callable[[], None],
    dashboard: Dashboard,
    draw: Callable[[], bytes] | None = None,
    device: str = "auto",
) -> None:
    """Train a stage to its end, going on from `last.ckpt` where the folder has one.

    Args:
        module: what to train.
        batches: the training batches, one for each step.
        validation: the images that choose the checkpoint.
        folder: receives `metrics.csv`, `last.ckpt` and `samples/`; its name is the stage's.
        save_best: called when the validation SROCC is the highest so far.
        dashboard: where figures and pictures are shown.
        draw: returns a PNG of generated samples, for a stage that has them.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        DivergedError: if a loss is not finite.
        KeyboardInterrupt: if the user stopped it.
    """
    quiet_lightning()
    stage, steps, every, last = folder.name, len(batches), module.settings.training.validate_every, folder / "last.ckpt"
    sampler = Steps(steps, every)
    callbacks: list[Callback] = [
        KeepMetrics(folder / "metrics.csv", stage, every, dashboard),
        KeepBest(save_best),
        ShowProgress(stage, steps, every),
        *([ShowSamples(folder / "samples", draw, stage, every, dashboard)] if draw else []),
        KeepLast(last, sampler.set_epoch),
    ]
    trainer = Trainer(
        accelerator="gpu" if device == "cuda" else device,
        devices=1,
        max_epochs=-(-steps // every),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
        callbacks=callbacks,
        deterministic="warn",
    )
    try:
        trainer.fit(
            module,
            DataLoader(batches, batch_size=None, sampler=sampler),
            DataLoader(validation, batch_size=IMAGES_AT_ONCE),
            ckpt_path=last if last.is_file() else None,
            weights_only=True,
        )
    except SystemExit as stop:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from stop


def seed_weights(seed: int) -> None:
    """Seed the initial weights."""
    quiet_lightning()
    seed_everything(seed, verbose=False)


def quiet_lightning() -> None:
    """Keep advertisements and hints that do not apply off the screen."""
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for message in (
        ".*does not have many workers.*",  # batches are cut from a memory map, faster than any step consumes them
        ".*in eval mode at the start of training.*",  # the generator rests in phase 2
        ".*LeafSpec.*",  # between torch and Lightning
        ".*Checkpoint directory.*",
    ):
        warnings.filterwarnings("ignore", message=message)

"""One stage of a run: loaders, Lightning's trainer and the callbacks that keep its results."""

import logging
import warnings
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, Trainer, seed_everything
from torch import Tensor
from torch.multiprocessing.spawn import ProcessRaisedException
from torch.utils.data import DataLoader, Dataset

from gada.data.batches import CropBatches
from gada.data.cache import PackedImages
from gada.data.crops import evaluation_crops
from gada.data.records import ScoredSet
from gada.data.resident import PlacedBatches
from gada.errors import ConfigError, DataError, DivergedError
from gada.settings import Settings, Stage, TrainingSettings
from gada.training.callbacks import KeepBest, KeepLast, KeepMetrics, ShowProgress, ShowSamples
from gada.training.checkpoints import Checkpoints, NotFiniteError
from gada.training.dashboard import Dashboard
from gada.training.evaluator import EvaluatorTraining
from gada.training.guard import DivergingError, SkipBadBatches
from gada.training.steps import Steps

IMAGES_AT_ONCE = 8  # images scored together during validation


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
    devices: int = 1,
    workers: int = 0,
) -> None:
    """Train a stage to its end, going on from its newest checkpoint where the folder has one.

    A training that diverges goes back to that checkpoint, or to its beginning, and on at half the rate.

    Args:
        module: what to train.
        batches: the training batches, one for each step.
        validation: the images that choose the checkpoint.
        folder: receives `metrics.csv`, `last.ckpt`, `previous.ckpt`, `samples/` and, where batches were skipped,
            `skipped.csv`; its name is the stage's.
        save_best: called when the validation SROCC is the highest so far.
        dashboard: where figures and pictures are shown.
        draw: returns a PNG of generated samples, for a stage that has them.
        device: `auto`, `cpu`, `cuda`, `mps`, or one of several, as `cuda:1`.
        devices: how many of them train side by side.
        workers: processes that cut batches; 0 cuts them in this one. The batches are the same.

    Raises:
        DataError: if only damaged checkpoints are there, or one cannot be written.
        DivergedError: if losses stay not finite, also at an eighth of the rates; on several devices at once.
        KeyboardInterrupt: if the user stopped it.
    """
    quiet_lightning()
    stage, steps, every = folder.name, len(batches), module.settings.training.validate_every
    sampler, checkpoints, initial = Steps(steps, every), Checkpoints(folder), deepcopy(module.state_dict())
    guard = SkipBadBatches(folder / "skipped.csv", stage, batches.files_of)
    loaders = (
        DataLoader(
            PlacedBatches(batches) if module.on_device else batches,
            batch_size=None,
            sampler=sampler,
            num_workers=workers,
            persistent_workers=workers > 0,
        ),
        DataLoader(validation, batch_size=IMAGES_AT_ONCE),
    )
    while True:
        callbacks: list[Callback] = [  # new ones, for what they know comes with the checkpoint, if there is one
            guard,
            KeepMetrics(folder / "metrics.csv", stage, every, dashboard),
            KeepBest(save_best),
            ShowProgress(stage, steps, every),
            *([ShowSamples(folder / "samples", draw, stage, every, dashboard)] if draw else []),
            KeepLast(checkpoints.last, sampler, guard),
        ]
        trainer = Trainer(
            **hardware(device, devices),
            precision="bf16-mixed" if in_bfloat16(module.settings.training, module.stage, device) else "32-true",
            max_epochs=-(-steps // every),
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            default_root_dir=folder,
            callbacks=callbacks,
            plugins=[checkpoints],
            deterministic="warn",
        )
        try:
            trainer.fit(module, *loaders, ckpt_path=checkpoints.newest(), weights_only=True)
            return
        except (DivergingError, NotFiniteError) as error:
            guard.go_back(error)
            module.load_state_dict(initial)  # for a training without a checkpoint
            sampler.set_epoch(0)
        except ProcessRaisedException as error:
            raise error_of_a_device(stage, error) from error
        except SystemExit as stop:  # Lightning's answer to Ctrl-C
            raise KeyboardInterrupt from stop


def error_of_a_device(stage: str, error: ProcessRaisedException) -> Exception:
    """Return the error that ended one of several processes, which left only the text of its traceback."""
    kind, _, sentence = str(error).strip().splitlines()[-1].partition(": ")
    match kind.rpartition(".")[2]:
        case "DivergingError" | "NotFiniteError":
            return DivergedError(
                f"{stage} diverged ({sentence}). On several devices it does not go back by itself: give the command "
                "again with one device, or with lower rates (training.trunk_lr, head_lr, generator_lr) in "
                "another --run."
            )
        case "DataError":
            return DataError(sentence)
        case "ConfigError":
            return ConfigError(sentence)
    return error


def hardware(device: str, devices: int) -> dict[str, Any]:
    """Return what devices are called in Lightning's trainer; several train in a process each, on shares of a batch."""
    kind, _, number = device.partition(":")
    chosen = {"accelerator": "gpu" if kind == "cuda" else kind, "devices": [int(number)] if number else devices}
    if devices == 1:
        return chosen
    strategy = "ddp_spawn_find_unused_parameters_true"  # each player's loss leaves the other's weights alone
    return {**chosen, "strategy": strategy, "use_distributed_sampler": False}


def in_bfloat16(training: TrainingSettings, stage: Stage, device: str) -> bool:
    """Return whether a stage computes in bfloat16: where it is asked for, or where `auto` finds it in the hardware.

    With `auto` phase 1 does not: a generator that learns in bfloat16 stays twice as far from real crops.
    """
    if training.precision != "auto":
        return training.precision == "bfloat16"
    if stage == "phase1":
        return False
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and torch.cpu._is_avx512_bf16_supported()


def seed_weights(seed: int) -> None:
    """Seed the initial weights."""
    quiet_lightning()
    seed_everything(seed, verbose=False)


def quiet_lightning() -> None:
    """Keep advertisements and hints that do not apply off the screen."""
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for message in (
        ".*suggested max number of worker.*",
        ".*does not have many workers.*",  # batches are cut from a memory map, faster than any step consumes them
        ".*in eval mode at the start of training.*",  # the generator rests in phase 2
        ".*LeafSpec.*",  # between torch and Lightning
        ".*sync_dist=True.*",  # every device validates on all references, and one of them is heard
        ".*find_unused_parameters=True was specified.*",  # phase 1 needs it, the others do not
        ".*Checkpoint directory.*",
        ".*across ranks is zero.*",  # of a training that was stopped between its last step and its end
    ):
        warnings.filterwarnings("ignore", message=message)

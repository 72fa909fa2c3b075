"""One stage of a run: loaders, Lightning's trainer and the callbacks that keep its results."""

import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, Trainer, seed_everything
from torch.multiprocessing.spawn import ProcessRaisedException

from gada.errors import ConfigError, DataError, DivergedError
from gada.settings import Stage, TrainingSettings
from gada.training.callbacks import KeepBest, KeepLast, KeepMetrics, LogStepTime, ShowSamples, TellCost, progress
from gada.training.checkpoints import Checkpoints, NotFiniteError
from gada.training.data import TrainingData
from gada.training.evaluator import EvaluatorTraining
from gada.training.guard import DivergingError, SkipBadBatches
from gada.training.loggers import RunLogger
from gada.training.quiet import quiet_lightning

CHEAPER = (
    "Cheaper: narrow networks, small crops and fewer steps, as in configs/demo.yaml, or --phase 3 --from bundled, "
    "which starts from what is trained. Ctrl-C stops; the same command resumes."
)


def train(
    module: EvaluatorTraining,
    data: TrainingData,
    folder: Path,
    save_best: Callable[[], None],
    loggers: Sequence[RunLogger] = (),
    draw: Callable[[], bytes] | None = None,
    device: str = "cpu",
    devices: int = 1,
    cheaper: str = CHEAPER,
) -> None:
    """Train a stage to its end, from its newest checkpoint where the folder has one.

    A training that diverges returns to that checkpoint, or to its start, at half the learning rate.

    Args:
        module: what to train.
        data: what it reads.
        folder: receives `metrics.csv`, `last.ckpt`, `previous.ckpt`, `samples/` and, where batches were skipped,
            `skipped.csv`; its name is the stage's.
        save_best: called when the validation SROCC is the highest so far; each time, where validation chooses none.
        loggers: of the run, as `run_loggers` gives them.
        draw: returns a PNG of generated samples, for a stage that has them.
        device: `cpu`, `cuda`, `mps`, or one of several, as `cuda:1`.
        devices: how many of them train side by side.
        cheaper: what a user is told who finds it long.

    Raises:
        DataError: if only damaged checkpoints are there, or one cannot be written.
        DivergedError: if losses stay not finite, also at an eighth of the learning rates; on several devices at once.
        KeyboardInterrupt: if the user stopped it.
    """
    quiet_lightning()
    stage, steps = folder.name, data.steps
    checkpoints, initial = Checkpoints(folder), deepcopy(module.state_dict())
    guard = SkipBadBatches(folder / "skipped.csv", stage, data.batches.files_of)
    while True:
        best = KeepBest(save_best, newest=not module.settings.validated)
        callbacks: list[Callback] = [  # new ones: what they know comes with the checkpoint, if there is one
            guard,
            KeepMetrics(folder / "metrics.csv"),
            best,
            *([LogStepTime()] if loggers else []),
            TellCost(stage, steps.steps, step_of(module), cheaper),
            progress(stage, steps.steps),
            *([ShowSamples(folder / "samples", draw, steps.every)] if draw else []),
            KeepLast(folder, steps, guard),
        ]
        trainer = Trainer(
            **hardware(device, devices, len(module.players)),
            precision="bf16-mixed" if in_bfloat16(module.settings.training, module.stage, device) else "32-true",
            max_epochs=steps.epochs,
            logger=[logger.of(stage, module.span[0]) for logger in loggers],
            log_every_n_steps=1,  # losses are means over an epoch, logged at its end
            enable_model_summary=False,
            num_sanity_val_steps=0,
            limit_val_batches=1.0 if module.settings.split.validation else 0,
            default_root_dir=folder,
            callbacks=callbacks,
            enable_progress_bar=sys.stderr.isatty(),
            plugins=[checkpoints],
            deterministic="warn",
        )
        try:
            trainer.fit(module, datamodule=data, ckpt_path=checkpoints.newest(), weights_only=True)
            for logger in loggers:
                logger.summarize({f"{stage}/best_{name}": value for name, value in best.metrics.items()})
            return
        except (DivergingError, NotFiniteError) as error:
            guard.go_back(error)
            module.load_state_dict(initial)  # for a training without a checkpoint
            steps.set_epoch(0)
        except ProcessRaisedException as error:
            raise error_of_a_device(stage, error) from error
        except SystemExit as stop:  # Lightning's answer to Ctrl-C
            raise KeyboardInterrupt from stop


def step_of(module: EvaluatorTraining) -> str:
    """Return what a step takes, and how large the networks are, in words."""
    training = module.settings.training
    weights = sum(one.numel() for one in module.parameters() if one.requires_grad) / 1e6
    side = f"{training.crop_size} x {training.crop_size} pixels"
    return f"{training.batch_size} images of {side}, {weights:.2g} million weights"


def error_of_a_device(stage: str, error: ProcessRaisedException) -> Exception:
    """Return the error that ended one of several processes; only the text of its traceback is left."""
    kind, _, sentence = str(error).strip().splitlines()[-1].partition(": ")
    match kind.rpartition(".")[2]:
        case "DivergingError" | "NotFiniteError":
            return DivergedError(
                f"{stage} diverged ({sentence}). On several devices it does not resume by itself: give the command "
                "again with one device, or with lower learning rates (training.trunk_lr, head_lr, generator_lr) in "
                "another --run."
            )
        case "DataError":
            return DataError(sentence)
        case "ConfigError":
            return ConfigError(sentence)
    return error


def hardware(device: str, devices: int, players: int) -> dict[str, Any]:
    """Return a trainer's arguments for these devices; several train in a process each, on parts of a batch."""
    kind, _, number = device.partition(":")
    chosen = {"accelerator": "gpu" if kind == "cuda" else kind, "devices": [int(number)] if number else devices}
    if devices == 1:
        return chosen
    # with two players each one's loss leaves the other's weights alone
    strategy = "ddp_spawn_find_unused_parameters_true" if players > 1 else "ddp_spawn"
    return {**chosen, "strategy": strategy, "use_distributed_sampler": False}


def in_bfloat16(training: TrainingSettings, stage: Stage, device: str) -> bool:
    """Return whether a stage computes in bfloat16: where the setting says so, or `auto` finds it in the hardware.

    With `auto` phase 1 does not: a generator trained in bfloat16 stays twice as far from real crops (docs/study.md).
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

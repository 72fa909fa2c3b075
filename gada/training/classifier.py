"""Training of a classifier against label distributions (Chen et al., 2017, section 4.3)."""

import sys
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, cast

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Timer, WeightAveraging
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR
from torch.utils.data import DataLoader

from gada.data.mixtures import LabelledBatch, Mixture
from gada.errors import ConfigError, DivergedError
from gada.io.checkpoints import load_checkpoint
from gada.losses.label_distribution import Transform, iqa_label_distribution, label_loss
from gada.models.classifier import ClassifierNetwork, build_classifier, save_classifier
from gada.settings import ClassifierSettings
from gada.settings.names import RENAMED
from gada.training.callbacks import KeepLast, KeepMetrics, LogStepTime, TellCost, progress
from gada.training.checkpoints import Checkpoints, NotFiniteError
from gada.training.data import Steps
from gada.training.loggers import RunLogger
from gada.training.quiet import quiet_lightning
from gada.training.stage import hardware

CHEAPER = "Cheaper: fewer --training.epochs or images (--data.per_class). Ctrl-C stops; the same command resumes."
FINISHED = "classifier.safetensors"
STARTED_BEFORE = "last.safetensors"  # of a training that a version before Lightning's trainer has started


class ClassifierTraining(LightningModule):
    """Trains a classifier by gradient descent.

    Args:
        classifier: what to train.
        settings: how.
        transform: T of IQA-LS; `identity` where the mixture's qualities are confidences already.
        seed: of what the network itself draws, as for dropout.
        card: travels with the checkpoint.
    """

    def __init__(
        self,
        classifier: ClassifierNetwork,
        settings: ClassifierSettings,
        transform: str | Transform = "identity",
        seed: int = 0,
        card: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters({"card": dict(card or {})}, logger=False)
        self.classifier = classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.settings = settings
        self.transform = transform
        self.seed = seed

    def configure_optimizers(self) -> Any:
        """Return gradient descent, and the schedule of its learning rate."""
        settings = self.settings
        groups, momentum = parameter_groups(self.classifier, settings.weight_decay), settings.momentum
        optimizer = torch.optim.SGD(groups, lr=settings.lr, momentum=momentum, nesterov=momentum > 0)
        if settings.schedule == "steps":
            return [optimizer], [LambdaLR(optimizer, settings.decay)]
        steps = int(self.trainer.estimated_stepping_batches)
        cycle = OneCycleLR(optimizer, settings.lr, total_steps=steps, cycle_momentum=False)
        return [optimizer], [{"scheduler": cycle, "interval": "step"}]

    def on_train_epoch_start(self) -> None:
        """Seed what the network draws, so that a resumed training draws the same."""
        torch.manual_seed(1_000_003 * (self.seed + 1) + self.current_epoch)
        self.log("lr", self.trainer.optimizers[0].param_groups[0]["lr"])

    def training_step(self, batch: LabelledBatch, batch_idx: int) -> Tensor:
        """Return the loss of a batch."""
        loss, accuracy = self.loss_of(batch)
        logged = {"loss": loss.detach(), "accuracy": accuracy}
        self.log_dict(logged, on_step=False, on_epoch=True, batch_size=len(batch.labels))
        return loss

    def loss_of(self, batch: LabelledBatch) -> tuple[Tensor, Tensor]:
        """Return mean loss and accuracy of a batch, as tensors."""
        pixels, labels, quality = cast(tuple[Tensor, Tensor, Tensor], batch)
        logits = self.classifier(as_images(pixels)).float()
        distribution = iqa_label_distribution(labels, quality, logits.shape[1], self.transform)
        loss = label_loss(logits, distribution, self.settings.loss).mean()
        return loss, (logits.argmax(dim=1) == labels).float().mean()

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Log the norm of the gradient."""
        grads = [weight.grad for weight in self.classifier.parameters() if weight.grad is not None]
        self.log("grad_norm_classifier", get_total_norm(grads), on_step=False, on_epoch=True, batch_size=1)

    def on_train_epoch_end(self) -> None:
        """Raise DivergedError if the loss is not finite."""
        if not isfinite(float(self.trainer.callback_metrics["loss"])):
            raise DivergedError(
                f"the loss of epoch {self.current_epoch + 1} is not finite; give a lower --training.lr."
            )


class MovingAverage(WeightAveraging):
    """Keeps the moving average of the weights at the end, as TensorFlow's CIFAR-10 model is evaluated.

    Lightning's `EMAWeightAveraging` has one decay from the start, which would remember the first weights of a short
    training; TensorFlow's is min(decay, (1 + n) / (10 + n)) at step n.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(avg_fn=lambda mean, now, n: mean.lerp(now, 1 - min(decay, (1 + float(n)) / (10 + float(n)))))

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the average into the classifier, also where a resumed training had no step left to take."""
        self.on_train_end(trainer, pl_module)


def train_classifier(
    mixture: Mixture,
    classes: int,
    settings: ClassifierSettings,
    folder: Path,
    card: Mapping[str, Any],
    seed: int = 0,
    transform: str | Transform = "identity",
    device: str = "cpu",
    loggers: Sequence[RunLogger] = (),
) -> Path:
    """Train a classifier to its end, resuming after the last whole epoch where the folder has one.

    A batch depends on seed and step alone, so that a resumed training ends with the weights of an uninterrupted one.

    Args:
        mixture: the training set.
        classes: K.
        settings: how to train.
        folder: receives `last.ckpt`, `previous.ckpt`, `metrics.csv` and at the end `classifier.safetensors`.
        card: of the checkpoint; "settings" decides whether a started training is the same one.
        seed: of the weights.
        transform: T of IQA-LS.
        device: `cpu`, `cuda` or `mps`.
        loggers: of the run, as `run_loggers` gives them.

    Returns:
        The checkpoint's path.

    Raises:
        ConfigError: if the folder holds another training.
        DivergedError: if the loss is not finite.
        KeyboardInterrupt: if the user stopped it.
    """
    quiet_lightning()
    check_training(folder, card)
    torch.manual_seed(seed)
    classifier = build_classifier(settings.network, classes, settings.inputs)
    training = ClassifierTraining(classifier, settings, transform, seed, card)
    steps, timer, name = (
        Steps(len(mixture) * settings.epochs, len(mixture)),
        Timer(),
        f"{folder.parent.name}/{folder.name}",
    )
    checkpoints = Checkpoints(folder)
    trainer = Trainer(
        **hardware(device, 1, players=1),
        precision="bf16-mixed" if settings.precision == "bf16" else "32-true",
        max_epochs=settings.epochs,
        logger=[logger.of(name) for logger in loggers],
        log_every_n_steps=1,  # metrics are means over an epoch, logged at its end
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        default_root_dir=folder,
        callbacks=[
            timer,
            KeepMetrics(folder / "metrics.csv"),
            *([LogStepTime()] if loggers else []),
            TellCost(name, steps.steps, f"{settings.batch_size} images", CHEAPER),
            progress(name, steps.steps),
            *([MovingAverage(settings.average)] if settings.average else []),
            KeepLast(folder, steps),
        ],
        plugins=[checkpoints],
    )
    try:
        trainer.fit(training, BatchLoader(mixture, steps), ckpt_path=checkpoints.newest(), weights_only=True)
    except NotFiniteError as error:
        raise DivergedError(f"{error}; give a lower --training.lr.") from error
    except SystemExit as stop:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from stop
    save_classifier(folder / FINISHED, classifier, {**card, "train_seconds": timer.time_elapsed("train")})
    return folder / FINISHED


class BatchLoader(DataLoader[LabelledBatch]):
    """Loads the batches of a mixture in the order of its steps."""

    def __init__(self, mixture: Mixture, steps: Steps) -> None:
        own = torch.Generator()  # or each epoch would draw from the generator that the network draws from
        super().__init__(cast(Any, mixture), batch_size=None, sampler=steps, generator=own)


def check_training(folder: Path, card: Mapping[str, Any]) -> None:
    """Raise ConfigError if a folder's training, finished or not, has other settings; name the first that differs.

    A setting that the card of an older version lacks is not compared.
    """
    started = Checkpoints(folder)
    if (folder / FINISHED).is_file():
        found = load_checkpoint(folder / FINISHED, "classifier")[1]
    elif newest := started.newest():
        found = started.load_checkpoint(newest)["hyper_parameters"]["card"]
    elif (folder / STARTED_BEFORE).is_file():
        raise ConfigError(f"{folder} holds a training that an older version has started; delete it to start anew.")
    else:
        return
    before = settings_of(found)
    for key, now in card["settings"].items():
        if key in before and before[key] != now:
            name = key if "." in key else f"training.{key}"
            raise ConfigError(
                f"{folder} holds a training with {name}={before[key]}, not {now}; choose another --run, or delete the "
                "folder to start anew."
            )


def settings_of(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings in a classifier's card, an older version's under their names of today."""
    names = {key: RENAMED.get(f"training.{key}", key) for key in card["settings"]}
    return {names[key].removeprefix("training."): value for key, value in card["settings"].items()}


def parameter_groups(classifier: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return the weights of the fully connected layers but the last, which alone are decayed, and all the others."""
    linear = [layer for layer in classifier.modules() if isinstance(layer, nn.Linear)]
    decayed = [layer.weight for layer in linear[:-1]]
    known = {id(weight) for weight in decayed}
    others = [parameter for parameter in classifier.parameters() if id(parameter) not in known]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def as_images(pixels: Tensor) -> Tensor:
    """Return pixels (N, S, S, 3) uint8 as images (N, 3, S, S) in [0, 1], in memory as they were (channels last)."""
    return pixels.permute(0, 3, 1, 2).float() / 255

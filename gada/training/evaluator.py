"""What the phases share: one step for every player, the supervised loss, learning rates, validation."""

from collections.abc import Iterator
from math import cos, pi
from typing import Any, NamedTuple

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from gada.data.batches import Batch
from gada.losses.supervised import class_loss, quality_loss
from gada.metrics.correlation import UndefinedError, lcc, srocc
from gada.models.evaluator import Evaluator, EvaluatorOutput
from gada.settings import Settings, Stage
from gada.settings.training import Span

UNDEFINED = -1.0  # what an undefined correlation counts as: worse than any
WARMUP = 50  # steps in which the learning rates rise


class LabelledCrops(NamedTuple):
    """Crops that the evaluator learns from."""

    images: Tensor
    """(N, 3, H, W) in [0, 1]."""
    label: Tensor
    """Distortion class, (N,)."""
    quality: Tensor
    """(N,) in [0, 1]."""
    weight: Tensor
    """Weight of each crop in the loss, (N,), with sum at most 1."""


class EvaluatorTraining(LightningModule):
    """Trains an evaluator on labelled crops; each phase says which, and may add players.

    Optimisation is manual, since Lightning's own takes one loss for all optimisers and steps on a loss that is not
    finite.

    Args:
        evaluator: the network that scores.
        settings: of the run.
        alone: whether the stage is trained on its own, so that the learning rates fall over it alone.
    """

    stage: Stage = "baseline"  # whose steps and learning rates hold
    players: tuple[str, ...] = ("evaluator",)  # each has an optimiser and a loss of its own

    def __init__(self, evaluator: Evaluator, settings: Settings, alone: bool = False) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.evaluator = evaluator
        self.settings = settings
        self.span = settings.training.span(self.stage, alone)
        self.bad = torch.zeros(())  # 1 where a loss or gradient of this batch is not finite
        self.rank, self.devices = 0, 1  # which of how many devices this is
        self.losses: dict[str, Tensor] = {}  # of this step, and norms of gradients
        self.sums: dict[str, Tensor] = {}
        self.taken = torch.zeros(())
        self.predicted: list[Tensor] = []
        self.true: list[Tensor] = []

    def compile_networks(self) -> None:
        """Compile what training calls."""
        self.evaluator.compile(dynamic=False)

    def on_fit_start(self) -> None:
        """Note which of how many devices this is; compile."""
        self.rank, self.devices = self.trainer.global_rank, self.trainer.world_size
        if self.settings.training.compile:
            torch.compiler.reset()  # it compiles a function a few times only, and then no more; a study has many
            self.compile_networks()

    def on_train_epoch_start(self) -> None:
        """Reset the means of the losses."""
        self.sums, self.taken = {}, torch.zeros((), device=self.device)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set the learning rates of this step."""
        self.bad = torch.zeros((), device=self.device)
        step = self.step_number(batch_idx)
        for optimizer, span in zip(self.trainer.optimizers, self.spans(), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * self.lr_scale(step, span)

    def spans(self) -> list[Span]:
        """Return the span of each optimiser's learning rates."""
        return [self.span]

    def lr_scale(self, step: int, span: Span) -> float:
        """Return what multiplies the learning rates at a step: a short rise, then half a cosine to 0; or always 1."""
        if not self.settings.training.anneal:
            return 1.0
        before, end = span
        return min(1.0, (step + 1) / WARMUP) * (1 + cos(pi * (before + step) / end)) / 2

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Let each player in turn take one step down its own loss."""
        losses, players = self.player_losses(batch, batch_idx), self.optimizers()
        for name, player in zip(self.players, players if isinstance(players, list) else [players], strict=True):
            with self.toggled_optimizer(player):
                self.losses[f"grad_norm_{name}"] = self.descend(player, next(losses))

    def player_losses(self, batch: Any, batch_idx: int) -> Iterator[Tensor]:
        """Yield each player's loss, in the order of the optimisers; computed when it is that player's turn."""
        crops = self.labelled_crops(batch, batch_idx)
        yield self.supervised_loss(self.evaluator(crops.images), crops)

    def descend(self, optimizer: LightningOptimizer, loss: Tensor) -> Tensor:
        """Take one step down a player's loss, unless it, its gradient or the player's before is not finite.

        Returns the norm of the gradient.

        Nothing here waits for the device: fused Adam itself looks at `found_inf`, as for torch's gradient scaler.
        """
        optimizer.zero_grad()
        self.manual_backward(loss)
        grads = [weight.grad for group in optimizer.param_groups for weight in group["params"]]
        norm = get_total_norm([grad for grad in grads if grad is not None])
        self.bad = torch.maximum(self.bad, (~(norm + loss.detach()).isfinite()).float())
        if self.device.type != "mps" or not self.bad:  # there torch ignores found_inf (pytorch#186360)
            optimizer.optimizer.found_inf = self.bad  # type: ignore[attr-defined]  # torch does not declare it
            optimizer.step()
        return norm

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Count a step that was taken, and its losses."""
        for name, value in self.losses.items():
            self.sums[name] = self.sums.get(name, 0) + torch.where(self.bad > 0, 0, value)
        self.taken += 1 - self.bad
        self.losses = {}
        if not self.settings.split.validation and self.trainer.is_last_batch:
            self.log_dict({**self.mean_losses(), **self.learning_rates()}, on_step=False, on_epoch=True, batch_size=1)

    def mean_losses(self) -> dict[str, Tensor]:
        """Return the means of the losses over the steps that were taken since the last validation."""
        return {name: total / self.taken.clamp(min=1) for name, total in self.sums.items()}

    def learning_rates(self) -> dict[str, float]:
        """Return the learning rates of this step, by parameter group."""
        groups = [group for optimizer in self.trainer.optimizers for group in optimizer.param_groups]
        return {f"lr_{group['name']}": float(group["lr"]) for group in groups if "name" in group}

    def labelled_crops(self, batch: Batch, batch_idx: int) -> LabelledCrops:
        """Return the crops of one step: the real distorted ones, unless a phase has others."""
        return real_crops(batch)

    def supervised_loss(self, output: EvaluatorOutput, crops: LabelledCrops) -> Tensor:
        """Return the weighted class and quality losses of some crops."""
        weights = self.settings.loss
        of_class = (class_loss(output.class_logits, crops.label) * crops.weight).sum()  # -L_C, equation 2
        of_quality = (quality_loss(output.quality, crops.quality) * crops.weight).sum()  # L_E, equation 3
        self.record(evaluator_class=of_class, evaluator_quality=of_quality)
        return weights.class_weight * of_class + weights.quality_weight * of_quality

    def record(self, **losses: Tensor) -> None:
        """Note losses; their means over the steps that are taken are logged at each validation.

        With one class there is nothing to tell apart: its loss is always 0, and is not shown.
        """
        one_class = self.evaluator.classes == 1
        noted = {name: value for name, value in losses.items() if not (one_class and name.endswith("_class"))}
        self.losses |= {f"loss_{name}": value.detach() for name, value in noted.items()}

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Return Adam with a learning rate for the trunk and one for the heads (paper, section 4.2)."""
        return [self.adam(self.evaluator.trunk_parameters(), self.evaluator.head_parameters())]

    def adam(self, trunk: list[nn.Parameter], heads: list[nn.Parameter]) -> torch.optim.Optimizer:
        """Return one Adam over trunk and heads at this stage's learning rates."""
        training = self.settings.training
        factor = training.lr_factor(self.stage)
        lrs = {"trunk": training.trunk_lr * factor, "head": training.head_lr * factor}
        groups = [parameters_at(lrs[name], own, name) for name, own in (("trunk", trunk), ("head", heads))]
        return torch.optim.Adam(groups, betas=training.betas, fused=True)

    def generator_part(self, batch: Batch) -> Batch:
        """Return the part of a batch that the generator distorts; of several devices each has its part of that."""
        count = self.settings.training.generator_batch
        own = None if count is None else max(1, len(range(self.rank, count, self.devices)))
        return Batch(*(part[:own] for part in batch))

    def noise_source(self, phase: int, batch_idx: int) -> torch.Generator:
        """Return the random generator of a step's noise, the same after a resume; on each device another."""
        key = (self.settings.seed, phase, self.step_number(batch_idx))
        return seeded(self.device, *key, *([self.rank] if self.rank else []))

    def step_number(self, batch_idx: int) -> int:
        """Return the number of a training step within its stage, also after a resume."""
        return self.current_epoch * self.settings.training.validate_every + batch_idx

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Score images by the mean of their crops; `batch` is uint8 crops (N, crops, 3, H, W) and quality (N,)."""
        crops, quality = batch
        predicted = self.evaluator.forward(as_images(crops.flatten(0, 1))).quality  # never the compiled form
        self.predicted.append(predicted.view(crops.shape[:2]).mean(dim=1))
        self.true.append(quality)

    def on_validation_epoch_end(self) -> None:
        """Log SROCC and LCC over the validation images, means of losses since the last time, and learning rates."""
        self.log_dict({**self.mean_losses(), **self.learning_rates()})
        predicted, true = (torch.cat(values).cpu().double().numpy() for values in (self.predicted, self.true))
        self.predicted.clear()
        self.true.clear()
        for name, metric in (("srocc", srocc), ("lcc", lcc)):
            try:
                value = metric(predicted, true)
            except (UndefinedError, ValueError):  # constant or not finite
                value = UNDEFINED
            self.log(f"val_{name}", value, prog_bar=True)


def parameters_at(lr: float, weights: list[nn.Parameter], name: str) -> dict[str, Any]:
    """Return a parameter group; `initial_lr` is what `lr_scale` multiplies, and the name is for the log."""
    return {"params": weights, "lr": lr, "initial_lr": lr, "name": name}


def as_images(crops: Tensor) -> Tensor:
    """Return uint8 crops (N, 3, H, W) as floats in [0, 1], channels last, which convolutions on CPU and GPU prefer."""
    return crops.to(memory_format=torch.channels_last).float() / 255


def real_crops(batch: Batch) -> LabelledCrops:
    """Return the real distorted crops of a batch, equally weighted."""
    return equally_weighted(as_images(batch.distorted), batch.label, batch.quality)


def equally_weighted(images: Tensor, label: Tensor, quality: Tensor) -> LabelledCrops:
    """Return labelled crops of weight 1 / N each."""
    return LabelledCrops(images, label, quality, torch.full_like(quality, 1 / len(quality)))


def seeded(device: torch.device, *key: int) -> torch.Generator:
    """Return a random generator that depends on `key` alone, so that a resumed run draws what it would have drawn."""
    seed = 0
    for part in key:
        seed = (seed * 1_000_003 + part) % 2**62
    return torch.Generator(device).manual_seed(seed)

"""What every training of the evaluator shares: optimiser groups, the supervised loss, validation."""

from math import cos, pi
from typing import Any, NamedTuple, cast

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from gada.data.batches import Batch, CropBatches
from gada.data.resident import ResidentImages
from gada.losses.supervised import class_loss, quality_loss
from gada.metrics.correlation import UndefinedError, lcc, srocc
from gada.models.evaluator import Evaluator, EvaluatorOutput
from gada.settings import Settings, Stage

UNDEFINED = -1.0  # what an undefined correlation counts as: worse than any

Span = tuple[int, int]
"""Steps before a stage, and steps after which a rate has fallen to zero."""
WARM = 50  # steps in which the rates rise


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
    """Trains the evaluator on real labelled crops: the direct baseline (paper, section 4.3).

    "Training only the evaluator and classifier branches of the discriminator directly on labelled training data."
    """

    stage: Stage = "baseline"  # whose steps the rates follow

    def __init__(
        self,
        evaluator: Evaluator,
        settings: Settings,
        rate: float = 1.0,
        span: Span | None = None,
        on_device: CropBatches | None = None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.evaluator = evaluator
        self.settings = settings
        self.rate = rate
        training = settings.training
        self.span = span or (training.steps_before(self.stage), training.steps("baseline"))
        self.bad = torch.zeros(())  # 1 where a loss or gradient of this batch is not finite
        self.rank, self.devices = 0, 1  # which of how many devices this is
        self.on_device = on_device  # whose images are to lie on the device
        self.resident: ResidentImages | None = None
        self.losses: dict[str, Tensor] = {}
        self.sums: dict[str, Tensor] = {}
        self.taken = torch.zeros(())
        self.predicted: list[Tensor] = []
        self.true: list[Tensor] = []

    def compile_networks(self) -> None:
        """Compile what training calls."""
        self.evaluator.compile(dynamic=False)

    def on_fit_start(self) -> None:
        """Note which of how many devices this is; bring the images there, if they are to lie there; compile."""
        self.rank, self.devices = self.trainer.global_rank, self.trainer.world_size
        self.resident = None  # those of a try that diverged
        self.resident = ResidentImages(self.on_device, self.device) if self.on_device else None
        if self.settings.training.compile:
            torch.compiler.reset()  # it compiles a function a few times only, and then no more; a study has many
            self.compile_networks()

    def on_fit_end(self) -> None:
        """Free the images."""
        self.resident = None

    def on_train_epoch_start(self) -> None:
        """Begin the means of the losses anew."""
        self.sums, self.taken = {}, torch.zeros((), device=self.device)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Set the rates of this step."""
        self.bad = torch.zeros((), device=self.device)
        step = self.step_number(batch_idx)
        for optimizer, span in zip(self.trainer.optimizers, self.spans(), strict=True):
            pace = self.pace(step, span)
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * pace

    def spans(self) -> list[Span]:
        """Return the span of each optimiser's rates: the three phases for what trains the evaluator."""
        return [self.span]

    def pace(self, step: int, span: Span) -> float:
        """Return what multiplies the rates at a step: a short rise, then half a cosine to zero; or always 1."""
        if not self.settings.training.anneal:
            return 1.0
        begin, end = span
        return min(1.0, (step + 1) / WARM) * (1 + cos(pi * (begin + step) / end)) / 2

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Leave each of several devices its share of a training batch; all of them validate on all references."""
        if not isinstance(batch, Batch):
            return batch
        if self.devices > 1:
            batch = Batch(*(part[self.rank :: self.devices] for part in batch))
        return self.resident.cut(batch) if self.resident else batch

    def asked(self, batch: Batch) -> Batch:
        """Return the crops of a batch that the generator distorts; of several devices each has its share of them."""
        count = self.settings.training.generator_batch
        shared = None if count is None else max(1, len(range(self.rank, count, self.devices)))
        return Batch(*(part[:shared] for part in batch))

    def noise_source(self, phase: int, batch_idx: int) -> torch.Generator:
        """Return the source of a step's noise, which a resumed run finds again; on each device another."""
        key = (self.settings.seed, phase, self.step_number(batch_idx))
        return seeded(self.device, *key, *([self.rank] if self.rank else []))

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Let the evaluator take one step."""
        crops = self.labelled_crops(batch, batch_idx)
        loss = self.supervised_loss(self.evaluator(crops.images), crops)
        self.descend(cast(LightningOptimizer, self.optimizers()), loss)

    def descend(self, optimizer: LightningOptimizer, loss: Tensor) -> None:
        """Take one step down a player's loss, unless it, its gradient or the player's before is not finite.

        Nothing here waits for the device: fused Adam itself looks at `found_inf`, as for torch's gradient scaler.
        """
        optimizer.zero_grad()
        self.manual_backward(loss)
        grads = [weight.grad for group in optimizer.param_groups for weight in group["params"]]
        norm = get_total_norm([loss.detach(), *(grad for grad in grads if grad is not None)])
        self.bad = torch.maximum(self.bad, (~norm.isfinite()).float())
        if self.device.type == "mps" and self.bad:  # there torch ignores found_inf (pytorch#186360)
            return
        optimizer.optimizer.found_inf = self.bad  # type: ignore[attr-defined]  # torch does not declare it
        optimizer.step()

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Count a step that was taken, and its losses."""
        for name, value in self.losses.items():
            self.sums[name] = self.sums.get(name, 0) + torch.where(self.bad > 0, 0, value)
        self.taken += 1 - self.bad
        self.losses = {}

    def labelled_crops(self, batch: Batch, batch_idx: int) -> LabelledCrops:
        """Return the crops of one step: here the real ones."""
        return real_crops(batch)

    def supervised_loss(self, judgement: EvaluatorOutput, crops: LabelledCrops) -> Tensor:
        """Return -L_C + L_E of some crops, weighted (equations 2 and 3)."""
        weights = self.settings.loss
        of_class = (class_loss(judgement.class_logits, crops.label) * crops.weight).sum()
        of_quality = (quality_loss(judgement.quality, crops.quality, weights.quality or "squared") * crops.weight).sum()
        self.record(evaluator_class=of_class, evaluator_quality=of_quality)
        return (weights.class_weight or 0) * of_class + (weights.quality_weight or 0) * of_quality

    def record(self, **losses: Tensor) -> None:
        """Note losses; of the steps that are taken they are logged as means between two validations."""
        self.losses |= {f"loss_{name}": value.detach() for name, value in losses.items()}

    def configure_optimizers(self) -> torch.optim.Optimizer | list[torch.optim.Optimizer]:
        """Return Adam with a rate for the trunk and one for the heads (paper, section 4.2)."""
        return self.adam(self.evaluator.trunk_parameters(), self.evaluator.head_parameters())

    def adam(self, trunk: list[nn.Parameter], heads: list[nn.Parameter]) -> torch.optim.Optimizer:
        """Return one Adam over trunk and heads at this stage's rates."""
        training = self.settings.training
        groups = [
            group(trunk, (training.trunk_lr or 0) * self.rate),
            group(heads, (training.head_lr or 0) * self.rate),
        ]
        return torch.optim.Adam(groups, betas=training.betas, fused=True)

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
        """Log SROCC and LCC over the validation references, and the mean losses of the steps since the last time."""
        self.log_dict({name: total / self.taken.clamp(min=1) for name, total in self.sums.items()})
        predicted, true = (torch.cat(values).cpu().double().numpy() for values in (self.predicted, self.true))
        self.predicted.clear()
        self.true.clear()
        for name, figure in (("srocc", srocc), ("lcc", lcc)):
            try:
                value = figure(predicted, true)
            except (UndefinedError, ValueError):  # constant or not finite
                value = UNDEFINED
            self.log(f"val_{name}", value)


def group(weights: list[nn.Parameter], rate: float) -> dict[str, Any]:
    """Return a group of an optimiser; `initial_lr` is what `pace` multiplies."""
    return {"params": weights, "lr": rate, "initial_lr": rate}


def as_images(crops: Tensor) -> Tensor:
    """Return uint8 crops (N, 3, H, W) as floats in [0, 1], channels last, which convolutions on CPU and GPU prefer."""
    return crops.to(memory_format=torch.channels_last).float() / 255


def real_crops(batch: Batch) -> LabelledCrops:
    """Return the real crops of a batch, equally weighted."""
    return equally_weighted(as_images(batch.distorted), batch.label, batch.quality)


def equally_weighted(images: Tensor, label: Tensor, quality: Tensor) -> LabelledCrops:
    """Return labelled crops of weight 1 / N each."""
    return LabelledCrops(images, label, quality, torch.full_like(quality, 1 / len(quality)))


def seeded(device: torch.device, *key: int) -> torch.Generator:
    """Return a noise source that depends on `key` alone, so that a resumed run draws what it would have drawn."""
    seed = 0
    for part in key:
        seed = (seed * 1_000_003 + part) % 2**62
    return torch.Generator(device).manual_seed(seed)

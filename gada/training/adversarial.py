"""Phase 1: training the AC-GAN (paper, section 3.1, step 1)."""

from typing import NamedTuple, cast

import torch
from pytorch_lightning.core.optimizer import LightningOptimizer
from torch import Tensor

from gada.data.batches import Batch, CropBatches
from gada.losses.adversarial import discriminator_source_loss, generator_source_loss
from gada.losses.supervised import class_loss, feature_loss, quality_loss, reconstruction_loss
from gada.models.discriminator import Discriminator, DiscriminatorOutput
from gada.models.evaluator import EvaluatorOutput
from gada.models.generator import Generator
from gada.settings import Settings, Stage
from gada.training.evaluator import EvaluatorTraining, Span, as_images, equally_weighted, group, real_crops


class Examined(NamedTuple):
    """What the discriminator sees before either player's step."""

    generated: DiscriminatorOutput
    """Of the generated crops, with gradients towards them."""
    true: Tensor
    """The true distorted crops that they should resemble, (N, 3, H, W) in [0, 1]."""
    true_features: Tensor
    """Their features, (N, F); where no loss asks for them, those of the generated crops."""


class Adversarial(EvaluatorTraining):
    """Trains generator and discriminator against each other, with the class and quality heads in between."""

    stage: Stage = "phase1"

    def __init__(
        self,
        discriminator: Discriminator,
        generator: Generator,
        settings: Settings,
        span: Span | None = None,
        on_device: CropBatches | None = None,
    ) -> None:
        super().__init__(discriminator.evaluator, settings, span=span, on_device=on_device)
        self.discriminator = discriminator
        self.generator = generator

    def compile_networks(self) -> None:
        """Compile what training calls."""
        super().compile_networks()
        self.discriminator.compile(dynamic=False)
        self.generator.compile(dynamic=False)

    def spans(self) -> list[Span]:
        """Return the spans of the generator's rates, which end with this phase, and of the discriminator's side."""
        return [(0, self.settings.training.phase1_steps), self.span]

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        """Let each player take one step on the same generated crops."""
        for_generator, for_discriminator = cast(list[LightningOptimizer], self.optimizers())
        asked = self.asked(batch)
        with self.toggled_optimizer(for_generator):
            generated = self.distort(asked, batch_idx)
            seen = self.examine(generated, asked)
            self.descend(for_generator, self.generator_loss(generated, seen, asked))
        with self.toggled_optimizer(for_discriminator):
            self.descend(for_discriminator, self.discriminator_loss(generated.detach(), seen, batch, asked))

    def distort(self, batch: Batch, batch_idx: int) -> Tensor:
        """Distort the references to the class and quality of their true distorted crops, (N, 3, H, W) in [0, 1]."""
        reference = as_images(batch.reference)
        noise = self.generator.draw(reference, self.noise_source(1, batch_idx))
        generated: Tensor = self.generator(reference, batch.label, batch.quality, noise)
        return generated

    def examine(self, generated: Tensor, batch: Batch) -> Examined:
        """Let the discriminator judge generated crops, and look at their true counterparts."""
        weights, true = self.settings.loss, as_images(batch.distorted)
        self.discriminator.eval()  # the critic's batch statistics stay those of its own steps
        verdict = self.discriminator(generated)
        features = verdict.features
        if weights.feature_weight or not weights.source_trains_trunk:
            with torch.no_grad():
                features = self.discriminator(true).features
        self.discriminator.train()
        return Examined(verdict, true, features)

    def generator_loss(self, generated: Tensor, seen: Examined, batch: Batch) -> Tensor:
        """Return -L_S (its generated part, non-saturating) - L_C + L_E + L_L1 and the features' distance, weighted."""
        weights, verdict = self.settings.loss, seen.generated
        source = generator_source_loss(verdict.source_logits, weights.adversarial or "logistic")
        of_class = class_loss(verdict.judgement.class_logits, batch.label).mean()
        quality = quality_loss(verdict.judgement.quality, batch.quality, weights.quality or "squared").mean()
        reconstruction = reconstruction_loss(generated, seen.true)
        features = feature_loss(verdict.features, seen.true_features)
        self.record(
            generator_source=source,
            generator_class=of_class,
            generator_quality=quality,
            generator_reconstruction=reconstruction,
            generator_features=features,
        )
        return (
            (weights.source_weight or 0) * source
            + (weights.generator_class_weight or 0) * of_class
            + (weights.quality_weight or 0) * quality
            + (weights.reconstruction_weight or 0) * reconstruction
            + (weights.feature_weight or 0) * features
        )

    def discriminator_loss(self, generated: Tensor, seen: Examined, batch: Batch, asked: Batch) -> Tensor:
        """Return -(L_S + L_C) + L_E, weighted; the heads learn from generated crops only where the settings say so."""
        weights = self.settings.loss
        real = real_crops(batch)
        if not weights.source_trains_trunk:
            source_head = self.discriminator.source_logits
            source = self.source_loss(source_head(seen.true_features), source_head(seen.generated.features.detach()))
            return (weights.source_weight or 0) * source + self.supervised_loss(self.evaluator(real.images), real)
        count = len(real.images)
        verdict = self.discriminator(torch.cat([real.images, generated]))
        source = self.source_loss(verdict.source_logits[:count], verdict.source_logits[count:])
        logits, quality = verdict.judgement
        supervised = self.supervised_loss(EvaluatorOutput(logits[:count], quality[:count]), real)
        if weights.heads_on_generated:
            made = equally_weighted(generated, asked.label, asked.quality)
            supervised = supervised + self.supervised_loss(EvaluatorOutput(logits[count:], quality[count:]), made)
        return (weights.source_weight or 0) * source + supervised

    def source_loss(self, real_logits: Tensor, generated_logits: Tensor) -> Tensor:
        """Return -L_S of the discriminator."""
        source = discriminator_source_loss(real_logits, generated_logits, self.settings.loss.adversarial or "logistic")
        self.record(discriminator_source=source)
        return source

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Return Adam for the generator, and one with two groups for the discriminator side (paper, section 4.2)."""
        training = self.settings.training
        groups = [group(list(self.generator.parameters()), training.generator_lr)]
        generator = torch.optim.Adam(groups, betas=training.betas, fused=True)
        return [generator, self.adam(self.discriminator.trunk_parameters(), self.evaluator.head_parameters())]

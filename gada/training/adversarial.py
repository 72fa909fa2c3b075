"""Phase 1: training the AC-GAN (paper, section 3.1, step 1)."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from gada.data.batches import Batch
from gada.losses.adversarial import discriminator_source_loss, generator_source_loss
from gada.losses.supervised import class_loss, feature_loss, quality_loss, reconstruction_loss
from gada.models.discriminator import Discriminator, DiscriminatorOutput
from gada.models.evaluator import EvaluatorOutput
from gada.models.generator import Generator
from gada.settings import Settings, Stage
from gada.settings.training import Span
from gada.training.evaluator import EvaluatorTraining, as_images, equally_weighted, parameters_at, real_crops


class Pairs(NamedTuple):
    """Generated crops and the true distorted crops of the same references, as the discriminator sees both."""

    images: Tensor
    """Generated crops, (G, 3, H, W) in [0, 1]."""
    output: DiscriminatorOutput
    """The discriminator's output for them, with gradients towards them."""
    true: Tensor
    """The true distorted crops, (G, 3, H, W) in [0, 1]."""
    true_features: Tensor
    """Their features, (G, F); where no loss needs them, those of the generated crops."""


class Adversarial(EvaluatorTraining):
    """Trains generator and discriminator against each other; class and quality heads serve both."""

    stage: Stage = "phase1"
    players = ("generator", "discriminator")

    def __init__(
        self, discriminator: Discriminator, generator: Generator, settings: Settings, alone: bool = False
    ) -> None:
        super().__init__(discriminator.evaluator, settings, alone)
        self.discriminator = discriminator
        self.generator = generator

    def compile_networks(self) -> None:
        """Compile what training calls."""
        super().compile_networks()
        self.discriminator.compile(dynamic=False)
        self.generator.compile(dynamic=False)

    def spans(self) -> list[Span]:
        """Return the span of the generator, whose learning rate falls over this phase, and of the discriminator."""
        return [(0, self.settings.training.phase1_steps), self.span]

    def player_losses(self, batch: Batch, batch_idx: int) -> Iterator[Tensor]:
        """Yield the generator's and the discriminator's loss on the same generated crops."""
        part = self.generator_part(batch)
        pairs = self.pairs(self.generate(part, batch_idx), part)
        yield self.generator_loss(pairs, part)
        yield self.discriminator_loss(pairs, batch, part)

    def generate(self, batch: Batch, batch_idx: int) -> Tensor:
        """Distort references to class and quality of their true distorted crops, (G, 3, H, W) in [0, 1]."""
        reference = as_images(batch.reference)
        noise = self.generator.draw(reference, self.noise_source(1, batch_idx))
        generated: Tensor = self.generator(reference, batch.label, batch.quality, noise)
        return generated

    def pairs(self, generated: Tensor, batch: Batch) -> Pairs:
        """Show the discriminator generated crops, and the true ones where a loss needs their features."""
        weights, true = self.settings.loss, as_images(batch.distorted)
        self.discriminator.eval()  # its batch statistics stay those of its own steps
        output = self.discriminator(generated)
        features = output.features
        if weights.feature_weight or not weights.source_trains_trunk:
            with torch.no_grad():
                features = self.discriminator(true).features
        self.discriminator.train()
        return Pairs(generated, output, true, features)

    def generator_loss(self, pairs: Pairs, batch: Batch) -> Tensor:
        """Return what the generator minimises (section 3.2), weighted."""
        weights, output = self.settings.loss, pairs.output
        source = generator_source_loss(output.source_logits, weights.adversarial)  # -log P(S = real | X_fake)
        of_class = class_loss(output.evaluator.class_logits, batch.label).mean()  # -L_C, equation 2
        quality = quality_loss(output.evaluator.quality, batch.quality).mean()  # L_E, equation 3
        reconstruction = reconstruction_loss(pairs.images, pairs.true)  # L_L1 = E |y - G(z, x, c, q)|
        features = feature_loss(output.features, pairs.true_features)  # E |f(y) - f(G(z, x, c, q))|
        self.record(
            generator_source=source,
            generator_class=of_class,
            generator_quality=quality,
            generator_reconstruction=reconstruction,
            generator_features=features,
        )
        return (
            weights.source_weight * source
            + weights.generator_class_weight * of_class
            + weights.quality_weight * quality
            + weights.reconstruction_weight * reconstruction
            + weights.feature_weight * features
        )

    def discriminator_loss(self, pairs: Pairs, batch: Batch, part: Batch) -> Tensor:
        """Return -(L_S + L_C) + L_E, weighted.

        Args:
            pairs: of `part`; no gradient reaches the generated crops.
            batch: the whole batch, whose real crops train the heads.
            part: the part that the generator distorted; its crops train the heads only where the settings say so.
        """
        weights, real = self.settings.loss, real_crops(batch)
        if not weights.source_trains_trunk:
            features = pairs.true_features, pairs.output.features.detach()
            source = self.source_loss(*(self.discriminator.source_logits(one) for one in features))
            return weights.source_weight * source + self.supervised_loss(self.evaluator(real.images), real)
        count = len(real.images)
        output = self.discriminator(torch.cat([real.images, pairs.images.detach()]))
        source = self.source_loss(output.source_logits[:count], output.source_logits[count:])
        logits, quality = output.evaluator
        supervised = self.supervised_loss(EvaluatorOutput(logits[:count], quality[:count]), real)
        if weights.heads_on_generated:
            made = equally_weighted(pairs.images.detach(), part.label, part.quality)
            supervised = supervised + self.supervised_loss(EvaluatorOutput(logits[count:], quality[count:]), made)
        return weights.source_weight * source + supervised

    def source_loss(self, real_logits: Tensor, generated_logits: Tensor) -> Tensor:
        """Return -L_S of the discriminator (equation 1) for source logits (N,) and (G,)."""
        source = discriminator_source_loss(real_logits, generated_logits, self.settings.loss.adversarial)
        self.record(discriminator_source=source)
        return source

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Return Adam for the generator, and one with two groups for the discriminator (paper, section 4.2)."""
        training = self.settings.training
        weights = parameters_at(training.generator_lr, list(self.generator.parameters()), "generator")
        generator = torch.optim.Adam([weights], betas=training.betas, fused=True)
        return [generator, self.adam(self.discriminator.trunk_parameters(), self.evaluator.head_parameters())]

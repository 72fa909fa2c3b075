"""Phase 2: generative data augmentation (paper, section 3.1, step 2)."""

import torch

from gada.data.batches import Batch
from gada.models.evaluator import Evaluator
from gada.models.generator import Generator
from gada.settings import Settings, Stage
from gada.training.evaluator import EvaluatorTraining, LabelledCrops, as_images, equally_weighted, real_crops


class Augmentation(EvaluatorTraining):
    """Trains the evaluator on real distorted crops and on crops that the frozen generator makes.

    Without a generator the sources are distorted already: what a perfect generator would bring.
    """

    stage: Stage = "phase2"

    def __init__(
        self, evaluator: Evaluator, generator: Generator | None, settings: Settings, alone: bool = False
    ) -> None:
        super().__init__(evaluator, settings, alone)
        self.generator = generator.requires_grad_(False) if generator else None

    def compile_networks(self) -> None:
        """Compile what training calls."""
        super().compile_networks()
        if self.generator:
            self.generator.compile(dynamic=False)

    def labelled_crops(self, batch: Batch, batch_idx: int) -> LabelledCrops:
        """Return the real crops and the generated ones, weighted by `generated_fraction`."""
        fraction = self.settings.training.generated_fraction
        real, generated = real_crops(batch), self.generated_crops(batch, batch_idx)
        images, label, quality = (torch.cat(pair) for pair in zip(real[:3], generated[:3], strict=True))
        weight = torch.cat([(1 - fraction) * real.weight, fraction * generated.weight])
        return LabelledCrops(images, label, quality, weight)

    @torch.no_grad()
    def generated_crops(self, batch: Batch, batch_idx: int) -> LabelledCrops:
        """Distort source crops to the batch's target classes and qualities, which become their labels."""
        part = self.generator_part(batch)
        images = as_images(part.source)  # (G, 3, H, W) in [0, 1]
        if self.generator:
            noise = self.generator.draw(images, self.noise_source(2, batch_idx))
            images = self.generator(images, part.target_label, part.target_quality, noise)
        return equally_weighted(images, part.target_label, part.target_quality)

"""Phase 2: generative data augmentation (paper, section 3.1, step 2)."""

import torch

from gada.data.batches import Batch, CropBatches
from gada.models.evaluator import Evaluator
from gada.models.generator import Generator
from gada.settings import Settings, Stage
from gada.training.evaluator import LabelledCrops, Span, as_images, equally_weighted, real_crops
from gada.training.finetuning import FineTuning


class Augmentation(FineTuning):
    """Trains the evaluator with real crops and crops that the resting generator distorts as asked.

    Without a generator the pictures from which it would generate are distorted already: its rival.
    """

    stage: Stage = "phase2"

    def __init__(
        self,
        evaluator: Evaluator,
        generator: Generator | None,
        settings: Settings,
        span: Span | None = None,
        on_device: CropBatches | None = None,
    ) -> None:
        super().__init__(evaluator, settings, span, on_device)
        self.generator = generator.requires_grad_(False) if generator else None

    def compile_networks(self) -> None:
        """Compile what training calls."""
        super().compile_networks()
        if self.generator:
            self.generator.compile(dynamic=False)

    def labelled_crops(self, batch: Batch, batch_idx: int) -> LabelledCrops:
        """Return the real crops and generated ones of reference crops."""
        share = self.settings.training.generated_fraction
        real, generated = real_crops(batch), self.generated_crops(batch, batch_idx)
        images, label, quality = (torch.cat(pair) for pair in zip(real[:3], generated[:3], strict=True))
        return LabelledCrops(images, label, quality, torch.cat([(1 - share) * real.weight, share * generated.weight]))

    @torch.no_grad()
    def generated_crops(self, batch: Batch, batch_idx: int) -> LabelledCrops:
        """Distort the batch's reference crops to the asked classes and qualities."""
        asked = self.asked(batch)
        reference = as_images(asked.source)
        if self.generator is None:
            return equally_weighted(reference, asked.target_label, asked.target_quality)
        noise = self.generator.draw(reference, self.noise_source(2, batch_idx))
        images = self.generator(reference, asked.target_label, asked.target_quality, noise)
        return equally_weighted(images, asked.target_label, asked.target_quality)

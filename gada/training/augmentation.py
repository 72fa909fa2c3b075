"""Phase 2: generative data augmentation (paper, section 3.1, step 2)."""

from copy import deepcopy

import torch
from torch import Tensor

from gada.data.batches import Batch
from gada.models.evaluator import Evaluator, Judgement
from gada.models.generator import Generator
from gada.settings import Settings, Stage
from gada.training.evaluator import LabelledCrops, as_images, equally_weighted, first, real_crops, seeded
from gada.training.finetuning import FineTuning

TOLERANCE = 0.1  # deviation from the asked quality, in [0, 1], at which agreement has fallen to exp(-1/2)


class Augmentation(FineTuning):
    """Trains the evaluator with real crops and crops that the resting generator distorts as asked."""

    stage: Stage = "phase2"

    def __init__(self, evaluator: Evaluator, generator: Generator, settings: Settings) -> None:
        super().__init__(evaluator, settings)
        self.generator = generator.requires_grad_(False)
        self.judge = deepcopy(evaluator).eval().requires_grad_(False) if settings.training.agreement else None

    def compile_networks(self) -> None:
        """Compile what training calls."""
        super().compile_networks()
        self.generator.compile(dynamic=False)

    def labelled_crops(self, batch: Batch, batch_idx: int) -> LabelledCrops:
        """Return the real crops and generated ones of reference crops."""
        share = self.settings.training.generated_share
        real, generated = real_crops(batch), self.generated_crops(batch, batch_idx)
        images, label, quality = (torch.cat(pair) for pair in zip(real[:3], generated[:3], strict=True))
        return LabelledCrops(images, label, quality, torch.cat([(1 - share) * real.weight, share * generated.weight]))

    @torch.no_grad()
    def generated_crops(self, batch: Batch, batch_idx: int) -> LabelledCrops:
        """Distort the batch's reference crops to the asked classes and qualities."""
        asked = first(batch, self.settings.training.generator_batch)
        noise = seeded(self.device, self.settings.seed, 2, self.step_number(batch_idx))
        images = self.generator(as_images(asked.source), asked.asked_label, asked.asked_quality, noise)
        crops = equally_weighted(images, asked.asked_label, asked.asked_quality)
        return crops if self.judge is None else crops._replace(weight=crops.weight * agreement(self.judge, crops))


def agreement(judge: Evaluator, crops: LabelledCrops) -> Tensor:
    """Return how far a judge takes crops for what they are labelled, (N,) in [0, 1].

    A label is only as good as the generator: of a class that it has not learnt, crops would teach what is wrong.
    """
    judged: Judgement = judge(crops.images)
    named = judged.class_logits.softmax(dim=1).gather(1, crops.label[:, None]).squeeze(1)  # P(C = c | G(z, x, c, q))
    return named * torch.exp(-(((judged.quality - crops.quality) / TOLERANCE).square()) / 2)

"""Phase 3 of an evaluator of whole images: several scored sets, photos in order, images without content."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gada.data.records import ScoredImage
from gada.data.whole_batches import TRIPLE, Order, ScoredViews, WholeBatches
from gada.io.cards import Card
from gada.io.checkpoints import BEST, ENDED, find_checkpoint
from gada.io.files import write_json
from gada.io.progress import with_progress
from gada.io.records import write_rows
from gada.io.results import ResultRow
from gada.models.efficientnet_lite import pretrained_trunk
from gada.models.evaluator import Evaluator
from gada.models.files import load_evaluator, save_network
from gada.runs.calibration import calibrate, rescale
from gada.runs.evaluation import Evaluated
from gada.runs.features import pooled_features, pretrained_features, views_of
from gada.runs.orders import ORDER, SETS, generated_orders, order_photos, tested_order
from gada.runs.phases import Phase
from gada.runs.prepared import PreparedData
from gada.runs.starts import card_of
from gada.scoring.loading import load_scorer
from gada.settings import STAGES
from gada.training.checkpoints import Checkpoints
from gada.training.data import TrainingData
from gada.training.head_fit import HeadPart, fit_head
from gada.training.loggers import RunLogger
from gada.training.stage import seed_weights, train
from gada.training.whole_image import WholeImageTraining, as_view, features_of

CHEAPER = "Cheaper: fewer --training.phase3_steps. Ctrl-C stops; the same command resumes."
GENERATED = 400  # orders that a generator makes; each takes 1 MB
HEAD_BATCHES = 300  # whose orders and blank images the head is fitted to
Pixels = NDArray[np.uint8]


class WholeImagePhase(Phase):
    """Trains, evaluates and calibrates an evaluator of whole images."""

    def train(self, card: Card, loggers: Sequence[RunLogger]) -> None:
        """Train to the end; keep the best evaluator, calibrated, and the last one."""
        seed_weights(self.settings.seed)
        data, whole, hardware = self.data, self.settings.whole, self.hardware
        photos = order_photos(whole.photos, data, self.settings.seed)  # their faults are told before long work
        sets, generated = self.scored_views(), self.generated(photos.trained)
        if whole.generated_weight:
            sets.append(self.as_scored(generated))
        evaluator = self.evaluator()
        if self.start.evaluator is None:
            evaluator.trunk = pretrained_trunk()
        batches = WholeBatches(
            sets,
            photos.trained,
            orders=whole.orders,
            blanks=whole.blanks,
            window=self.settings.training.crop_size,
            longer_side=whole.longer_side,
            steps=self.settings.training.steps(self.stage),
            seed=self.settings.seed * len(STAGES) + STAGES.index(self.stage),
            generated=generated,
            generated_orders=whole.generated_orders,
        )
        if Checkpoints(self.folder).newest() is None:  # else the weights come from there
            self.prepare_head(evaluator, batches)
        module = WholeImageTraining(evaluator, self.settings, [one.name for one in sets])
        validation: Any = self.validation()  # a list is a data set
        every, workers = self.settings.training.validate_every, hardware.workers
        loaded = TrainingData(batches, validation, every, workers=workers, at_once=1)
        card = replace(card, classes=(), whole_view=whole.longer_side)
        save_best = partial(save_network, self.folder / BEST, module.average, card)
        train(module, loaded, self.folder, save_best, loggers, None, hardware.device, hardware.devices, CHEAPER)
        save_network(self.folder / ENDED, module.average, card)
        limit = card_of(self.start.evaluator, "evaluator").usual_distance if self.start.evaluator else None
        calibrate(self.folder / BEST, data, whole.longer_side, limit)
        self.measure_order(photos.tested)

    def evaluator(self) -> Evaluator:
        """Return a new evaluator, or the one that the stage starts from; it names no distortion classes."""
        if self.start.evaluator is None:
            return Evaluator(self.settings.model, classes=1)
        return load_evaluator(self.start.evaluator)[0].train()

    def scored_views(self) -> list[ScoredViews]:
        """Return the training images of each set, with their parts of a batch."""
        sets = [self.data, *self.data.others]
        weights = [self.settings.data.weight, *(one.weight for one in self.settings.whole.sets)]
        batch, total = self.settings.training.batch_size, self.total_weight
        counts = [max(1, round(batch * weight / total)) for weight in weights]
        return [self.views_of(one, count) for one, count in zip(sets, counts, strict=True)]

    @property
    def total_weight(self) -> float:
        """The weights of all scored sets together."""
        return self.settings.data.weight + sum(one.weight for one in self.settings.whole.sets)

    def views_of(self, data: PreparedData, count: int) -> ScoredViews:
        """Return the training images of a set with their qualities in standard deviations."""
        records = data.side("train").images
        quality = np.array([record.quality for record in records], dtype=np.float32)
        mean, std = float(quality.mean()), float(quality.std()) or 1.0
        files = [data.images.name_of(record) for record in records]
        views = self.views(data, records)
        return ScoredViews(data.images.name, views, (quality - mean) / std, count, files)

    def validation(self) -> list[tuple[Tensor, Tensor, int]]:
        """Return the validation images (3, h, w) uint8 of each set, their qualities in [0, 1], and the set's number."""
        found = []
        for number, data in enumerate((self.data, *self.data.others)):
            records = data.side("validation").images
            for view, record in zip(self.views(data, records), records, strict=True):
                found.append((as_view(view)[0], torch.tensor(record.quality), number))
        return found

    def views(self, data: PreparedData, records: Iterable[ScoredImage]) -> list[Pixels]:
        """Return images as they are seen whole."""
        return list(views_of(data, records, self.settings.whole.longer_side))

    def generated(self, photos: list[Pixels]) -> list[Order]:
        """Return photos that the generator has distorted, if anything takes them."""
        whole = self.settings.whole
        if not whole.generates:
            return []
        path = find_checkpoint(whole.generator, "generator")
        return generated_orders(path, photos, GENERATED, whole.longer_side, self.settings.seed)

    def as_scored(self, generated: Sequence[Order]) -> ScoredViews:
        """Return generated images as a set of their own, whose scores are the target qualities."""
        whole = self.settings.whole
        views = [view for one in generated for view in one.images[1:]]
        quality = np.array([1 - strength for one in generated for strength in one.strength[1:]], dtype=np.float32)
        count = max(1, round(self.settings.training.batch_size * whole.generated_weight / self.total_weight))
        return ScoredViews("generated", views, (quality - quality.mean()) / quality.std(), count)

    def measure_order(self, photos: list[Pixels]) -> None:
        """Measure on held-out photos whether the score falls with distortions, before the training and after it."""
        paths = {"before": self.start.evaluator, "after": self.folder / BEST}
        scorers = {when: load_scorer(path, device=self.hardware.device) for when, path in paths.items() if path}
        found = {when: tested_order(scorer, photos, self.settings.seed) for when, scorer in scorers.items()}
        write_json(self.folder / ORDER, {"photos": len(photos), **found})

    def prepare_head(self, evaluator: Evaluator, batches: WholeBatches) -> None:
        """Fit the head to the features that the trunk gives before it moves; one that knows its task is put to scale.

        Margins and limits are in standard deviations of human scores, and a finished head has a scale of its own.
        """
        sets = batches.sets
        if self.start.evaluator is not None:
            features = evaluator.eval().scale(pooled_features(evaluator, sets[0].views))
            logits = evaluator.predict(features).quality.detach().double().logit()
            spread = max(float(logits.std()), 0.1)
            rescale(evaluator, 1 / spread, -float(logits.mean()) / spread)
            return
        evaluator.eval()
        known = (self.data, *self.data.others)
        longer_side = self.settings.whole.longer_side
        found = [torch.from_numpy(pretrained_features(evaluator, one, "train", longer_side)) for one in known]
        found += [pooled_features(evaluator, one.views) for one in sets[len(known) :]]  # generated
        fitted = [
            HeadPart(features, torch.from_numpy(one.quality), one.count)
            for features, one in zip(found, sets, strict=True)
        ]
        fit_head(evaluator, fitted, *self.unscored(evaluator, batches), self.settings)

    def unscored(self, evaluator: Evaluator, batches: WholeBatches) -> tuple[HeadPart, HeadPart]:
        """Return the features of orders and of images without content, as they come in some batches."""
        random = np.random.default_rng(batches.seed)
        count = min(HEAD_BATCHES, self.settings.whole.head_steps)
        ordered, strength, blank, limit = [], [], [], []
        for _ in with_progress(range(count), "features of photos in order", count):
            for images, strengths in batches.drawn_orders(random):
                ordered.append(features_of(evaluator, map(as_view, images)))
                strength.append(strengths)
            for image, most in batches.drawn_blanks(random):
                blank.append(features_of(evaluator, [as_view(image)]))
                limit.append(most)
        width = evaluator.features
        return (
            HeadPart(
                torch.cat([torch.empty(0, width), *ordered]).view(-1, TRIPLE, width),
                torch.tensor(strength, dtype=torch.float32).view(-1, TRIPLE),
                batches.orders + batches.generated_orders,
            ),
            HeadPart(torch.cat([torch.empty(0, width), *blank]), torch.tensor(limit), batches.blanks),
        )

    def evaluate_others(self) -> None:
        """Score the test images of the other sets, and write their result rows to `sets.jsonl`."""
        scorer = load_scorer(self.folder / BEST, device=self.hardware.device)
        rows: list[ResultRow] = []
        for other in self.data.others:
            test = other.side("test")
            pixels = (other.packed.array(record.image) for record in test.images)
            evaluated = Evaluated(scorer, test, pixels, other.upper_bound)
            rows += evaluated.rows(self.stage, other.split.number, self.settings.seed)
        if rows:
            write_rows(self.folder / SETS, [row.as_plain() for row in rows])

"""The assembly of a phase: its networks, its batches, its module, and what is kept of its training."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from gada.data.batches import CropBatches
from gada.errors import ConfigError
from gada.io.cards import Card
from gada.io.checkpoints import BEST, ENDED, GENERATOR
from gada.io.files import write_json
from gada.models.discriminator import Discriminator
from gada.models.evaluator import Evaluator, head
from gada.models.files import load_evaluator, load_generator, save_network
from gada.models.generator import Generator
from gada.models.projector import Projector
from gada.runs.evaluation import Evaluated
from gada.runs.hardware import Hardware
from gada.runs.prepared import PreparedData
from gada.runs.samples import sample_grid
from gada.runs.starts import Start, card_of
from gada.scoring.loading import load_scorer
from gada.settings import STAGES, Settings, Stage
from gada.training.adversarial import Adversarial
from gada.training.augmentation import Augmentation
from gada.training.baseline import Baseline
from gada.training.data import TrainingData, ValidationCrops
from gada.training.evaluator import EvaluatorTraining, as_images
from gada.training.finetuning import FineTuning
from gada.training.loggers import RunLogger
from gada.training.stage import seed_weights, train

STARTED_FROM = "from.json"  # names the evaluator that `--from` gave a stage


class Phase:
    """One stage of a run, about to be trained.

    Args:
        stage: which.
        folder: of the stage.
        settings: of the run.
        data: of the run.
        start: the checkpoints that it starts from.
        given: whether `--from` gave them; the rates then fall over this stage alone.
        hardware: where it is trained.

    Raises:
        ConfigError: if the stage's folder holds a training that started elsewhere.
    """

    def __init__(
        self,
        stage: Stage,
        folder: Path,
        settings: Settings,
        data: PreparedData,
        start: Start,
        given: bool,
        hardware: Hardware,
    ) -> None:
        self.stage, self.folder, self.settings, self.data = stage, folder, settings, data
        self.start, self.given, self.hardware = start, given, hardware
        self._note_start()

    def _note_start(self) -> None:
        """Note the evaluator that `--from` gave; a training that is under way must have started from it."""
        noted = self.folder / STARTED_FROM
        before = json.loads(noted.read_text(encoding="utf-8")) if noted.is_file() else {}
        if not self.given or self.start.evaluator is None:
            if before:
                raise ConfigError(
                    f"{self.folder} started from {before['evaluator']}; give --from again to resume it, or delete the "
                    "folder to train it anew."
                )
            return
        now = card_of(self.start.evaluator, "evaluator").sha256
        if before.get("sha256") != now and any(self.folder.glob("[!.]*")):  # temporary files begin with a dot
            raise ConfigError(
                f"{self.folder} did not start from {self.start.evaluator}; choose another --run, or delete the folder "
                "to train it anew."
            )
        write_json(noted, {"evaluator": str(self.start.evaluator), "sha256": now})

    def train(self, card: Card, loggers: Sequence[RunLogger]) -> None:
        """Train to the end, and keep the best evaluator, the last one and, of phase 1, the generator.

        Args:
            card: of the evaluator; a generator's says so.
            loggers: of the run.
        """
        training, hardware = self.settings.training, self.hardware
        seed_weights(self.settings.seed)
        module = self.module()
        validation = ValidationCrops(self.data.side("validation"), self.data.packed, self.settings)
        data = TrainingData(
            self.batches(), validation, training.validate_every, hardware.device, workers=hardware.workers
        )
        save_best = partial(save_network, self.folder / BEST, module.evaluator, card)
        draw = None
        if isinstance(module, Adversarial):
            draw = partial(
                sample_grid, module.generator, self.data.side(self.data.watched), self.data.packed, training.crop_size
            )
        train(module, data, self.folder, save_best, loggers, draw, hardware.device, hardware.devices)
        save_network(self.folder / ENDED, module.evaluator, card)
        if isinstance(module, Adversarial):
            save_network(self.folder / GENERATOR, module.generator, card)

    def module(self) -> EvaluatorTraining:
        """Return the module of the stage with the networks that it starts from."""
        settings, alone, evaluator = self.settings, self.given, self.evaluator()
        match self.stage:
            case "baseline":
                return Baseline(evaluator, settings, alone)
            case "phase1":
                projector = Projector(as_images(self.batches()[0].distorted)) if settings.loss.projected else None
                discriminator = Discriminator(evaluator, projector)  # whose source head is drawn first
                return Adversarial(discriminator, Generator(settings.model, self.data.classes), settings, alone)
            case "phase2":
                return Augmentation(evaluator, self.generator(), settings, alone)
            case "phase3":
                return FineTuning(evaluator, settings, alone)

    def evaluator(self) -> Evaluator:
        """Return a new evaluator, or the one that the stage starts from."""
        path, images = self.start.evaluator, self.data.images
        if path is None:
            return Evaluator(self.settings.model, self.data.classes)
        evaluator, card = load_evaluator(path)
        if card.classes != images.classes:
            if self.stage == "phase2" or not self.given:
                raise ConfigError(
                    f"{path} knows {len(card.classes)} distortion classes, {images.name} has {self.data.classes}; "
                    "use a checkpoint with the same classes."
                )
            # Other classes need another class head; trunk and quality head carry over.
            evaluator.class_head = head(evaluator.features, evaluator.settings.hidden, self.data.classes)
        return evaluator.train()

    def generator(self) -> Generator | None:
        """Return the trained generator of phase 2; None where it takes a distorted set instead."""
        path, images = self.start.generator, self.data.images
        if path is None:
            return None
        generator, card = load_generator(path)
        if card.classes != images.classes:
            raise ConfigError(
                f"{path} makes {len(card.classes)} distortion classes, {images.name} has {self.data.classes}; "
                "use a generator with the same classes."
            )
        return generator

    def batches(self) -> CropBatches:
        """Return the training batches."""
        training, train_side = self.settings.training, self.data.side("train")
        sources = self.data.sources if self.stage == "phase2" else None
        return CropBatches(
            train_side,
            self.data.packed,
            batch_size=training.batch_size,
            crop=training.crop_size,
            steps=training.steps(self.stage),
            seed=self.settings.seed * len(STAGES) + STAGES.index(self.stage),
            flip=training.flip,
            grid=training.grid,
            uniform=training.target_quality == "uniform",
            sources=sources.files if sources else None,
            packed_sources=sources.packed if sources else None,
            given=sources.targets(train_side) if sources else None,
        )

    def evaluate_others(self) -> None:
        """Score what was trained beside the run's own set; a phase of crops has nothing there."""

    def evaluate(self, model: Path | None = None) -> Evaluated:
        """Score the test images with the best evaluator, or with another."""
        test, evaluation = self.data.side("test"), self.settings.evaluation
        path = model or self.folder / BEST
        scorer = load_scorer(path, "crops", evaluation.crops, evaluation.seed, self.hardware.device)
        pixels = (self.data.packed.array(record.image) for record in test.images)
        return Evaluated(scorer, test, pixels, self.data.upper_bound)

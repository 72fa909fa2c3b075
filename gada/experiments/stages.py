"""The stages of a run: what each starts from, how it is trained, and its evaluation on the test references."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from gada.data.batches import CropBatches
from gada.data.cache import PackedImages
from gada.data.perceptual_hash import PerceptualHash, lookalikes
from gada.data.records import ScoredSet
from gada.data.splits import Split
from gada.errors import ConfigError
from gada.experiments.evaluation import is_of_split, result_rows, set_of, write_scores
from gada.experiments.report import run_provenance
from gada.experiments.samples import sample_grid
from gada.experiments.sources import Sources, asked_of
from gada.io.checkpoints import ENDED, HASH, find_checkpoint, load_checkpoint
from gada.io.files import write_bytes, write_json
from gada.io.records import RESULTS, commit, read_rows, write_rows
from gada.models.discriminator import Discriminator
from gada.models.evaluator import Evaluator, head
from gada.models.files import Card, load_evaluator, load_generator, model_settings, save_network
from gada.models.generator import Generator
from gada.reports.figures import scatter
from gada.reports.tables import STAGE_NAMES
from gada.scoring.torch_backend import load_scorer
from gada.settings import STAGES, ModelSettings, Settings, Stage, as_plain
from gada.training.adversarial import Adversarial
from gada.training.augmentation import Augmentation
from gada.training.baseline import Baseline
from gada.training.dashboard import Dashboard
from gada.training.data import TrainingData, ValidationCrops
from gada.training.evaluator import EvaluatorTraining
from gada.training.finetuning import FineTuning
from gada.training.stage import seed_weights, train

BEST = "best.safetensors"
GENERATOR = "generator.safetensors"
BEGINNING = "from.json"  # names the evaluator that `--from` gave a stage
OF_THE_EVALUATOR = ("widths", "maps", "hidden", "pooling", "detail")  # model settings that its weights fix
UPPER_BOUND = "With split.upper_bound the run may see its test, and its results say so."
BEFORE: dict[Stage, Stage] = {"phase2": "phase1", "phase3": "phase2"}


@dataclass(frozen=True)
class Run:
    """A run's folder, its settings and its data."""

    folder: Path
    settings: Settings
    images: ScoredSet
    packed: PackedImages
    split: Split
    device: str
    start: str | None
    """Checkpoint to start from instead of the run's own phase before."""
    dashboard: Dashboard
    devices: int
    """How many devices train side by side."""
    workers: int
    """Processes that cut training batches."""
    hashes: dict[str, PerceptualHash]
    """Of each reference, by its id; none for a set without references."""
    sources: Sources | None

    @property
    def results(self) -> Path:
        """The file of result rows."""
        return self.folder / RESULTS

    @property
    def classes(self) -> int:
        """The number of distortion classes; one where the set names none."""
        return len(self.images.classes) or 1

    def side(self, name: str) -> ScoredSet:
        """Return the images of one side of the split; an upper bound is trained on all sides."""
        if name == "train" and self.settings.split.upper_bound:
            return self.images
        return self.images.select(getattr(self.split, name))

    def beginning(self, stage: Stage) -> Path | None:
        """Return the evaluator that a stage goes on from; None where it begins anew."""
        before = BEFORE.get(stage)
        if self.start is None and before is None:
            return None
        return find_checkpoint(self.start or str(self.folder / str(before) / ENDED), "evaluator")

    def card(self, stage: Stage) -> Card:
        """Return what a checkpoint of this run says of itself."""
        return {
            "name": f"{self.images.name} {stage}",
            "data": self.images.name,
            "proxy": self.images.proxy,
            "classes": list(self.images.classes),
            "scale": as_plain(self.images.scale),
            "crop_size": self.settings.training.crop_size,
            "crop_grid": self.settings.training.grid,
            "stage": stage,
            "seed": self.settings.seed,
            "split": self.split.hash,
            "references": self.seen(stage),
            "commit": commit(),
        }

    def seen(self, stage: Stage) -> dict[str, str] | None:
        """Return the perceptual hashes, by their ids, of the references that train and choose a stage's evaluator.

        With those of what it goes on from and, of the other photographs of phase 2, the low frequencies alone,
        for there may be thousands; None where nothing is known.
        """
        names = {*self.side("train").reference_ids, *self.split.validation} if self.hashes else ()
        seen = {name: self.hashes[name].text() for name in sorted(names)}
        if self.sources and stage == "phase2":
            low = {name: PerceptualHash(one.low).text() for name, one in self.sources.hashes.items()}
            seen |= {f"unlabelled: {name}": text for name, text in low.items()}
        path = self.beginning(stage)
        card = load_checkpoint(path, "evaluator")[1] if path else {}
        for name, text in (card.get("references") or {}).items():
            seen[name if seen.get(name, text) == text else f"{card.get('data')}: {name}"] = text
        return seen or None


def model_of(start: str, asked: ModelSettings) -> ModelSettings:
    """Return the model settings of a training that begins from a checkpoint: its evaluator is what it is.

    Args:
        start: the checkpoint.
        asked: what the settings ask for, which still holds for a new generator.
    """
    path = find_checkpoint(start, "evaluator")
    there = model_settings(load_checkpoint(path, "evaluator")[1], path)
    return replace(asked, **{name: getattr(there, name) for name in OF_THE_EVALUATOR})


def starting_kinds(stages: Sequence[Stage], settings: Settings) -> tuple[str, ...]:
    """Return the kinds of checkpoint that stages take from `--from`; phase 2 generates, unless it has a rival set."""
    generates = "phase2" in stages and settings.training.distorted is None
    return ("evaluator", "generator") if generates else ("evaluator",)


def check_start(
    stages: Sequence[Stage], settings: Settings, images: ScoredSet, folder: Path, start: str | None
) -> None:
    """Refuse stages that lack what they start from, before anything is written."""
    for kind in starting_kinds(stages, settings) if start else ():
        find_checkpoint(str(start), kind)
    for stage in stages:
        if stage in ("phase1", "phase2") and not images.has_references:
            raise ConfigError(
                f"{images.name} has no reference images, which the generator of {stage} distorts; "
                "without them, train --phase baseline, or --phase 3 --from a checkpoint."
            )
        before = BEFORE.get(stage)
        if start or before is None or before in stages or (folder / before / ENDED).is_file():
            continue
        raise ConfigError(
            f"--phase {stage[-1]} goes on from phase {before[-1]}, but {folder} has none; "
            f"train --phase {before[-1]} first, or give --from a checkpoint."
        )


def check_unseen(
    start: str, kinds: Sequence[str], images: ScoredSet, split: Split, hashes: Mapping[str, PerceptualHash]
) -> None:
    """Refuse to start from a checkpoint that has seen what the test references show: their test would be none.

    Args:
        start: the checkpoint.
        kinds: of checkpoint that are taken, as `starting_kinds` gives them.
        images: the run's set.
        split: the run's split.
        hashes: the perceptual hash of each reference; none for a set without references, of which only the split of
            the checkpoint can be compared.

    Raises:
        ConfigError: if it was trained or chosen on a test reference, or without references on another split.
    """
    for kind in kinds:
        path = find_checkpoint(start, kind)
        card = load_checkpoint(path, kind)[1]
        if not hashes and set_of(card.get("data")) == images.name and not is_of_split(card, images.name, split):
            raise ConfigError(
                f"{path} was trained on another split of {images.name} than number {split.number}, which may test what "
                f"it has seen; give the split of that run's split.json. {UPPER_BOUND}"
            )
        known = {name: PerceptualHash.read(text) for name, text in (card.get("references") or {}).items()}
        check_scenes(str(path), known, split, hashes)


def check_scenes(
    where: str, known: Mapping[str, PerceptualHash], split: Split, hashes: Mapping[str, PerceptualHash]
) -> None:
    """Refuse scenes of a split's test among those that train.

    Raises:
        ConfigError: if there is one; the message names it.
    """
    shared = lookalikes({name: hashes[name] for name in split.test if hashes}, known)
    for test, one in shared.items():
        raise ConfigError(
            f"{where} has seen {one!r}, which shows the same scene as {test!r}, a test reference of split "
            f"{split.number} ({len(shared)} of {len(split.test)} are seen). {UPPER_BOUND}"
        )


def finished_stages(folder: Path) -> set[str]:
    """Return the stages of a run that are trained and evaluated; one whose folder was deleted is not."""
    return {row["stage"] for row in read_rows(folder / RESULTS) if (folder / row["stage"] / ENDED).is_file()}


def check_beginning(run: Run, stage: Stage) -> None:
    """Refuse to go on with a stage, finished or not, that began from another evaluator than `--from` names; note it.

    Raises:
        ConfigError: if it did.
    """
    folder, path = run.folder / stage, run.beginning(stage) if run.start else None
    noted = folder / BEGINNING
    before = json.loads(noted.read_text(encoding="utf-8")) if noted.is_file() else {}
    if path is None:
        if before and stage not in finished_stages(run.folder):
            raise ConfigError(
                f"{folder} began from {before['evaluator']}; give --from again to go on, or delete the folder to train "
                "it anew."
            )
        return
    now = load_checkpoint(path, "evaluator")[1].get(HASH)
    if before.get(HASH) != now and any(folder.glob("[!.]*")):  # temporary files begin with a dot
        raise ConfigError(
            f"{folder} did not begin from {path}; choose another --run, or delete the folder to train it anew."
        )
    write_json(noted, {"evaluator": str(path), HASH: now})


def train_stage(run: Run, stage: Stage) -> None:
    """Train one stage to its end and keep its best evaluator."""
    folder, training, card = run.folder / stage, run.settings.training, run.card(stage)
    seed_weights(run.settings.seed)
    module = build(run, stage)
    batches = crop_batches(run, stage, training.steps(stage))
    validation = ValidationCrops(run.side("validation"), run.packed, run.settings)
    save_best = partial(save_network, folder / BEST, module.evaluator, card)
    draw = None
    if isinstance(module, Adversarial):
        draw = partial(sample_grid, module.generator, run.side("validation"), run.packed, training.crop_size)
    data = TrainingData(batches, validation, training.validate_every, run.device, run.workers)
    train(module, data, folder, save_best, run.dashboard.loggers, draw, run.device, run.devices)
    save_network(folder / ENDED, module.evaluator, card)
    if isinstance(module, Adversarial):
        save_network(folder / GENERATOR, module.generator, card)


def build(run: Run, stage: Stage) -> EvaluatorTraining:
    """Return the module of a stage with the networks it starts from."""
    settings, alone = run.settings, run.start is not None
    match stage:
        case "baseline":
            return Baseline(starting_evaluator(run, stage), settings, alone)
        case "phase1":
            discriminator = Discriminator(starting_evaluator(run, stage))
            return Adversarial(discriminator, starting_generator(run, stage), settings, alone)
        case "phase2":
            generator = None if settings.training.distorted else starting_generator(run, stage)
            return Augmentation(starting_evaluator(run, stage), generator, settings, alone)
        case "phase3":
            return FineTuning(starting_evaluator(run, stage), settings, alone)


def starting_evaluator(run: Run, stage: Stage) -> Evaluator:
    """Return a new evaluator, that of the phase before, or that of `--from`."""
    path = run.beginning(stage)
    if path is None:
        return Evaluator(run.settings.model, run.classes)
    evaluator, card = load_evaluator(path)
    if card["classes"] != list(run.images.classes):
        if stage == "phase2" or run.start is None:
            raise ConfigError(
                f"{path} knows {len(card['classes'])} distortion classes, {run.images.name} has {run.classes}; "
                "use a checkpoint with the same classes."
            )
        # Other classes need another class head; trunk and quality head carry over.
        evaluator.class_head = head(evaluator.features, evaluator.settings.hidden, run.classes)
    return evaluator.train()


def starting_generator(run: Run, stage: Stage) -> Generator:
    """Return a new generator for phase 1, the trained one for phase 2."""
    if stage == "phase1":
        return Generator(run.settings.model, run.classes)
    path = find_checkpoint(run.start or str(run.folder / "phase1"), "generator")
    generator, card = load_generator(path)
    if card["classes"] != list(run.images.classes):
        raise ConfigError(
            f"{path} makes {len(card['classes'])} distortion classes, {run.images.name} has {run.classes}; "
            "use a generator with the same classes."
        )
    return generator


def crop_batches(run: Run, stage: Stage, steps: int) -> CropBatches:
    """Return the training batches of a stage."""
    training = run.settings.training
    others = run.sources if stage == "phase2" else None
    return CropBatches(
        run.side("train"),
        run.packed,
        batch_size=training.batch_size,
        crop=training.crop_size,
        steps=steps,
        seed=run.settings.seed * len(STAGES) + STAGES.index(stage),
        flip=training.flip,
        grid=training.grid,
        sources=others.files if others else None,
        packed_sources=others.packed if others else None,
        given=asked_of(others.rival, run.side("train")) if others and others.rival else None,
    )


def evaluate_stage(run: Run, stage: Stage) -> None:
    """Score the test references with a stage's best evaluator; leaves scores, figure and result rows."""
    folder, test, evaluation = run.folder / stage, run.side("test"), run.settings.evaluation
    scorer = load_scorer(folder / BEST, run.device, evaluation.crops, evaluation.seed)
    predictions = list(scorer.score_all(run.packed.array(record.image) for record in test.images))
    rows = result_rows(predictions, test, stage, run.split.number)
    write_scores(folder / "scores.csv", predictions, test)
    picture = scatter(
        [test.scale.score(prediction.quality) for prediction in predictions],
        [record.score for record in test.images],
        [record.distortion for record in test.images],
        title=f"{test.name}, {STAGE_NAMES[stage]}",
        scale_label=test.scale.describe(),
        proxy=test.proxy,
    )
    write_bytes(folder / "scatter.png", picture)
    run.dashboard.image(f"{stage}/scatter", folder / "scatter.png")
    origin = vars(run_provenance(test, run.settings.seed))
    marked = [{**row, **origin} for row in rows]
    write_rows(run.results, [*read_rows(run.results), *marked])  # last, because it marks the stage as finished

"""A run: stages of the paper one after another in one folder, each evaluated on the test references."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gada.data.perceptual_hash import PerceptualHash
from gada.data.splits import SIDES
from gada.errors import ConfigError
from gada.io.cards import Card
from gada.io.checkpoints import BEST, ENDED, GENERATOR, find_checkpoint
from gada.io.files import remove_temporaries
from gada.io.origin import title_of
from gada.io.records import RESULTS, commit, write_rows
from gada.io.results import ResultRow, read_result_rows
from gada.reports.tables import STAGE_NAMES
from gada.runs.advice import advice
from gada.runs.evaluation import Evaluated
from gada.runs.hardware import Hardware
from gada.runs.identity import RunFolder
from gada.runs.phases import STARTED_FROM, Phase
from gada.runs.prepared import PreparedData
from gada.runs.report import write_report
from gada.runs.sources import Sources
from gada.runs.starts import BEFORE, START, Start, card_of
from gada.runs.whole_image import WholeImagePhase
from gada.settings import STAGES, Settings, Stage, as_plain
from gada.training.loggers import Mode, RunLogger, run_loggers

SHOWN = ("srocc", "lcc")  # metrics that stand for a run on W&B


def generator_card(settings: Settings) -> dict[Path, Card]:
    """Return the card of the generator whose images train an evaluator of whole images, by its file, if one does."""
    if not (settings.whole_images and settings.whole.generates):
        return {}
    path = find_checkpoint(settings.whole.generator, "generator")
    return {path: card_of(path, "generator")}


class Run:
    """Stages in one folder, ready to be trained; finished ones are not trained again.

    The constructor makes every check and writes nothing.

    Args:
        folder: receives everything the run leaves; a started run resumes.
        settings: of the run.
        stages: which stages.
        start: a checkpoint to start from instead of the phase before; with one stage only.
        hardware: where it is trained.
        data: loaded before, if it was, by a run with the same settings of the data.

    Raises:
        ConfigError: if the folder holds another run, a phase lacks what it starts from, or a checkpoint or an
            unlabelled image shows what a test reference shows.
        DataError: if the data are missing or invalid.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        stages: Sequence[Stage],
        start: str | None = None,
        hardware: Hardware | None = None,
        data: PreparedData | None = None,
    ) -> None:
        if start and len(stages) > 1:
            raise ConfigError("--from names where one phase starts; give --phase 1, 2, 3 or baseline with it.")
        if (folder / "split-00").exists():
            raise ConfigError(f"{folder} holds a benchmark of several splits; choose another --run.")
        self.folder, self.start, self.hardware = folder, start, hardware or Hardware()
        self.stages = sorted(stages, key=STAGES.index)
        training = settings.training
        if training.batch_size < 2 * self.hardware.devices:
            raise ConfigError(
                f"training.batch_size is {training.batch_size}, too few for --devices {self.hardware.devices}; give "
                "two crops or more to each."
            )
        first = Start.of(self.stages[0], folder, training, start) if start else Start()
        model = first.model(settings.model)
        if model.trunk != settings.model.trunk:
            seen, right = ("crops", "gada") if settings.whole_images else ("whole images", "photos")
            raise ConfigError(
                f"preset is {settings.preset}, but the evaluator of --from sees {seen}; give --preset {right}, whose "
                "settings are right for it."
            )
        self.settings = replace(settings, model=model)
        RunFolder(folder, self.settings)  # before the data are read, which may take long
        self.whole = self.settings.whole_images
        if self.whole and self.hardware.devices > 1:
            raise ConfigError(f"--devices is {self.hardware.devices}, but an evaluator of whole images trains on one.")
        side = self.settings.least_side
        sets = self.settings.sets
        loaded = data.on(settings.split) if data else PreparedData.load(settings.data, settings.split, side, sets)
        starts = first.cards | generator_card(self.settings)
        for stage in self.stages:
            if self.whole and stage != "phase3":
                raise ConfigError(
                    f"--phase is {stage.removeprefix('phase')}, but an evaluator of whole images trains in phase 3 "
                    "alone; give --phase 3."
                )
            if stage in ("phase1", "phase2") and not loaded.images.has_references:
                raise ConfigError(
                    f"{loaded.images.name} has no reference images, which the generator of {stage} distorts; "
                    "without them, train --phase baseline, or --phase 3 --from a checkpoint."
                )
            if not start and BEFORE.get(stage) not in self.stages:
                Start.of(stage, folder, training, None, self.whole)
        sources = Sources.load(training, settings.data.cache) if "phase2" in self.left else None
        if sources:
            sources.targets(loaded.side("train"))
        self.data = replace(loaded, sources=sources, starts=starts)
        self.place = RunFolder(folder, self.settings, self.data)

    @property
    def finished(self) -> set[str]:
        """The stages that are trained and evaluated; one whose folder was deleted is not."""
        return {row.stage for row in self.rows if (self.folder / row.stage / ENDED).is_file()}

    @property
    def left(self) -> list[Stage]:
        """The stages that are still to be trained."""
        return [stage for stage in self.stages if stage not in self.finished]

    @property
    def rows(self) -> list[ResultRow]:
        """The result rows of the finished stages."""
        return read_result_rows(self.folder / RESULTS)

    def train(self, wandb: Mode = "off", group: str = "") -> list[ResultRow]:
        """Train and evaluate what is left, and write the report.

        Args:
            wandb: how to log to Weights & Biases.
            group: of the W&B runs that this one belongs to.

        Returns:
            The result rows of all the run's finished stages.

        Raises:
            ConfigError: if a stage was started from another checkpoint.
            DivergedError: if losses stay not finite, also at lower rates.
        """
        remove_temporaries(self.folder, older_than=0.0)
        self.place.write()
        self._forget_deleted()
        if self.left:
            self._tell_plan()
        if self.left and not group and (told := advice(self.data, self.settings, self.stages, bool(self.start))):
            sys.stderr.write(f"gada: {told}\n")
        name = f"{group}/{self.folder.name}" if group else self.folder.name
        with run_loggers(self.folder, wandb, as_plain(self.settings), group, name, finished=not self.left) as loggers:
            for stage in self.stages:
                self._train_stage(stage, loggers)
            rows = self.rows
            write_report(self.folder, self.settings, self.data, rows)
            for logger in loggers:
                page = ("report.html", "config.yaml", "split.json", "env.json", RESULTS)
                logger.keep("report", "report", [self.folder / file for file in page])
                logger.log_rows("results", [row.as_plain() for row in rows])
                logger.summarize(
                    {f"{row.stage}/test_{name}": row.figures[name] for row in rows if row.is_all for name in SHOWN}
                )
        return rows

    def _tell_plan(self) -> None:
        """Say on standard error what is about to be trained, on how many images."""
        steps = ", ".join(f"{stage} {self.settings.training.steps(stage)} steps" for stage in self.left)
        images = ", ".join(f"{len(self.data.side(side))} for {side}" for side in SIDES)
        sys.stderr.write(f"gada: {steps}; images: {images}.\n")

    def _train_stage(self, stage: Stage, loggers: Sequence[RunLogger]) -> None:
        """Train and evaluate a stage, unless it is finished; of that only where it started is compared."""
        start = Start.of(stage, self.folder, self.settings.training, self.start, self.whole)
        if stage not in self.left and not self.start:
            return
        kind = WholeImagePhase if self.whole else Phase
        phase = kind(stage, self.folder / stage, self.settings, self.data, start, bool(self.start), self.hardware)
        if stage not in self.left:
            return
        before = self._kept(START, phase.evaluate(start.evaluator), loggers) if self.start and start.evaluator else []
        phase.train(self.card(stage, start), loggers)
        rows = self._kept(stage, phase.evaluate(), loggers)
        phase.evaluate_others()
        for logger in loggers:
            logger.keep(stage, "model", [file for one in (BEST, GENERATOR) if (file := phase.folder / one).is_file()])
        others = [row for row in self.rows if not before or row.stage != START]
        self._write([*before, *others, *rows])  # last, because it marks the stage as finished

    def _kept(self, stage: str, evaluated: Evaluated, loggers: Sequence[RunLogger]) -> list[ResultRow]:
        """Keep what an evaluation shows in the stage's folder, and return its rows."""
        folder = self.folder / stage
        evaluated.write_scores(folder / "scores.csv")
        evaluated.write_scatter(folder / "scatter.png", f"{self.title}, {STAGE_NAMES[stage]}")
        for logger in loggers:
            logger.of(stage).log_image("scatter", [str(folder / "scatter.png")])
        return evaluated.rows(stage, self.data.split.number, self.settings.seed)

    def _forget_deleted(self) -> None:
        """Drop the rows of stages whose folders were deleted: they mark them as finished."""
        rows, finished = self.rows, self.finished
        started = any((self.folder / stage / STARTED_FROM).is_file() for stage in finished)
        kept = [row for row in rows if row.stage in finished or (row.stage == START and started)]
        if len(kept) < len(rows):
            self._write(kept)

    def _write(self, rows: Sequence[ResultRow]) -> None:
        write_rows(self.folder / RESULTS, [row.as_plain() for row in rows])

    @property
    def title(self) -> str:
        """Name of the set for captions, with what is unusual about the training."""
        data = self.data
        return title_of(data.images.name, data.upper_bound, self.settings.validated, data.scored)

    def card(self, stage: Stage, start: Start) -> Card:
        """Return what a checkpoint of this run says of itself."""
        images, training = self.data.images, self.settings.training
        return Card(
            kind="evaluator",
            name=f"{self.title} {stage}",
            data=images.name,
            classes=images.classes,
            scale=images.scale,
            crop_size=training.crop_size,
            crop_grid=training.grid,
            proxy=images.proxy,
            upper_bound=self.data.upper_bound,
            validated=self.settings.validated,
            scored=self.data.scored,
            stage=stage,
            seed=self.settings.seed,
            split=self.data.split.hash,
            references=self.seen(stage, start),
            commit=commit(),
        )

    def seen(self, stage: Stage, start: Start) -> dict[str, str] | None:
        """Return the perceptual hashes, by their ids, of the references that train and choose a stage's evaluator.

        With those of what it starts from. Of the other images of phase 2, and of whole images, the low frequencies
        alone, for there may be thousands. None where nothing is known.
        """
        data = self.data
        before = card_of(start.evaluator, "evaluator") if start.evaluator else None
        if self.whole:
            sets = {one.images.name: one.trained for one in (data, *data.others)}
            seen = {
                f"{name}: {image}": PerceptualHash(found.low).text()
                for name, trained in sets.items()
                for image, found in trained.items()
            }
        else:
            known = data.hashes if data.images.has_references else {}
            names = {*data.side("train").reference_ids, *data.split.validation} if known else ()
            seen = {name: known[name].text() for name in sorted(names)}
        if data.sources and stage == "phase2":
            low = {name: PerceptualHash(one.low).text() for name, one in data.sources.hashes.items()}
            seen |= {f"unlabelled: {name}": text for name, text in low.items()}
        if before:
            for name, text in (before.references or {}).items():
                seen[name if seen.get(name, text) == text else f"{before.title}: {name}"] = text
        return seen or None

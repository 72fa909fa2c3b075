"""A study: the same splits trained with one thing changed at a time."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from gada.errors import ConfigError, DataError
from gada.experiments.benchmark.benchmark import split_folder
from gada.experiments.generator_evaluation import evaluate_generator
from gada.experiments.study.plan import PlannedVariant, plan_study
from gada.experiments.study.report import REPORT, write_study_report
from gada.experiments.study.rows import TAU, StudyRow
from gada.io.checkpoints import find_checkpoint
from gada.io.files import sha256_of
from gada.io.records import Row, read_rows, write_rows
from gada.io.results import ResultRow, read_result_rows
from gada.runs.hardware import Hardware
from gada.runs.orders import ORDER, SETS
from gada.runs.prepared import PreparedData, draw_split
from gada.runs.run import Run
from gada.runs.starts import BEFORE
from gada.settings import DataSettings, Settings, Variant, as_plain
from gada.training.loggers import Mode, run_loggers

Load = Callable[[DataSettings, int, tuple[DataSettings, ...]], PreparedData]


def run_study(
    settings: Settings,
    variants: Sequence[Variant],
    folder: Path,
    hardware: Hardware | None = None,
    evaluator: str = "",
    splits: int = 1,
    wandb: Mode = "off",
    scored: Sequence[int] = (),
) -> list[StudyRow]:
    """Train and evaluate each variant on each split; finished ones are not trained again.

    Args:
        settings: the base settings.
        variants: what is changed, in the order of the table.
        folder: receives a run's folder for each variant, of several splits or numbers of scored references in a
            folder for each, `study.jsonl` and the page `report.html`.
        hardware: where they are trained.
        evaluator: one trained on real crops alone, which evaluates the generators that variants train.
        splits: how many splits, from that of the settings on.
        wandb: how to log to Weights & Biases: a run for each variant, and a summary in the same group.
        scored: how many references keep their scores, in turn (`split.scored`); none given is as the settings say.

    Returns:
        A row for each split, number of scored references and variant.

    Raises:
        ConfigError: if a variant starts from one that is missing, or changes an unknown setting; if `splits` is below
            1, or several where a variant chooses its own or there is an evaluator.
        DataError: if the data are missing or invalid.
    """
    if splits < 1:
        raise ConfigError(f"--splits is {splits} but must be at least 1.")
    if len(set(scored)) < len(scored) or any(count < 1 for count in scored):
        raise ConfigError(f"--scored is {list(scored)}, but must be different numbers, each 1 or more.")
    plan = plan_study(variants, settings, splits, scored)
    order = [one.variant.name for one in plan]
    if evaluator:
        check_evaluator(evaluator, plan, settings, folder, splits)
    load = cache(lambda data, crop, sets: PreparedData.load(data, settings.split, crop, sets))  # each set once
    changes = {variant.name: dict(variant.changes) for variant in variants}
    file = folder / "study.jsonl"
    before = [StudyRow.from_plain(row, str(file)) for row in read_rows(file)]
    kept = {key_of(row): row for row in before if changes.get(row.variant) == row.changes}
    rows: list[StudyRow] = []
    all_rows: list[StudyRow] = []
    check_numbers(load(settings.data, settings.least_side, settings.sets), settings, splits, scored)
    for place, own in places(folder, settings, splits, scored):
        for planned in plan_study(variants, own):
            whole, srocc_mean = train_variant(planned, place, hardware or Hardware(), load, wandb, folder.name)
            generator = {}
            if evaluator and "phase1" in planned.variant.stages:
                generator = generator_metrics(place / planned.folder, evaluator, planned.settings)
            variant = planned.variant
            more = whole_metrics(place / planned.folder / variant.stages[-1])
            row = StudyRow(
                variant.name, dict(variant.changes), variant.after, planned.steps, whole, srocc_mean, generator, more
            )
            rows.append(row)
            kept[key_of(row)] = row
            all_rows = sorted(kept.values(), key=lambda row: (row.split, row.scored, order.index(row.variant)))
            write_rows(file, [row.as_plain() for row in all_rows])
    name, plain = f"{folder.name}/summary", [row.as_plain() for row in rows]
    write_study_report(folder / REPORT, all_rows, as_plain(settings))
    finished = plain == [row.as_plain() for row in before]
    with run_loggers(folder, wandb, as_plain(settings), folder.name, name, finished) as loggers:
        for logger in loggers:
            logger.log_rows("study", [{**row, **row["more"], "more": None} for row in plain])
            logger.keep("report", "report", [file, folder / REPORT])
    return rows


def key_of(row: StudyRow) -> tuple[int, int, str]:
    """Return what tells the rows of a study apart."""
    return row.split, row.scored, row.variant


def places(folder: Path, settings: Settings, splits: int, scored: Sequence[int]) -> Iterator[tuple[Path, Settings]]:
    """Yield the folder and the settings of each split and number of scored references."""
    for number in range(settings.split.number, settings.split.number + splits):
        place = split_folder(folder, number) if splits > 1 else folder
        for count in scored or [settings.split.scored]:
            own = replace(settings.split, number=number, scored=count)
            yield place / f"scored-{count:03d}" if scored else place, replace(settings, split=own)


def check_numbers(data: PreparedData, settings: Settings, splits: int, scored: Sequence[int]) -> None:
    """Raise DataError for a number of scored references that a split has not, before anything is trained."""
    for _, own in places(Path(), settings, splits, scored):
        draw_split(data.images, data.hashes, own.split)


def train_variant(
    planned: PlannedVariant,
    folder: Path,
    hardware: Hardware,
    load: Load,
    wandb: Mode = "off",
    group: str = "",
) -> tuple[ResultRow, float | None]:
    """Train a variant, which may start where one before it ended.

    Returns:
        The row of its last stage over all classes, and the mean SROCC over the classes.
    """
    settings, stages, run = planned.settings, planned.variant.stages, folder / planned.folder
    start, data = None, load(settings.data, settings.least_side, settings.sets)
    if planned.after:
        ended = folder / planned.after.folder / planned.after.variant.stages[-1]
        if planned.after.settings.data == settings.data and ended.name == BEFORE.get(stages[0]):  # as within one run
            copy_stage(ended, run / ended.name)
        else:
            start = str(ended)
    if start:
        rows = Run(run, settings, stages[:1], start, hardware, data).train(wandb, group)
        stages = stages[1:]
    if stages:
        rows = Run(run, settings, stages, None, hardware, data).train(wandb, group)
    last = [row for row in rows if row.stage == planned.variant.stages[-1]]
    each = [row.srocc for row in last if not row.is_all and row.srocc is not None]
    (whole,) = [row for row in last if row.is_all]
    return whole, round(sum(each) / len(each), 6) if each else None


def whole_metrics(stage: Path) -> dict[str, float | None]:
    """Return SROCC on each further set and tau of each ladder that a training on whole images has left."""
    rows = read_result_rows(stage / SETS) if (stage / SETS).is_file() else []
    found = {f"SROCC, {row.origin.title}": row.srocc for row in rows if row.is_all}
    order = stage / ORDER
    taus = json.loads(order.read_text(encoding="utf-8"))["after"] if order.is_file() else {}
    return found | {f"{TAU}{name}": tau for name, tau in taus.items()}


def copy_stage(source: Path, target: Path) -> None:
    """Copy a stage's folder, over what is there.

    Raises:
        DataError: if the disk is full or the like.
    """
    try:
        shutil.copytree(source, target, dirs_exist_ok=True)
    except shutil.Error as error:  # one reason for each file
        _, file, reason = error.args[0][0]
        raise DataError(f"{file} cannot be written ({reason}); free some space or choose another --run.") from error


def check_evaluator(
    evaluator: str, plan: Sequence[PlannedVariant], settings: Settings, folder: Path, splits: int
) -> None:
    """Raise ConfigError if there is no such evaluator, or generators are on another split than it was trained on."""
    if splits > 1:
        raise ConfigError(
            f"--evaluator was trained on one split and can evaluate no other; leave --splits {splits} out."
        )
    for planned in plan:
        split = planned.settings.split
        if (
            "phase1" in planned.variant.stages
            and replace(split, upper_bound=settings.split.upper_bound) != settings.split
        ):
            raise ConfigError(
                f"--evaluator was trained on one split alone, but '{planned.variant.name}' is on another; leave one of "
                "them out."
            )
    if not Path(evaluator).resolve().is_relative_to(folder.resolve()):
        find_checkpoint(evaluator, "evaluator")


def generator_metrics(run: Path, evaluator: str, settings: Settings) -> dict[str, float | None]:
    """Return how good a run's generator is on the test references; it is kept in the run's folder."""
    kept = run / "generator.jsonl"
    rows: list[Row] = read_rows(kept)
    paths = {"evaluator": find_checkpoint(evaluator, "evaluator"), "generator": find_checkpoint(str(run), "generator")}
    models = {kind: sha256_of(path)[:12] for kind, path in paths.items()}
    if not rows or models != rows[-1].get("models"):
        found = evaluate_generator(str(run), evaluator, "test", settings.data, settings.split)
        rows = [{**row, "models": models} for row in found]
        write_rows(kept, rows)
    whole = rows[-1]
    real = whole["accuracy_real"]
    return {
        "named": round(whole["accuracy_generated"] / real, 4) if real else None,
        "target": whole["srocc_evaluator"],
        "within": whole["within_evaluator"],
        "distance": whole["distance_generated"],
    }

"""A study: the same splits trained with one thing changed at a time."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gada.errors import ConfigError, DataError
from gada.experiments.benchmark import split_folder
from gada.experiments.judge import judge_generator
from gada.experiments.run import run_stages
from gada.experiments.stages import BEFORE, OF_THE_EVALUATOR
from gada.experiments.study_table import changes_of
from gada.io.checkpoints import find_checkpoint
from gada.io.files import sha256_of
from gada.io.records import Row, read_rows, write_rows
from gada.metrics.correlation import ALL
from gada.settings import Settings, Variant, as_plain, changed


def run_study(
    settings: Settings,
    variants: Sequence[Variant],
    folder: Path,
    device: str = "auto",
    judge: str = "",
    splits: int = 1,
) -> list[Row]:
    """Train and evaluate each variant on each split; finished ones are not trained again.

    Args:
        settings: the base settings.
        variants: what is changed, in the order of the table.
        folder: receives a run's folder for each variant, of several splits in a folder for each split, and
            `study.jsonl`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        judge: an evaluator trained on real crops alone, which examines the generators that variants train.
        splits: how many splits, from that of the settings on.

    Returns:
        A row for each split and variant: name, changes, stage, evaluator steps (with those before it), figures, and
        their origin. Judged generators have `named` (how often their class is named, as a share of how often that of
        real crops is), `asked` and `within` (SROCC of asked and judged quality over all references and within each,
        means over classes) and `distance` (kernel distance of features).

    Raises:
        ConfigError: if a variant starts from one that is not there, or changes an unknown setting; if `splits` is
            below 1, or several where a variant chooses its own or there is a judge.
        DataError: if the data are missing or invalid.
    """
    if splits < 1:
        raise ConfigError(f"--splits is {splits} but must be at least 1.")
    check_variants(variants, settings, splits)
    if judge:
        check_judge(judge, variants, settings, folder, splits)
    names = [variant.name for variant in variants]
    changes = {variant.name: variant.changes for variant in variants}
    kept = {  # of an earlier call, perhaps for other splits
        (row["split"], row["variant"]): row
        for row in read_rows(folder / "study.jsonl")
        if changes.get(row["variant"]) == row["changes"]
    }
    rows: list[Row] = []
    for number in range(settings.split.number, settings.split.number + splits):
        here = replace(settings, split=replace(settings.split, number=number))
        place = split_folder(folder, number) if splits > 1 else folder
        steps: dict[str, int] = {}
        for variant in variants:
            before = next((one for one in variants if one.name == variant.after), None)
            row = variant_row(variant, here, place, before, device)
            if judge and "phase1" in variant.stages:
                row |= judged(place / slug(variant.name), judge, changed(here, variant.changes))
            row["steps"] += steps.get(variant.after, 0)
            steps[variant.name] = row["steps"]
            rows.append(row)
            kept[row["split"], variant.name] = row
            order = sorted(kept.values(), key=lambda row: (row["split"], names.index(row["variant"])))
            write_rows(folder / "study.jsonl", order)
    return rows


def check_variants(variants: Sequence[Variant], settings: Settings, count: int = 1) -> None:
    """Refuse what cannot be trained, before anything is.

    That is doubled names, no stages, a stage without what it goes on from, wrong changes, and a start that comes later,
    not at all, on another split or with other networks. On several splits (`count`) no variant may choose its own.
    """
    known: dict[str, Variant] = {}
    folders: dict[str, str] = {}
    for variant in variants:
        other = folders.setdefault(slug(variant.name), variant.name)
        if variant.name in known:
            raise ConfigError(f"the study has two variants of the name '{variant.name}'; give each its own.")
        if other != variant.name or not slug(variant.name):
            raise ConfigError(
                f"'{variant.name}' has no folder of its own; give it another name, of letters and digits."
            )
        if variant.after and variant.after not in known:
            raise ConfigError(f"'{variant.name}' starts after '{variant.after}', which is no variant before it.")
        if not variant.stages:
            raise ConfigError(f"'{variant.name}' has no stages; give one or more, as [baseline].")
        try:
            own = changed(settings, variant.changes)
        except ConfigError as error:
            raise ConfigError(f"'{variant.name}' changes {changes_of(variant.changes)}: {error}") from error
        drawn = [key for key in variant.changes if key.startswith("split.") and key != "split.upper_bound"]
        if count > 1 and drawn:
            raise ConfigError(f"'{variant.name}' changes {drawn[0]}, but --splits {count} takes the splits in turn.")
        check_stages(variant, own, known.get(variant.after))
        if variant.after:
            check_after(variant, own, changed(settings, known[variant.after].changes))
        known[variant.name] = variant


def check_stages(variant: Variant, own: Settings, before: Variant | None) -> None:
    """Refuse a stage without what it goes on from: the stage before it, or the end of another variant."""
    for at, stage in enumerate(variant.stages):
        needed = BEFORE.get(stage)
        if needed is None or needed in variant.stages[:at]:
            continue
        generates = stage == "phase2" and own.training.distorted is None
        if at or before is None or (generates and before.stages[-1] != needed):
            raise ConfigError(
                f"'{variant.name}' has {stage} without {needed}, from which it goes on; give it {needed} first, or "
                f"`after` a variant that ends with {needed}."
            )


def check_after(variant: Variant, own: Settings, before: Settings) -> None:
    """Refuse a variant with another split or other networks than that after which it starts."""
    if own.split != before.split:
        raise ConfigError(
            f"'{variant.name}' starts after '{variant.after}', which is on another split; what that was trained on "
            "would be tested."
        )
    whole = variant.stages[0] == "phase2" and own.training.distorted is None  # it takes the generator too
    for name in as_plain(own.model) if whole else OF_THE_EVALUATOR:
        value, there = getattr(own.model, name), getattr(before.model, name)
        if value != there:
            raise ConfigError(
                f"'{variant.name}' has model.{name} {value}, but starts after '{variant.after}', whose networks have "
                f"{there}; change it in both, or in neither."
            )


def check_judge(judge: str, variants: Sequence[Variant], settings: Settings, folder: Path, splits: int) -> None:
    """Refuse a judge that is not there, unless the study trains it, and generators of another split than its own."""
    if splits > 1:
        raise ConfigError(f"--judge has learnt on one split and judges no other; leave --splits {splits} out.")
    for variant in variants:
        split = changed(settings, variant.changes).split
        if "phase1" in variant.stages and replace(split, upper_bound=settings.split.upper_bound) != settings.split:
            raise ConfigError(
                f"--judge has learnt on one split and judges no other, but '{variant.name}' is on another; leave one "
                "of them out."
            )
    if not Path(judge).resolve().is_relative_to(folder.resolve()):
        find_checkpoint(judge, "evaluator")


def variant_row(variant: Variant, settings: Settings, folder: Path, before: Variant | None, device: str) -> Row:
    """Train a variant, which may start where one before it ended, and return its row."""
    chosen: Settings = changed(settings, variant.changes)
    run = folder / slug(variant.name)
    for stage in variant.stages:
        start = None
        if before and stage == variant.stages[0]:
            ended = folder / slug(before.name) / before.stages[-1]
            same = changed(settings, before.changes).data == chosen.data
            if same and ended.name == BEFORE.get(stage):  # as within one run
                copy_stage(ended, run / ended.name)
            else:
                start = str(ended)
        found = run_stages(chosen, [stage], run, start=start, device=device)
    last = [row for row in found if row["stage"] == variant.stages[-1]]
    (whole,) = [row for row in last if row["distortion"] == ALL]
    counted = [stage for stage in variant.stages if (stage == "baseline") == (variant.stages[-1] == "baseline")]
    each = [row["srocc"] for row in last if row["distortion"] != ALL and row["srocc"] is not None]
    kept = ("stage", "split", "n", "srocc", "lcc", "dataset", "proxy", "seed", "machine", "commit")
    return {
        "variant": variant.name,
        "changes": variant.changes,
        "after": variant.after,
        "steps": sum(chosen.training.steps(stage) for stage in counted),
        **{key: whole[key] for key in kept},
        "srocc_mean": round(float(np.mean(each)), 6) if each else None,
    }


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


def judged(run: Path, judge: str, settings: Settings) -> Row:
    """Return what a judge says of a run's generator on the test references; it is kept in the run's folder."""
    kept = run / "judge.jsonl"
    rows = read_rows(kept)
    paths = {"judge": find_checkpoint(judge, "evaluator"), "generator": find_checkpoint(str(run), "generator")}
    models = {kind: sha256_of(path)[:12] for kind, path in paths.items()}
    if not rows or models != rows[-1].get("models"):
        found = judge_generator(str(run), judge, "test", settings.data, settings.split)
        rows = [{**row, "models": models} for row in found]
        write_rows(kept, rows)
    whole = rows[-1]
    return {
        "named": round(whole["accuracy_generated"] / whole["accuracy_real"], 4) if whole["accuracy_real"] else None,
        "asked": whole["srocc_judge"],
        "within": whole["within_judge"],
        "distance": whole["distance_generated"],
    }


def slug(name: str) -> str:
    """Return a variant's name as that of a folder."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")

"""A study: the same split trained with one thing changed at a time."""

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gada.errors import ConfigError
from gada.experiments.judge import judge_generator
from gada.experiments.report import provenance_of
from gada.experiments.run import run_stages
from gada.experiments.stages import BEFORE
from gada.io.records import Row, read_rows, write_rows
from gada.metrics.correlation import ALL
from gada.reports.layout import Table, plain_name
from gada.settings import Settings, SplitSettings, Variant, changed

FIGURES = {
    "srocc": "SROCC, ALL",
    "srocc_mean": "SROCC, mean over classes",
    "lcc": "LCC, ALL",
    "named": "class named, generated / real",
    "asked": "SROCC asked/judge",
    "within": "the same within a reference",
    "distance": "kernel distance to real",
}
JUDGED = ("named", "asked", "within", "distance")  # figures of a generator


def run_study(
    settings: Settings, variants: Sequence[Variant], folder: Path, device: str = "auto", judge: str = ""
) -> list[Row]:
    """Train and evaluate each variant; finished ones are not trained again.

    Args:
        settings: the base settings.
        variants: what is changed, in the order of the table.
        folder: receives a run's folder for each variant, and `study.jsonl`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        judge: an evaluator trained on real crops alone, which examines the generators that variants train.

    Returns:
        A row for each variant: name, changes, stage, evaluator steps (with those before it), figures, and their origin.
        Judged generators have `named` (how often their class is named, as a share of how often that of real crops is),
        `asked` and `within` (SROCC of asked and judged quality over all references and within each, means over
        classes) and `distance` (kernel distance of features).

    Raises:
        ConfigError: if a variant starts from one that is not there, or changes an unknown setting.
        DataError: if the data are missing or invalid.
    """
    check_variants(variants, settings)
    rows: list[Row] = []
    for variant in variants:
        before = next((one for one in variants if one.name == variant.after), None)
        row = variant_row(variant, settings, folder, before, device)
        if judge and "phase1" in variant.stages:
            row |= judged(folder / slug(variant.name), judge, changed(settings, variant.changes))
        row["steps"] += sum(one["steps"] for one in rows if one["variant"] == variant.after)
        rows.append(row)
        write_rows(folder / "study.jsonl", rows)
    return rows


def check_variants(variants: Sequence[Variant], settings: Settings) -> None:
    """Refuse doubled names, no stages, wrong changes, and a start that comes later, not at all or on another split."""
    splits: dict[str, SplitSettings] = {}
    folders: dict[str, str] = {}
    for variant in variants:
        other = folders.setdefault(slug(variant.name), variant.name)
        if variant.name in splits:
            raise ConfigError(f"the study has two variants of the name '{variant.name}'; give each its own.")
        if other != variant.name or not slug(variant.name):
            raise ConfigError(
                f"'{variant.name}' has no folder of its own; give it another name, of letters and digits."
            )
        if variant.after and variant.after not in splits:
            raise ConfigError(f"'{variant.name}' starts after '{variant.after}', which is no variant before it.")
        if not variant.stages:
            raise ConfigError(f"'{variant.name}' has no stages; give one or more, as [baseline].")
        try:
            splits[variant.name] = changed(settings, variant.changes).split
        except ConfigError as error:
            raise ConfigError(f"'{variant.name}' changes {changes_of(variant.changes)}: {error}") from error
        if variant.after and splits[variant.after] != splits[variant.name]:
            raise ConfigError(
                f"'{variant.name}' starts after '{variant.after}', which is on another split; what that was trained on "
                "would be tested."
            )


def variant_row(variant: Variant, settings: Settings, folder: Path, before: Variant | None, device: str) -> Row:
    """Train a variant, which may start where one before it ended, and return its row."""
    chosen: Settings = changed(settings, variant.changes)
    run = folder / slug(variant.name)
    for stage in variant.stages:
        start = None
        if before and stage == variant.stages[0]:
            ended = folder / slug(before.name) / before.stages[-1]
            if ended.name == BEFORE.get(stage):  # as within one run
                shutil.copytree(ended, run / ended.name, dirs_exist_ok=True)
            else:
                start = str(ended)
        found = run_stages(chosen, [stage], run, start=start, device=device)
    last = [row for row in found if row["stage"] == variant.stages[-1]]
    (whole,) = [row for row in last if row["distortion"] == ALL]
    each = [row["srocc"] for row in last if row["distortion"] != ALL and row["srocc"] is not None]
    kept = ("stage", "split", "n", "srocc", "lcc", "dataset", "proxy", "seed", "machine", "commit")
    return {
        "variant": variant.name,
        "changes": variant.changes,
        "after": variant.after,
        "steps": sum(chosen.training.steps(stage) for stage in variant.stages),
        **{key: whole[key] for key in kept},
        "srocc_mean": round(float(np.mean(each)), 6) if each else None,
    }


def judged(run: Path, judge: str, settings: Settings) -> Row:
    """Return what a judge says of a run's generator on the test references; it is kept in the run's folder."""
    kept = run / "judge.jsonl"
    rows = read_rows(kept)
    if not rows or rows[-1]["judge"] != judge:
        found = judge_generator(str(run), judge, "test", settings.data, settings.split)
        rows = [{**row, "judge": judge} for row in found]
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


def changes_of(changes: Mapping[str, Any]) -> str:
    """Return what a variant changes, in one line."""
    return ", ".join(f"{key} {value}" for key, value in changes.items())


def study_table(rows: Sequence[Row]) -> Table:
    """Return the rows of a study as a table."""
    shown = [key for key in FIGURES if key not in JUDGED or any(row.get(key) is not None for row in rows)]
    splits = sorted({row["split"] for row in rows})
    where = f"split{'s' if len(splits) > 1 else ''} {', '.join(map(str, splits))}"
    data = [f"{plain_name(row['dataset'])}, {'proxy' if row['proxy'] else 'human'} scores" for row in rows]
    several = len(set(data)) > 1
    return Table(
        caption=f"One thing changed at a time, {where}. {provenance_of(rows).describe()}",
        labels=("variant", *(["data"] if several else []), "changed", "last stage", "steps"),
        columns=tuple(FIGURES[key] for key in shown),
        rows=tuple(
            (
                row["variant"],
                *([of] if several else []),
                changes_of(row["changes"]) or "-",
                row["stage"],
                str(row["steps"]),
                *(row.get(key) for key in shown),
            )
            for row, of in zip(rows, data, strict=True)
        ),
    )

"""A study: the same split trained with one thing changed at a time."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gada.errors import ConfigError
from gada.experiments.report import provenance_of
from gada.experiments.run import run_stages
from gada.experiments.stages import BEFORE
from gada.io.records import Row, write_rows
from gada.metrics.correlation import ALL
from gada.reports.layout import Table
from gada.settings import Settings, Variant, changed


def run_study(settings: Settings, variants: Sequence[Variant], folder: Path, device: str = "auto") -> list[Row]:
    """Train and evaluate each variant; finished ones are not trained again.

    Args:
        settings: the base settings.
        variants: what is changed, in the order of the table.
        folder: receives a run's folder for each variant, and `study.jsonl`.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        A row for each variant: name, changes, stage, evaluator steps (with those before it), figures, and their origin.

    Raises:
        ConfigError: if a variant starts from one that is not there, or changes an unknown setting.
        DataError: if the data are missing or invalid.
    """
    check_variants(variants)
    rows: list[Row] = []
    for variant in variants:
        before = next((one for one in variants if one.name == variant.after), None)
        row = variant_row(variant, settings, folder, before, device)
        row["steps"] += sum(one["steps"] for one in rows if one["variant"] == variant.after)
        rows.append(row)
        write_rows(folder / "study.jsonl", rows)
    return rows


def check_variants(variants: Sequence[Variant]) -> None:
    """Refuse doubled names, no stages, and a start that comes later or not at all."""
    before: set[str] = set()
    for variant in variants:
        if variant.name in before:
            raise ConfigError(f"the study has two variants of the name '{variant.name}'; give each its own.")
        if variant.after and variant.after not in before:
            raise ConfigError(f"'{variant.name}' starts after '{variant.after}', which is no variant before it.")
        if not variant.stages:
            raise ConfigError(f"'{variant.name}' has no stages; give one or more, as [baseline].")
        before.add(variant.name)


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


def slug(name: str) -> str:
    """Return a variant's name as that of a folder."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def study_table(rows: Sequence[Row]) -> Table:
    """Return the rows of a study as a table."""
    return Table(
        caption=f"One thing changed at a time, split {rows[0]['split']}. {provenance_of(rows).describe()}",
        labels=("variant", "changed", "last stage", "steps"),
        columns=("SROCC, ALL", "SROCC, mean over classes", "LCC, ALL"),
        rows=tuple(
            (
                row["variant"],
                ", ".join(f"{key} {value}" for key, value in row["changes"].items()) or "-",
                row["stage"],
                str(row["steps"]),
                row["srocc"],
                row["srocc_mean"],
                row["lcc"],
            )
            for row in rows
        ),
    )

"""The benchmark's page: the paper's tables, all splits together, and the figures of one split."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from gada.data.splits import Split
from gada.io.files import write_bytes, write_text
from gada.io.records import Row, environment
from gada.io.results import ResultRow
from gada.metrics.correlation import ALL
from gada.metrics.statistics import FEWEST_SPLITS, mean_interval, stage_differences
from gada.reports.canvas import png
from gada.reports.figures import bars_by_distortion, spread_over_splits
from gada.reports.over_splits import differences_table, summary_table
from gada.reports.page import Figure, Headline, Section, page
from gada.reports.published import heading, published_headings
from gada.reports.tables import (
    METRIC_NAMES,
    by_distortion_table,
    glossary,
    stages_table,
    systems_table,
)
from gada.runs.by_error import by_error_section, scores_of
from gada.runs.comparison import spanned, told_apart
from gada.runs.report import chosen_by, curves_section, provenance_of, samples_sections, scatter_section
from gada.runs.run import Run
from gada.settings import STAGES

FIRST, LAST = "baseline", "phase3"
PARTS = {"train": "training", "validation": "validation", "test": "test"}


def write_benchmark_report(folder: Path, runs: Sequence[Run], rows: Sequence[ResultRow], database_images: bool) -> None:
    """Write `report.html` and the figures it shows.

    Args:
        folder: of the benchmark.
        runs: of its splits, in the order of their numbers.
        rows: result rows of all splits.
        database_images: False leaves out what shows images of the database, so that the page may be published.
    """
    images, test_fraction = runs[0].data.images, runs[0].settings.split.test
    typical = next(run for run in runs if run.data.split.number == median_split(rows)).folder
    scored = [one for run in runs for one in scores_of(run.folder / LAST)]
    splits = [run.data.split for run in runs]
    sections = [
        *results_sections(folder, rows, test_fraction),
        by_error_section(scored, images, runs[0].data.packed),
        scatter_section(typical, (FIRST, LAST), images),
        curves_section(typical, STAGES),
        *samples_sections(typical, runs[0].data.watched),
        Section("The splits", listing=listed(splits)),
        Section("Configuration", listing=yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))),
        Section("Environment", listing=environment()),
    ]
    title, told = f"GADA on {images.name}, {len(splits)} splits", summary(runs, typical)
    write_text(folder / "report.html", page(title, told, sections, database_images, headline(rows, test_fraction)))


def headline(rows: Sequence[ResultRow], test_fraction: float) -> Headline | None:
    """Return the mean SROCC of phase 3 over the splits, and whether it is better than the baseline."""
    values = [row.srocc for row in rows if row.stage == LAST and row.is_all and row.srocc is not None]
    if not values:
        return None
    seed, mean = rows[0].origin.seed or 0, sum(values) / len(values)
    few = f"; an interval needs {FEWEST_SPLITS} splits"
    span = spanned(mean_interval(values, seed), ".3f") if len(values) >= FEWEST_SPLITS else few
    meaning = f"Phase 3, mean of the test images of {len(values)} splits{span}. 1 is best, 0 is chance."
    differences = stage_differences([row.as_plain() for row in rows], seed, test_fraction)
    found = next((one for one in differences if one["metric"] == "srocc"), None)
    if found is None:
        return Headline(f"SROCC {mean:.3f}", meaning)
    told = told_apart(found["corrected"], "splits")
    change = f"{found['mean']:+.3f}{spanned(found['corrected'], '+.3f')}"
    return Headline(f"SROCC {mean:.3f}", meaning, f"{told} the baseline on the same splits: {change}.")


def summary(runs: Sequence[Run], typical: Path) -> list[str]:
    """Return the paragraphs on top: what was done."""
    data = runs[0].data
    images, split = data.images, data.split
    sides = ", ".join(f"{len(getattr(split, side))} for {name}" for side, name in PARTS.items())
    return [
        f"{len(images)} distorted images of {len(images.reference_ids)} references; scores: {images.scale.describe()}.",
        f"{len(runs)} splits by reference ({sides}). In each, baseline and phases 1 to 3 were trained from scratch, "
        f"the generator on that split's training references alone. {chosen_by(runs[0].settings)} Test "
        "references were scored once, at the end. No reference stands on two sides of a split, by name or by look.",
        f"Plots and curves of a single split are of {typical.name}, whose phase 3 has the median SROCC; every split's "
        "folder has a page of its own.",
    ]


def median_split(rows: Sequence[ResultRow]) -> int:
    """Return the split whose phase 3 has the median SROCC over ALL; of two in the middle the lower."""
    found = [row for row in rows if row.stage == LAST and row.is_all]
    defined = sorted((row.srocc, row.split or 0) for row in found if row.srocc is not None)
    return defined[(len(defined) - 1) // 2][1] if defined else found[0].split or 0


def published_database(rows: Sequence[ResultRow]) -> str:
    """Return the database of the paper that these rows are of: "LIVE", "TID2013", or "" for another set."""
    own, (first, *_) = {heading(row.distortion) for row in rows} - {ALL}, rows
    named = first.origin.dataset if not first.origin.proxy else ""
    return named if named in ("LIVE", "TID2013") and own <= set(published_headings(named)) else ""


def results_sections(folder: Path, rows: Sequence[ResultRow], test_fraction: float) -> list[Section]:
    """Return all metrics over the splits, differences and spread, and the metrics by distortion."""
    plain, provenance = [row.as_plain() for row in rows], provenance_of(row.origin for row in rows)
    database, seed = published_database(rows), provenance.seed or 0
    claim = f"Differences are paired by split; with fewer than {FEWEST_SPLITS} splits nothing is claimed of them."
    tables = [summary_table(plain, provenance), differences_table(stage_differences(plain, seed, test_fraction))]
    several = len({row.split for row in rows}) > 1
    spread = [spread_figure(folder, plain, metric, seed) for metric in ("srocc", "lcc") if several]
    whole = Section("Results", [claim, glossary()], tables=tables, figures=spread)
    if len({row.distortion for row in rows}) <= 2:  # a class and ALL, which are the same
        return [whole]
    classes = [row for row in plain if row["distortion"] != ALL]  # the summary has all images
    by_class = [stages_table(plain, published=True)] if database == "LIVE" else [by_distortion_table(classes)]
    if database:
        metrics = ("lcc", "srocc") if database == "LIVE" else ("srocc",)
        by_class.append(systems_table(plain, database, metrics, provenance))
    return [whole, Section("By distortion", tables=by_class, figures=[bars_figure(folder, plain, database)])]


def spread_figure(folder: Path, rows: Sequence[Row], metric: str, seed: int) -> Figure:
    """Return a metric of every split and stage."""
    name, drawn = METRIC_NAMES[metric], spread_over_splits(rows, metric, seed)
    write_bytes(folder / "figures" / f"spread_{metric}.png", png(drawn))
    return Figure(
        drawn,
        f"{name} over all distortions of every split and stage; grey lines join a split's stages.",
        f"Points of {name} for each split and stage, with their mean.",
    )


def bars_figure(folder: Path, rows: Sequence[Row], database: str) -> Figure:
    """Return SROCC by distortion, beside the published systems on the same database."""
    drawn = bars_by_distortion(rows, database=database)
    write_bytes(folder / "figures" / "by_distortion.png", png(drawn))
    beside = f" Markers: published systems on {database}." if database else ""
    return Figure(
        drawn,
        f"SROCC on the test images by distortion and over all: median over splits, from lowest to highest.{beside}",
        "Bars of SROCC of baseline and phase 3 for each distortion class.",
    )


def listed(splits: Sequence[Split]) -> dict[str, object]:
    """Return each split's hash and test references."""
    return {f"split {one.number}": {"sha256": one.hash, "test": list(one.test)} for one in splits}

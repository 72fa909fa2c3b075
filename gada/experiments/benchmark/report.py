"""The benchmark's page: the paper's tables, all splits together, and the figures of one split."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from gada.data.cache import PackedImages
from gada.data.crops import middle
from gada.data.records import ScoredSet
from gada.data.splits import Split
from gada.io.files import write_bytes, write_text
from gada.io.records import environment, harmless
from gada.io.results import ResultRow
from gada.metrics.correlation import ALL, METRICS
from gada.metrics.statistics import FEWEST_SPLITS, stage_differences
from gada.reports.contact_sheet import contact_sheet, png_of
from gada.reports.figures import bars_by_distortion, spread_over_splits
from gada.reports.page import Figure, Section, page
from gada.reports.published import heading, published_headings
from gada.reports.tables import METRIC_NAMES, differences_table, stages_table, summary_table, systems_table
from gada.runs.report import chosen_by, curves_section, provenance_of, samples_sections, scatter_section
from gada.runs.run import Run
from gada.settings import STAGES

FIRST, LAST = "baseline", "phase3"
PARTS = {"train": "training", "validation": "validation", "test": "test"}
EXTREMES = 4  # best and worst images shown
TILE = 224  # pixels, side of each


def write_benchmark_report(folder: Path, runs: Sequence[Run], rows: Sequence[ResultRow], database_images: bool) -> None:
    """Write `report.html` and the figures it shows.

    Args:
        folder: of the benchmark.
        runs: of its splits, in the order of their numbers.
        rows: result rows of all splits.
        database_images: False leaves out what shows images of the database, so that the page may be published.
    """
    images = runs[0].data.images
    typical = next(run for run in runs if run.data.split.number == median_split(rows)).folder
    scored = [one for run in runs for one in scores_of(run.folder / LAST / "scores.csv")]
    splits = [run.data.split for run in runs]
    sections = [
        tables_section(rows),
        splits_section(folder, rows),
        distortions_section(folder, rows),
        scatter_section(typical, (FIRST, LAST), images.proxy),
        curves_section(typical, STAGES),
        *samples_sections(typical, runs[0].data.watched),
        extremes_section(scored, images, runs[0].data.packed),
        Section("The splits", listing=listed(splits)),
        Section("Configuration", listing=yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))),
        Section("Environment", listing=environment()),
    ]
    title = f"GADA on {images.name}"
    write_text(folder / "report.html", page(title, summary(runs, typical), sections, database_images))


def summary(runs: Sequence[Run], typical: Path) -> list[str]:
    """Return the paragraphs on top: what was done."""
    data = runs[0].data
    images, split = data.images, data.split
    sides = ", ".join(f"{len(getattr(split, side))} for {name}" for side, name in PARTS.items())
    return [
        f"{len(images)} distorted images of {len(images.reference_ids)} references; scores: {images.scale.describe()}.",
        f"{len(runs)} splits by reference ({sides}). In each, baseline and phases 1 to 3 were trained from scratch, "
        f"the generator on that split's training references alone. {chosen_by(data)} Test "
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
    """Return the database of the paper whose distortion types these are: "LIVE", "TID2013", or "" for neither."""
    own = {heading(row.distortion) for row in rows} - {ALL}
    return next((name for name in ("LIVE", "TID2013") if own and own <= set(published_headings(name))), "")


def tables_section(rows: Sequence[ResultRow]) -> Section:
    """Return the layouts of the paper's tables, the published rows beside ours where the distortions are the same."""
    database, plain = published_database(rows), [row.as_plain() for row in rows]
    provenance = provenance_of(row.origin for row in rows)
    tables = [stages_table(plain, provenance, published=database == "LIVE")]
    if database:
        figures = ("lcc", "srocc") if database == "LIVE" else ("srocc",)
        tables.append(systems_table(plain, database, figures, provenance))
    tables.append(stages_table(plain, metrics=METRICS))
    return Section("Results", tables=tables)


def splits_section(folder: Path, rows: Sequence[ResultRow]) -> Section:
    """Return all splits together: summary, paired differences, spread."""
    plain, provenance, plots = [row.as_plain() for row in rows], provenance_of(row.origin for row in rows), []
    seed = provenance.seed or 0
    for figure in ("srocc", "lcc"):
        name = METRIC_NAMES[figure]
        drawn = spread_over_splits(plain, f"{provenance.dataset}, {name} over splits", figure, seed)
        plots.append(
            Figure(
                kept(folder, f"spread_{figure}", drawn),
                f"{name} over ALL distortions of every split and stage; grey lines join a split's stages.",
                f"Points of {name} for each split and stage, with boxes where there are three splits or more.",
            )
        )
    claim = f"Differences are paired by split; with fewer than {FEWEST_SPLITS} splits nothing is claimed of them."
    tables = [summary_table(plain), differences_table(stage_differences(plain, seed))]
    return Section("Over splits", [claim], tables=tables, figures=plots)


def distortions_section(folder: Path, rows: Sequence[ResultRow]) -> Section:
    """Return bars of SROCC by distortion, with the published systems where the distortions are the same."""
    database, title = published_database(rows), f"{rows[0].origin.title}, SROCC by distortion"
    beside = f" Markers: published systems on {database}." if database else ""
    bars = Figure(
        kept(folder, "by_distortion", bars_by_distortion([row.as_plain() for row in rows], title, database=database)),
        f"SROCC on the test references by distortion and over ALL: median over splits, from lowest to highest.{beside}",
        "Bars of SROCC of baseline and phase 3 for each distortion class.",
    )
    return Section("By distortion", figures=[bars])


class Scored(NamedTuple):
    """A test image with its scores, as phase 3 of a split left it."""

    error: float
    """|score - predicted|, in units of the scale."""
    image: str
    score: float
    predicted: float


def extremes_section(scored: Sequence[Scored], images: ScoredSet, packed: PackedImages) -> Section:
    """Return the test images that phase 3 predicts best and worst; of one tested in several splits the least error."""
    once = sorted({one.image: one for one in sorted(scored, reverse=True)}.values())
    rows = [once[:EXTREMES], once[: -EXTREMES - 1 : -1]]
    paths = {harmless(images.name_of(record)): record.image for record in images.images}
    tiles = [[middle(packed.array(paths[one.image]), TILE) for one in row] for row in rows]
    captions = [[f"{one.image}: {one.score:.3g}, predicted {one.predicted:.3g}" for one in row] for row in rows]
    columns = [""] * max(map(len, rows))
    sheet = contact_sheet(tiles, ["best", "worst"], columns, images.scale.describe(), captions)
    picture = Figure(
        png_of(sheet),
        "Test images of all splits with the least and the greatest error of phase 3 (their middle, at full size).",
        "Two rows of images, best and worst predicted, each with its score and the predicted one.",
    )
    return Section("Best and worst images", figures=[picture], shows_database=True)


def scores_of(path: Path) -> list[Scored]:
    """Return the test images of a stage's `scores.csv`; names are `harmless`, as in the file."""
    with path.open(encoding="utf-8", newline="") as file:
        found = [(row["image"], float(row["score"]), float(row["predicted"])) for row in csv.DictReader(file)]
    return [Scored(abs(score - predicted), image, score, predicted) for image, score, predicted in found]


def listed(splits: Sequence[Split]) -> dict[str, object]:
    """Return each split's hash and test references."""
    return {f"split {one.number}": {"sha256": one.hash, "test": list(one.test)} for one in splits}


def kept(folder: Path, name: str, figure: bytes) -> bytes:
    """Write a figure beside the page too, for other uses, and return it."""
    write_bytes(folder / "figures" / f"{name}.png", figure)
    return figure

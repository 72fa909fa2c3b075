"""The benchmark's page: the paper's tables, what the splits say together, and the pictures of one split."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from gada.data.cache import PackedImages
from gada.data.records import ScoredSet
from gada.data.splits import Split
from gada.experiments.report import curves_section, provenance_of, samples_sections, scatter_section
from gada.experiments.samples import as_png, centre
from gada.io.files import write_bytes, write_text
from gada.io.records import Row, environment, harmless
from gada.metrics.correlation import ALL, METRICS
from gada.metrics.statistics import FEWEST_SPLITS, stage_differences
from gada.reports.contact_sheet import contact_sheet
from gada.reports.figures import bars_by_distortion, spread_over_splits
from gada.reports.layout import Provenance, Table
from gada.reports.page import Figure, Section, page
from gada.reports.published import heading, published_headings
from gada.reports.tables import METRIC_NAMES, differences_table, stages_table, summary_table, systems_table
from gada.settings import STAGES

FIRST, LAST = "baseline", "phase3"
SIDES = {"train": "training", "validation": "validation", "test": "test"}
EXTREMES = 4  # best and worst images shown
TILE = 224  # pixels, side of each


def write_benchmark_report(
    folder: Path, images: ScoredSet, packed: PackedImages, splits: Sequence[Split], rows: list[Row], pictures: bool
) -> None:
    """Write `report.html` and the figures it shows.

    Args:
        folder: of the benchmark, with a folder for each split.
        images: the whole database.
        packed: its decoded images.
        splits: the splits in the order of their numbers.
        rows: result rows of all splits.
        pictures: False leaves out what shows pictures of the database, so that the page may be published.
    """
    provenance = provenance_of(rows)
    middle = folder / f"split-{median_split(rows):02d}"
    sections = [
        tables_section(rows, provenance),
        splits_section(folder, rows, provenance),
        distortions_section(folder, rows, provenance),
        *one_split_sections(middle, provenance.proxy),
        extremes_section(folder, images, packed, splits),
        Section("The splits", listing=listed(splits)),
        Section("Configuration", listing=yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))),
        Section("Environment", listing=environment()),
    ]
    write_text(
        folder / "report.html", page(f"GADA on {images.name}", summary(images, splits, middle), sections, pictures)
    )


def summary(images: ScoredSet, splits: Sequence[Split], middle: Path) -> list[str]:
    """Return the paragraphs on top: what was done."""
    sides = ", ".join(f"{len(getattr(splits[0], side))} for {name}" for side, name in SIDES.items())
    return [
        f"{len(images)} distorted images of {len(images.reference_ids)} references; scores: {images.scale.describe()}.",
        f"{len(splits)} splits by reference ({sides}). In each, baseline and phases 1 to 3 were trained from scratch, "
        "the generator on that split's training references alone. Validation references chose each checkpoint; test "
        "references were scored once, at the end. No reference stands on two sides of a split, by name or by look.",
        f"Plots and curves of a single split are of {middle.name}, whose phase 3 has the median SROCC; every split's "
        "folder has a page of its own.",
    ]


def median_split(rows: Sequence[Row]) -> int:
    """Return the split whose phase 3 has the median SROCC over ALL; of two in the middle the lower."""
    found = [row for row in rows if row["stage"] == LAST and row["distortion"] == ALL]
    defined = sorted((row["srocc"], row["split"]) for row in found if row["srocc"] is not None)
    return int(defined[(len(defined) - 1) // 2][1] if defined else found[0]["split"])


def published_database(rows: Sequence[Row]) -> str:
    """Return the database of the paper whose distortion types these are: "LIVE", "TID2013", or "" for neither."""
    own = {heading(row["distortion"]) for row in rows} - {ALL}
    return next((name for name in ("LIVE", "TID2013") if own and own <= set(published_headings(name))), "")


def tables_section(rows: Sequence[Row], provenance: Provenance) -> Section:
    """Return the layouts of the paper's tables, the published rows beside ours where the distortions are the same."""
    database = published_database(rows)
    tables: list[Table] = [stages_table(rows, provenance, published=database == "LIVE")]
    if database:
        figures = ("lcc", "srocc") if database == "LIVE" else ("srocc",)
        tables.append(systems_table(rows, database, figures, provenance))
    tables.append(stages_table(rows, metrics=METRICS))
    return Section("Results", tables=tables)


def splits_section(folder: Path, rows: list[Row], provenance: Provenance) -> Section:
    """Return what the splits say together: summary, paired differences, spread."""
    plots = []
    for figure in ("srocc", "lcc"):
        name = METRIC_NAMES[figure]
        picture = spread_over_splits(rows, f"{provenance.dataset}, {name} over splits", figure, provenance.seed or 0)
        plots.append(
            Figure(
                kept(folder, f"spread_{figure}", picture),
                f"{name} over ALL distortions of every split and stage; grey lines join a split's stages.",
                f"Points of {name} for each split and stage, with boxes where there are three splits or more.",
            )
        )
    claim = f"Differences are paired by split; with fewer than {FEWEST_SPLITS} splits nothing is claimed of them."
    tables = [summary_table(rows), differences_table(stage_differences(rows, provenance.seed or 0))]
    return Section("Over splits", [claim], tables=tables, figures=plots)


def distortions_section(folder: Path, rows: Sequence[Row], provenance: Provenance) -> Section:
    """Return bars of SROCC by distortion, with the published systems where the distortions are the same."""
    database = published_database(rows)
    beside = f" Markers: published systems on {database}." if database else ""
    bars = Figure(
        kept(
            folder,
            "by_distortion",
            bars_by_distortion(rows, f"{provenance.dataset}, SROCC by distortion", database=database),
        ),
        f"SROCC on the test references by distortion and over ALL: median over splits, from lowest to highest.{beside}",
        "Bars of SROCC of baseline and phase 3 for each distortion class.",
    )
    return Section("By distortion", figures=[bars])


def one_split_sections(folder: Path, proxy: bool) -> list[Section]:
    """Return plots, curves and generated crops of one split."""
    return [scatter_section(folder, (FIRST, LAST), proxy), curves_section(folder, STAGES), *samples_sections(folder)]


class Scored(NamedTuple):
    """A test image with its scores, as phase 3 of a split left it."""

    error: float
    """|score - predicted|, in units of the scale."""
    image: str
    score: float
    predicted: float
    split: int


def extremes_section(folder: Path, images: ScoredSet, packed: PackedImages, splits: Sequence[Split]) -> Section:
    """Return the test images that phase 3 predicts best and worst."""
    scored = sorted(one for split in splits for one in scores_of(folder, split.number))
    once = list({one.image: one for one in reversed(scored)}.values())  # an image may be tested in several splits
    once.sort()
    rows = [once[:EXTREMES], once[: -EXTREMES - 1 : -1]]
    width = max(map(len, rows))
    paths = {harmless(record.image.relative_to(images.root).as_posix()): record.image for record in images.images}
    tiles = [[centre(packed.array(paths[one.image]), TILE) for one in row] for row in rows]
    captions = [[f"{one.image}: {one.score:.3g}, predicted {one.predicted:.3g}" for one in row] for row in rows]
    sheet = contact_sheet(tiles, ["best", "worst"], [""] * width, images.scale.describe(), captions)
    picture = Figure(
        as_png(sheet),
        "Test images of all splits with the least and the greatest error of phase 3 (their middle, at full size).",
        "Two rows of pictures, best and worst predicted, each with its score and the predicted one.",
    )
    return Section("Best and worst images", figures=[picture], shows_database=True)


def scores_of(folder: Path, split: int) -> list[Scored]:
    """Return the test images of a split as phase 3 scored them; names are `harmless`, as in the file."""
    with (folder / f"split-{split:02d}" / LAST / "scores.csv").open(encoding="utf-8", newline="") as file:
        found = [(row["image"], float(row["score"]), float(row["predicted"])) for row in csv.DictReader(file)]
    return [Scored(abs(score - predicted), image, score, predicted, split) for image, score, predicted in found]


def listed(splits: Sequence[Split]) -> dict[str, object]:
    """Return each split's hash and test references."""
    return {f"split {split.number}": {"sha256": split.hash, "test": list(split.test)} for split in splits}


def kept(folder: Path, name: str, picture: bytes) -> bytes:
    """Write a figure beside the page too, for other uses, and return it."""
    write_bytes(folder / "figures" / f"{name}.png", picture)
    return picture

"""A run's page: what was trained on what, the tables and the figures, from the files of its folder."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gada.data.records import ScoredSet
from gada.distortions.names import distortion_name
from gada.io.files import write_text
from gada.io.origin import Origin
from gada.io.records import environment
from gada.io.results import ResultRow, read_result_rows
from gada.metrics.correlation import ALL
from gada.reports.figures import bars_by_distortion, learning_curves, scatter
from gada.reports.layout import Provenance, Table
from gada.reports.page import Figure, Headline, Section, page
from gada.reports.tables import by_distortion_table, overall_table, stage_name
from gada.runs.by_error import by_error_section, scores_of
from gada.runs.comparison import measure_test, spanned, told_apart
from gada.runs.orders import ORDER, SETS
from gada.runs.prepared import PreparedData
from gada.runs.starts import START
from gada.settings import STAGES, Settings, as_plain

COMPARED = (START, "baseline")  # what the last stage is measured against, whichever a run has


def provenance_of(origins: Iterable[Origin]) -> Provenance:
    """Return where rows come from: all data sets, machines and commits, and a common seed."""
    known = list(dict.fromkeys(origins))
    (dataset, proxy), *others = dict.fromkeys((one.title, one.proxy) for one in known)
    machine = ", ".join(dict.fromkeys(one.machine for one in known))
    commit = ", ".join(dict.fromkeys(one.commit for one in known))
    seeds = {one.seed for one in known}
    return Provenance(dataset, proxy, seeds.pop() if len(seeds) == 1 else None, machine, commit, tuple(others))


def write_report(folder: Path, settings: Settings, data: PreparedData, rows: Sequence[ResultRow]) -> None:
    """Write `report.html` of a run from its result rows, metrics and figures."""
    stages = sorted({row.stage for row in rows}, key=(START, *STAGES).index)
    images, split, last = data.images, data.split, stages[-1]
    sections = [
        results_section(rows),
        *whole_sections(folder, stages, data.upper_bound and settings.whole.photos is None),
        by_error_section(scores_of(folder / last), images, data.packed),
        scatter_section(folder, [stage for stage in stages if stage in (*COMPARED, last)], images),
        curves_section(folder, stages),
        *samples_sections(folder, data.watched),
        Section("References of the split", listing={**vars(split), "hash": split.hash}),
        Section("Configuration", listing=as_plain(settings)),
        Section("Environment", listing=environment()),
    ]
    of = f" of {len(images.reference_ids)} references" if images.has_references else ""
    summary = [
        f"Data: {rows[-1].origin.title}, {len(images)} images{of}; scores: {images.scale.describe()}"
        f"{', computed and not given by people' if images.proxy else ''}.",
        "An upper bound, not a result: the test references were trained on."
        if data.upper_bound
        else "Each metric is of test images that neither trained nor chose a checkpoint.",
        chosen_by(settings),
    ]
    title, head = f"{stage_name(last)} on {rows[-1].origin.title}", headline(folder, stages)
    write_text(folder / "report.html", page(title, summary, sections, headline=head))


def headline(folder: Path, stages: Sequence[str]) -> Headline | None:
    """Return the SROCC of the last stage, and whether it is better than the start or the baseline."""
    last = stages[-1]
    against = next((stage for stage in COMPARED if stage in stages and stage != last), "")
    found = measure_test(folder, last, against)
    if found is None:
        return None
    groups = "" if found.groups == found.images else f" of {found.groups} references"
    meaning = f"{stage_name(last)} on {found.images} test images{groups}"
    meaning += spanned(found.interval, ".3f") or ", too few for an interval"
    meaning += ". 1 is the order that the true scores give, 0 is chance."
    if found.before is None:
        return Headline(f"SROCC {found.srocc:.3f}", meaning)
    change = f"{found.srocc - found.before:+.3f}{spanned(found.change, '+.3f')}"
    other = {"start": "the start", "baseline": "the baseline"}[against]
    return Headline(
        f"SROCC {found.srocc:.3f}", meaning, f"{told_apart(found.change)} {other}, {found.before:.3f}: {change}."
    )


def chosen_by(settings: Settings) -> str:
    """Return the sentence that says which checkpoint was evaluated."""
    if settings.validated:
        return "Validation references chose each checkpoint."
    return "Each checkpoint is the last one, as in the paper's protocol: validation references chose none."


def results_section(rows: Sequence[ResultRow], title: str = "Results") -> Section:
    """Return all metrics of each stage, and one of them by distortion where there are several."""
    plain, provenance = [row.as_plain() for row in rows], provenance_of(row.origin for row in rows)
    tables = [overall_table(plain, provenance)]
    stages = list(dict.fromkeys(row.stage for row in rows))
    if len({row.distortion for row in rows}) <= 2:  # a class and ALL, which are the same
        return Section(title, tables=tables)
    bars = Figure(
        bars_by_distortion(plain, stages=stages),
        "SROCC on the test images, by distortion and over all.",
        f"Bars of SROCC for {', '.join(map(stage_name, stages))}.",
    )
    classes = by_distortion_table([row for row in plain if row["distortion"] != ALL])
    return Section(title, tables=[*tables, classes], figures=[bars])


def whole_sections(folder: Path, stages: Sequence[str], seen: bool) -> list[Section]:
    """Return what only a training on whole images leaves: its further sets, and the order of distorted photos.

    Args:
        folder: of the run.
        stages: which stages.
        seen: whether the photos on which order is measured were trained on, as of an upper bound without a folder of
            photos.
    """
    sections = []
    for stage in stages:
        for title, rows in groups_by_title(folder / stage / SETS).items():
            sections.append(results_section(rows, f"Results on {title}"))
        if (folder / stage / ORDER).is_file():
            sections.append(order_section(json.loads((folder / stage / ORDER).read_text(encoding="utf-8")), seen))
    return sections


def groups_by_title(path: Path) -> dict[str, list[ResultRow]]:
    """Return the result rows of a file by the name of their set; none where there is no file."""
    found: dict[str, list[ResultRow]] = {}
    for row in read_result_rows(path) if path.is_file() else []:
        found.setdefault(row.origin.title, []).append(row)
    return found


def order_section(order: dict[str, Any], seen: bool) -> Section:
    """Return tau of each distortion, before a training that started from an evaluator, and after it."""
    whens = [when for when in ("before", "after") if when in order]
    of = ", which this upper bound was trained on" if seen else " not trained on"
    table = Table(
        caption=f"Does the score fall as a distortion grows? Kendall's tau within a photo, averaged over "
        f"{order['photos']} photo{'s' if order['photos'] > 1 else ''}{of}; 1 is always.",
        labels=("distortion",),
        columns=tuple(f"{when} this training" for when in whens),
        rows=tuple((name, *(order[when][name] for when in whens)) for name in order["after"]),
    )
    return Section("Order of distorted photos", tables=[table])


def curves_section(folder: Path, stages: Sequence[str]) -> Section:
    """Return the learning curves of all stages."""
    metrics = {stage: read_metrics(folder / stage / "metrics.csv") for stage in stages}
    curves = Figure(
        learning_curves({stage: rows for stage, rows in metrics.items() if rows}),
        "Mean losses between validations, and LCC and SROCC on the validation images.",
        "Lines of losses on the left, of LCC and SROCC on the right, one row for each stage.",
    )
    return Section("Learning curves", figures=[curves])


def scatter_section(folder: Path, stages: Sequence[str], images: ScoredSet) -> Section:
    """Return the scatter plots of a run's stages."""
    given = "proxy" if images.proxy else "human"
    plots = []
    for stage in stages:
        scored = scores_of(folder / stage)
        names = [distortion_name(one.distortion, images.name) for one in scored]
        predicted, true = ([getattr(one, name) for one in scored] for name in ("predicted", "score"))
        plots.append(
            Figure(
                scatter(predicted, true, names, stage_name(stage), images.scale.describe(), images.proxy),
                f"{stage_name(stage)}: predicted against {given} scores of the test images.",
                f"Scatter plot of predicted and {given} scores with a logistic fit, a marker for each distortion.",
            )
        )
    return Section(f"Predicted and {given} scores", figures=plots)


def samples_sections(folder: Path, side: str) -> list[Section]:
    """Return the newest sample grid of phase 1, where there is one, of references of one side of the split."""
    grids = [
        Figure(
            path.read_bytes(),
            f"Reference, true distortion and generated crops for each class, on {side} references.",
            "Grid of crops: rows are distortion classes; columns are reference, true and generated distortions.",
        )
        for path in sorted((folder / "phase1" / "samples").glob("*.png"))[-1:]
    ]
    return [Section("Generated crops", figures=grids, shows_database=True)] if grids else []


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a stage's `metrics.csv`; none where the stage came from elsewhere."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

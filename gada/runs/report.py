"""A run's page: what was trained on what, the tables and the figures, from the files of its folder."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gada.io.files import write_text
from gada.io.origin import Origin
from gada.io.records import environment
from gada.io.results import ResultRow, read_result_rows
from gada.metrics.correlation import METRICS
from gada.reports.figures import bars_by_distortion, learning_curves
from gada.reports.layout import Provenance, Table
from gada.reports.page import Figure, Section, page
from gada.reports.tables import STAGE_NAMES, stages_table
from gada.runs.orders import ORDER, SETS
from gada.runs.prepared import PreparedData
from gada.settings import Settings, as_plain


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
    stages = list(dict.fromkeys(row.stage for row in rows))
    images, split = data.images, data.split
    sections = [
        results_section(rows),
        *whole_sections(folder, stages),
        curves_section(folder, stages),
        scatter_section(folder, stages, images.proxy),
        *samples_sections(folder, data.watched),
        Section("References of the split", listing={**vars(split), "hash": split.hash}),
        Section("Configuration", listing=as_plain(settings)),
        Section("Environment", listing=environment()),
    ]
    summary = [
        f"{len(images)} distorted images of {len(images.reference_ids)} references; scores: {images.scale.describe()}.",
        "An upper bound, not a result: the test references were trained on."
        if data.upper_bound
        else "Each metric is of the test references, which neither trained nor chose a checkpoint.",
        chosen_by(data),
    ]
    write_text(folder / "report.html", page(f"GADA on {data.title}", summary, sections))


def chosen_by(data: PreparedData) -> str:
    """Return the sentence that says which checkpoint was evaluated."""
    if data.validated:
        return "Validation references chose each checkpoint."
    return "There were no validation references, as in the paper's protocol: each checkpoint is the last one."


def results_section(rows: Sequence[ResultRow]) -> Section:
    """Return the paper's Table 1, all metrics, and bars by distortion."""
    plain, provenance = [row.as_plain() for row in rows], provenance_of(row.origin for row in rows)
    stages = list(dict.fromkeys(row.stage for row in rows))
    names = ", ".join(STAGE_NAMES.get(stage, stage) for stage in stages)
    bars = Figure(
        bars_by_distortion(plain, f"{provenance.dataset}, SROCC by distortion", stages=stages),
        "SROCC on the test references, by distortion class and over ALL.",
        f"Bars of SROCC for {names}.",
    )
    return Section(
        "Results", tables=[stages_table(plain, provenance), stages_table(plain, metrics=METRICS)], figures=[bars]
    )


def whole_sections(folder: Path, stages: Sequence[str]) -> list[Section]:
    """Return what only a training on whole images leaves: its further sets, and the order of distorted photos."""
    sections = []
    for stage in stages:
        for title, rows in groups_by_title(folder / stage / SETS).items():
            table = stages_table([row.as_plain() for row in rows], provenance_of(row.origin for row in rows))
            sections.append(Section(f"Results on {title}", tables=[table]))
        if (folder / stage / ORDER).is_file():
            sections.append(order_section(json.loads((folder / stage / ORDER).read_text(encoding="utf-8"))))
    return sections


def groups_by_title(path: Path) -> dict[str, list[ResultRow]]:
    """Return the result rows of a file by the name of their set; none where there is no file."""
    found: dict[str, list[ResultRow]] = {}
    for row in read_result_rows(path) if path.is_file() else []:
        found.setdefault(row.origin.title, []).append(row)
    return found


def order_section(order: dict[str, Any]) -> Section:
    """Return tau of each distortion, before a training that started from an evaluator, and after it."""
    whens = [when for when in ("before", "after") if when in order]
    table = Table(
        caption=f"Does the score fall as a distortion grows? Kendall's tau within a photo, averaged over "
        f"{order['photos']} photos that were not trained on; 1 is always.",
        labels=("distortion",),
        columns=tuple(f"{when} this training" for when in whens),
        rows=tuple((name, *(order[when][name] for when in whens)) for name in order["after"]),
    )
    return Section("Order of distorted photos", tables=[table])


def curves_section(folder: Path, stages: Sequence[str]) -> Section:
    """Return the learning curves of all stages."""
    metrics = {stage: read_metrics(folder / stage / "metrics.csv") for stage in stages}
    curves = Figure(
        learning_curves({stage: rows for stage, rows in metrics.items() if rows}, "Losses and validation figures"),
        "Mean losses between validations, and LCC and SROCC on the validation references.",
        "Lines of losses on the left, of LCC and SROCC on the right, one row for each stage.",
    )
    return Section("Learning curves", figures=[curves])


def scatter_section(folder: Path, stages: Sequence[str], proxy: bool) -> Section:
    """Return the scatter plots of a run's stages."""
    given = "proxy" if proxy else "human"
    plots = [
        Figure(
            (folder / stage / "scatter.png").read_bytes(),
            f"{STAGE_NAMES.get(stage, stage)}: predicted against {given} scores of the test images.",
            f"Scatter plot of predicted and {given} scores with a logistic fit, one marker for each distortion class.",
        )
        for stage in stages
    ]
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

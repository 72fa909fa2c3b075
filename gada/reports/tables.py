"""Results by distortion, and the layouts of the paper's Tables 1, 2 and 3, from result rows."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from gada.distortions.names import distortion_name
from gada.metrics.correlation import ALL, METRICS, Row
from gada.reports.layout import Cell, Provenance, Table
from gada.reports.published import heading, published_headings, published_systems, published_values

STAGE_NAMES = {
    "start": "Before training",
    "baseline": "Baseline",
    "phase1": "Phase 1",
    "phase2": "Phase 2",
    "phase3": "Phase 3",
}
METRIC_NAMES = {
    "lcc": "LCC",
    "srocc": "SROCC",
    "krocc": "KROCC",
    "rmse": "RMSE",
    "lcc_logistic4": "LCC, 4-par. fit",
    "lcc_logistic5": "LCC, 5-par. fit",
}
UNDEFINED = "undef."
COMPARED = ("baseline", "phase3")  # with published systems, as in the paper's Tables 2 and 3
EXPLAINED = {
    "srocc": "SROCC: rank correlation of predicted and true scores (Spearman), 1 is best.",
    "lcc": "LCC: linear correlation (Pearson), 1 is best.",
    "lcc_logistic4": "4-par. and 5-par. fit: LCC after a logistic fit of 4 or 5 parameters to these scores.",
    "krocc": "KROCC: rank correlation of Kendall, 1 is best.",
    "rmse": "RMSE: root mean squared error in units of the scale, 0 is best.",
}


def stages_table(rows: Sequence[Row], provenance: Provenance | None = None, published: bool = False) -> Table:
    """Return the paper's Table 1: a block of metrics for each stage, a column for each distortion, ALL last.

    Of several splits the medians are shown.

    Args:
        rows: result rows; their order gives the order of the classes.
        provenance: what the caption states.
        published: add the paper's own rows.
    """
    metrics = ("lcc", "srocc")
    classes = [name for name in dict.fromkeys(row["distortion"] for row in rows) if name != ALL] + [ALL]
    medians_of, notes = _medians(rows, metrics)
    body: list[tuple[Cell, ...]] = []
    rules: set[int] = set()
    for stage in dict.fromkeys(row["stage"] for row in rows):
        rules.add(len(body))
        for metric in metrics:
            cells = [medians_of.get((stage, name, metric)) for name in classes]
            body.append((stage_name(stage), METRIC_NAMES[metric], *cells))
    if published:
        body += _published_stages(classes, metrics, rules, len(body))
        notes += _published_notes("LIVE", provenance, staged=True)
    caption = f"Metrics after each stage, {_over_splits(rows)}."
    caption = f"{caption} {provenance.describe()}" if provenance else caption
    columns = tuple(heading(name) for name in classes)
    return Table(caption, ("stage", "metric"), columns, tuple(body), (), frozenset(rules - {0}), tuple(notes))


def glossary(metrics: Sequence[str] = METRICS) -> str:
    """Return what the abbreviations of metrics stand for."""
    return " ".join(text for metric, text in EXPLAINED.items() if metric in metrics)


def overall_table(rows: Sequence[Row], provenance: Provenance | None = None) -> Table:
    """Return every metric over all distortions: a row for each stage."""
    chosen = [row for row in rows if row["distortion"] == ALL]
    cells, notes = _medians(chosen, METRICS)
    stages = dict.fromkeys(row["stage"] for row in chosen)
    body = tuple((stage_name(stage), *(cells[stage, ALL, metric] for metric in METRICS)) for stage in stages)
    caption = f"All test images, {_over_splits(chosen)}."
    caption = f"{caption} {provenance.describe()}" if provenance else caption
    columns = tuple(METRIC_NAMES[metric] for metric in METRICS)
    return Table(caption, ("stage",), columns, body, notes=(glossary(), *notes))


def by_distortion_table(
    rows: Sequence[Row], provenance: Provenance | None = None, metrics: Sequence[str] = ("srocc",)
) -> Table:
    """Return metrics of each stage, a row for each distortion class by its name, all images last.

    Args:
        rows: result rows; their order gives the order of the classes. A class that is all of its set has no row.
        provenance: what the caption states.
        metrics: which metrics, out of `METRICS`.
    """
    stages, counts = list(dict.fromkeys(row["stage"] for row in rows)), {row["distortion"]: row["n"] for row in rows}
    if len(counts) == 2 and ALL in counts:
        counts = {ALL: counts[ALL]}
    names = {one: "all images" if one == ALL else distortion_name(one, rows[0].get("dataset", "")) for one in counts}
    cells, notes = _medians([row for row in rows if row["distortion"] in counts], metrics, names.__getitem__)
    keys = [(stage, metric) for metric in metrics for stage in stages]
    body = tuple(
        (names[one], str(counts[one]), *(cells.get((stage, one, metric)) for stage, metric in keys))
        for one in sorted(counts, key=ALL.__eq__)
    )
    several = len(stages) > 1
    columns = tuple(stage_name(stage) if several else METRIC_NAMES[metric] for stage, metric in keys)
    groups = tuple(METRIC_NAMES[metric] for _, metric in keys) if several and len(metrics) > 1 else ()
    of = "" if several or not rows else f" of {stage_name(stages[0]).lower()}"
    told = "Metrics" if len(metrics) > 1 else METRIC_NAMES[metrics[0]]
    by = " by distortion" if len(counts) > 1 else ""
    caption = f"{told}{of}{by}, {_over_splits(rows)}."
    caption = f"{caption} {provenance.describe()}" if provenance else caption
    explained = [glossary(metrics)] if len(metrics) > 1 else []
    return Table(caption, ("distortion", "images"), columns, body, groups, notes=(*explained, *notes))


def systems_table(
    rows: Sequence[Row],
    database: str,
    metrics: Sequence[str],
    provenance: Provenance | None = None,
) -> Table:
    """Return the paper's Table 2 (LIVE) or 3 (TID2013): a row for each published system, then our stages.

    Args:
        rows: result rows.
        database: "LIVE" or "TID2013": whose published systems and columns.
        metrics: "lcc" and "srocc" or one of them.
        provenance: what the caption states.
    """
    headings = published_headings(database)
    found = [heading(name) for name in dict.fromkeys(row["distortion"] for row in rows)]
    if not set(found) & set(headings[:-1]):  # another database: its own columns, the published ones fill ALL alone
        headings = [*(name for name in found if name != ALL), ALL]
    published = {metric: published_systems(database, metric) for metric in metrics}
    systems = dict.fromkeys(name for metric in metrics for name in published[metric])
    body: list[tuple[Cell, ...]] = [
        (system, *(published[metric].get(system, {}).get(name) for metric in metrics for name in headings))
        for system in systems
    ]
    ours, notes = _medians([row for row in rows if row["stage"] in COMPARED], metrics)
    by_heading = {(stage, heading(name), metric): cell for (stage, name, metric), cell in ours.items()}
    present = [stage for stage in COMPARED if any(key[0] == stage for key in by_heading)]
    for stage in present:
        cells = [by_heading.get((stage, name, metric)) for metric in metrics for name in headings]
        body.append((f"This run, {stage_name(stage).lower()}", *cells))
    names = " and ".join(METRIC_NAMES[metric] for metric in metrics)
    caption = f"{names} of published systems on {database} and of this run, {_over_splits(rows)}."
    caption = f"{caption} {provenance.describe()}" if provenance else caption
    groups = tuple(METRIC_NAMES[metric] for metric in metrics for _ in headings) if len(metrics) > 1 else ()
    columns = tuple(headings) * len(metrics)
    notes = [*_published_notes(database, provenance), *notes]
    return Table(caption, ("system",), columns, tuple(body), groups, frozenset({len(systems)}), tuple(notes))


def databases_table(rows: Sequence[Row], provenance: Provenance | None = None) -> Table:
    """Return a row for each evaluator and database, as `gada evaluate --results` keeps them."""
    body: list[tuple[Cell, ...]] = []
    for row in rows:
        low, high = row["interval"] or (None, None)
        names = (row["model"], row["trained_on"], row["dataset"], str(row["n"]))
        body.append((*names, row["srocc"], low, high, row["lcc_logistic5"]))
    caption = "Evaluators on databases that they were not trained on, all images."
    columns = ("SROCC", "95 % from", "to", METRIC_NAMES["lcc_logistic5"])
    notes = ("Interval: percentile bootstrap over references, or images without one.", glossary(("srocc",)))
    labels = ("evaluator", "trained on", "database", "images")
    return Table(
        f"{caption} {provenance.describe()}" if provenance else caption, labels, columns, tuple(body), notes=notes
    )


def stage_name(stage: str) -> str:
    """Return what people call a stage."""
    return STAGE_NAMES.get(stage, stage)


def named_splits(rows: Iterable[Row]) -> str:
    """Return which splits rows are of."""
    numbers = sorted({row["split"] for row in rows})
    if numbers == [None]:
        return "all images"
    return f"split {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} splits"


def _over_splits(rows: Iterable[Row]) -> str:
    splits = named_splits(rows)
    return f"median over {splits}" if splits.endswith("splits") else splits


def _medians(
    rows: Sequence[Row], metrics: Sequence[str], named: Callable[[str], str] = heading
) -> tuple[dict[tuple[str, str, str], Cell], list[str]]:
    """Return the median of each (stage, distortion, metric) over splits, and why one is undefined."""
    cells: dict[tuple[str, str, str], Cell] = {}
    gaps: dict[tuple[str, str], list[str]] = {}  # where a metric is undefined, by metric and reason
    keys = dict.fromkeys((row["stage"], row["distortion"]) for row in rows)
    for stage, distortion in keys:
        group = [row for row in rows if row["stage"] == stage and row["distortion"] == distortion]
        for metric in metrics:
            values = [row[metric] for row in group if row.get(metric) is not None]
            cells[stage, distortion, metric] = float(np.median(values)) if values else UNDEFINED
            reasons = [row[f"{metric}_undefined"] for row in group if f"{metric}_undefined" in row]
            for reason in dict.fromkeys(reasons):
                count = f" ({reasons.count(reason)} of {len(group)} splits)" if len(group) > 1 else ""
                gaps.setdefault((metric, reason), []).append(f"{stage_name(stage)} {named(distortion)}{count}")
    notes = [f"{METRIC_NAMES[name]} is undefined, {reason}: {', '.join(at)}." for (name, reason), at in gaps.items()]
    return cells, notes


def _published_stages(
    classes: Sequence[str], metrics: Sequence[str], rules: set[int], start: int
) -> list[tuple[Cell, ...]]:
    """Return the paper's own Table 1 in the columns of `classes`; adds the rules between its blocks."""
    known = {
        (row["stage"], row["metric"], row["distortion"]): row["value"] for row in published_values() if row["stage"]
    }
    body: list[tuple[Cell, ...]] = []
    for stage, name in STAGE_NAMES.items():
        rules.add(start + len(body))
        for metric in metrics:
            cells = [known.get((stage, metric, heading(one))) for one in classes]
            if any(cell is not None for cell in cells):
                body.append((f"{name}, published", METRIC_NAMES[metric], *cells))
    return body


def _published_notes(database: str, provenance: Provenance | None, staged: bool = False) -> list[str]:
    """Return the source of the published rows and, where the data differ, that the two are not to be compared."""
    chosen = [row for row in published_values() if row["database"] == database and bool(row["stage"]) == staged]
    sources = dict.fromkeys(row["source"].split(", citing")[0] for row in chosen)
    notes = [f"Published metrics: {'; '.join(sources)}. A cell that is open or unreadable there is empty."]
    if provenance and provenance.sets != ((database, provenance.proxy),):
        ours = ", ".join(dict.fromkeys(name for name, _ in provenance.sets))
        notes.append(f"They are on {database} and ours on {ours}: not comparable value by value.")
    return notes

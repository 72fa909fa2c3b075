"""The layouts of the paper's Tables 1, 2 and 3, and the summary over splits, from result rows."""

from collections.abc import Iterable, Sequence

import numpy as np

from gada.metrics.correlation import ALL, FIGURES, Row
from gada.metrics.statistics import summary_over_splits
from gada.reports.layout import Cell, Format, Provenance, Table, render
from gada.reports.published import heading, published_figures, published_headings, published_systems

STAGE_NAMES = {"baseline": "Baseline", "phase1": "Phase 1", "phase2": "Phase 2", "phase3": "Phase 3"}
FIGURE_NAMES = {
    "lcc": "LCC",
    "srocc": "SROCC",
    "krocc": "KROCC",
    "rmse": "RMSE",
    "lcc_logistic4": "LCC, 4-par. fit",
    "lcc_logistic5": "LCC, 5-par. fit",
}
UNDEFINED = "undef."


def table1(
    rows: Sequence[Row],
    format: Format = "text",  # noqa: A002 - the option's name on the command line
    provenance: Provenance | None = None,
    split: int | None = None,
    figures: Sequence[str] = ("lcc", "srocc"),
    published: bool = False,
) -> str:
    """Write the paper's Table 1: a block of figures for each stage, a column for each distortion, ALL last.

    Args:
        rows: result rows; their order gives the order of the classes.
        format: "text", "markdown", "latex" or "csv".
        provenance: what the caption states.
        split: this split only; None is the median over the splits that the rows hold.
        figures: which figures, out of `FIGURES`.
        published: add the paper's own rows.
    """
    return render(stages_table(rows, provenance, split, figures, published), format)


def table2(
    rows: Sequence[Row],
    format: Format = "text",  # noqa: A002
    provenance: Provenance | None = None,
    stages: Sequence[str] = ("baseline", "phase3"),
) -> str:
    """Write the paper's Table 2: LCC and SROCC on each distortion of LIVE, the published systems and ours."""
    return render(systems_table(rows, "LIVE", ("lcc", "srocc"), provenance, stages), format)


def table3(
    rows: Sequence[Row],
    format: Format = "text",  # noqa: A002
    provenance: Provenance | None = None,
    stages: Sequence[str] = ("baseline", "phase3"),
) -> str:
    """Write the paper's Table 3: SROCC on each of TID2013's 24 types, the published systems and ours."""
    return render(systems_table(rows, "TID2013", ("srocc",), provenance, stages), format)


def stages_table(
    rows: Sequence[Row],
    provenance: Provenance | None = None,
    split: int | None = None,
    figures: Sequence[str] = ("lcc", "srocc"),
    published: bool = False,
) -> Table:
    """Return the layout of Table 1; see `table1`."""
    chosen = [row for row in rows if split is None or row["split"] == split]
    classes = [name for name in dict.fromkeys(row["distortion"] for row in chosen) if name != ALL] + [ALL]
    figures_of, notes = _medians(chosen, figures)
    body: list[tuple[Cell, ...]] = []
    rules: set[int] = set()
    for stage in dict.fromkeys(row["stage"] for row in chosen):
        rules.add(len(body))
        for figure in figures:
            cells = [figures_of.get((stage, name, figure)) for name in classes]
            body.append((_stage_name(stage), FIGURE_NAMES[figure], *cells))
    if published:
        body += _published_stages(classes, figures, rules, len(body))
        notes += _published_notes("LIVE", provenance, staged=True)
    caption = f"Figures after each stage, {_over_splits(chosen)}."
    caption = f"{caption} {provenance.describe()}" if provenance else caption
    columns = tuple(heading(name) for name in classes)
    return Table(caption, ("stage", "figure"), columns, tuple(body), (), frozenset(rules - {0}), tuple(notes))


def systems_table(
    rows: Sequence[Row],
    database: str,
    figures: Sequence[str],
    provenance: Provenance | None = None,
    stages: Sequence[str] = ("baseline", "phase3"),
) -> Table:
    """Return the layout of Tables 2 and 3: a row for each published system, then our stages.

    Args:
        rows: result rows.
        database: "LIVE" or "TID2013": whose published systems and columns.
        figures: "lcc" and "srocc" or one of them.
        provenance: what the caption states.
        stages: which of our stages; one without rows is left out.
    """
    headings = published_headings(database)
    found = [heading(name) for name in dict.fromkeys(row["distortion"] for row in rows)]
    if not set(found) & set(headings[:-1]):  # another database: its own columns, the published ones fill ALL alone
        headings = [*(name for name in found if name != ALL), ALL]
    published = {figure: published_systems(database, figure) for figure in figures}
    systems = dict.fromkeys(name for figure in figures for name in published[figure])
    body: list[tuple[Cell, ...]] = [
        (system, *(published[figure].get(system, {}).get(name) for figure in figures for name in headings))
        for system in systems
    ]
    ours, notes = _medians([row for row in rows if row["stage"] in stages], figures)
    by_heading = {(stage, heading(name), figure): cell for (stage, name, figure), cell in ours.items()}
    present = [stage for stage in stages if any(key[0] == stage for key in by_heading)]
    for stage in present:
        cells = [by_heading.get((stage, name, figure)) for figure in figures for name in headings]
        body.append((f"This run, {_stage_name(stage).lower()}", *cells))
    names = " and ".join(FIGURE_NAMES[figure] for figure in figures)
    caption = f"{names} of published systems on {database} and of this run, {_over_splits(rows)}."
    caption = f"{caption} {provenance.describe()}" if provenance else caption
    groups = tuple(FIGURE_NAMES[figure] for figure in figures for _ in headings) if len(figures) > 1 else ()
    columns = tuple(headings) * len(figures)
    notes = [*_published_notes(database, provenance), *notes]
    return Table(caption, ("system",), columns, tuple(body), groups, frozenset({len(systems)}), tuple(notes))


def summary_table(rows: Sequence[Row], provenance: Provenance | None = None, distortion: str = ALL) -> Table:
    """Return median, mean and deviation over splits of every figure, for one distortion (or `ALL`)."""
    summaries = summary_over_splits(row for row in rows if row["distortion"] == distortion)
    present = [figure for figure in FIGURES if any(figure in summary for summary in summaries)]
    body: list[tuple[Cell, ...]] = []
    for summary in summaries:
        for measure in ("median", "mean", "deviation"):
            cells = [summary[figure][measure] if figure in summary else None for figure in present]
            body.append((_stage_name(summary["stage"]), measure, *cells))
    caption = f"Median, mean and sample deviation over {_splits(rows)}, {heading(distortion)}."
    caption = f"{caption} {provenance.describe()}" if provenance else caption
    rules = frozenset(range(3, len(body), 3))
    columns = tuple(FIGURE_NAMES[figure] for figure in present)
    notes = [
        f"{_stage_name(summary['stage'])}: {FIGURE_NAMES[figure]} is defined in {summary[figure]['defined']} "
        f"of {summary['splits']} splits."
        for summary in summaries
        for figure in present
        if figure in summary and summary[figure]["defined"] < summary["splits"]
    ]
    return Table(caption, ("stage", "over splits"), columns, tuple(body), (), rules, tuple(notes))


def differences_table(differences: Iterable[Row], provenance: Provenance | None = None) -> Table:
    """Return a row for each paired difference of two stages, as `gada.metrics.statistics.stage_difference` gives it."""
    body: list[tuple[Cell, ...]] = []
    notes, claims = dict[str, None](), dict[str, None]()
    for one in differences:
        what = f"{_stage_name(one['stage'])} minus {_stage_name(one['against']).lower()}, {heading(one['distortion'])}"
        low, high = one["interval"] or (None, None)
        p = one["wilcoxon_p"]
        figures = (one["median"], one["mean"], one["deviation"], low, high, "<0.001" if p and p < 0.001 else p)
        body.append((what, FIGURE_NAMES[one["figure"]], *figures))
        name = FIGURE_NAMES[one["figure"]]
        listed = ", ".join(f"{value:+.3f}" for value in one["differences"])
        lacking = ", ".join(map(str, one.get("left_out", [])))
        notes[f"{name} in each split: {listed}{f' (undefined in split {lacking})' if lacking else ''}."] = None
        if "not_claimed" in one:
            claims[f"{one['not_claimed'][:1].upper()}{one['not_claimed'][1:]}."] = None
        if one["interval"]:
            claims[f"Interval: {one['interval_method']}; p: Wilcoxon's signed-rank test, two-sided."] = None
    columns = ("median", "mean", "deviation", "95 % from", "to", "p")
    caption = "Paired differences over splits."
    caption = f"{caption} {provenance.describe()}" if provenance else caption
    return Table(caption, ("difference", "figure"), columns, tuple(body), (), frozenset(), (*claims, *notes))


def _stage_name(stage: str) -> str:
    return STAGE_NAMES.get(stage, stage)


def _splits(rows: Iterable[Row]) -> str:
    numbers = sorted({row["split"] for row in rows})
    if numbers == [None]:
        return "all images"
    return f"split {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} splits"


def _over_splits(rows: Iterable[Row]) -> str:
    splits = _splits(rows)
    return f"median over {splits}" if splits.endswith("splits") else splits


def _medians(rows: Sequence[Row], figures: Sequence[str]) -> tuple[dict[tuple[str, str, str], Cell], list[str]]:
    """Return the median of each (stage, distortion, figure) over splits, and why one is undefined."""
    cells: dict[tuple[str, str, str], Cell] = {}
    gaps: dict[tuple[str, str], list[str]] = {}  # where a figure is undefined, by figure and reason
    keys = dict.fromkeys((row["stage"], row["distortion"]) for row in rows)
    for stage, distortion in keys:
        group = [row for row in rows if row["stage"] == stage and row["distortion"] == distortion]
        for figure in figures:
            values = [row[figure] for row in group if row.get(figure) is not None]
            cells[stage, distortion, figure] = float(np.median(values)) if values else UNDEFINED
            reasons = [row[f"{figure}_undefined"] for row in group if f"{figure}_undefined" in row]
            for reason in dict.fromkeys(reasons):
                count = f" ({reasons.count(reason)} of {len(group)} splits)" if len(group) > 1 else ""
                gaps.setdefault((figure, reason), []).append(f"{_stage_name(stage)} {heading(distortion)}{count}")
    notes = [f"{FIGURE_NAMES[name]} is undefined, {reason}: {', '.join(at)}." for (name, reason), at in gaps.items()]
    return cells, notes


def _published_stages(
    classes: Sequence[str], figures: Sequence[str], rules: set[int], start: int
) -> list[tuple[Cell, ...]]:
    """Return the paper's own Table 1 in the columns of `classes`; adds the rules between its blocks."""
    known = {
        (row["stage"], row["figure"], row["distortion"]): row["value"] for row in published_figures() if row["stage"]
    }
    body: list[tuple[Cell, ...]] = []
    for stage, name in STAGE_NAMES.items():
        rules.add(start + len(body))
        for figure in figures:
            cells = [known.get((stage, figure, heading(one))) for one in classes]
            if any(cell is not None for cell in cells):
                body.append((f"{name}, published", FIGURE_NAMES[figure], *cells))
    return body


def _published_notes(database: str, provenance: Provenance | None, staged: bool = False) -> list[str]:
    """Return the source of the published rows and, where the data differ, that the two are not to be compared."""
    chosen = [row for row in published_figures() if row["database"] == database and bool(row["stage"]) == staged]
    sources = dict.fromkeys(row["source"].split(", citing")[0] for row in chosen)
    notes = [f"Published figures: {'; '.join(sources)}. A cell that is open or unreadable there is empty."]
    if provenance and provenance.sets != ((database, provenance.proxy),):
        ours = ", ".join(dict.fromkeys(name for name, _ in provenance.sets))
        notes.append(f"They are on {database} and ours on {ours}: no comparison figure by figure.")
    return notes

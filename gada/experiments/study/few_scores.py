"""What few scores cost: each variant of a study against the number of scored references, as a table and as a curve."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gada.experiments.study.rows import StudyRow
from gada.experiments.study.table import (
    ALIKE,
    METRICS,
    OVER_SPLITS,
    by_variant,
    changes_of,
    compared,
    splits_of,
    values_of,
)
from gada.io.records import check_single
from gada.metrics.statistics import FEWEST_SPLITS, mean_interval
from gada.reports.canvas import COLOURS, MARKERS, WIDTH, label_axes, put_legend
from gada.reports.layout import Cell, Table
from gada.runs.report import provenance_of

SHOWN = {"srocc": METRICS["srocc"], "tau": "Kendall's tau of level and falling score, mean over distortions"}


def counts_of(rows: Sequence[StudyRow]) -> list[int]:
    """Return the numbers of scored references, from few to many; those of a study without numbers are all, 0."""
    return sorted({row.scored for row in rows} - {0}) or [0]


def few_scores_table(rows: Sequence[StudyRow]) -> Table:
    """Return mean and standard deviation of each variant at each number of scored references.

    The difference is from the first variant with the same scores, paired by split.

    Raises:
        ConfigError: if a variant has rows of different trainings, or two of one split and number.
    """
    groups = [
        group for count in counts_of(rows) for group in by_variant([r for r in rows if r.scored == count]).values()
    ]
    for group in groups:
        plain = [{**row.as_plain(), "changes": changes_of(row.changes)} for row in group]
        check_single(plain, ALIKE, ("variant", "split", "scored"))
    metrics = [name for name in SHOWN if values_of(rows, name)]
    body: list[tuple[Cell, ...]] = []
    notes = dict[str, None]()
    for group in groups:
        alike = (one for one in groups if (one[0].scored, one[0].variant) == (group[0].scored, groups[0][0].variant))
        first = next(alike, group)
        found = [compared(group, first, name, SHOWN[name]) for name in metrics]
        cells = (cell for one in found for cell in one.cells)
        body.append((str(group[0].scored), group[0].variant, str(group[0].steps), str(len(group)), *cells))
        notes |= dict.fromkeys(note for one in found for note in one.claims)
    starts = [place for place in range(1, len(groups)) if groups[place][0].scored != groups[place - 1][0].scored]
    changed = [f"{name}: {changes_of(own[0].changes)}." for name, own in by_variant(rows).items() if own[0].changes]
    origins = [replace(row.result.origin, scored=0) for row in rows]
    return Table(
        caption=f"SROCC against the number of scored references, {splits_of(rows)}; differences are from "
        f"'{groups[0][0].variant}' with the same scores. {provenance_of(origins).describe()}",
        labels=("scored", "variant", "steps", "splits"),
        columns=OVER_SPLITS * len(metrics),
        rows=tuple(body),
        groups=tuple(SHOWN[name] for name in metrics for _ in OVER_SPLITS),
        rules=frozenset(starts),
        notes=(*changed, *notes),
    )


def few_scores_curve(rows: Sequence[StudyRow], metric: str = "srocc") -> Figure:
    """Draw a metric of each variant against the number of scored references.

    The band is the 95 % bootstrap interval of the mean over splits; with fewer than six the lowest and highest split.
    """
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    axes = figure.add_subplot()
    handles: dict[str, Line2D] = {}
    counts = counts_of(rows)
    for number, (name, own) in enumerate(by_variant(rows).items()):
        values = {count: values_of([row for row in own if row.scored == count], metric) for count in counts}
        shown = {count: one for count, one in values.items() if one}
        if not shown:
            continue
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        low, high = np.transpose([band(one) for one in shown.values()])
        axes.fill_between(list(shown), low, high, color=colour, alpha=0.15, linewidth=0)
        means = [float(np.mean(one)) for one in shown.values()]
        handles[name] = axes.plot(list(shown), means, color=colour, marker=marker, markersize=5)[0]
    axes.set_xscale("log")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.grid(color="#DDDDDD", linewidth=0.6)
    label_axes(axes, f"scored references, or images, of {rows[0].result.origin.dataset}", SHOWN[metric])
    put_legend(figure, list(handles.values()), list(handles))
    return figure


def band(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the band around a mean."""
    low, high = mean_interval(values, 0) if len(values) >= FEWEST_SPLITS else (min(values), max(values))
    return low, high

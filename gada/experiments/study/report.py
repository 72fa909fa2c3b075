"""The page of a study: its best variant, what each changes, their metrics and differences."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gada.experiments.study.few_scores import SHOWN, counts_of, few_scores_curve, few_scores_table
from gada.experiments.study.rows import StudyRow
from gada.experiments.study.table import by_variant, compared, splits_of, study_table, values_of
from gada.io.files import write_text
from gada.io.records import environment
from gada.metrics.statistics import FEWEST_SPLITS, mean_interval
from gada.reports.layout import Table
from gada.reports.page import Figure, Headline, Section, page
from gada.reports.study import Difference, variants_figure
from gada.reports.tables import METRIC_NAMES, glossary
from gada.runs.comparison import spanned, told_apart

REPORT, METRIC = "report.html", "srocc"
TAU = "tau: how often the score falls as a distortion grows (Kendall), 1 is always."
Variants = Mapping[str, Sequence[StudyRow]]


def write_study_report(file: Path, rows: Sequence[StudyRow], settings: Mapping[str, Any]) -> None:
    """Write the page.

    Args:
        file: the page.
        rows: of every split and variant; the first variant is what the others are compared with.
        settings: what each variant changes, as plain values.
    """
    counts = counts_of(rows)
    variants = by_variant([row for row in rows if row.scored == counts[0]])  # where scores are fewest
    explained = glossary(("srocc", "lcc")) + (f" {TAU}" if rows[0].more else "")
    if len(counts) > 1:
        figures = [curve_of(rows, metric) for metric in SHOWN if values_of(rows, metric)]
        table = few_scores_table(rows)
    else:
        figures, table = [variants_plot(variants)], short_table(rows)
    sections = [
        Section("Results", [explained], tables=[table], figures=figures),
        Section("What each variant changes", listing={name: changed(group[0]) for name, group in variants.items()}),
        Section("Configuration", listing=settings),
        Section("Environment", listing=environment()),
    ]
    summary = [
        f"{len(variants)} variants of one training, {splits_of(rows)}. Each changes one thing, and is compared with "
        f"'{next(iter(variants))}' on the same test images."
    ]
    origin = rows[0].result.origin
    if len(counts) > 1:
        summary.append(f"Of {', '.join(map(str, counts))} scored references; the headline is of {counts[0]}.")
        origin = replace(origin, scored=0)
    title = f"{file.parent.name}: a study on {origin.title}"
    write_text(file, page(title, summary, sections, headline=headline(variants)))


def short_table(rows: Sequence[StudyRow]) -> Table:
    """Return the table of the study without what stands elsewhere on the page: the changes, and each split's value."""
    table = study_table(rows, each_split=False)
    kept = [place for place, name in enumerate(table.labels) if name not in ("changed", "last stage", "steps")]
    return replace(
        table,
        labels=tuple(table.labels[place] for place in kept),
        rows=tuple((*(row[place] for place in kept), *row[len(table.labels) :]) for row in table.rows),
    )


def changed(row: StudyRow) -> dict[str, Any]:
    """Return what a variant changes, after which one it starts, and where it ends."""
    after = {"starts after": row.after} if row.after else {}
    return {**row.changes, **after, "last stage": row.result.stage, "evaluator steps": row.steps}


def difference_of(group: Sequence[StudyRow], other: Sequence[StudyRow]) -> Difference | None:
    """Return how much better a variant is than another one on the same splits; None where they have none in common."""
    _, _, mean, low, high, _ = compared(group, other, METRIC).cells
    if not isinstance(mean, float):
        return None
    return mean, [low, high] if isinstance(low, float) and isinstance(high, float) else None


def headline(variants: Variants) -> Headline | None:
    """Return the metric of the best variant, and whether it is better than the first one, or than the next best.

    Those on other data or splits than the first one, or trained on its test images, are left out.
    """
    first, *_ = variants
    alike = {name: group for name, group in variants.items() if tested_as(group) == tested_as(variants[first])}
    means = {name: sum(found) / len(found) for name, group in alike.items() if (found := values_of(group, METRIC))}
    if not means:
        return None
    best, *others = sorted(means, key=lambda name: -means[name])
    values, seed = values_of(variants[best], METRIC), variants[best][0].result.origin.seed or 0
    span = spanned(mean_interval(values, seed), ".3f") if len(values) >= FEWEST_SPLITS else ""
    few = "" if span else f", and an interval needs {FEWEST_SPLITS}"
    splits = f"{len(values)} split{'s' if len(values) > 1 else ''}"
    meaning = f"'{best}', the best of {len(means)} comparable variants, on {splits}{span}{few}. 1 is best, 0 is chance."
    against = first if best != first else next(iter(others), "")
    difference = difference_of(variants[best], variants[against]) if against else None
    if difference is None:
        return Headline(f"{METRIC_NAMES[METRIC]} {means[best]:.3f}", meaning)
    change, interval = difference
    ends = list(interval) if interval else None
    begun = told_apart(ends, "splits") if len(values) > 1 else "A single split cannot tell it from"
    told = f"{begun} '{against}' on the same images: {change:+.3f}{spanned(ends, '+.3f')}."
    chosen = " It was chosen as the best, which flatters it." if len(means) > 2 else ""
    return Headline(f"{METRIC_NAMES[METRIC]} {means[best]:.3f}", meaning, told + chosen)


def tested_as(group: Sequence[StudyRow]) -> tuple[str, list[int]]:
    """Return on what a variant was tested."""
    return group[0].result.origin.title, sorted(row.split for row in group)


def curve_of(rows: Sequence[StudyRow], metric: str) -> Figure:
    """Return a metric of each variant against the number of scored references."""
    told = f"{SHOWN[metric]} against the number of scored references"
    band = f"the 95 % interval over splits, from {FEWEST_SPLITS} splits on, and below that the lowest and highest split"
    return Figure(few_scores_curve(rows, metric), f"{told}. The band is {band}.", f"Lines of {told}.")


def variants_plot(variants: Variants) -> Figure:
    """Return the metric of each variant, and its difference from the first one."""
    first, *others = variants
    found = {name: difference_of(variants[name], variants[first]) for name in others}
    several = any(len(group) > 1 for group in variants.values())  # of one split, differences look like the metrics
    differences = {name: one for name, one in found.items() if one and several}
    name, seed = METRIC_NAMES[METRIC], variants[first][0].result.origin.seed or 0
    values = {variant: values_of(group, METRIC) for variant, group in variants.items()}
    claimed = f"Bars are 95 % intervals over splits, from {FEWEST_SPLITS} splits on."
    below = f", and its paired difference from '{first}' on the same splits" if differences else ""
    return Figure(
        variants_figure(values, differences, name, first, seed),
        f"{name} of each variant{below}. {claimed}",
        f"Points of {name} for each variant{'; below them those of the differences' if differences else ''}.",
    )

"""The table of a study: what each variant changes, and its metrics on one split or on several."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gada.experiments.study.rows import GENERATOR, StudyRow
from gada.io.records import check_single
from gada.metrics.statistics import paired_difference
from gada.reports.layout import Cell, Table
from gada.reports.over_splits import claims_of, shown_p
from gada.runs.report import provenance_of

METRICS = {
    "srocc": "SROCC, ALL",
    "srocc_mean": "SROCC, mean over classes",
    "lcc": "LCC, ALL",
    "named": "class named, generated / real",
    "target": "SROCC target/predicted quality",
    "within": "the same within a reference",
    "distance": "kernel distance to real",
}
COMPARED = ("srocc", "lcc")  # over splits
OVER_SPLITS = ("mean", "std", "difference", "95 % from", "to", "p")
ALIKE = ("changes", "after", "stage", "steps", "dataset", "proxy", "seed")  # what a variant's splits have in common


class Compared(NamedTuple):
    """A metric of a variant over its splits, and its paired difference from another one."""

    cells: tuple[Cell, ...]
    """In the order of `OVER_SPLITS`."""
    claims: Sequence[str] = ()
    """What the difference rests on."""
    listed: Sequence[str] = ()
    """The difference on each split."""


def study_table(rows: Sequence[StudyRow], each_split: bool = True) -> Table:
    """Return the rows of a study as a table: each as it is, or each variant over its splits where it has several.

    Over splits a variant has mean and sample standard deviation of each metric, and its paired difference from the
    first variant (`gada.metrics.statistics.paired_difference`).

    Args:
        rows: of the study.
        each_split: list the difference on each split too.

    Raises:
        ConfigError: if variants have several rows, and one of them two of the same split or of different trainings.
    """
    variants = by_variant(rows)
    if len(variants) < len(rows) or any(row.more for row in rows):
        return over_splits(list(variants.values()), each_split)
    shown = [key for key in METRICS if key not in GENERATOR or any(row.metric(key) is not None for row in rows)]
    names, labels = labelled(rows)
    return Table(
        caption=f"One thing changed at a time, {splits_of(rows)}. {described(rows)}",
        labels=names,
        columns=tuple(METRICS[key] for key in shown),
        rows=tuple((*label, *(row.metric(key) for key in shown)) for label, row in zip(labels, rows, strict=True)),
    )


def by_variant(rows: Sequence[StudyRow]) -> dict[str, list[StudyRow]]:
    """Return the rows of each variant."""
    variants: dict[str, list[StudyRow]] = {}
    for row in rows:
        variants.setdefault(row.variant, []).append(row)
    return variants


def values_of(rows: Sequence[StudyRow], metric: str) -> list[float]:
    """Return a metric of each row where it is defined."""
    return [value for row in rows if (value := row.metric(metric)) is not None]


def over_splits(variants: Sequence[Sequence[StudyRow]], each_split: bool) -> Table:
    """Return each variant over its splits."""
    for group in variants:
        check_single(
            [{**row.as_plain(), "changes": changes_of(row.changes)} for row in group], ALIKE, ("variant", "split")
        )
    first = variants[0]
    if first[0].more:
        return by_metric(variants)
    rows = [row for group in variants for row in group]
    names, labels = labelled([group[0] for group in variants])
    body: list[tuple[Cell, ...]] = []
    notes = dict[str, None]()
    for label, group in zip(labels, variants, strict=True):
        found = [compared(group, first, name) for name in COMPARED]
        body.append((*label, str(len(group)), *(cell for one in found for cell in one.cells)))
        notes |= dict.fromkeys(
            note for one in found for note in ((*one.listed, *one.claims) if each_split else one.claims)
        )
    return Table(
        caption=f"One thing changed at a time, {splits_of(rows)}; differences are from '{first[0].variant}' on the "
        f"same split. {described(rows)}",
        labels=(*names, "splits"),
        columns=OVER_SPLITS * len(COMPARED),
        rows=tuple(body),
        groups=tuple(METRICS[name] for name in COMPARED for _ in OVER_SPLITS),
        notes=tuple(notes),
    )


def by_metric(variants: Sequence[Sequence[StudyRow]]) -> Table:
    """Return the variants below each other for each metric, where there are many metrics."""
    first, rows = variants[0], [row for group in variants for row in group]
    names = {"srocc": f"SROCC, {first[0].result.origin.title}", **{name: name for name in first[0].more}}
    body: list[tuple[Cell, ...]] = []
    notes = dict[str, None]()
    for key, name in names.items():
        for group in variants:
            found = compared(group, first, key, name)
            body.append((name, group[0].variant, *found.cells))
            notes |= dict.fromkeys(found.claims)
    changed = [f"{group[0].variant}: {changes_of(group[0].changes)}." for group in variants if group[0].changes]
    return Table(
        caption=f"One thing changed at a time, {splits_of(rows)}; differences are from '{first[0].variant}' on the "
        f"same split. {described(rows)}",
        labels=("metric", "variant"),
        columns=OVER_SPLITS,
        rows=tuple(body),
        rules=frozenset(range(len(variants), len(body), len(variants))),
        notes=(*changed, *notes),
    )


def compared(group: Sequence[StudyRow], first: Sequence[StudyRow], metric: str, title: str = "") -> Compared:
    """Return what the columns of `OVER_SPLITS` say of a variant, and what has to be said of its difference.

    Args:
        group: the variant's rows.
        first: those of the variant that it is compared with.
        metric: which metric.
        title: what notes call it; by default as `METRICS` does.
    """
    found = values_of(group, metric)
    mean, spread = float(np.mean(found)) if found else None, float(np.std(found, ddof=1)) if found[1:] else None
    pairs = {} if group is first else paired(group, first, metric)
    if not pairs:
        return Compared((mean, spread, None, None, None, None))
    own, against = zip(*pairs.values(), strict=True)
    report = paired_difference(own, against, first[0].result.origin.seed or 0)
    low, high = report["interval"] or (None, None)
    each = ", ".join(f"{value:+.3f} ({split})" for split, value in zip(pairs, report["differences"], strict=True))
    listed = f"{title or METRICS[metric]}, {group[0].variant} (split): {each}."
    return Compared((mean, spread, report["mean"], low, high, shown_p(report)), claims_of(report), (listed,))


def paired(group: Sequence[StudyRow], first: Sequence[StudyRow], name: str) -> dict[int, tuple[float, float]]:
    """Return a metric of a variant and of the first one, by split; none where the sets, and so the splits, differ."""
    if group[0].result.origin.dataset != first[0].result.origin.dataset:
        return {}
    against = {row.split: row.metric(name) for row in first}
    both = {row.split: (row.metric(name), against.get(row.split)) for row in group}
    return {split: (own, other) for split, (own, other) in both.items() if own is not None and other is not None}


def labelled(rows: Sequence[StudyRow]) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Return the headings of the label columns, and for each row its labels; data are named where they differ."""
    data = [f"{row.result.origin.title}, {'proxy' if row.result.origin.proxy else 'human'} scores" for row in rows]
    several = len(set(data)) > 1
    labels: list[tuple[Cell, ...]] = [
        (row.variant, *([of] if several else []), changes_of(row.changes) or "-", row.result.stage, str(row.steps))
        for row, of in zip(rows, data, strict=True)
    ]
    return ("variant", *(["data"] if several else []), "changed", "last stage", "steps"), labels


def described(rows: Sequence[StudyRow]) -> str:
    """Return where rows come from, in sentences."""
    return provenance_of(row.result.origin for row in rows).describe()


def splits_of(rows: Sequence[StudyRow]) -> str:
    """Return which splits rows are of, as "splits 0, 1"."""
    numbers = sorted({row.split for row in rows})
    return f"split{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def changes_of(changes: Mapping[str, Any]) -> str:
    """Return what a variant changes, in one line."""
    return ", ".join(f"{key} {value}" for key, value in changes.items())

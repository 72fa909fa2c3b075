"""The table of a study: what each variant changes, and what its figures are on one split or on several."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gada.experiments.evaluation import set_of
from gada.experiments.report import provenance_of
from gada.io.records import Row, check_single
from gada.metrics.statistics import paired_difference
from gada.reports.layout import Cell, Table, plain_name

FIGURES = {
    "srocc": "SROCC, ALL",
    "srocc_mean": "SROCC, mean over classes",
    "lcc": "LCC, ALL",
    "named": "class named, generated / real",
    "asked": "SROCC asked/judge",
    "within": "the same within a reference",
    "distance": "kernel distance to real",
}
JUDGED = ("named", "asked", "within", "distance")  # figures of a generator
COMPARED = ("srocc", "lcc")  # over splits
ALIKE = (
    "changes",
    "after",
    "stage",
    "steps",
    "dataset",
    "proxy",
    "seed",
)  # what the splits of a variant have in common


def study_table(rows: Sequence[Row]) -> Table:
    """Return the rows of a study as a table: each as it is, or each variant over its splits where it has several.

    Over splits a variant has the mean and the sample deviation of each figure, and its paired difference from the
    first variant (`gada.metrics.statistics.paired_difference`).

    Raises:
        ConfigError: if variants have several rows, and one of them two of the same split or of different trainings.
    """
    variants: dict[str, list[Row]] = {}
    for row in rows:
        variants.setdefault(row["variant"], []).append(row)
    if len(variants) < len(rows):
        return over_splits(list(variants.values()))
    shown = [key for key in FIGURES if key not in JUDGED or any(row.get(key) is not None for row in rows)]
    names, labels = labelled(rows)
    return Table(
        caption=f"One thing changed at a time, {splits_of(rows)}. {provenance_of(rows).describe()}",
        labels=names,
        columns=tuple(FIGURES[key] for key in shown),
        rows=tuple((*label, *(row.get(key) for key in shown)) for label, row in zip(labels, rows, strict=True)),
    )


def over_splits(variants: Sequence[Sequence[Row]]) -> Table:
    """Return what the splits of each variant say together."""
    for group in variants:
        check_single([{**row, "changes": changes_of(row["changes"])} for row in group], ALIKE, ("variant", "split"))
    first = variants[0]
    rows = [row for group in variants for row in group]
    names, labels = labelled([group[0] for group in variants])
    body: list[tuple[Cell, ...]] = []
    notes = dict[str, None]()
    for label, group in zip(labels, variants, strict=True):
        cells: list[Cell] = []
        for figure in COMPARED:
            found = [row[figure] for row in group if row.get(figure) is not None]
            cells += [float(np.mean(found)) if found else None, float(np.std(found, ddof=1)) if found[1:] else None]
            same = set_of(group[0]["dataset"]) == set_of(first[0]["dataset"])  # else the same number is another split
            pairs = paired(group, first, figure) if same and group is not first else {}
            if not pairs:
                cells += [None] * 4
                continue
            own, against = zip(*pairs.values(), strict=True)
            report = paired_difference(own, against, first[0]["seed"] or 0)
            low, high = report["interval"] or (None, None)
            p = report["wilcoxon_p"]
            cells += [report["mean"], low, high, "<0.001" if p and p < 0.001 else p]
            each = zip(pairs, report["differences"], strict=True)
            listed = ", ".join(f"{value:+.3f} ({split})" for split, value in each)
            notes[f"{FIGURES[figure]}, {group[0]['variant']} (split): {listed}."] = None
            if "not_claimed" in report:
                notes[f"{report['not_claimed'][:1].upper()}{report['not_claimed'][1:]}."] = None
            if report["interval"]:
                notes[f"Interval: {report['interval_method']}; p: Wilcoxon's signed-rank test, two-sided."] = None
        body.append((*label, str(len(group)), *cells))
    columns = ("mean", "deviation", "difference", "95 % from", "to", "p")
    return Table(
        caption=f"One thing changed at a time, {splits_of(rows)}; differences are from '{first[0]['variant']}' on the "
        f"same split. {provenance_of(rows).describe()}",
        labels=(*names, "splits"),
        columns=columns * len(COMPARED),
        rows=tuple(body),
        groups=tuple(FIGURES[figure] for figure in COMPARED for _ in columns),
        notes=tuple(notes),
    )


def paired(group: Sequence[Row], first: Sequence[Row], figure: str) -> dict[int, tuple[float, float]]:
    """Return a figure of a variant and of the first one, by split; where one has none the split is left out."""
    against, own = (
        {row["split"]: row[figure] for row in rows if row.get(figure) is not None} for rows in (first, group)
    )
    return {split: (value, against[split]) for split, value in own.items() if split in against}


def labelled(rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Return the headings of the label columns, and for each row its labels; data are named where they differ."""
    data = [f"{plain_name(row['dataset'])}, {'proxy' if row['proxy'] else 'human'} scores" for row in rows]
    several = len(set(data)) > 1
    labels: list[tuple[Cell, ...]] = [
        (
            row["variant"],
            *([of] if several else []),
            changes_of(row["changes"]) or "-",
            row["stage"],
            str(row["steps"]),
        )
        for row, of in zip(rows, data, strict=True)
    ]
    return ("variant", *(["data"] if several else []), "changed", "last stage", "steps"), labels


def splits_of(rows: Sequence[Row]) -> str:
    """Return which splits rows are of, as "splits 0, 1"."""
    numbers = sorted({row["split"] for row in rows})
    return f"split{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def changes_of(changes: Mapping[str, Any]) -> str:
    """Return what a variant changes, in one line."""
    return ", ".join(f"{key} {value}" for key, value in changes.items())

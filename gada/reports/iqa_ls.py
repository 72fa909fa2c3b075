"""Tables of IQA-LS: Table 2 with the published numbers beside ours, gains, calibration, baselines, CIFAR-10-C."""

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from gada.io.records import Row
from gada.reports.layout import Cell, Table

PRISTINE = "pristine"
KINDS = {"blur": "Blur", "noise": "Noise", "jpeg": "JPEG"}
DISTORTED = {(kind, level): f"{kind} {level}" for kind in KINDS for level in (1, 2, 3)}
"""The names of the distorted test sets."""
SETS = (PRISTINE, *DISTORTED.values())
COLUMNS = ("pristine", *(f"level {level}" for _ in KINDS for level in (1, 2, 3)))
GROUPS = ("", *(title for title in KINDS.values() for _ in range(3)))
LABELS = {"hard": "hard", "iqa-ls": "IQA-LS", "smoothing": "smoothed", "mollification": "by known level"}
BASELINES = ("mollification", "smoothing")
ORDER = (*map(str, range(1, 12)), "11-evaluator", "12", *BASELINES)
PAIRS = (("2", "3"), ("4", "5"), ("6", "7"), ("8", "9"), ("10", "11"), ("10", "11-evaluator"))
WITH_GENERATED = (("11", "1"), ("11-evaluator", "1"), ("12", "9"))


@cache
def published() -> dict[str, dict[str, float]]:
    """Return the accuracies of the paper's Table 2: strategy, then test set; the data file names the source."""
    text = (files("gada.reports") / "iqa_ls_published.csv").read_text(encoding="utf-8")
    table: dict[str, dict[str, float]] = {}
    for row in csv.DictReader(text.splitlines()):
        table.setdefault(row["strategy"], {})[row["set"]] = float(row["accuracy"])
    return table


def published_beside(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Return the published accuracies where rows are of the paper's own images, CIFAR-10; for others none."""
    return published() if rows and rows[0]["dataset"] == "CIFAR-10" else {}


def strategies_of(rows: Sequence[Row]) -> list[str]:
    """Return the strategies, in the order of the paper, then ours and the baselines."""
    found = {row["strategy"] for row in rows}
    return [one for one in ORDER if one in found] + sorted(found.difference(ORDER))


def over_seeds(rows: Sequence[Row], strategy: str, name: str, metric: str) -> NDArray[np.float64]:
    """Return one metric of a strategy on a test set for each seed, in order of the seeds."""
    chosen = [row for row in rows if row["strategy"] == strategy and row["set"] == name]
    return np.array([row[metric] for row in sorted(chosen, key=lambda row: int(row["seed"]))])


def shown(values: NDArray[np.float64], signed: bool = False) -> Cell:
    """Return the mean over seeds with three decimals, and the std where there are several."""
    if not len(values):
        return None
    text = f"{values.mean():+.3f}" if signed else f"{values.mean():.3f}"
    return f"{text} ± {values.std(ddof=1):.3f}" if len(values) > 1 else text


def described(rows: Sequence[Row]) -> str:
    """Return the origin of results, in sentences."""
    first = rows[0]
    seeds = sorted({row["seed"] for row in rows})
    commits = sorted({str(row["commit"]) for row in rows})
    return (
        f"Data: {first['dataset']}, {first['train_images']:,} training and {first['n']:,} test images; "
        f"{first['epochs']} epochs, {first['loss']} loss, {first['precision']}, network {first['network']}; "
        f"seed {', '.join(map(str, seeds))}; machine {first['machine']}; commit {', '.join(commits)}."
    )


def table_2(rows: Sequence[Row], metric: str = "accuracy") -> Table:
    """Return the layout of the paper's Table 2: a row for each strategy, on CIFAR-10 the published one below ours.

    Args:
        rows: result rows.
        metric: `accuracy`, `ece`, `confidence` or `true_confidence`; only accuracy was published.
    """
    titles = {
        "accuracy": "Accuracy",
        "ece": "Expected calibration error (15 bins, 0 is best)",
        "confidence": "Mean confidence in the predicted class",
        "true_confidence": "Mean confidence in the true class",
    }
    body: list[tuple[Cell, ...]] = []
    rules, known = set(), published_beside(rows) if metric == "accuracy" else {}
    for strategy in strategies_of(rows):
        first = next(row for row in rows if row["strategy"] == strategy)
        rules.add(len(body))
        name = first["title"] if strategy in BASELINES else f"{strategy} {first['title']}"
        values = [shown(over_seeds(rows, strategy, one, metric)) for one in SETS]
        body.append((name, LABELS[first["labels"]], *values))
        if strategy in known:
            body.append(("", "published", *(f"{known[strategy][one]:.3f}" for one in SETS)))
    notes = ["± is the sample standard deviation over seeds."] if len({row["seed"] for row in rows}) > 1 else []
    if known:
        notes.append("Published: Chen et al., 2017, Table 2: 50,000 training and 10,000 test images, 2,000 epochs.")
    notes += generators(rows)
    caption = f"{titles[metric]} by strategy and test set. {described(rows)}"
    return Table(caption, ("strategy", "labels"), COLUMNS, tuple(body), GROUPS, frozenset(rules - {0}), tuple(notes))


def generators(rows: Sequence[Row]) -> list[str]:
    """Return the target classes and qualities of the generators, in sentences."""
    targets = {
        f"Generator {row['generator']}: classes {', '.join(row['generated_classes']) or 'all'}; target qualities at "
        f"levels 1, 2, 3: {', '.join(f'{quality:g}' for quality in row['target_qualities'])}."
        for row in rows
        if "target_qualities" in row
    }
    return sorted(targets)


def differences(rows: Sequence[Row], metric: str = "accuracy") -> Table:
    """Return what IQA-LS gains over hard labels: paired by seed, for each mix that was trained with both.

    On pristine images, on the mean over the distorted sets of each level, and over all nine.
    """
    groups = {PRISTINE: [PRISTINE]}
    groups |= {f"level {level}": [DISTORTED[kind, level] for kind in KINDS] for level in (1, 2, 3)}
    groups |= {"distorted": list(DISTORTED.values())}
    body: list[tuple[Cell, ...]] = []
    there, known = strategies_of(rows), published_beside(rows) if metric == "accuracy" else {}
    for hard, smoothed in [pair for pair in PAIRS if set(pair) <= set(there)]:
        title = next(row["title"] for row in rows if row["strategy"] == smoothed)
        cells = [shown(paired(rows, smoothed, hard, names, metric), signed=True) for names in groups.values()]
        body.append((f"{smoothed} - {hard}, {title}", "ours", *cells))
        if {hard, smoothed} <= set(known):
            gains = [np.mean([known[smoothed][n] - known[hard][n] for n in g]) for g in groups.values()]
            body.append(("", "published", *(f"{gain:+.3f}" for gain in gains)))
    what = {"accuracy": "Accuracy", "ece": "Expected calibration error"}[metric]
    caption = f"{what} with IQA-LS minus hard labels, mean over the test sets of a group. {described(rows)}"
    return Table(caption, ("strategies", "of"), tuple(groups), tuple(body))


def generated_gains(rows: Sequence[Row]) -> Table:
    """Return what GADA's samples gain: with them and IQA-LS minus without, paired by seed, for each distortion."""
    groups = {PRISTINE: [PRISTINE]}
    groups |= {title: [DISTORTED[kind, level] for level in (1, 2, 3)] for kind, title in KINDS.items()}
    there = set(strategies_of(rows))
    body: list[tuple[Cell, ...]] = []
    for strategy, against in [pair for pair in WITH_GENERATED if set(pair) <= there]:
        titles = {row["strategy"]: row["title"] for row in rows}
        cells = [shown(paired(rows, strategy, against, sets, "accuracy"), signed=True) for sets in groups.values()]
        body.append((f"{strategy} - {against}", f"{titles[strategy]}, minus {titles[against]}", *cells))
    caption = f"Accuracy with GADA's samples and IQA-LS, minus without the samples. {described(rows)}"
    return Table(caption, ("strategies", "training sets"), tuple(groups), tuple(body))


def paired(rows: Sequence[Row], strategy: str, against: str, sets: Sequence[str], metric: str) -> NDArray[np.float64]:
    """Return for each common seed the mean difference of two strategies over test sets."""
    found = {(row["strategy"], row["seed"], row["set"]): row[metric] for row in rows}
    seeds = sorted({row["seed"] for row in rows})
    whole = [s for s in seeds if all((one, s, n) in found for one in (strategy, against) for n in sets)]
    return np.array([np.mean([found[strategy, s, n] - found[against, s, n] for n in sets]) for s in whole])


def baselines_table(rows: Sequence[Row]) -> Table:
    """Return strategies 8 and 9 beside plain label smoothing and smoothing by the known level, at equal budget."""
    chosen = [row for row in rows if row["strategy"] in ("8", "9", *BASELINES)]
    columns = ("pristine", "distorted", "level 3", "pristine ", "distorted ", "level 3 ")
    groups = ("Accuracy",) * 3 + ("Calibration error",) * 3
    sets = ([PRISTINE], list(DISTORTED.values()), [DISTORTED[kind, 3] for kind in KINDS])
    body: list[tuple[Cell, ...]] = []
    for strategy in strategies_of(chosen):
        labels = next(row["labels"] for row in chosen if row["strategy"] == strategy)
        cells = [shown(mean_over(chosen, strategy, names, metric)) for metric in ("accuracy", "ece") for names in sets]
        body.append((strategy, LABELS[labels], *cells))
    caption = f"Baselines on the same images, MIX all 3, at equal budget. {described(chosen)}"
    fraction = next((row["smoothing"] for row in chosen if "smoothing" in row), 0.1)  # older rows lack it
    notes = (
        f"smoothing: Szegedy et al., 2016, {fraction:g} of the label uniform. mollification: Heinonen et al., 2024 "
        "(arXiv 2406.01494), labels tied to the known noise or blur level; JPEG has none there and takes the mean of "
        "both.",
    )
    return Table(caption, ("strategy", "labels"), columns, tuple(body), groups, frozenset(), notes)


def mean_over(rows: Sequence[Row], strategy: str, sets: Sequence[str], metric: str) -> NDArray[np.float64]:
    """Return the mean of a metric over test sets, for each seed."""
    each = [over_seeds(rows, strategy, name, metric) for name in sets]
    means: NDArray[np.float64] = np.mean(each, axis=0)
    return means


def corruption_table(rows: Sequence[Row]) -> Table:
    """Return the layout of CIFAR-10-C: the error of each corruption, mean over its severities, and the mean of all."""
    names = list(dict.fromkeys(row["corruption"] for row in rows))
    sets = {name: list(dict.fromkeys(row["set"] for row in rows if row["corruption"] == name)) for name in names}
    body: list[tuple[Cell, ...]] = []
    for strategy in strategies_of(rows):
        errors = [1 - mean_over(rows, strategy, sets[name], "accuracy") for name in names]
        body.append((f"strategy {strategy}", shown(np.mean(errors, axis=0)), *(shown(one) for one in errors)))
    caption = f"Error on CIFAR-10-C, mean over 5 severities. {described(rows)}"
    notes = ("The mean error is not normalised: errors are not divided by those of a baseline network, as mCE does.",)
    columns = ("mean error, not normalised", *(name.replace("_", " ") for name in names))
    return Table(caption, ("classifier",), columns, tuple(body), (), frozenset(), notes)


def samples_table(rows: Sequence[Row]) -> Table:
    """Return the numbers of the paper's Figure 4: each strategy's confidence in the true class of sample images.

    Args:
        rows: with "sample" (the image), "class", "distortion", "strategy" and "confidences" at levels 0 to 3.
    """
    body: list[tuple[Cell, ...]] = [
        (f"{row['sample']} ({row['class']})", f"{row['strategy']} ({LABELS[row['labels']]})", *row["confidences"])
        for row in rows
    ]
    rules = {place for place in range(1, len(body)) if body[place][0] != body[place - 1][0]}
    kinds = ", ".join(dict.fromkeys(row["distortion"] for row in rows))
    caption = f"Confidence in the true class of sample images by level of {kinds}, as in Figure 4. {described(rows)}"
    return Table(caption, ("image", "strategy"), COLUMNS[:4], tuple(body), (), frozenset(rules))


def all_tables(rows: Sequence[Row]) -> list[Table]:
    """Return every table that result rows can fill."""
    samples = [row for row in rows if "sample" in row]
    corrupted = [row for row in rows if "corruption" in row]
    tested = [row for row in rows if "sample" not in row and "corruption" not in row]
    tables = []
    if tested:
        tables += [table_2(tested), differences(tested), table_2(tested, "ece"), differences(tested, "ece")]
        tables += [generated_gains(tested), table_2(tested, "confidence")]
        tables += [baselines_table(tested)] if set(BASELINES) & set(strategies_of(tested)) else []
    tables += [corruption_table(corrupted)] if corrupted else []
    tables += [samples_table(samples)] if samples else []
    return [table for table in tables if table.rows]

"""What tables and figures of IQA-LS share, and Table 2 with the published numbers beside ours."""

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
    seeds = seeds_of(rows)
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


def seeds_of(rows: Sequence[Row]) -> list[int]:
    """Return the seeds of rows, sorted."""
    return sorted({row["seed"] for row in rows})


def variants(rows: Sequence[Row]) -> list[Row]:
    """Return rows of which those with another s than SSIM name it in their strategy, so that they stand beside it."""
    real = {"3", "5", "7", "9", "12"}
    return [
        {**row, "strategy": f"{row['strategy']}, s = {row['quality']}"}
        if row["strategy"] in real and row.get("quality", "ssim") != "ssim"
        else row
        for row in rows
    ]


def tested(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of the ten test sets."""
    return [row for row in rows if "sample" not in row and "corruption" not in row]


def mean_over(rows: Sequence[Row], strategy: str, sets: Sequence[str], metric: str) -> NDArray[np.float64]:
    """Return the mean of a metric over test sets, for each seed."""
    each = [over_seeds(rows, strategy, name, metric) for name in sets]
    means: NDArray[np.float64] = np.mean(each, axis=0)
    return means

"""Tables of IQA-LS beside Table 2: gains with their intervals, calibration, baselines, CIFAR-10-C, single images."""

from base64 import b64decode
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from gada.io.records import Row
from gada.metrics.classification import crossed_interval
from gada.reports.iqa_ls import (
    BASELINES,
    COLUMNS,
    DISTORTED,
    KINDS,
    LABELS,
    PAIRS,
    PRISTINE,
    described,
    mean_over,
    over_seeds,
    published_beside,
    seeds_of,
    shown,
    strategies_of,
    table_2,
    tested,
)
from gada.reports.layout import Cell, Table

WITH_GENERATED = (("11", "1"), ("11-evaluator", "1"), ("12", "9"))


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
        cells = [difference(rows, smoothed, hard, names, metric) for names in groups.values()]
        body.append((f"{smoothed} - {hard}, {title}", "ours", *cells))
        if {hard, smoothed} <= set(known):
            gains = [np.mean([known[smoothed][n] - known[hard][n] for n in g]) for g in groups.values()]
            body.append(("", "published", *(f"{gain:+.3f}" for gain in gains)))
    what = {"accuracy": "Accuracy", "ece": "Expected calibration error"}[metric]
    caption = f"{what} with IQA-LS minus hard labels, mean over the test sets of a group. {described(rows)}"
    each = metric == "accuracy" and any("correct" in row for row in rows)
    notes = ("In brackets: 95 % intervals over images and, where there are several, seeds.",) if each else ()
    return Table(caption, ("strategies", "of"), tuple(groups), tuple(body), (), frozenset(), notes)


def difference(rows: Sequence[Row], strategy: str, against: str, sets: Sequence[str], metric: str) -> Cell:
    """Return the mean difference of two strategies; of accuracies with the interval, where rows know each image."""
    if metric != "accuracy" or (found := gain(rows, strategy, against, sets)) is None:
        return shown(paired(rows, strategy, against, sets, metric), signed=True)
    mean, low, high = found
    return f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"


def gain(rows: Sequence[Row], strategy: str, against: str, sets: Sequence[str]) -> tuple[float, float, float] | None:
    """Return the mean difference in accuracy with its 95 % interval; None where rows do not know each image."""
    correct = {(row["strategy"], row["seed"], row["set"]): row["correct"] for row in rows if "correct" in row}
    seeds = [s for s in seeds_of(rows) if all((one, s, n) in correct for one in (strategy, against) for n in sets)]
    if not seeds:
        return None
    n = rows[0]["n"]
    mean = {
        one: np.stack([np.mean([bits_of(correct[one, seed, name], n) for name in sets], axis=0) for seed in seeds])
        for one in (strategy, against)
    }
    each = mean[strategy] - mean[against]
    return float(each.mean()), *crossed_interval(each)


def bits_of(text: str, count: int) -> NDArray[np.float64]:
    """Return the bits of a row's "correct", (count,), 1 where the predicted class is the true one."""
    return np.unpackbits(np.frombuffer(b64decode(text), np.uint8), count=count).astype(np.float64)


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
    seeds = seeds_of(rows)
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


def scaling_table(rows: Sequence[Row]) -> Table:
    """Return the calibration error before and after temperature scaling, mean over the test sets of a level."""
    chosen = [row for row in rows if "ece_scaled" in row]
    groups = {PRISTINE: [PRISTINE]}
    groups |= {f"level {level}": [DISTORTED[kind, level] for kind in KINDS] for level in (1, 2, 3)}
    body: list[tuple[Cell, ...]] = []
    for strategy in strategies_of(chosen):
        first = next(row for row in chosen if row["strategy"] == strategy)
        cells = [
            shown(mean_over(chosen, strategy, names, metric))
            for metric in ("ece", "ece_scaled")
            for names in groups.values()
        ]
        temperature = shown(over_seeds(chosen, strategy, PRISTINE, "temperature"))
        body.append((f"{strategy} {first['title']}", LABELS[first["labels"]], *cells, temperature))
    columns = (*groups, *(f"{name} " for name in groups), "T")
    titles = ("Before",) * 4 + ("After temperature scaling",) * 4 + ("",)
    notes = (
        "T (Guo et al., 2017) has the least negative log likelihood on the other half of the test images, in the "
        "versions that the strategy trains on; accuracy stays the same.",
    )
    caption = f"Expected calibration error before and after temperature scaling. {described(chosen)}" if chosen else ""
    return Table(caption, ("strategy", "labels"), columns, tuple(body), titles, frozenset(), notes)


def corruption_table(rows: Sequence[Row]) -> Table:
    """Return the layout of CIFAR-10-C: the error of each corruption, mean over its severities, and the mean of all."""
    names = list(dict.fromkeys(row["corruption"] for row in rows))
    sets = {name: list(dict.fromkeys(row["set"] for row in rows if row["corruption"] == name)) for name in names}
    body: list[tuple[Cell, ...]] = []
    for strategy in strategies_of(rows):
        errors = [1 - mean_over(rows, strategy, sets[name], "accuracy") for name in names]
        calibration = np.mean([mean_over(rows, strategy, sets[name], "ece") for name in names], axis=0)
        means = (shown(np.mean(errors, axis=0)), shown(calibration))
        body.append((f"strategy {strategy}", *means, *(shown(one) for one in errors)))
    caption = f"Error on CIFAR-10-C, mean over 5 severities. {described(rows)}"
    notes = ("The mean error is not normalised: errors are not divided by those of a baseline network, as mCE does.",)
    columns = ("mean error, not normalised", "mean ECE", *(name.replace("_", " ") for name in names))
    return Table(caption, ("classifier",), columns, tuple(body), (), frozenset(), notes)


def samples_of(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of sample images, of each strategy's first seed: a mean over seeds would be no classifier's."""
    samples = [row for row in rows if "sample" in row]
    first = {row["strategy"]: row["seed"] for row in reversed(samples)}
    return [row for row in samples if row["seed"] == first[row["strategy"]]]


def samples_table(rows: Sequence[Row]) -> Table:
    """Return the numbers of the paper's Figure 4: each strategy's confidence in the true class of sample images.

    Args:
        rows: with "sample" (the image), "class", "strategy" and "confidences" in the order of `SETS`.
    """
    order = list(dict.fromkeys(row["sample"] for row in rows))
    rows = sorted(rows, key=lambda row: order.index(row["sample"]))
    body: list[tuple[Cell, ...]] = [
        (f"{row['sample']} ({row['class']})", f"{row['strategy']} ({LABELS[row['labels']]})", *row["confidences"][:4])
        for row in rows
    ]
    rules = {place for place in range(1, len(body)) if body[place][0] != body[place - 1][0]}
    caption = f"Confidence in the true class of sample images by level of blur, as in Figure 4. {described(rows)}"
    return Table(caption, ("image", "strategy"), COLUMNS[:4], tuple(body), (), frozenset(rules))


def all_tables(rows: Sequence[Row]) -> list[Table]:
    """Return every table that result rows can fill."""
    samples = samples_of(rows)
    corrupted = [row for row in rows if "corruption" in row]
    tables = []
    if sets := tested(rows):
        tables += [table_2(sets), differences(sets), table_2(sets, "ece"), differences(sets, "ece")]
        tables += [scaling_table(sets), generated_gains(sets), table_2(sets, "confidence")]
        tables += [baselines_table(sets)] if set(BASELINES) & set(strategies_of(sets)) else []
    tables += [corruption_table(corrupted)] if corrupted else []
    tables += [samples_table(samples)] if samples else []
    return [table for table in tables if table.rows]

"""The table of classifiers that learn from what a metrifier leaves of a training set."""

from collections.abc import Sequence

import numpy as np

from gada.io.records import Row
from gada.metrics.statistics import paired_difference
from gada.reports.layout import Cell, Table

ALL_KEPT, WORST, RANDOM = "all", "worst discarded", "random discarded"
TESTS = ("accuracy", "accuracy_flawed")
"""The test images undistorted, and with the flaws of the training images."""


def learning_table(rows: Sequence[Row]) -> Table:
    """Return a row for each way to choose the training images: accuracy, and what the choice is worth."""
    first = rows[0]
    body: list[tuple[Cell, ...]] = []
    for arm in (ALL_KEPT, WORST, RANDOM):
        own = [row for row in rows if row["arm"] == arm]
        flawed = float(np.mean([row["kept_flawed"] for row in own]))
        body.append((arm, str(own[0]["kept"]), flawed, *(_spread([row[test] for row in own]) for test in TESTS)))
    caption = (
        f"Accuracy of a classifier trained on {first['dataset']}, {first['images']} images of which "
        f"{first['flawed_fraction']:.0%} are distorted, without the {first['discarded']:.0%} of greatest predicted "
        f"error, or without as many at random; {first['epochs']} epochs, {first['n']} test images. "
        f"Machine {first['machine']}; commit {first['commit'] or 'unknown'}."
    )
    notes = ("± is the sample standard deviation over seeds.", *(_difference(rows, test) for test in TESTS))
    columns = ("images", "of them distorted", "accuracy, undistorted", "accuracy, as flawed")
    return Table(caption, ("training images",), columns, tuple(body), notes=notes)


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f}" + (f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else "")


def _difference(rows: Sequence[Row], test: str) -> str:
    """Return in a sentence what discarding the worst is worth beside discarding at random."""
    of = {arm: {row["seed"]: row[test] for row in rows if row["arm"] == arm} for arm in (WORST, RANDOM)}
    seeds = sorted(of[WORST].keys() & of[RANDOM].keys())
    worst, drawn = ([of[arm][seed] for seed in seeds] for arm in (WORST, RANDOM))
    found = paired_difference(worst, drawn, seed=0)
    interval = f"{found['interval'][0]:+.4f} to {found['interval'][1]:+.4f}" if found["interval"] else "no interval"
    images = "undistorted" if test == TESTS[0] else "as flawed as the training images"
    return f"Worst minus random, test images {images}: {found['mean']:+.4f} ({interval}; {len(seeds)} seeds)."

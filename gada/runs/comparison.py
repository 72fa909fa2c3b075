"""Whether a training helped: its test images as the evaluator scored them before and after."""

from dataclasses import dataclass
from pathlib import Path

from gada.metrics.correlation import UndefinedError, srocc
from gada.metrics.statistics import FEWEST_GROUPS, srocc_interval
from gada.runs.by_error import scores_of
from gada.runs.starts import START

Interval = list[float] | None


@dataclass(frozen=True)
class Measured:
    """SROCC of a stage on the test images, and of the evaluator that it started from, where `--from` named one."""

    images: int
    groups: int
    """How many references, or images without one, they show."""
    srocc: float
    interval: Interval
    """95 % interval of the SROCC over references; None where there are too few."""
    before: float | None = None
    """SROCC of the start on the same images."""
    change: Interval = None
    """95 % interval of the difference."""

    @property
    def helped(self) -> bool | None:
        """Whether the interval of the difference lies above 0, or below; None where it cannot be told."""
        return above_zero(self.change)

    def describe(self) -> str:
        """Return what the test says, in a sentence or two."""
        on = f"{self.images} test images"
        if self.before is None:
            few = f"; an interval needs {FEWEST_GROUPS} references, here {self.groups}" if self.interval is None else ""
            return f"SROCC {self.srocc:.3f} on {on}{spanned(self.interval, '.3f')}{few}."
        measured = f"SROCC {self.srocc:.3f}, from {self.before:.3f} before training"
        measured += f": {self.srocc - self.before:+.3f}{spanned(self.change, '+.3f')}"
        if self.helped is not None:
            return f"The training {'helped' if self.helped else 'made it worse'}, by {on}: {measured}."
        return (
            f"Whether the training helped cannot be told from {on}: {measured}. Score more images, or repeat it on "
            "other splits (--split.number 1 in another --run)."
        )


def spanned(interval: Interval, digits: str) -> str:
    """Return an interval in brackets; "" for none."""
    return "" if interval is None else f" (95 % interval {interval[0]:{digits}} to {interval[1]:{digits}})"


def above_zero(interval: Interval) -> bool | None:
    """Return whether an interval lies above 0, or below; None where it holds 0, or there is none."""
    return None if interval is None or interval[0] <= 0 <= interval[1] else interval[0] > 0


def told_apart(interval: Interval, by: str = "images") -> str:
    """Return how a headline begins to compare, from the interval of a difference of which above 0 is better."""
    return {True: "Better than", False: "Worse than", None: f"These {by} cannot tell it from"}[above_zero(interval)]


def measure_test(folder: Path, stage: str, against: str = START) -> Measured | None:
    """Return what the `scores.csv` of a run say of a stage; None where its SROCC is undefined.

    Args:
        folder: of the run.
        stage: which stage.
        against: the stage that stands `before` it, if the run has it.

    Raises:
        DataError: if a file is damaged.
    """
    before = scores(folder / against) if (folder / against / "scores.csv").is_file() else None
    groups, truth, predicted = scores(folder / stage)
    try:
        found = srocc(predicted, truth)
        if before is None or before[:2] != (groups, truth):
            return Measured(len(truth), len(set(groups)), found, srocc_interval(predicted, truth, groups))
        started = srocc(before[2], truth)
    except UndefinedError:
        return None
    change = srocc_interval(predicted, truth, groups, before[2])
    return Measured(len(truth), len(set(groups)), found, srocc_interval(predicted, truth, groups), started, change)


def scores(folder: Path) -> tuple[list[str], list[float], list[float]]:
    """Return reference, true and predicted score of each test image."""
    scored = scores_of(folder)
    return [one.reference for one in scored], [one.score for one in scored], [one.predicted for one in scored]

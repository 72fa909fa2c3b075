"""The robustness sweep: classifiers on every step of distortion ladders (Dodge and Karam, 2016)."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Bar

from gada.data.distorted import CLEAN, DistortedImages, Step, Where, steps_of
from gada.data.labelled import LabelledImages
from gada.distortions import FAMILIES
from gada.errors import ConfigError
from gada.experiments.outcomes import OutcomeFiles, check_classes
from gada.io.files import write_text
from gada.io.records import RESULTS, Row, commit, machine, write_rows
from gada.reports.ladders import NONE, sweep_csv
from gada.scoring.classifiers import Classifier


@dataclass(frozen=True)
class Sweep:
    """What a sweep has found so far."""

    rows: list[Row]
    """One for each network and step that is done."""
    planned: int
    """How many there will be."""
    failed: dict[str, str]
    """Images that could not be used, with the reason."""

    @property
    def partial(self) -> str:
        """Why the result is partial, in one phrase; "" if it is whole."""
        reasons = []
        if len(self.rows) < self.planned:
            reasons.append(f"{len(self.rows)} of {self.planned} steps are done")
        if self.failed:
            name, reason = next(iter(self.failed.items()))
            reasons.append(f"{len(self.failed)} images could not be used, as {name} ({reason})")
        return "; ".join(reasons)


def run_sweep(
    classifiers: Sequence[Classifier],
    images: LabelledImages,
    distortions: Sequence[str],
    folder: Path,
    where: Where = "crop",
    seed: int = 0,
    jobs: int | None = None,
    keep: bool = True,
) -> Sweep:
    """Judge every step of the ladders with every classifier; what an earlier run has judged is not judged again.

    Networks that see images alike read the same files of distorted images, which are made once. After each step
    `results.jsonl` and `results.csv` hold what is known, so an interrupted sweep leaves a partial result.

    Args:
        classifiers: the networks.
        images: labelled images.
        distortions: families or sets of families (see `steps_of`).
        folder: the run's folder.
        where: whether what the network sees is distorted, or the photograph before it is resized.
        seed: of the noise.
        jobs: processes that distort; by default one for each core.
        keep: whether the distorted images stay in the cache for other networks and runs.

    Raises:
        ConfigError: if names, classes or an earlier run do not fit.
        DataError: if images cannot be used or a network's output is not finite.
    """
    check_names(classifiers)
    steps = steps_of(distortions)
    views = {one.input.view: DistortedImages(images, one.input.view, where, seed) for one in classifiers}
    for one in classifiers:
        check_classes(one, views[one.input.view])
    identity = {**images.identity, "distorted": where, "seed": seed}
    files = [OutcomeFiles(folder / "outcomes" / one.name, {**one.identity, **identity}) for one in classifiers]
    failed = {name: reason for distorted in views.values() for name, reason in distorted.failed.items()}
    sweep = Sweep([], len(steps) * len(classifiers), failed)
    origin = {"dataset": images.title, "distorted": where, "seed": seed, "machine": machine(), "commit": commit()}

    with Progress(len(steps) * sum(len(views[one.input.view].images) for one in classifiers)) as advance:
        for view, distorted in views.items():
            members = [(one, kept) for one, kept in zip(classifiers, files, strict=True) if one.input.view == view]
            for step in pending(distorted, steps, members, jobs):
                for one, kept in members:
                    outcome = kept.outcome(one, distorted, step, advance)
                    sweep.rows.append({"network": one.name, **step_row(step), **outcome.row(), **origin})
                write_results(folder, sweep)
                if not keep and step != CLEAN:
                    distorted.file(step).unlink(missing_ok=True)
    order = {one.name: place for place, one in enumerate(classifiers)}
    sweep.rows.sort(key=lambda row: order[row["network"]])
    write_results(folder, sweep)
    return sweep


def pending(
    distorted: DistortedImages,
    steps: Sequence[Step],
    members: Sequence[tuple[Classifier, OutcomeFiles]],
    jobs: int | None,
) -> Iterator[Step]:
    """Yield the steps in order; distorted images are made only for those that some network has not judged."""
    needed = {step for step in steps if not all(kept.file(step).is_file() for _, kept in members)}
    made = distorted.made([step for step in steps if step in needed], jobs)
    for step in steps:
        yield next(made) if step in needed else step


def check_names(classifiers: Sequence[Classifier]) -> None:
    """Refuse two networks of one name."""
    names = [one.name for one in classifiers]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ConfigError(f"two classifiers are called {twice!r}; name them apart, as in first={twice}.")


def step_row(step: Step) -> Row:
    """Return how a step is named in a result row."""
    if step == CLEAN:
        return {"distortion": NONE, "level": 0, "strength": None, "title": "undistorted", "parameter": ""}
    family = FAMILIES[step.family]
    parameter = f"{family.parameter} ({family.unit})" if family.unit != "1" else family.parameter
    strength = family.strengths[step.level - 1]
    row = {"distortion": step.family, "level": step.level, "strength": strength}
    return {**row, "title": family.title, "parameter": parameter}


def write_results(folder: Path, sweep: Sweep) -> None:
    """Write what is known as JSON lines and as CSV; a partial result says so in each row."""
    rows = [{**row, "partial": sweep.partial} for row in sweep.rows]
    write_rows(folder / RESULTS, rows)
    write_text(folder / "results.csv", sweep_csv(rows))


class Progress:
    """Tells how many images are judged: a bar on a terminal, a line for each tenth elsewhere, on standard error."""

    def __init__(self, total: int) -> None:
        self.total, self.done, console = total, 0, Console(stderr=True)
        self.bar = Bar(console=console, disable=not console.is_terminal)
        self.task = self.bar.add_task("images judged", total=total)

    def __enter__(self) -> "Progress":
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def __call__(self, count: int) -> None:
        """Count so many more."""
        before, self.done = self.done, self.done + count
        self.bar.advance(self.task, count)
        if self.bar.disable and before * 10 // self.total < self.done * 10 // self.total:
            sys.stderr.write(f"{self.done} of {self.total} images judged\n")

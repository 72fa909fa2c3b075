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
from gada.experiments.robustness.outcomes import OutcomeFiles
from gada.io.files import write_text
from gada.io.records import RESULTS, Row, commit, machine, write_rows
from gada.reports.ladders import NONE, sweep_csv
from gada.scoring.architecture import size_of
from gada.scoring.classifiers import Classifier


@dataclass(frozen=True)
class Sweep:
    """The results of a sweep so far."""

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

    def write(self, folder: Path) -> None:
        """Write the rows as JSON lines and as CSV; each says whether the result is partial."""
        rows = [{**row, "partial": self.partial} for row in self.rows]
        write_rows(folder / RESULTS, rows)
        write_text(folder / "results.csv", sweep_csv(rows))


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
    """Test every classifier on every step of the ladders; the outcomes of an earlier run are read again.

    Networks with the same view read the same files of distorted images, which are made once. After each step
    `results.jsonl` and `results.csv` hold what is known, so that an interrupted sweep leaves a partial result.

    Args:
        classifiers: the networks.
        images: labelled images.
        distortions: families or sets of families (see `steps_of`).
        folder: the run directory.
        where: distort what the network sees, or the whole image before it is resized.
        seed: of the noise.
        jobs: processes that distort; by default one for each core.
        keep: whether the distorted images stay in the cache for other networks and runs.

    Raises:
        ConfigError: if names, classes or an earlier run do not fit.
        DataError: if images cannot be used or a network's output is not finite.
    """
    names = [one.name for one in classifiers]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"two classifiers are called {twice!r}; name one of them, as in first={twice}.")
    steps = steps_of(distortions)
    views = {one.input.view: DistortedImages(images, one.input.view, where, seed) for one in classifiers}
    files = [OutcomeFiles(folder / "outcomes" / one.name, one, views[one.input.view]) for one in classifiers]
    failed = {name: reason for distorted in views.values() for name, reason in distorted.failed.items()}
    sweep = Sweep([], len(steps) * len(classifiers), failed)
    sizes = {one.name: size_of(one) for one in classifiers}
    origin = {"dataset": images.title, "distorted": where, "seed": seed, "machine": machine(), "commit": commit()}
    with Progress(len(steps) * sum(len(one.distorted.images) for one in files)) as advance:
        for distorted in views.values():
            members = [one for one in files if one.distorted is distorted]
            for step in pending(distorted, steps, members, jobs):
                for one in members:
                    outcome = one.outcome(step, advance)
                    name = one.classifier.name
                    row = {"network": name, **step_row(step), **outcome.row(), **sizes[name], **origin}
                    sweep.rows.append(row)
                sweep.write(folder)
                if not keep and step != CLEAN:
                    distorted.file(step).unlink(missing_ok=True)
    sweep.rows.sort(key=lambda row: names.index(row["network"]))
    sweep.write(folder)
    return sweep


def pending(
    distorted: DistortedImages, steps: Sequence[Step], members: Sequence[OutcomeFiles], jobs: int | None
) -> Iterator[Step]:
    """Yield the steps in order; distorted images are made only for those that lack the outcome of some network."""
    needed = {step for step in steps if not all(one.file(step).is_file() for one in members)}
    made = distorted.made([step for step in steps if step in needed], jobs)
    for step in steps:
        yield next(made) if step in needed else step


def step_row(step: Step) -> Row:
    """Return how a step is named in a result row."""
    if step == CLEAN:
        return {"distortion": NONE, "level": 0, "strength": None, "title": "undistorted", "parameter": ""}
    family = FAMILIES[step.family]
    parameter = f"{family.parameter} ({family.unit})" if family.unit != "1" else family.parameter
    strength = family.strengths[step.level - 1]
    row = {"distortion": step.family, "level": step.level, "strength": strength}
    return {**row, "title": family.title, "parameter": parameter}


class Progress:
    """Shows how many images are done: a bar on a terminal, a line for each tenth elsewhere, on standard error."""

    def __init__(self, total: int) -> None:
        self.total, self.done, console = total, 0, Console(stderr=True)
        self.bar = Bar(console=console, disable=not console.is_terminal)
        self.task = self.bar.add_task("images classified", total=total)

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
            sys.stderr.write(f"{self.done} of {self.total} images classified\n")

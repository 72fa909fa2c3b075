"""What `gada score` does with its scores: lines on the terminal, one JSON object, or a file."""

import os
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gada.errors import DataError
from gada.io.images import shown
from gada.io.records import Row
from gada.scoring.inputs import Range
from gada.scoring.rows import Journal, row_of, write_object
from gada.scoring.scorer import Scorer
from gada.scoring.streaming import Outcome, score_files


def arguments_of(paths: Iterable[str]) -> Iterator[str]:
    """Yield the paths of the command line; `-` stands for the lines of standard input."""
    for path in paths:
        if path == "-":
            lines = (os.fsdecode(line).rstrip("\r\n") for line in sys.stdin.buffer)
            yield from (line for line in lines if line)
        else:
            yield path


def print_scores(scorer: Scorer, outcomes: Iterable[tuple[Path, Outcome]], as_json: bool) -> int:
    """Print scores as they come and return how many files failed."""
    failed: list[Path] = []

    def rows() -> Iterator[Row]:
        for path, outcome in outcomes:
            if isinstance(outcome, DataError):
                failed.append(path)
                say(str(outcome))
            yield row_of(path, outcome, scorer)

    with plain_warnings():
        if as_json:
            write_object(sys.stdout, scorer, rows())
            return len(failed)
        sys.stdout.write(f"# {scorer.describe()}\n")
        for row in rows():
            if row["error"] is None:
                kind = f"{row['distortion']} {row['probability']:.2f}" if row["distortion"] else ""
                sys.stdout.write(f"{row['score']:9.4f} +- {row['spread']:7.4f}  {kind:20} {row['image']}\n")
                sys.stdout.flush()
    return len(failed)


def score_to_file(
    scorer: Scorer,
    pictures: Iterable[Path],
    out: Path,
    jobs: int | None,
    max_pixels: int,
    float_range: Range | None,
) -> int:
    """Write the scores of files to `out`, going on where a stopped job was; return how many files failed."""
    start = time.monotonic()
    with plain_warnings(), Journal(out, scorer) as journal:
        before = len(journal.done)
        left = (path for path in pictures if shown(path) not in journal.done)
        with progress_bar() as advance:
            for path, outcome in score_files(scorer, left, jobs, max_pixels, float_range):
                journal.add(row_of(path, outcome, scorer))
                advance()
        journal.finish()
    scored, seconds = len(journal.done) - before, time.monotonic() - start
    taken = f", {before} of them before" if before else ""
    say(
        f"{len(journal.done)} pictures{taken}, {journal.failed} failed, "
        f"{scored / max(seconds, 1e-9):.0f} a second; wrote {out}"
    )
    return journal.failed


@contextmanager
def progress_bar() -> Iterator[Any]:
    """Show on a terminal's standard error how many pictures are done and how fast it goes; yield what counts one."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed:.0f} pictures"),
        TaskProgressColumn(show_speed=True),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("scoring", total=None)
        yield lambda: progress.advance(task)


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Print a warning (of an animation, say) as one line that names the picture."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_: say(str(message))
        yield


def say(sentence: str) -> None:
    """Write one line to standard error."""
    sys.stderr.write(f"gada: {sentence}\n")

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
from gada.io.folders import pictures_of
from gada.io.images import shown
from gada.io.records import Row
from gada.scoring.inputs import Range
from gada.scoring.rows import Journal, job_of, row_of, write_object
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
    paths: list[str],
    out: Path,
    jobs: int | None,
    max_pixels: int,
    float_range: Range | None,
) -> int:
    """Write the scores of pictures to `out`, going on where a stopped job was; return how many failed.

    Args:
        scorer: the scorer.
        paths: what the command line names: pictures, folders, patterns, or - for standard input.
        out: a .csv, .jsonl or .parquet file.
        jobs: threads that decode; by default one for each processor.
        max_pixels: height x width allowed in a file.
        float_range: the (black, white) values of files of floats.

    Raises:
        ConfigError: if the file is of another kind, or its journal of another job.
        DataError: if it cannot be written.
    """
    start = time.monotonic()
    with plain_warnings(), Journal(out, job_of(scorer, paths, float_range)) as journal:
        left = (path for path in pictures_of(arguments_of(paths)) if not journal.has(shown(path)))
        with progress_bar() as advance:
            for path, outcome in score_files(scorer, left, jobs, max_pixels, float_range):
                journal.add(row_of(path, outcome, scorer))
                advance()
        journal.finish()
    seconds = time.monotonic() - start
    taken = f", {journal.taken} of them before" if journal.taken else ""
    say(
        f"{journal.taken + journal.added} pictures{taken}, {journal.failed} failed, "
        f"{journal.added / max(seconds, 1e-9):.0f} a second; wrote {out}"
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

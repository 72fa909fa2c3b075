"""What `gada score` does: lines on the terminal, one JSON object, or a file that a stopped job resumes."""

import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gada.errors import ConfigError, DataError
from gada.io.files import exists
from gada.io.folders import check_arguments, described, images_of
from gada.io.images import shown
from gada.io.pixels import AS_WRITTEN, Decoding
from gada.io.records import Row
from gada.scoring.journal import Journal, job_of
from gada.scoring.rows import row_of, write_object
from gada.scoring.scorer import Scorer
from gada.scoring.streaming import score_files


@dataclass(frozen=True)
class BulkJob:
    """Images to score, and where the scores go."""

    paths: list[str]
    """Images, folders, patterns, lists, or - for the lines of standard input."""
    out: Path | None = None
    """A .csv, .jsonl or .parquet file; None prints the scores."""
    json: bool = False
    """Print one JSON object instead of lines."""
    jobs: int | None = None
    """Threads that decode; by default one for each core."""
    decoding: Decoding = AS_WRITTEN
    """Limit of pixels, and range and white of the samples."""

    def __post_init__(self) -> None:
        """Raise ConfigError for a wrong option, DataError for a path that is surely a slip."""
        for name, value in (("jobs", self.jobs), ("max-pixels", self.decoding.max_pixels)):
            if value is not None and value < 1:
                raise ConfigError(f"--{name} is {value} but must be at least 1.")
        if self.json and self.out:
            raise ConfigError("--json prints the scores and --out writes them to a file; give one of the two.")
        check_arguments(path for path in self.paths if path != "-")

    def images(self, passed_over: Counter[str]) -> Iterator[Path]:
        """Yield the image files, and count what is passed over."""
        return images_of(arguments_of(self.paths), passed_over)

    def run(self, scorer: Scorer) -> int:
        """Score the images and return the exit code: 0, or 4 if some files failed.

        Raises:
            ConfigError: if `out` has another suffix, or its journal is another job's.
            DataError: if it cannot be written.
        """
        passed_over = Counter[str]()
        with plain_warnings():
            images = self.images(passed_over)
            failed = self.to_file(self.out, scorer, images) if self.out else self.to_terminal(scorer, images)
        if passed_over:
            say(described(passed_over))
        return 4 if failed else 0

    def to_terminal(self, scorer: Scorer, images: Iterable[Path]) -> int:
        """Print scores as they come and return how many files failed."""
        failed: list[Path] = []

        def rows() -> Iterator[Row]:
            for path, outcome in score_files(scorer, images, self.jobs, self.decoding):
                if isinstance(outcome, DataError):
                    failed.append(path)
                    say(str(outcome))
                yield row_of(path, outcome, scorer)

        if self.json:
            write_object(sys.stdout, scorer, rows())
            return len(failed)
        sys.stdout.write(f"# {scorer.describe()}\n")
        for row in rows():
            if row["error"] is None:
                sys.stdout.write(f"{line_of(row, scorer.card.data)}\n")
                sys.stdout.flush()
        return len(failed)

    def to_file(self, out: Path, scorer: Scorer, images: Iterable[Path]) -> int:
        """Write the scores to a file, resume a stopped job, and return how many files failed."""
        start = time.monotonic()
        with Journal(out, job_of(scorer, self.paths, self.decoding)) as journal:
            if exists(out):
                say(f"{out} exists and is replaced when all images are scored")
            left = (path for path in images if not journal.has(shown(path)))
            with progress_bar() as advance:
                for path, outcome in score_files(scorer, left, self.jobs, self.decoding):
                    journal.add(row_of(path, outcome, scorer))
                    advance()
            journal.finish()
        seconds = time.monotonic() - start
        taken = f", {journal.taken} of them before" if journal.taken else ""
        say(
            f"{journal.taken + journal.added} images{taken}, {journal.failed} failed, "
            f"{journal.added / max(seconds, 1e-9):.0f} a second; wrote {out}, in {seconds:.0f} s"
        )
        return journal.failed


def line_of(row: Row, data: str = "") -> str:
    """Return the row of a scored image as a line of the terminal; `data` names the set whose classes are meant."""
    if row["percentile"] is None:
        from gada.distortions.names import distortion_name  # whose ladders need scipy

        name = distortion_name(row["distortion"], data)
        kind = f"{name} ({row['probability']:.2f})" if name else ""
        said = f"spread {row['spread']:7.4f}  {kind:30}"
    else:
        said = f"better than {int(row['percentile']):3} % of the training photos "
    return f"{row['score']:9.4f} {said} {row['image']}" + (f"  [unusual: {row['unusual']}]" if row["unusual"] else "")


def arguments_of(paths: Iterable[str]) -> Iterator[str]:
    """Yield the paths of the command line; `-` stands for the lines of standard input."""
    for path in paths:
        if path == "-":
            lines = (os.fsdecode(line).rstrip("\r\n") for line in sys.stdin.buffer)
            yield from (line for line in lines if line)
        else:
            yield path


@contextmanager
def progress_bar() -> Iterator[Any]:
    """Show on a terminal's standard error how many images are done and how fast; yield what counts one."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed:.0f} images"),
        TaskProgressColumn(show_speed=True),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield partial(progress.advance, progress.add_task("scoring", total=None))


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Print a warning (of an animation, say) as one line that names the image."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_: say(str(message))
        yield


def say(sentence: str) -> None:
    """Write one line to standard error."""
    sys.stderr.write(f"gada: {sentence}\n")

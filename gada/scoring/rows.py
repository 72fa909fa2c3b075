"""Scores as rows of a file: CSV, JSON lines or Parquet; a job that was stopped goes on where it was."""

import csv
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from gada.errors import ConfigError, DataError
from gada.io.files import atomic_path, check_writable, unwritable
from gada.io.images import shown
from gada.io.records import Row, harmless
from gada.scoring.inputs import Range
from gada.scoring.scorer import Prediction, Scorer

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

COLUMNS = {
    "image": str,
    "score": float,
    "spread": float,
    "scale": str,
    "low": float,
    "high": float,
    "better": str,
    "distortion": str,
    "probability": float,
    "model": str,
    "mode": str,
    "error": str,
}
"""Columns of a row and their type; what a bad file has not is None."""
SUFFIXES = (".csv", ".jsonl", ".parquet")
DIGITS = 6
PARQUET_ROWS = 10_000  # in one group; bounds memory


def row_of(path: Path, outcome: Prediction | DataError, scorer: Scorer) -> Row:
    """Return the row of one file."""
    scale = scorer.scale
    row: Row = dict.fromkeys(COLUMNS)
    row |= {"image": shown(path), "scale": scale.name, "low": scale.low, "high": scale.high}
    row |= {"better": "higher" if scale.higher_is_better else "lower", "model": scorer.model, "mode": scorer.protocol()}
    if isinstance(outcome, DataError):
        return row | {"error": str(outcome)}
    figures = {name: round(getattr(outcome, name), DIGITS) for name in ("score", "spread", "probability")}
    return row | figures | {"distortion": outcome.distortion}


def job_of(scorer: Scorer, paths: Iterable[str], float_range: Range | None) -> Row:
    """Return what makes the rows of one job another's: model, crops, what was asked for, and how floats are read.

    Relative paths count from where they were given. The limit of pixels decides only which files fail, and those are
    tried again.
    """
    asked = {path: os.path.abspath(path) for path in paths}  # noqa: PTH100  # a pattern is no path
    return {
        "model": scorer.model,
        "mode": scorer.protocol(),
        "float_range": list(float_range) if float_range else None,
        "paths": asked,
    }


class Journal:
    """Rows as they come, in `OUT.partial`; `finish` turns them into the file that was asked for.

    Its first line is the job. What a stopped job scored is taken up; what it failed at is tried again.

    Args:
        out: a .csv, .jsonl or .parquet file.
        job: whose rows they are, as `job_of` says; the journal of another job is refused.

    Raises:
        ConfigError: if the suffix is another, a package is missing, or the journal is another job's or damaged.
        DataError: if the journal cannot be written.
    """

    def __init__(self, out: Path, job: Row) -> None:
        if out.suffix not in SUFFIXES:
            raise ConfigError(f"--out is {out} but must end in {', '.join(SUFFIXES)}.")
        if out.suffix == ".parquet":
            import_pyarrow()
        self.out = out
        check_writable(out)
        self.path = out.with_name(f"{out.name}.partial")
        self.before: Counter[str] = Counter()  # rows of a stopped job that no picture has claimed
        self.lines = 0  # rows of a stopped job, failures included
        self.taken = self.added = self.failed = 0
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            self.file = self.path.open("a+b")
        except OSError as error:
            raise unwritable(self.path, error) from error
        try:
            self._lock()
            if not self._take_up(job):
                self._write(job)
        except (ConfigError, DataError):
            self.__exit__()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what could not be written was said already
            self.file.close()

    def _lock(self) -> None:
        """Refuse a journal into which another process writes; the system lifts the lock when this one ends."""
        if fcntl is None:
            return
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{self.path} is being written by another job; wait, or give another --out.") from None
        except OSError:  # a file system without locks
            return
        if not os.fstat(self.file.fileno()).st_nlink:
            raise ConfigError(f"another job has just ended with {self.out}; give another --out, or ask again.")

    def _take_up(self, job: Row) -> bool:
        """Read the rows of a stopped job, if there is one; a line that was cut off is dropped."""
        self.file.seek(0)
        end = 0
        for line in self.file:
            if not line.endswith(b"\n"):
                break
            try:
                content = dict(json.loads(line))
                if end:
                    self.lines += 1
                    self.before[content["image"]] += content["error"] is None
            except (ValueError, TypeError, KeyError) as error:
                raise ConfigError(f"{self.path} is damaged; delete it to score all pictures anew.") from error
            if not end:
                self._compare(content, job)
            end += len(line)
        self.file.truncate(end)
        return end > 0

    def _compare(self, was: Row, job: Row) -> None:
        """Refuse another job's journal."""
        if other := next((key for key in job if was.get(key) != job[key]), None):
            what = "other paths" if other == "paths" else f"another {other} ({was.get(other)})"
            raise ConfigError(f"{self.path} is of a job with {what}; delete it, or give another --out.")

    def has(self, name: str) -> bool:
        """Tell whether a stopped job scored this picture; each of its rows counts for one picture of the name."""
        if not self.before[name]:
            return False
        self.before[name] -= 1
        self.taken += 1
        return True

    def add(self, row: Row) -> None:
        """Write one row."""
        self._write(row)
        self.added += 1
        self.failed += row["error"] is not None

    def _write(self, content: Row) -> None:
        try:
            self.file.write(json.dumps(content, allow_nan=False).encode() + b"\n")
            self.file.flush()
        except OSError as error:
            raise unwritable(self.path, error, "free some space; the same command goes on where it stopped") from error

    def finish(self) -> None:
        """Write the file that was asked for, and remove the journal."""
        try:
            self.file.close()
        except OSError as error:
            raise unwritable(self.path, error) from error
        with self.path.open(encoding="utf-8") as lines, atomic_path(self.out) as temporary:
            rows = self._asked(lines)
            match self.out.suffix:
                case ".csv":
                    write_csv(temporary, rows)
                case ".jsonl":
                    write_jsonl(temporary, rows)
                case ".parquet":
                    write_parquet(temporary, rows)
        self.path.unlink()

    def _asked(self, lines: Iterable[str]) -> Iterator[Row]:
        """Yield the rows, less what a stopped job failed at, and less pictures that are not asked for any more."""
        for number, line in enumerate(lines):
            row = json.loads(line)
            if number > self.lines:
                yield row
            elif number and row["error"] is None:
                if self.before[row["image"]]:
                    self.before[row["image"]] -= 1
                else:
                    yield row


def write_csv(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as CSV; no text begins as a spreadsheet's formula does."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([harmless(row[name]) for name in COLUMNS] for row in rows)


def write_jsonl(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as JSON lines."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_parquet(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as Parquet."""
    import_pyarrow()
    from pyarrow import parquet

    with parquet.ParquetWriter(path, parquet_schema()) as writer:
        for group in groups(rows, PARQUET_ROWS):
            writer.write_table(as_table(group))


def as_table(rows: list[Row]) -> Any:
    """Return rows as an Arrow table."""
    return import_pyarrow().Table.from_pylist(rows, schema=parquet_schema())


def parquet_schema() -> Any:
    """Return the columns with their Arrow types."""
    pyarrow = import_pyarrow()
    types = {str: pyarrow.string(), float: pyarrow.float64()}
    return pyarrow.schema([(name, types[kind]) for name, kind in COLUMNS.items()])


def groups(rows: Iterable[Row], count: int) -> Iterator[list[Row]]:
    """Yield rows `count` at a time."""
    group: list[Row] = []
    for row in rows:
        group.append(row)
        if len(group) == count:
            yield group
            group = []
    if group:
        yield group


def import_pyarrow() -> Any:
    """Return pyarrow.

    Raises:
        ConfigError: if it is not installed.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise ConfigError('writing Parquet needs pyarrow: pip install "gada-iqa[parquet]".') from error
    return pyarrow


def write_object(stream: IO[str], scorer: Scorer, rows: Iterable[Row]) -> None:
    """Write one JSON object with all rows, as they come."""
    head = {"model": scorer.model, "mode": scorer.protocol(), "scale": asdict(scorer.scale)}
    stream.write(json.dumps(head)[:-1] + ', "results": [')
    for index, row in enumerate(rows):
        stream.write((", " if index else "") + json.dumps(row, allow_nan=False))
    stream.write("]}\n")

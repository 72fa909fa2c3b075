"""Scores as rows of a file: CSV, JSON lines or Parquet; a job that was stopped goes on where it was."""

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from gada.errors import ConfigError, DataError
from gada.io.files import atomic_path, unwritable
from gada.io.images import shown
from gada.io.records import Row
from gada.scoring.scorer import Prediction, Scorer

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


class Journal:
    """Rows as they come, in `OUT.partial`; `finish` turns them into the file that was asked for.

    Args:
        out: a .csv, .jsonl or .parquet file.
        scorer: whose rows they are; a journal of another model or mode is refused.

    Raises:
        ConfigError: if the suffix is another, a package is missing, or the journal is another job's.
    """

    def __init__(self, out: Path, scorer: Scorer) -> None:
        if out.suffix not in SUFFIXES:
            raise ConfigError(f"--out is {out} but must end in {', '.join(SUFFIXES)}.")
        if out.suffix == ".parquet":
            import_pyarrow()
        self.out = out
        self.path = out.with_name(f"{out.name}.partial")
        self.done: set[str] = set()
        self.failed = 0
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            self.file = self.path.open("a+b")
        except OSError as error:
            raise unwritable(self.path, error) from error
        try:
            self._take_up(scorer)
        except ConfigError:
            self.file.close()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # what could not be written was said already
            self.file.close()

    def _take_up(self, scorer: Scorer) -> None:
        """Read the rows of a stopped job; a line that was cut off is dropped."""
        self.file.seek(0)
        end = 0
        for line in self.file:
            if not line.endswith(b"\n"):
                break
            try:
                row = dict(json.loads(line))
            except (ValueError, TypeError) as error:
                raise ConfigError(f"{self.path} is damaged; delete it to score all pictures anew.") from error
            if (row.get("model"), row.get("mode")) != (scorer.model, scorer.protocol()):
                whose = f"{row.get('model')} ({row.get('mode')})"
                raise ConfigError(f"{self.path} is of a job with {whose}; delete it, or give another --out.")
            self._count(row)
            end += len(line)
        self.file.truncate(end)

    def add(self, row: Row) -> None:
        """Write one row."""
        try:
            self.file.write(json.dumps(row, allow_nan=False).encode() + b"\n")
            self.file.flush()
        except OSError as error:
            raise unwritable(self.path, error, "free some space; the same command goes on where it stopped") from error
        self._count(row)

    def _count(self, row: Row) -> None:
        self.done.add(row["image"])
        self.failed += row.get("error") is not None

    def finish(self) -> None:
        """Write the file that was asked for, and remove the journal."""
        try:
            self.file.close()
        except OSError as error:
            raise unwritable(self.path, error) from error
        with self.path.open(encoding="utf-8") as lines, atomic_path(self.out) as temporary:
            rows = (json.loads(line) for line in lines)
            match self.out.suffix:
                case ".csv":
                    write_csv(temporary, rows)
                case ".jsonl":
                    write_jsonl(temporary, rows)
                case ".parquet":
                    write_parquet(temporary, rows)
        self.path.unlink()


def write_csv(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as CSV; no text begins as a spreadsheet's formula does."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([harmless(row[name]) for name in COLUMNS] for row in rows)


def harmless(value: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would run."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


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
    head = {"model": scorer.model, "mode": scorer.protocol(), "scale": dict(scorer.card["scale"])}
    stream.write(json.dumps(head)[:-1] + ', "results": [')
    for index, row in enumerate(rows):
        stream.write((", " if index else "") + json.dumps(row, allow_nan=False))
    stream.write("]}\n")

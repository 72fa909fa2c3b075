"""Scores as rows of a file: CSV, JSON lines or Parquet."""

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import IO, Any

from gada.errors import ConfigError, DataError
from gada.io.images import shown
from gada.io.records import Row, harmless
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
"""Columns of a row and their type; None where a bad file lacks it."""
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
        left = iter(rows)
        while group := list(islice(left, PARQUET_ROWS)):
            writer.write_table(as_table(group))


WRITERS: dict[str, Callable[[Path, Iterable[Row]], None]] = {
    ".csv": write_csv,
    ".jsonl": write_jsonl,
    ".parquet": write_parquet,
}
"""What writes rows, by the suffix of the file."""


def as_table(rows: list[Row]) -> Any:
    """Return rows as an Arrow table."""
    return import_pyarrow().Table.from_pylist(rows, schema=parquet_schema())


def parquet_schema() -> Any:
    """Return the columns with their Arrow types."""
    pyarrow = import_pyarrow()
    types = {str: pyarrow.string(), float: pyarrow.float64()}
    return pyarrow.schema([(name, types[kind]) for name, kind in COLUMNS.items()])


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

"""The result row of a training or an evaluation: one JSON line for each stage, split and distortion class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gada.errors import DataError
from gada.io.origin import Origin
from gada.io.records import RESULTS, Row, read_rows
from gada.metrics.correlation import ALL, METRICS


@dataclass(frozen=True)
class ResultRow:
    """What an evaluator is worth on the images of one distortion class, or on all of them."""

    stage: str
    split: int | None
    """Number of the split whose test images these are; None for a whole set."""
    distortion: str
    """Class, or `ALL`."""
    n: int
    """Number of images."""
    origin: Origin
    figures: Mapping[str, float | None] = field(default_factory=dict)
    """Metrics by name, as `gada.metrics.correlation.METRICS` names them; None where undefined."""
    undefined: Mapping[str, str] = field(default_factory=dict)
    """Why a metric is undefined."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the entry, for values that no evaluation gives."""
        right = {
            "stage": isinstance(self.stage, str),
            "split": self.split is None or isinstance(self.split, int),
            "distortion": isinstance(self.distortion, str),
            "n": isinstance(self.n, int) and self.n >= 0,
        }
        for entry, is_right in right.items():
            if not is_right:
                raise ValueError(entry)

    @property
    def is_all(self) -> bool:
        """Whether this is of all distortion classes together."""
        return self.distortion == ALL

    @property
    def srocc(self) -> float | None:
        """Spearman's correlation; None where undefined."""
        return self.figures.get("srocc")

    def as_plain(self) -> Row:
        """Return the row as JSON holds it."""
        plain: Row = {"stage": self.stage, "split": self.split, "distortion": self.distortion, "n": self.n}
        for name, value in self.figures.items():
            plain[name] = value
            if name in self.undefined:
                plain[f"{name}_undefined"] = self.undefined[name]
        return {**plain, **self.origin.as_plain()}

    @classmethod
    def from_plain(cls, plain: Row, place: str = "a row") -> "ResultRow":
        """Return the row that a file holds, also one of an older version.

        Raises:
            DataError: if an entry is missing or not valid; the message begins with `place`.
        """
        try:
            head = {name: plain[name] for name in ("stage", "split", "distortion", "n")}
            return cls(
                **head,
                origin=Origin.from_plain(plain),
                figures={name: plain[name] for name in METRICS if name in plain},
                undefined={name: plain[key] for name in METRICS if (key := f"{name}_undefined") in plain},
            )
        except KeyError as error:
            raise DataError(f"{place} has a row without {error}; name a file of results of `gada fit`.") from error
        except ValueError as error:
            raise DataError(f"{place} has a row with no valid '{error}'; restore the file or delete it.") from error


def read_result_rows(path: Path) -> list[ResultRow]:
    """Return the rows of a `results.jsonl`; none where there is no such file."""
    return [ResultRow.from_plain(row, str(path)) for row in read_rows(path)]


def read_result_files(paths: Sequence[str | Path]) -> list[ResultRow]:
    """Return the rows of several files; a folder stands for the results of the run in it.

    Raises:
        DataError: if a file is missing or empty, or holds something else.
    """
    files = [path / RESULTS if path.is_dir() else path for path in map(Path, paths)]
    return [ResultRow.from_plain(row, str(file)) for file in files for row in read_rows(file, missing="refuse")]

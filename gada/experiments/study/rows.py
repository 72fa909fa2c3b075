"""The row of a study: one variant on one split."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gada.errors import DataError
from gada.io.origin import Origin
from gada.io.records import Row

RENAMED = {"asked": "target"}  # of older files
GENERATOR = ("named", "target", "within", "distance")


@dataclass(frozen=True)
class StudyRow:
    """What a variant reaches on the test images of a split."""

    variant: str
    changes: dict[str, Any]
    after: str
    steps: int
    """Evaluator steps, with those of the variants before it."""
    stage: str
    split: int
    n: int
    srocc: float | None
    lcc: float | None
    origin: Origin
    srocc_mean: float | None = None
    """Mean over the distortion classes."""
    generator: Mapping[str, float | None] = field(default_factory=dict)
    """Of a generator: `named` (how often its class is predicted, relative to that of real crops), `target` and `within`
    (SROCC of target and predicted quality over all references and within each, means over classes), `distance` (kernel
    distance of features to those of real crops)."""

    def metric(self, name: str) -> float | None:
        """Return a metric by its name; None where there is none."""
        value: float | None = self.generator.get(name) if name in GENERATOR else getattr(self, name)
        return value

    def as_plain(self) -> Row:
        """Return the row as JSON holds it."""
        own = {name: value for name, value in vars(self).items() if name not in ("origin", "generator")}
        return {**own, **self.origin.as_plain(), **self.generator}

    @classmethod
    def from_plain(cls, plain: Row, place: str) -> "StudyRow":
        """Return the row that a file holds, also one of an older version.

        Raises:
            DataError: if an entry is missing or not valid; the message begins with `place`.
        """
        given: Row = {"after": "", "n": 0, "srocc": None, "lcc": None, "srocc_mean": None}
        given |= {RENAMED.get(name, name): value for name, value in plain.items()}
        names = ("variant", "changes", "after", "steps", "stage", "split", "n", "srocc", "lcc", "srocc_mean")
        try:
            generator = {name: given[name] for name in GENERATOR if name in given}
            return cls(**{name: given[name] for name in names}, origin=Origin.from_plain(given), generator=generator)
        except (KeyError, ValueError) as error:
            raise DataError(f"{place} has a row without {error}; name a file of results of `gada study`.") from error

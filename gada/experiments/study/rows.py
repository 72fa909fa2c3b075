"""The row of a study: one variant on one split."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from gada.errors import DataError
from gada.io.records import Row
from gada.io.results import ResultRow
from gada.metrics.correlation import ALL

OWN = ("variant", "changes", "after", "steps", "srocc_mean")
TAU = "tau, "  # before the name of a ladder
GENERATOR = ("named", "target", "within", "distance")


@dataclass(frozen=True)
class StudyRow:
    """What a variant reaches on the test images of a split."""

    variant: str
    changes: dict[str, Any]
    after: str
    steps: int
    """Evaluator steps, with those of the variants before it."""
    result: ResultRow
    """Of its last stage, over all distortion classes."""
    srocc_mean: float | None = None
    """Mean over the distortion classes."""
    generator: Mapping[str, float | None] = field(default_factory=dict)
    """Of a generator: `named` (how often its class is predicted, relative to that of real crops), `target` and `within`
    (SROCC of target and predicted quality over all references and within each, means over classes), `distance` (kernel
    distance of features to those of real crops)."""
    more: Mapping[str, float | None] = field(default_factory=dict)
    """Of an evaluator of whole images: SROCC of each further set and tau of each ladder, as the table names them."""

    @property
    def split(self) -> int:
        """Number of the split."""
        return self.result.split or 0

    @property
    def scored(self) -> int:
        """How many references kept their scores for the training; 0 is all."""
        return self.result.origin.scored

    def metric(self, name: str) -> float | None:
        """Return a metric by its name; None where there is none. `tau` is the mean over the ladders of distortions."""
        known = {**self.result.figures, **self.generator, **self.more, "srocc_mean": self.srocc_mean}
        taus = [value for key, value in self.more.items() if key.startswith(TAU) and value is not None]
        return known.get(name) if name != "tau" else fmean(taus) if taus else None

    def as_plain(self) -> Row:
        """Return the row as JSON holds it."""
        result = self.result.as_plain()
        del result["distortion"]
        return {**{name: getattr(self, name) for name in OWN}, **result, **self.generator, "more": dict(self.more)}

    @classmethod
    def from_plain(cls, plain: Row, place: str) -> "StudyRow":
        """Return the row that a file holds.

        Raises:
            DataError: if an entry is missing or not valid; the message begins with `place`.
        """
        given: Row = {"after": "", "srocc_mean": None, "n": 0, "distortion": ALL, "more": {}}
        given |= plain
        lacking = next((name for name in (*OWN, "stage", "split", "dataset", "machine") if name not in given), None)
        if lacking:
            raise DataError(f"{place} has a row without '{lacking}'; name a file of results of `gada study`.")
        generator = {name: given[name] for name in GENERATOR if name in given}
        own = {name: given[name] for name in (*OWN, "more")}
        return cls(**own, result=ResultRow.from_plain(given, place), generator=generator)

"""The scale of a database's scores: its range and its direction."""

from dataclasses import dataclass
from math import isfinite
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gada.errors import DataError

Number = TypeVar("Number", float, NDArray[np.float64])


@dataclass(frozen=True)
class Scale:
    """The scale of a database's scores: what they are called, their range and which end is good.

    This is the only place where the direction of MOS and DMOS is resolved. Inside the program quality is always
    in [0, 1] with 1 the best; a score that leaves the program is mapped back with `score`.
    """

    name: str
    """"MOS", "DMOS" or whatever the database calls its scores."""
    low: float
    """Least score of the scale, in its own unit."""
    high: float
    """Greatest score of the scale, in its own unit."""
    higher_is_better: bool
    """True for MOS, False for DMOS."""

    def __post_init__(self) -> None:
        if not (isfinite(self.low) and isfinite(self.high) and self.low < self.high):
            raise DataError(
                f"the scale {self.name} runs from {self.low} to {self.high}; low must be a number below high"
            )

    def __contains__(self, score: float) -> bool:
        return isfinite(score) and self.low <= score <= self.high

    def quality(self, score: Number) -> Number:
        """Map scores of this scale to quality in [0, 1], higher is better. Values outside the scale are not clipped."""
        span = self.high - self.low
        return (score - self.low) / span if self.higher_is_better else (self.high - score) / span

    def score(self, quality: Number) -> Number:
        """Map quality in [0, 1] to scores of this scale: the inverse of `quality`."""
        span = self.high - self.low
        return self.low + quality * span if self.higher_is_better else self.high - quality * span

    def describe(self) -> str:
        """Name, range and direction in one phrase, for example "DMOS, 0 to 100, lower is better"."""
        direction = "higher" if self.higher_is_better else "lower"
        return f"{self.name}, {self.low:g} to {self.high:g}, {direction} is better"

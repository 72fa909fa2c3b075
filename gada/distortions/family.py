"""What is known of one distortion family."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, floor, log

from numpy.random import Generator

from gada.distortions.pixels import Pixels


def fixed(method: Callable[[Pixels, float], Pixels]) -> Callable[[Pixels, float, Generator], Pixels]:
    """Give a method without randomness the shape of one with."""
    return lambda image, strength, _: method(image, strength)


@dataclass(frozen=True)
class Family:
    """One kind of distortion with its ladder of strengths."""

    name: str
    """Database and class, such as "live/jp2k"."""
    title: str
    """What a person calls it."""
    parameter: str
    """What the strength is."""
    unit: str
    """The unit of the strength."""
    strengths: tuple[float, ...]
    """The parameter at levels 1, 2, 3 and so on, mildest first."""
    apply: Callable[[Pixels, float, Generator], Pixels]
    """(image, strength, random numbers) to image."""
    source: str
    """Where method and strengths are from."""

    def strength(self, level: float) -> float:
        """Return the parameter at a real `level` from 1 to the last.

        Between two levels it is interpolated, geometrically where all strengths are positive. Strengths of both
        signs are a size and a direction: the size is interpolated, the direction is the nearest level's.
        """
        below = min(floor(level), len(self.strengths) - 1)
        fraction = level - below
        if fraction in (0.0, 1.0):
            return self.strengths[below - 1 + int(fraction)]
        low, high = abs(self.strengths[below - 1]), abs(self.strengths[below])
        size = (
            exp((1 - fraction) * log(low) + fraction * log(high))
            if low and high
            else (1 - fraction) * low + fraction * high
        )
        return size if self.strengths[below - 1 + round(fraction)] >= 0 else -size

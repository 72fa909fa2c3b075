"""From a picture to a score: crops, the evaluator, their mean (paper, section 4.2, testing protocol)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gada.data.crops import evaluation_crops
from gada.data.records import Scale

CROPS_AT_ONCE = 240  # bounds memory; a score does not depend on it


class Judged(NamedTuple):
    """What an evaluator says of crops."""

    probabilities: NDArray[np.float64]
    """Of each distortion class, (N, K)."""
    quality: NDArray[np.float64]
    """(N,) in [0, 1], higher is better."""


class Backend(Protocol):
    """An evaluator at work, whatever runs it."""

    def judge(self, crops: NDArray[np.uint8]) -> Judged:
        """Judge crops (N, 3, H, W) uint8."""


@dataclass(frozen=True)
class Prediction:
    """The score of one picture."""

    score: float
    """On the model's scale; its name, range and direction stand in the card."""
    quality: float
    """In [0, 1], higher is better."""
    spread: float
    """Standard deviation of the crops' scores, in units of the scale."""
    distortion: str
    """The most probable distortion class; "" for a model without classes."""
    probability: float
    """Its mean probability over the crops; 1 for a model without classes."""


class Scorer:
    """Scores pictures with one evaluator.

    Args:
        backend: what runs the evaluator.
        card: the checkpoint's card: "scale", "classes", "crop_size".
        crops: random crops an image; 30 in the paper.
        seed: of the crop positions, which depend on it and on the image's size alone.
    """

    def __init__(self, backend: Backend, card: Mapping[str, Any], crops: int = 30, seed: int = 0) -> None:
        self.backend = backend
        self.card = card
        self.scale = Scale(**card["scale"])
        self.classes: tuple[str, ...] = tuple(card["classes"])
        self.size = int(card["crop_size"])
        self.crops = crops
        self.seed = seed

    def describe(self) -> str:
        """Return what the scores are, in one line: model, scale, direction, and whether people gave them."""
        origin = "a proxy, not human scores" if self.card.get("proxy") else "human scores"
        return f"{self.card['name']}: {self.scale.describe()}; fitted to {self.card['data']} ({origin})"

    def __call__(self, image: NDArray[np.uint8]) -> Prediction:
        """Score one picture, (H, W, 3) uint8 of any size; one smaller than a crop is reflected up to it."""
        return next(self.score_all([image]))

    def score_all(self, images: Iterable[NDArray[np.uint8]]) -> Iterator[Prediction]:
        """Score pictures, several at once; yields in the order given."""
        waiting: list[NDArray[np.uint8]] = []
        for image in images:
            waiting.append(evaluation_crops(reflect_up(image, self.size), self.seed, self.crops, self.size))
            if len(waiting) * self.crops >= CROPS_AT_ONCE:
                yield from self.predictions(waiting)
                waiting.clear()
        if waiting:
            yield from self.predictions(waiting)

    def predictions(self, crops: list[NDArray[np.uint8]]) -> Iterator[Prediction]:
        """Score pictures that are already cut, each (crops, 3, size, size) uint8."""
        judged = self.backend.judge(np.concatenate(crops))
        for index in range(len(crops)):
            chosen = slice(index * self.crops, (index + 1) * self.crops)
            qualities, probabilities = judged.quality[chosen], judged.probabilities[chosen].mean(axis=0)
            quality, best = float(qualities.mean()), int(probabilities.argmax())
            yield Prediction(
                score=self.scale.score(quality),
                quality=quality,
                spread=float(qualities.std()) * (self.scale.high - self.scale.low),
                distortion=self.classes[best] if self.classes else "",
                probability=float(probabilities[best]),
            )


def reflect_up(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Reflect an image (H, W, 3) at its borders until both sides have at least `size` pixels."""
    missing = [max(0, size - side) for side in image.shape[:2]]
    if not any(missing):
        return image
    return np.pad(image, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")

"""Batches for an evaluator of whole images: several scored sets, photos in order, and images without content."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.random import PCG64, Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from gada.data.blank import blank, on_canvas
from gada.data.crops import crop_at
from gada.data.whole_view import reduced
from gada.distortions.graded import GRADED

Pixels = NDArray[np.uint8]
TRIPLE = 3
"""Images of one photo in an order: itself, a milder and a stronger version."""
MILD = 1 / 3
"""Fraction of orders whose strengths are mild, where they are hardest to tell."""
HARD, HARDEST = ("JPEG", "noise"), 2 / 3
"""Distortions whose mild versions are hardest to tell apart, and the fraction of mild orders that they make."""
CANVAS = 0.4
"""Fraction of images without content that are a photo on a canvas."""
BLANK_LIMIT, CANVAS_LIMIT = -1.5, -0.5
"""Greatest quality that images without content should get, in standard deviations of human scores."""


@dataclass(frozen=True)
class ScoredViews:
    """The training images of one scored set, as they are seen whole."""

    name: str
    """Of the set."""
    views: Sequence[Pixels]
    """(h, w, 3) uint8 each."""
    quality: NDArray[np.float32]
    """Human scores, higher is better, in standard deviations from their mean, (n,)."""
    count: int
    """How many of them each batch holds."""
    files: Sequence[str] = ()
    """Names of the images, for messages."""


class Order(NamedTuple):
    """A photo and two versions of it, of which the second is worse."""

    images: list[Pixels]
    """(H, W, 3) uint8, of one size: the photo, the milder and the stronger version."""
    strength: list[float]
    """Of the distortion, in [0, 1]; rising, 0 for the photo."""


class WholeBatch(NamedTuple):
    """One training step; all images are windows of one size."""

    images: Tensor
    """(N, 3, S, S) uint8: those of each set in turn, then of each order, then those without content."""
    quality: Tensor
    """Of the images with a human score, (M,), in standard deviations of their set."""
    number: Tensor
    """Which set each of them is of, (M,) int64."""
    strength: Tensor
    """Of each order's three images, (T, 3) in [0, 1]; rising."""
    limit: Tensor
    """Greatest quality of each image without content, (B,)."""


class WholeBatches(Dataset[WholeBatch]):
    """Batches as a pure function of (seed, step), so that a resumed training reads what it would have read.

    Args:
        sets: the scored sets.
        photos: undistorted photos, of which orders are made; they need no scores.
        orders: how many of them each batch holds, of distortions drawn anew.
        blanks: how many images without content each batch holds.
        window: S, the side of the square that is trained on, in pixels.
        longer_side: of a view, in pixels; distorted photos are reduced to it.
        steps: length of the data set.
        seed: of everything random here.
        generated: orders that a generator has made.
        generated_orders: how many of these each batch holds.
    """

    def __init__(
        self,
        sets: Sequence[ScoredViews],
        photos: Sequence[Pixels],
        *,
        orders: int,
        blanks: int,
        window: int,
        longer_side: int,
        steps: int,
        seed: int,
        generated: Sequence[Order] = (),
        generated_orders: int = 0,
    ) -> None:
        self.sets, self.photos, self.orders, self.blanks = sets, photos, orders, blanks
        self.generated, self.generated_orders = generated, generated_orders if generated else 0
        self.window, self.longer_side, self.steps, self.seed = window, longer_side, steps, seed

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> WholeBatch:
        if not 0 <= step < self.steps:
            raise IndexError(f"step {step} of {self.steps}")
        random = Generator(PCG64([self.seed, step]))
        chosen = self.chosen(step)
        images = [
            self.cut(random, [one.views[index]])[0]
            for one, rows in zip(self.sets, chosen, strict=True)
            for index in rows
        ]
        strength, limit = [], []
        for order in self.drawn_orders(random):
            images += self.cut(random, order.images)
            strength.append(order.strength)
        for image, most in self.drawn_blanks(random):
            images.append(image)
            limit.append(most)
        return WholeBatch(
            torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(),
            torch.from_numpy(np.concatenate([one.quality[rows] for one, rows in zip(self.sets, chosen, strict=True)])),
            torch.from_numpy(np.repeat(np.arange(len(self.sets)), [len(rows) for rows in chosen])),
            torch.tensor(strength, dtype=torch.float32).reshape(-1, TRIPLE),
            torch.tensor(limit, dtype=torch.float32),
        )

    def drawn_orders(self, random: Generator) -> Iterator[Order]:
        """Yield the orders of a batch."""
        for _ in range(self.orders):
            versions, strength = in_order(random, self.photos[int(random.integers(len(self.photos)))])
            yield Order([reduced(version, self.longer_side) for version in versions], strength)
        for _ in range(self.generated_orders):
            yield self.generated[int(random.integers(len(self.generated)))]

    def drawn_blanks(self, random: Generator) -> Iterator[tuple[Pixels, float]]:
        """Yield the images without content of a batch, (S, S, 3) uint8, each with its greatest quality."""
        for _ in range(self.blanks):
            if random.random() < CANVAS:
                photo = self.photos[int(random.integers(len(self.photos)))]
                yield on_canvas(random, photo, self.window), CANVAS_LIMIT
            else:
                yield blank(random, self.window), BLANK_LIMIT

    def chosen(self, step: int) -> list[NDArray[np.int64]]:
        """Return which images of each set a step takes; each epoch of a set is a permutation of it."""
        found = []
        for number, one in enumerate(self.sets):
            total = len(one.views)
            places = np.arange(step * one.count, (step + 1) * one.count)
            rows = [
                Generator(PCG64([self.seed, number, epoch])).permutation(total)[
                    places[places // total == epoch] % total
                ]
                for epoch in np.unique(places // total).tolist()
            ]
            found.append(np.concatenate(rows))
        return found

    def files_of(self, step: int) -> list[str]:
        """Return the scored images that a step is trained on."""
        return [
            one.files[index]
            for one, rows in zip(self.sets, self.chosen(step), strict=True)
            for index in rows
            if one.files
        ]

    def cut(self, random: Generator, views: Sequence[Pixels]) -> list[Pixels]:
        """Cut the same window from views of one size, all mirrored or none."""
        height, width = views[0].shape[:2]
        top, left = (int(random.integers(max(1, side - self.window + 1))) for side in (height, width))
        step = -1 if random.random() < 0.5 else 1
        return [crop_at(view, top, left, self.window)[:, ::step] for view in views]


def in_order(random: Generator, photo: Pixels) -> Order:
    """Return a photo, a milder and a stronger version by one distortion."""
    is_mild = random.random() < MILD
    drawn = random.choice(HARD) if is_mild and random.random() < HARDEST else random.choice(list(GRADED))
    apply = GRADED[str(drawn)]
    if is_mild:
        mild = random.uniform(0.0, 0.3)
        strong = random.uniform(mild + 0.06, 0.5)
    else:
        mild = random.uniform(0, 0.88) ** 1.3
        strong = random.uniform(mild + 0.1, 1)
    return Order([photo, apply(photo, mild, random), apply(photo, strong, random)], [0.0, mild, strong])

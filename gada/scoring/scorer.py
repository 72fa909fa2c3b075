"""From an image to a score: crops, the evaluator, their mean (paper, section 4.2, testing protocol)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gada.data.crops import cut
from gada.data.whole_view import SMALLEST, resized, view_size, whole_view
from gada.io.cards import Card
from gada.io.pixels import MAX_PIXELS, Decoding, Range
from gada.metrics.scale import Scale
from gada.scoring.inputs import ImageLike, is_many, pixels_from
from gada.scoring.views import Mode, corners_of, cover, flat_fraction, positions

AT_ONCE = 128 * 128 * 60  # pixels predicted at once; bounds memory, a score does not depend on it
FLAT = 0.7  # of an image; of 1,000 photos of BIQ2021 four are flatter, and any photo on a canvas of twice its sides


class CropPredictions(NamedTuple):
    """What an evaluator predicts for crops."""

    probabilities: NDArray[np.float64]
    """Of each distortion class, (N, K)."""
    quality: NDArray[np.float64]
    """(N,) in [0, 1], higher is better."""
    distance: NDArray[np.float64] = np.zeros(1)
    """How unlike the training photos they are, (N,); for a model that does not know, 0 for all."""


class Backend(Protocol):
    """An evaluator at work, whatever runs it."""

    def predict(self, crops: NDArray[np.uint8]) -> CropPredictions:
        """Predict for crops (N, H, W, 3) uint8."""


@dataclass(frozen=True)
class Prediction:
    """The score of one image."""

    score: float
    """On the model's scale."""
    quality: float
    """In [0, 1], higher is better."""
    spread: float
    """Standard deviation of the crops' scores, in units of the scale."""
    distortion: str
    """The most probable distortion class; "" for a model without classes."""
    probability: float
    """Its mean probability over the crops; 1 for a model without classes."""
    scale: Scale
    """Name, range and direction of the score."""
    model: str
    """Which model gave it: its name and the first digits of its file's SHA-256."""
    unusual: str = ""
    """Why the score says little: the image is mostly flat, or unlike the training photos; "" where neither is so."""
    percentile: float | None = None
    """Percentage of the training photos that are worse; None for a model that does not know."""


class QualityMap(NamedTuple):
    """Scores of the parts of an image."""

    scores: NDArray[np.float64]
    """(R, C), on the model's scale."""
    tops: NDArray[np.int64]
    """Upper edge of each row of parts, in pixels, (R,)."""
    lefts: NDArray[np.int64]
    """Left edge of each column of parts, in pixels, (C,)."""
    size: int
    """Side of a part, in pixels."""


class Scorer:
    """Scores images with one evaluator.

    Args:
        backend: what runs the evaluator.
        card: the checkpoint's card; where it has a `whole_view`, mode, crops and seed change nothing.
        mode: `crops` (random), `grid` (fixed and stratified) or `dense` (the mean over crops that cover the image).
        crops: crops an image; by default 30 (the paper's) in mode `crops`, few in `grid`.
        seed: of the random positions of mode `crops`, which depend on it and on the image's size alone.
        digest: SHA-256 of the model's file.
    """

    def __init__(
        self,
        backend: Backend,
        card: Card,
        mode: Mode = "grid",
        crops: int | None = None,
        seed: int = 0,
        digest: str = "",
    ) -> None:
        self.backend = backend
        self.card = card
        self.scale, self.classes = card.scale, card.classes
        self.size, self.grid = card.crop_size, card.crop_grid
        self.digest = digest
        self.mode: Mode = mode
        self.crops = crops
        self.seed = seed
        self.model = f"{card.name} {digest[:12]}".strip()
        self.corners(self.size, self.size)  # a wrong mode or count is refused at once

    def describe(self) -> str:
        """Return what the scores are, in one line: model, scale, direction, and whether people gave them."""
        return f"{self.card.name}: {self.meaning()}"

    def meaning(self) -> str:
        """Return the same without the model's name."""
        origin = "a proxy, not human scores" if self.card.proxy else "human scores"
        return f"{self.scale.describe()}; fitted to {self.card.title} ({origin})"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.card.name}: {self.scale.describe()}; {self.protocol()}>"

    def protocol(self) -> str:
        """Return how images are cut, in one phrase that tells two protocols apart."""
        if self.card.whole_view:
            return f"whole image at {self.card.whole_view}"
        if self.mode == "dense":
            return "dense"
        count = len(self.corners(self.size, self.size))
        return f"{count} crops, seed {self.seed}" if self.mode == "crops" else f"grid of {count}"

    def __call__(
        self,
        images: ImageLike,
        *,
        max_pixels: int = MAX_PIXELS,
        float_range: Range | None = None,
        white: int | None = None,
    ) -> Any:  # a Prediction, or a list of them
        """Score one image or several.

        Args:
            images: a path, the bytes of a file, a Pillow image, an array (H, W, 3) uint8 or a tensor (3, H, W) uint8
                or in [0, 1]; or a list of any of these, an array (N, H, W, 3) or a tensor (N, 3, H, W). An image
                smaller than a crop is reflected up to it.
            max_pixels: height x width allowed in a file.
            float_range: the (black, white) values of files and arrays of floats.
            white: the white of 16-bit samples, such as 4095 where they hold 12 bits.

        Returns:
            A `Prediction`, or a list of them in the order given.

        Raises:
            DataError: if an image cannot be read, or is too thin for mode `dense`.
        """
        decoding = Decoding(max_pixels, float_range, white)
        if is_many(images):
            return list(self.score_all(pixels_from(image, decoding) for image in images))
        return next(self.score_all([pixels_from(images, decoding)]))

    def score_all(self, images: Iterable[NDArray[np.uint8]]) -> Iterator[Prediction]:
        """Score images (H, W, 3) uint8, several at once; yields in the order given."""
        waiting: list[NDArray[np.uint8]] = []
        for image in images:
            waiting.append(self.cut(image))
            if self.is_full(waiting):
                yield from self.predictions(waiting)
                waiting.clear()
        yield from self.predictions(waiting)

    def corners(self, height: int, width: int) -> NDArray[np.int64]:
        """Return the (top, left) of each crop of an image of this size, (n, 2)."""
        return positions(self.mode, height, width, self.size, self.crops, self.seed, self.grid)

    def cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the crops of an image (H, W, 3) by which it is scored, (n, size, size, 3), or its view (1, h, w, 3).

        Raises:
            DataError: if it is too thin for mode `dense`.
        """
        if self.card.whole_view:
            return whole_view(image, self.card.whole_view)[None]
        return cut(image, self.corners(image.shape[0], image.shape[1]), self.size)

    def is_full(self, waiting: list[NDArray[np.uint8]]) -> bool:
        """Return whether so many crops wait that they should be scored."""
        return sum(crops.size for crops in waiting) >= 3 * AT_ONCE

    def predictions(self, cuts: list[NDArray[np.uint8]]) -> Iterator[Prediction]:
        """Score images that are already cut, each (n, h, w, 3) uint8."""
        if self.card.whole_view:  # of many sizes, and no faster together
            yield from (self.mean(self.predict(view), view) for view in cuts)
            return
        if not cuts:
            return
        found = self.predict(np.concatenate(cuts) if len(cuts) > 1 else cuts[0])
        start = 0
        for crops in cuts:
            chosen = slice(start, start := start + len(crops))
            yield self.mean(CropPredictions(found.probabilities[chosen], found.quality[chosen]), crops)

    def predict(self, crops: NDArray[np.uint8]) -> CropPredictions:
        """Predict for any number of crops (N, H, W, 3) in bounded memory."""
        step = max(1, AT_ONCE // (crops.shape[1] * crops.shape[2]))
        parts = [self.backend.predict(crops[start : start + step]) for start in range(0, len(crops), step)]
        return CropPredictions(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def mean(self, found: CropPredictions, crops: NDArray[np.uint8]) -> Prediction:
        """Return the prediction for one image from those for its crops."""
        probabilities = found.probabilities.mean(axis=0)
        quality, best = float(found.quality.mean()), int(probabilities.argmax())
        return Prediction(
            score=self.scale.score(quality),
            quality=quality,
            spread=float(found.quality.std()) * (self.scale.high - self.scale.low),
            distortion=self.classes[best] if self.classes else "",
            probability=float(probabilities[best]),
            scale=self.scale,
            model=self.model,
            unusual=self.unusual(float(found.distance.max()), crops),
            percentile=self.percentile(quality),
        )

    def unusual(self, distance: float, crops: NDArray[np.uint8]) -> str:
        """Return why the score of an image says little; "" where nothing is known against it."""
        limit = self.card.usual_distance
        if flat_fraction(crops) > FLAT:
            return "mostly flat"
        return "unlike the training photos" if limit is not None and distance > limit else ""

    def percentile(self, quality: float) -> float | None:
        """Return the percentage of the training photos that are worse; None for a model that does not know."""
        if not self.card.quantiles:
            return None
        return float(np.interp(quality, self.card.quantiles, np.linspace(0, 100, len(self.card.quantiles))))

    def predict_map(
        self,
        image: ImageLike,
        *,
        most: int | None = None,
        max_pixels: int = MAX_PIXELS,
        float_range: Range | None = None,
        white: int | None = None,
    ) -> QualityMap:
        """Score every part of an image: crops that cover it, as in mode `dense`.

        Args:
            image: one image, as for a call.
            most: at most so many parts; of a larger image only some rows and columns are scored, evenly spread.
            max_pixels: height x width allowed in a file.
            float_range: the (black, white) values of files and arrays of floats.
            white: the white of 16-bit samples.

        Raises:
            DataError: if the image cannot be read, or is too thin to be covered.
        """
        pixels = pixels_from(image, Decoding(max_pixels, float_range, white))
        (height, width), size, grid = pixels.shape[:2], self.size, self.grid
        if self.card.whole_view:  # a third of the view, at up to twice its resolution
            size, grid = max(SMALLEST, self.card.whole_view // 3), 1
            seen_at = min(max(height, width, self.card.whole_view), 2 * self.card.whole_view)
            pixels = resized(pixels, view_size(height, width, seen_at))
        tops, lefts = cover(pixels.shape[0], pixels.shape[1], size, grid, most)
        quality = self.predict(cut(pixels, corners_of(tops, lefts), size)).quality
        factor = height / pixels.shape[0]
        tops, lefts = (np.rint(starts * factor).astype(np.int64) for starts in (tops, lefts))
        return QualityMap(self.scale.score(quality).reshape(len(tops), len(lefts)), tops, lefts, round(size * factor))

"""The trust checks: order within a photo, images without content, camera sizes, speed, and the D-, L- and P-test."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.data.proxy import noise_seed
from gada.data.whole_view import reduced
from gada.errors import DataError
from gada.experiments.dlp import run_dlp
from gada.experiments.trust.probes import Pixels, blurred_at_size, on_canvas, product, without_content
from gada.io.folders import images_in
from gada.io.images import read_image
from gada.io.progress import with_progress
from gada.metrics.correlation import defined, srocc
from gada.scoring.ladders import LADDERS
from gada.scoring.order import Curves, order_curves, order_metrics
from gada.scoring.scorer import Prediction, Scorer
from gada.scoring.streaming import score_files
from gada.settings import EvaluationSettings

SEEN_AT = 512
"""Longer side, in pixels, at which distortions are made and large photos are compared: as on a screen."""
CAMERA = 8_000_000
"""Pixels from which a photo counts as a camera's own file."""
FEWEST = 3
"""Photos below which a rank agreement means nothing."""
SPEED = 120.0
"""Images a second, decoding included, on two cores with ONNX Runtime."""


@dataclass(frozen=True)
class Check:
    """One row of the table."""

    test: str
    """`order`, `size`, `content`, `dlp` or `speed`."""
    case: str
    """Which distortion, image or figure."""
    value: float | None
    """What was measured; None where the photos do not allow it."""
    limit: float
    """What a model to be trusted reaches."""
    n: int
    """Photos, or images, that the value is of."""
    note: str = ""
    """What else was seen."""

    @property
    def passed(self) -> bool | None:
        """Whether the limit is reached; None where nothing was measured."""
        return None if self.value is None else self.value >= self.limit


@dataclass(frozen=True)
class Trust:
    """All checks of one model."""

    name: str
    """The model's name and the first digits of its file's SHA-256."""
    model: str
    """The model in one line."""
    photos: int
    checks: tuple[Check, ...]
    curves: Curves


def check_trust(scorer: Scorer, photos: Path, seed: int = 0) -> Trust:
    """Show a model distorted, empty and large images, and measure what it says.

    Args:
        scorer: of the model.
        photos: folder of undistorted photos that the model was not trained on.
        seed: of the noise in distorted versions.

    Raises:
        DataError: if the folder has fewer than three photos, or one cannot be read.
    """
    paths = images_in(photos, "--photos")
    if len(paths) < FEWEST:
        raise DataError(f"{photos} has {len(paths)} photos, but rank agreement needs at least {FEWEST}.")
    images = [reduced(read_image(path), SEEN_AT) for path in paths]
    seeds = [noise_seed(seed, path.name, "trust", 0) for path in paths]
    curves = order_curves(scorer, list(with_progress(images, "distortions", len(images))), seeds)
    originals = curves[LADDERS[0].name][:, 0]
    checks = [
        *order(curves),
        *content(scorer, images, originals, seed),
        *size(scorer, paths),
        *three_tests(scorer, photos, seed),
        speed(scorer, paths),
    ]
    return Trust(scorer.card.name, f"{scorer.model}: {scorer.meaning()}", len(paths), tuple(checks), curves)


def order(curves: Curves) -> Iterator[Check]:
    """Yield for each ladder Kendall's tau of level and falling quality, averaged over photos."""
    found = order_metrics(curves)
    for ladder in LADDERS:
        rows = curves[ladder.name]
        wins = int((rows[:, -1] >= rows[:, 0]).sum())
        note = f"the strongest beats the photo itself in {wins}" if wins else ""
        yield Check("order", ladder.name, found[ladder.name], ladder.limit, len(rows), note)


def content(scorer: Scorer, photos: Sequence[Pixels], originals: NDArray[np.float64], seed: int) -> Iterator[Check]:
    """Yield how many images without content score below the median photo, and how many are marked as unusual."""
    height, width = photos[0].shape[:2]
    shown = without_content(height, width, seed)
    shown["photo on white"], shown["product on white"] = on_canvas(photos[0]), product(photos[0])
    found: list[Prediction] = list(scorer.score_all(shown.values()))
    median = float(np.median(originals))
    for what, good in (
        ("below the median photo", [one.quality <= median for one in found]),
        ("marked as unusual", [bool(one.unusual) for one in found]),
    ):
        bad = [name for name, is_good in zip(shown, good, strict=True) if not is_good]
        yield Check("content", what, float(np.mean(good)), 1.0, len(good), f"not: {', '.join(bad)}" if bad else "")
    usual = [not one.unusual for one in scorer.score_all(photos)]
    yield Check("content", "photos not marked", float(np.mean(usual)), 0.9, len(usual))


def size(scorer: Scorer, paths: Sequence[Path]) -> Iterator[Check]:
    """Yield how camera files rank beside their own small versions, and how often a blur at full size lowers the score.

    Photos are read one at a time, for one takes some 60 MB.
    """
    full, small, lowered = [], [], []
    for path in paths:
        image = read_image(path)
        if image.shape[0] * image.shape[1] < CAMERA:
            continue
        one, other, blurred = scorer.score_all([image, reduced(image, SEEN_AT), blurred_at_size(image)])
        full.append(one.quality)
        small.append(other.quality)
        lowered.append(blurred.quality < one.quality)
    enough = len(full) >= FEWEST
    note = "" if enough else f"needs {FEWEST} photos of {CAMERA / 1e6:.0f} megapixels or more"
    agreement = (defined(srocc, full, small) or 0.0) if enough else None
    yield Check("size", "rank agreement with 512 pixels", agreement, 0.95, len(full), note)
    yield Check(
        "size", "a blur lowers the score", float(np.mean(lowered)) if enough else None, 29 / 30, len(full), note
    )


def three_tests(scorer: Scorer, photos: Path, seed: int) -> Iterator[Check]:
    """Yield the D-, L- and P-test of Ma et al. (2017)."""
    found = run_dlp(scorer, photos, EvaluationSettings(seed=seed, shorter_side=SEEN_AT))
    yield Check("dlp", "D-test", found.discriminability.value, 0.85, found.photos)
    for name, one in found.consistency.items():
        if name != "ALL":
            yield Check("dlp", f"L-test, {name}", one.srocc, 0.95, found.photos)
    yield Check("dlp", "P-test", found.preference.value, 0.99, found.preference.pairs)


def speed(scorer: Scorer, paths: Sequence[Path]) -> Check:
    """Return how many files a second are read and scored; the machine decides as much as the model."""
    start = time.perf_counter()
    count = sum(1 for _ in score_files(scorer, paths))
    return Check("speed", "files a second, decoding included", count / (time.perf_counter() - start), SPEED, count)

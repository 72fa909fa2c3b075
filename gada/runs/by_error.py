"""The test images of a run by the error of their prediction, with prediction and truth."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gada.data.cache import PackedImages
from gada.data.records import ScoredSet
from gada.distortions.names import distortion_name
from gada.errors import DataError
from gada.io.records import harmless
from gada.reports.page import Figure, Section

PARTS = 4  # of the range of true scores; each gives one image, so that not only the blurriest are shown
LARGEST = 512  # pixels of a side of a shown image


class Scored(NamedTuple):
    """A test image with its scores, as a stage left it."""

    error: float
    """|score - predicted|, in units of the scale."""
    image: str
    """Its name, `harmless` as in the file."""
    distortion: str
    score: float
    predicted: float
    reference: str = ""


def scores_of(folder: Path) -> list[Scored]:
    """Return the test images in the `scores.csv` of a stage's folder.

    Raises:
        DataError: if the file is missing or damaged.
    """
    try:
        with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
            rows = [(row, float(row["score"]), float(row["predicted"])) for row in csv.DictReader(file)]
            return [
                Scored(abs(score - predicted), row["image"], row["distortion"], score, predicted, row["reference"])
                for row, score, predicted in rows
            ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder / 'scores.csv'} cannot be read; delete {folder} to train it anew.") from error


def chosen_by_error(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Return the images with the smallest, the median and the largest error, one from each quarter of the true scores.

    Of an image that was tested in several splits, the smallest error counts.
    """
    once = {one.image: one for one in sorted(scored, reverse=True)}.values()
    by_score = sorted(once, key=lambda one: one.score)
    quarters = np.array_split(np.arange(len(by_score)), PARTS)
    ordered = [sorted(by_score[at] for at in quarter) for quarter in quarters if len(quarter)]
    places = {"Smallest error": 0.0, "Typical error": 0.5, "Largest error": 1.0}
    return {name: [one[round(at * (len(one) - 1))] for one in ordered] for name, at in places.items()}


def by_error_section(scored: Sequence[Scored], images: ScoredSet, packed: PackedImages) -> Section:
    """Return the test images that are predicted best, typically and worst, in order of their true score."""
    paths = {harmless(images.name_of(record)): record.image for record in images.images}
    tiles = {
        name: [tile(one, packed.array(paths[one.image]), images.name) for one in row]
        for name, row in chosen_by_error(scored).items()
    }
    text = f"One image from each quarter of the true scores. Scores: {images.scale.describe()}."
    return Section("Images by error", [text], tiles=tiles, shows_database=True)


def tile(one: Scored, pixels: NDArray[np.uint8], data: str) -> Figure:
    """Return an image, reduced, with its scores."""
    kind = f"{distortion_name(one.distortion, data)}. " if one.distortion else ""
    caption = f"Predicted {one.predicted:.3g}, true {one.score:.3g}. {kind}{one.image}"
    return Figure(jpeg(pixels), caption, f"{one.image}, predicted {one.predicted:.3g}, true {one.score:.3g}")


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """Return an image (H, W, 3) as a JPEG file of at most `LARGEST` pixels a side."""
    image, file = Image.fromarray(pixels), io.BytesIO()
    image.thumbnail((LARGEST, LARGEST))
    image.save(file, "JPEG", quality=92, subsampling=0)
    return file.getvalue()

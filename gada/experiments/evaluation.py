"""A trained evaluator against the scores of a set (paper, section 4.2)."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gada.io.files import check_writable
from gada.io.images import read_image
from gada.io.progress import with_progress
from gada.io.records import read_rows, write_rows
from gada.io.results import ResultRow
from gada.metrics.statistics import srocc_interval
from gada.runs.evaluation import Evaluated
from gada.runs.unseen import Side, UnseenImages
from gada.scoring.loading import load_scorer
from gada.settings import DataSettings, EvaluationSettings, SplitSettings


@dataclass(frozen=True)
class Evaluation:
    """What an evaluator is worth on a set."""

    rows: list[ResultRow]
    model: str
    """The evaluator in one line: scale, direction, what it was fitted to."""
    sha256: str
    left_out: dict[str, str] | None
    """Scenes left out, each with the one of the evaluator's training that it shows; None if that is unknown."""
    trained_on: str
    """The sets whose scores trained it."""
    interval: list[float] | None
    """95 % interval of the SROCC over all images, by references; None where they are too few."""

    def keep(self, results: Path, name: str) -> None:
        """Add the row over all images to a file of a cross-database table, in the place of one of the same pair.

        Args:
            results: the file, JSON lines; it is made if it does not exist.
            name: of the evaluator.

        Raises:
            ConfigError: if the file holds something else.
        """
        (over_all,) = [row for row in self.rows if row.is_all]
        row = {"model": name, "trained_on": self.trained_on, "interval": self.interval, **over_all.as_plain()}
        pair = ("model", "dataset")
        kept = [other for other in read_rows(results) if any(other.get(key) != row[key] for key in pair)]
        write_rows(results, [*kept, row])


def evaluate_model(
    model: str,
    side: Side,
    data: DataSettings,
    split: SplitSettings,
    evaluation: EvaluationSettings,
    device: str = "auto",
    out: Path | None = None,
    keep_shared: bool = False,
) -> Evaluation:
    """Score one side of a database with a trained evaluator.

    Args:
        model: what `find_checkpoint` accepts.
        side: which side of the split; `all` for a database that the model never saw.
        data: which scored images.
        split: how their references are divided.
        evaluation: crops an image, their seed, and the size to which large images are reduced.
        device: where to run the evaluator.
        out: CSV file for the score of every image, or none.
        keep_shared: keep scenes that the evaluator was trained on.

    Raises:
        ConfigError: if the model is not found, or was trained on another split.
        DataError: if the data are missing or invalid, or nothing of them is left.
    """
    if out:
        check_writable(out)
    scorer = load_scorer(model, "crops", evaluation.crops, evaluation.seed, device)
    unseen = UnseenImages(data, side, split, scorer.card, keep_shared=keep_shared)
    images = unseen.images
    bar = with_progress(images.images, "evaluate", len(images))
    pixels = (reduced(read_image(record.image), evaluation.shorter_side) for record in bar)
    evaluated = Evaluated(scorer, images, pixels)
    if out:
        evaluated.write_scores(out)
    number = None if side == "all" else split.number
    rows = evaluated.rows(scorer.card.stage or "evaluator", number, evaluation.seed)
    trained_on = ", ".join(dict.fromkeys([scorer.card.data, *(one.name for one in scorer.card.sets)]))
    references = [record.reference_id for record in images.images]
    interval = srocc_interval(evaluated.predicted, evaluated.scores, references)
    return Evaluation(rows, scorer.describe(), scorer.digest, unseen.left_out, trained_on, interval)


def reduced(image: NDArray[np.uint8], shorter_side: int | None) -> NDArray[np.uint8]:
    """Return an image, if it is larger, with this shorter side."""
    height, width = image.shape[:2]
    factor = (shorter_side or height) / min(height, width)
    if shorter_side is None or factor >= 1:
        return image
    size = (round(width * factor), round(height * factor))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))

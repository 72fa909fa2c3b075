"""A trained evaluator against the scores of a set (paper, section 4.2)."""

import csv
import io
from pathlib import Path
from typing import Literal

import numpy as np

from gada.data.cache import PackedImages
from gada.data.databases import load_database
from gada.data.records import ScoredSet
from gada.data.splits import split_by_reference
from gada.experiments.report import run_provenance
from gada.io.checkpoints import find_checkpoint
from gada.io.files import write_text
from gada.io.records import Row
from gada.metrics.correlation import rows_by_distortion
from gada.reports.layout import Provenance
from gada.scoring.scorer import Prediction, Scorer
from gada.scoring.torch_backend import load_scorer
from gada.settings import DataSettings, EvaluationSettings, SplitSettings

Side = Literal["test", "validation", "train", "all"]


def predict(scorer: Scorer, images: ScoredSet, packed: PackedImages) -> list[Prediction]:
    """Return the predictions for a set, in its order."""
    return list(scorer.score_all(packed.array(record.image) for record in images.images))


def result_rows(predictions: list[Prediction], images: ScoredSet, stage: str, split: int) -> list[Row]:
    """Return one result row for each distortion class and one for ALL.

    Predictions are brought to the set's own scale through quality, so that a model trained on another scale or
    direction is judged fairly.
    """
    predicted = np.array([images.scale.score(prediction.quality) for prediction in predictions])
    true = np.array([record.score for record in images.images])
    distortions = [record.distortion for record in images.images]
    return rows_by_distortion(predicted, true, distortions, stage, split, classes=images.classes)


def write_scores(path: Path, predictions: list[Prediction], images: ScoredSet) -> None:
    """Write one CSV line for each image: file, class, true and predicted score, spread over crops."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", "reference", "distortion", "score", "predicted", "spread"])
    for record, prediction in zip(images.images, predictions, strict=True):
        name = record.image.relative_to(images.root).as_posix()
        predicted = images.scale.score(prediction.quality)
        spread = prediction.spread
        writer.writerow(
            [name, record.reference_id, record.distortion, f"{record.score:.6g}", f"{predicted:.6f}", f"{spread:.6f}"]
        )
    write_text(path, text.getvalue())


def evaluate_model(
    model: str,
    side: Side,
    data: DataSettings,
    split: SplitSettings,
    evaluation: EvaluationSettings,
    device: str = "auto",
    out: Path | None = None,
) -> tuple[list[Row], Provenance]:
    """Score one side of a database with a trained evaluator.

    Args:
        model: what `find_checkpoint` accepts.
        side: which side of the split; `all` for a database that the model never saw.
        data: which scored images.
        split: how their references are divided.
        evaluation: crops an image and their seed.
        device: where to run the evaluator.
        out: CSV file for the score of every image, or none.

    Returns:
        Result rows, and where they come from.

    Raises:
        ConfigError: if the model is not found.
        DataError: if the data are missing or invalid.
    """
    scorer = load_scorer(find_checkpoint(model, "evaluator"), device, evaluation.crops, evaluation.seed)
    whole = load_database(data)
    packed = PackedImages.open(whole.files, whole.root, data.cache)
    images = one_side(whole, side, split)
    predictions = predict(scorer, images, packed)
    if out:
        write_scores(out, predictions, images)
    rows = result_rows(predictions, images, str(scorer.card.get("stage", "evaluator")), split.number)
    return rows, run_provenance(images, evaluation.seed)


def one_side(images: ScoredSet, side: Side, split: SplitSettings) -> ScoredSet:
    """Return one side of a set's split by reference."""
    if side == "all":
        return images
    sides = split_by_reference(images.reference_ids, split.seed, split.number, split.test, split.validation)
    return images.select(getattr(sides, side))

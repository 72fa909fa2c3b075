"""A trained evaluator against the scores of a set (paper, section 4.2)."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.progress import track

from gada.data.databases import load_database
from gada.data.perceptual_hash import PerceptualHash, lookalikes, perceptual_hash
from gada.data.records import ScoredSet
from gada.data.splits import Split, split_by_reference
from gada.errors import ConfigError, DataError
from gada.experiments.report import run_provenance
from gada.io.files import check_writable, write_text
from gada.io.images import read_image
from gada.io.records import Row, as_csv
from gada.metrics.correlation import rows_by_distortion
from gada.reports.layout import Provenance
from gada.scoring.loading import load_scorer
from gada.scoring.scorer import Prediction
from gada.settings import DataSettings, EvaluationSettings, SplitSettings

Item = TypeVar("Item")
Side = Literal["test", "validation", "train", "all"]
# Part of the set's name, so that whatever comes of it says so.
UPPER_BOUND_NAME = " (upper bound: trained on the test references too)"


class Evaluation(NamedTuple):
    """What an evaluator is worth on a set."""

    rows: list[Row]
    """Result rows."""
    provenance: Provenance
    """Where they come from."""
    model: str
    """The evaluator in one line: scale, direction, what it was fitted to."""
    left_out: dict[str, str] | None
    """Pictures left out, each with the reference of the evaluator's training that it shows; None if that is unknown."""


def result_rows(predictions: list[Prediction], images: ScoredSet, stage: str, split: int | None) -> list[Row]:
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
    rows = [["image", "reference", "distortion", "score", "predicted", "spread"]]
    for record, prediction in zip(images.images, predictions, strict=True):
        name = record.image.relative_to(images.root).as_posix()
        predicted = images.scale.score(prediction.quality)
        spread = prediction.spread
        rows.append(
            [name, record.reference_id, record.distortion, f"{record.score:.6g}", f"{predicted:.6f}", f"{spread:.6f}"]
        )
    write_text(path, as_csv(rows))


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

    With the side `all`, a cross-database test, scenes that the evaluator was trained or chosen on are left out: the
    checkpoint carries their perceptual hashes.

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
    images = one_side(load_database(data), side, split, scorer.card, keep_shared=keep_shared)
    known, left_out = seen_by(scorer.card), dict[str, str]()
    if side == "all" and not keep_shared and known:
        images, left_out = without(images, known)
    pictures = (reduced(read_image(record.image), evaluation.shorter_side) for record in images.images)
    predictions = list(scorer.score_all(with_progress(pictures, len(images), "evaluate")))
    if out:
        write_scores(out, predictions, images)
    number = None if side == "all" else split.number
    rows = result_rows(predictions, images, str(scorer.card.get("stage", "evaluator")), number)
    provenance = run_provenance(images, evaluation.seed)
    return Evaluation(rows, provenance, scorer.describe(), None if known is None else left_out)


def seen_by(card: Mapping[str, Any]) -> dict[str, PerceptualHash] | None:
    """Return the hashes of the references that a network was trained on; None where its card has none."""
    words = card.get("references")
    return None if words is None else {name: PerceptualHash.read(word) for name, word in words.items()}


def set_of(name: str | None) -> str:
    """Return the name of a set, also of one of an upper bound."""
    return str(name).partition(UPPER_BOUND_NAME)[0]


def is_of_split(card: Mapping[str, Any], name: str, split: Split) -> bool:
    """Whether a network was trained on this very split of the set of a name, and is not an upper bound."""
    return card.get("data") == name and card.get("split", split.hash) == split.hash


def without(images: ScoredSet, known: Mapping[str, PerceptualHash]) -> tuple[ScoredSet, dict[str, str]]:
    """Return the images of scenes that are not known, and the left out scenes, each with the known one it shows.

    Raises:
        DataError: if all scenes are known.
    """
    shared = shared_scenes(images, known)
    left = [name for name in images.reference_ids if name not in shared]
    if not left:
        raise DataError(
            f"the evaluator was trained on every scene of {images.name}; give another database, --side test with the "
            "split it was trained on, or --keep-shared"
        )
    return images.select(left), shared


def shared_scenes(images: ScoredSet, known: Mapping[str, PerceptualHash]) -> dict[str, str]:
    """Return the references that show a known scene, each with its name among the known."""
    paths = {record.reference_id: record.reference or record.image for record in images.images}
    shown = with_progress(paths.items(), len(paths), "look for known scenes")
    return lookalikes({name: perceptual_hash(read_image(path)) for name, path in shown}, known)


def with_progress(items: Iterable[Item], total: int, title: str) -> Iterable[Item]:
    """Yield items with a bar on a terminal's standard error."""
    console = Console(stderr=True)
    return track(items, title, total=total, console=console, transient=True, disable=not console.is_terminal)


def reduced(image: NDArray[np.uint8], shorter_side: int | None) -> NDArray[np.uint8]:
    """Return a picture, if it is larger, with this shorter side."""
    height, width = image.shape[:2]
    factor = (shorter_side or height) / min(height, width)
    if shorter_side is None or factor >= 1:
        return image
    size = (round(width * factor), round(height * factor))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def one_side(
    images: ScoredSet, side: Side, split: SplitSettings, *cards: Mapping[str, Any], keep_shared: bool = False
) -> ScoredSet:
    """Return one side of a set's split by reference.

    Args:
        images: the set.
        side: which side; `all` is no side of a split.
        split: how the references are divided.
        cards: of the networks that are to be judged on it.
        keep_shared: do not mind what they were trained on.

    Raises:
        ConfigError: if a network has seen a scene of this side, but on this very split, or was trained on another
            split of a set of the same name and its card names no scenes.
    """
    if side == "all":
        return images
    sides = split_by_reference(images.reference_ids, split.seed, split.number, split.test, split.validation)
    chosen = images.select(getattr(sides, side))
    for card in cards:
        if keep_shared or is_of_split(card, images.name, sides):
            continue
        known = seen_by(card)
        if known is None and set_of(card.get("data")) == images.name:
            raise ConfigError(
                f"{card.get('name')} was trained on another split of {images.name} than number {split.number} of seed "
                f"{split.seed}: its {side} side may hold training references; give the split of the run's split.json, "
                "or --side all."
            )
        for name, one in shared_scenes(chosen, known or {}).items():
            raise ConfigError(
                f"{card.get('name')} has seen {one!r}, which shows the same scene as {name!r} on the {side} side of "
                f"split {split.number} of seed {split.seed}; give the split of its run's split.json, or --side all."
            )
    return chosen

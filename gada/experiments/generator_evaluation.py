"""How good a generator is, measured by an evaluator trained on real crops, on references that neither has seen."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.data.cache import PackedImages
from gada.data.crops import crop_positions, cut
from gada.data.records import ScoredSet
from gada.errors import ConfigError, DataError
from gada.io.cards import Card
from gada.io.checkpoints import find_checkpoint
from gada.io.origin import Origin
from gada.io.progress import with_progress
from gada.io.records import Row, commit, machine
from gada.metrics.correlation import ALL, defined, srocc
from gada.metrics.kernel_distance import kernel_distance
from gada.metrics.ssim import SSIM_SMALLEST_SIDE, ssim_each
from gada.models.evaluator import Evaluator, PredictedCrops, predict_crops
from gada.models.files import load_evaluator, load_generator
from gada.models.generator import Generator, distort_crops
from gada.reports.layout import Table
from gada.runs.report import provenance_of
from gada.runs.unseen import Side, UnseenImages
from gada.settings import DataSettings, SplitSettings

CROPS = 4  # of an image, at the same places in reference, true and generated image
TARGETS = 9  # target qualities, over the range of a class
RANKED = 0.9  # SROCC from which a class counts as following its targets

METRICS = {
    "accuracy_real": "class named, real",
    "accuracy_generated": "class named, generated",
    "srocc_real": "SROCC score/predicted, real",
    "srocc_evaluator": "SROCC target/predicted, generated",
    "srocc_ssim": "SROCC target/SSIM, generated",
    "within_real": "SROCC score/predicted, real, within a reference",
    "within_evaluator": "SROCC target/predicted, generated, within a reference",
    "within_ssim": "SROCC target/SSIM, generated, within a reference",
}
Crops = list[NDArray[np.uint8]]
ClassResult = tuple[Row, PredictedCrops, PredictedCrops]


def evaluate_generator(model: str, evaluator: str, side: Side, data: DataSettings, split: SplitSettings) -> list[Row]:
    """Evaluate a generator on one side of a set's references.

    Args:
        model: what `find_checkpoint` accepts, of a generator.
        evaluator: what `find_checkpoint` accepts, of an evaluator trained on real crops alone.
        side: whose references; neither model should have been trained on them.
        data: which scored images.
        split: how the references are divided.

    Returns:
        A row for each class that the side has and one for ALL: `accuracy_real`, `accuracy_generated` (fraction of crops
        whose class is predicted), `srocc_real` (quality of true distortions against the predicted one, of which no
        generator can be expected to do much better), `srocc_evaluator`, `srocc_ssim` (target quality against the
        predicted one and against SSIM with the reference), over all references at once; `within_real`,
        `within_evaluator`, `within_ssim`, the same within each reference, the mean (as the L-test of Ma et al., 2017:
        what the contents do to evaluator and SSIM does not count); in ALL the means over classes, and
        `distance_generated`, `distance_references` (kernel distance of the evaluator's features to those of true
        distortions, of generated crops and of references).

    Raises:
        ConfigError: if a model is not found, knows other classes than the data, or was trained on another split.
        DataError: if the data are missing or invalid, or have no references.
    """
    generator, card = load_generator(find_checkpoint(model, "generator"))
    network, other = load_evaluator(find_checkpoint(evaluator, "evaluator"))
    unseen = UnseenImages(data, side, split, card, other, keep_shared=side == "all")
    images = unseen.images
    if not images.has_references:
        raise DataError(f"{images.name} has no references, which a generator distorts; give data with references.")
    if card.crop_size < SSIM_SMALLEST_SIDE:
        raise ConfigError(
            f"{model} makes crops of {card.crop_size} pixels, too small for SSIM's window; evaluate one of "
            f"{SSIM_SMALLEST_SIDE} or more."
        )
    for name, one in ((model, card), (evaluator, other)):
        if images.classes != one.classes:
            raise ConfigError(f"{name} knows other distortion classes than {images.name}; use one trained on its like.")
    bench = Bench(generator, network, unseen.packed(), card)
    present = {record.distortion for record in images.images}
    names = [name for name in images.classes or ("",) if name in present]
    found = [bench.result(images, name) for name in with_progress(names, "evaluate the generator")]
    rows = [row for row, _, _ in found]
    each = dict.fromkeys(record.reference or record.image for record in images.images)
    references = predict_crops(network, bench.cut(list(each)))
    origin = Origin(images.name, images.proxy, split.seed, machine(), commit() or "").as_plain()
    return [{**row, **origin} for row in [*rows, overall(found, references)]]


class Bench:
    """Generator and evaluator side by side on crops of one size."""

    def __init__(self, generator: Generator, evaluator: Evaluator, packed: PackedImages, card: Card) -> None:
        self.generator, self.evaluator, self.packed = generator, evaluator, packed
        self.size, self.grid = card.crop_size, card.crop_grid

    def result(self, images: ScoredSet, name: str) -> ClassResult:
        """Return the metrics of one class, and what the evaluator predicts for its real and generated crops."""
        label = images.classes.index(name) if name else 0  # without classes every image is of class 0
        records = [record for record in images.images if record.distortion == name]
        sources = [record.reference or record.image for record in records]
        qualities = np.array([record.quality for record in records])
        each = dict.fromkeys(sources)
        targets = np.tile(np.linspace(qualities.min(), qualities.max(), TARGETS), len(each))
        references = [path for path in each for _ in range(TARGETS)]
        crops = self.cut(references)
        made = self.distorted(crops, label, targets)
        real = predict_crops(self.evaluator, self.cut([record.image for record in records]))
        generated = predict_crops(self.evaluator, self.distorted(self.cut(sources), label, qualities))
        predicted, measured = of_images(real.quality), of_images(predict_crops(self.evaluator, made).quality)
        similarity = of_images(ssim_each(np.stack(made), np.stack(crops)))
        row = {
            "distortion": name or "no class",
            "accuracy_real": fraction_named(real, label),
            "accuracy_generated": fraction_named(generated, label),
            "srocc_real": correlation(predicted, qualities),
            "srocc_evaluator": correlation(measured, targets),
            "srocc_ssim": correlation(similarity, targets),
            "within_real": within(predicted, qualities, sources),
            "within_evaluator": within(measured, targets, references),
            "within_ssim": within(similarity, targets, references),
        }
        return row, real, generated

    def cut(self, paths: Sequence[Path]) -> Crops:
        """Return the crops of images, CROPS of each."""
        crops: Crops = []
        for path in paths:
            image = self.packed.array(path)
            places = crop_positions(0, image.shape[0], image.shape[1], CROPS, self.size, self.grid)
            crops += list(cut(image, places, self.size))
        return crops

    def distorted(self, references: Crops, label: int, targets: NDArray[np.float64]) -> Crops:
        """Distort crops, CROPS for each target quality."""
        return distort_crops(self.generator, references, [label] * len(references), np.repeat(targets, CROPS).tolist())


def overall(results: list[ClassResult], references: PredictedCrops) -> Row:
    """Return the means over classes, and how far the features of generated crops are from those of real ones."""
    real = np.concatenate([crops.features for _, crops, _ in results])
    generated = np.concatenate([crops.features for _, _, crops in results])
    return {
        "distortion": ALL,
        **{key: round(float(np.mean([row[key] or 0.0 for row, _, _ in results])), 4) for key in METRICS},
        "distance_generated": round(kernel_distance(real, generated), 5),
        "distance_references": round(kernel_distance(real, references.features), 5),
    }


def fraction_named(crops: PredictedCrops, label: int) -> float:
    """Return the fraction of crops whose class is predicted."""
    return round(float((crops.label == label).mean()), 4)


def correlation(measured: NDArray[np.float64], targets: NDArray[np.float64]) -> float | None:
    """Return the SROCC, or None where the generator makes the same of every quality."""
    found = defined(srocc, measured, targets)
    return None if found is None else round(found, 4)


def within(measured: NDArray[np.float64], targets: NDArray[np.float64], references: Sequence[Path]) -> float:
    """Return the SROCC of each reference's images, the mean over references; 0 for one where it is not defined."""
    places = [np.array([path == one for path in references]) for one in dict.fromkeys(references)]
    return round(float(np.mean([correlation(measured[place], targets[place]) or 0.0 for place in places])), 4)


def of_images(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the crops of each image."""
    return np.asarray(values.reshape(-1, CROPS).mean(axis=1), dtype=np.float64)


def generator_table(rows: Sequence[Row]) -> Table:
    """Return the rows of `evaluate_generator` as a table."""
    *classes, whole = rows
    ratio = whole["accuracy_generated"] / whole["accuracy_real"] if whole["accuracy_real"] else 0.0
    follow = {key: sum((row[key] or 0) >= RANKED for row in classes) for key in METRICS}
    origin = provenance_of([Origin.from_plain(whole)])
    return Table(
        caption=f"Generated crops under an evaluator trained on real crops alone. {origin.describe()}",
        labels=("distortion",),
        columns=tuple(METRICS.values()),
        rows=tuple((row["distortion"], *(row[key] for key in METRICS)) for row in rows),
        rules=frozenset({len(classes)}),
        notes=(
            f"Generated crops are named {ratio:.2f} times as often as real ones.",
            f"Predicted quality follows the target with SROCC {RANKED} or more, of {len(classes)} classes: over all "
            f"references in {follow['srocc_evaluator']} (SSIM: {follow['srocc_ssim']}), within each reference in "
            f"{follow['within_evaluator']} (SSIM: {follow['within_ssim']}). It follows the scores of real distortions "
            f"so in {follow['srocc_real']}, and within each reference in {follow['within_real']}.",
            f"Kernel distance of features to those of real crops: generated {whole['distance_generated']:.4f}, "
            f"undistorted references {whole['distance_references']:.4f}.",
        ),
    )

"""Is a generator any good? A judge trained on real crops alone says so, on references that neither has seen."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from gada.data.cache import PackedImages
from gada.data.crops import crop_positions
from gada.data.databases import load_database
from gada.data.records import ScoredSet
from gada.errors import ConfigError, DataError
from gada.experiments.evaluation import Side, one_side
from gada.experiments.report import provenance_of, run_provenance
from gada.io.checkpoints import find_checkpoint
from gada.io.records import Row
from gada.metrics.correlation import ALL, UndefinedError, srocc
from gada.metrics.kernel_distance import kernel_distance
from gada.metrics.ssim import SSIM_SMALLEST_SIDE, ssim_each
from gada.models.evaluator import Evaluator, PredictedCrops, predict_crops
from gada.models.files import load_evaluator, load_generator
from gada.models.generator import Generator, distort_crops
from gada.reports.layout import Table
from gada.settings import DataSettings, SplitSettings

CROPS = 4  # of an image, at the same places in reference, true and generated picture
ASKED = 9  # qualities asked for, over the range of a class
RANKED = 0.9  # SROCC from which a class counts as following what is asked

FIGURES = {
    "accuracy_real": "class named, real",
    "accuracy_generated": "class named, generated",
    "srocc_real": "SROCC score/judge, real",
    "srocc_judge": "SROCC asked/judge, generated",
    "srocc_ssim": "SROCC asked/SSIM, generated",
    "within_real": "SROCC score/judge, real, within a reference",
    "within_judge": "SROCC asked/judge, generated, within a reference",
    "within_ssim": "SROCC asked/SSIM, generated, within a reference",
}
Crops = list[NDArray[np.uint8]]


class Examined(NamedTuple):
    """What the judge says of one class."""

    label: int
    """The class."""
    real: PredictedCrops
    """Of true distortions."""
    qualities: NDArray[np.float64]
    """Of the true distorted images, (N,)."""
    sources: list[Path]
    """Their references, (N,)."""
    generated: PredictedCrops
    """Of crops generated to the same class and quality, at the same places of the same references."""
    asked: NDArray[np.float64]
    """Qualities asked for, (R x ASKED,), for each of R references the same."""
    measured: NDArray[np.float64]
    """The judge's mean quality over the crops generated to them, (R x ASKED,)."""
    similarity: NDArray[np.float64]
    """Their mean SSIM with the reference, (R x ASKED,)."""
    references: list[Path]
    """Their references, (R x ASKED,)."""


def judge_generator(model: str, judge: str, side: Side, data: DataSettings, split: SplitSettings) -> list[Row]:
    """Examine a generator on one side of a set's references.

    Args:
        model: what `find_checkpoint` accepts, of a generator.
        judge: what `find_checkpoint` accepts, of an evaluator trained on real crops alone.
        side: whose references; neither model should have been trained on them.
        data: which scored images.
        split: how the references are divided.

    Returns:
        A row for each class that the side has and one for ALL: `accuracy_real`, `accuracy_generated` (share of crops
        whose class the judge names), `srocc_real` (quality of true distortions against the judge's, of which no
        generator can be asked much more), `srocc_judge`, `srocc_ssim` (asked quality against what the judge measures
        and against SSIM with the reference), over all references at once; `within_real`, `within_judge`,
        `within_ssim`, the same within each reference, the mean (as the L-test of Ma et al., 2017: what the contents do
        to judge and SSIM does not count); in ALL the means over classes, and `distance_generated`,
        `distance_references` (kernel distance of the judge's features to those of true distortions, of generated crops
        and of references).

    Raises:
        ConfigError: if a model is not found, knows other classes than the data, or was trained on another split.
        DataError: if the data are missing or invalid, or have no references.
    """
    (generator, generator_card), (evaluator, judge_card) = (
        load_generator(find_checkpoint(model, "generator")),
        load_evaluator(find_checkpoint(judge, "evaluator")),
    )
    whole = load_database(data)
    images = one_side(whole, side, split, generator_card, judge_card)
    if not images.has_references:
        raise DataError(f"{images.name} has no references, which a generator distorts; give data with references.")
    if generator_card["crop_size"] < SSIM_SMALLEST_SIDE:
        raise ConfigError(
            f"{model} makes crops of {generator_card['crop_size']} pixels, too small for SSIM's window; judge one of "
            f"{SSIM_SMALLEST_SIDE} or more."
        )
    for name, card in ((model, generator_card), (judge, judge_card)):
        if list(images.classes) != card["classes"]:
            raise ConfigError(f"{name} knows other distortion classes than {images.name}; use one trained on its like.")
    bench = Bench(generator, evaluator, PackedImages.open(whole.files, whole.root, data.cache), generator_card)
    present = {record.distortion for record in images.images}
    names = [name for name in images.classes or ("",) if name in present]
    shown = track(names, "judge", console=Console(stderr=True), transient=True)
    examined = {name: bench.examine(images, name) for name in shown}
    rows = [class_row(name or "no class", found) for name, found in examined.items()]
    each = dict.fromkeys(record.reference or record.image for record in images.images)
    references = bench.judged(bench.cut(list(each)))
    origin = vars(run_provenance(images, split.seed))
    return [{**row, **origin} for row in [*rows, overall(rows, list(examined.values()), references)]]


class Bench:
    """Generator and judge side by side on crops of one size."""

    def __init__(self, generator: Generator, judge: Evaluator, packed: PackedImages, card: dict[str, int]) -> None:
        self.generator = generator
        self.judge = judge
        self.packed = packed
        self.size = card["crop_size"]
        self.grid = card.get("crop_grid", 1)

    def examine(self, images: ScoredSet, name: str) -> Examined:
        """Examine one class."""
        label = images.classes.index(name) if name else 0  # without classes every image is of class 0
        records = [record for record in images.images if record.distortion == name]
        sources = [record.reference or record.image for record in records]
        qualities = [record.quality for record in records]
        real = self.judged(self.cut([record.image for record in records]))
        alike = self.judged(self.distorted(self.cut(sources), label, np.array(qualities)))
        each = dict.fromkeys(sources)
        asked = np.tile(np.linspace(min(qualities), max(qualities), ASKED), len(each))
        references = [path for path in each for _ in range(ASKED)]
        crops = self.cut(references)
        made = self.distorted(crops, label, asked)
        return Examined(
            label=label,
            real=real,
            qualities=np.array(qualities),
            sources=sources,
            generated=alike,
            asked=asked,
            measured=of_images(self.judged(made).quality),
            similarity=of_images(ssim_each(np.stack(made), np.stack(crops))),
            references=references,
        )

    def cut(self, paths: Sequence[Path]) -> Crops:
        """Return the crops of pictures, CROPS of each."""
        crops = []
        for path in paths:
            picture = self.packed.array(path)
            places = crop_positions(0, picture.shape[0], picture.shape[1], CROPS, self.size, self.grid)
            crops += [picture[top : top + self.size, left : left + self.size] for top, left in places]
        return crops

    def distorted(self, references: Crops, label: int, asked: NDArray[np.float64]) -> Crops:
        """Distort crops, CROPS for each asked quality."""
        return distort_crops(self.generator, references, [label] * len(references), np.repeat(asked, CROPS).tolist())

    def judged(self, crops: Crops) -> PredictedCrops:
        """Return what the judge says of crops."""
        return predict_crops(self.judge, crops)


def class_row(name: str, found: Examined) -> Row:
    """Return the figures of one class."""
    judged = of_images(found.real.quality)
    return {
        "distortion": name,
        "accuracy_real": share_named(found.real, found.label),
        "accuracy_generated": share_named(found.generated, found.label),
        "srocc_real": correlation(judged, found.qualities),
        "srocc_judge": correlation(found.measured, found.asked),
        "srocc_ssim": correlation(found.similarity, found.asked),
        "within_real": within(judged, found.qualities, found.sources),
        "within_judge": within(found.measured, found.asked, found.references),
        "within_ssim": within(found.similarity, found.asked, found.references),
    }


def overall(rows: list[Row], examined: list[Examined], references: PredictedCrops) -> Row:
    """Return the means over classes, and how far the features of generated crops are from those of real ones."""
    real = np.concatenate([found.real.features for found in examined])
    generated = np.concatenate([found.generated.features for found in examined])
    return {
        "distortion": ALL,
        **{key: round(float(np.mean([row[key] or 0.0 for row in rows])), 4) for key in FIGURES},
        "distance_generated": round(kernel_distance(real, generated), 5),
        "distance_references": round(kernel_distance(real, references.features), 5),
    }


def share_named(crops: PredictedCrops, label: int) -> float:
    """Return the share of crops whose class the judge names."""
    return round(float((crops.label == label).mean()), 4)


def correlation(measured: NDArray[np.float64], asked: NDArray[np.float64]) -> float | None:
    """Return the SROCC, or None where the generator makes the same of every quality."""
    try:
        return round(srocc(measured, asked), 4)
    except UndefinedError:
        return None


def within(measured: NDArray[np.float64], asked: NDArray[np.float64], references: Sequence[Path]) -> float:
    """Return the SROCC of each reference's pictures, the mean over references; 0 for one where it is not defined."""
    places = [np.array([path == one for path in references]) for one in dict.fromkeys(references)]
    return round(float(np.mean([correlation(measured[place], asked[place]) or 0.0 for place in places])), 4)


def of_images(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the crops of each image."""
    return np.asarray(values.reshape(-1, CROPS).mean(axis=1), dtype=np.float64)


def judge_table(rows: Sequence[Row]) -> Table:
    """Return the rows of `judge_generator` as a table."""
    *classes, whole = rows
    ratio = whole["accuracy_generated"] / whole["accuracy_real"] if whole["accuracy_real"] else 0.0
    followed = {key: sum((row[key] or 0) >= RANKED for row in classes) for key in FIGURES}
    return Table(
        caption=f"Generated crops under a judge trained on real crops alone. {provenance_of(rows).describe()}",
        labels=("distortion",),
        columns=tuple(FIGURES.values()),
        rows=tuple((row["distortion"], *(row[key] for key in FIGURES)) for row in rows),
        rules=frozenset({len(classes)}),
        notes=(
            f"Generated crops are named {ratio:.2f} times as often as real ones.",
            f"Asked quality is followed with SROCC {RANKED} or more, of {len(classes)} classes: over all references in "
            f"{followed['srocc_judge']} as the judge sees it and in {followed['srocc_ssim']} as SSIM does; within each "
            f"reference in {followed['within_judge']} and in {followed['within_ssim']}. Of real distortions the judge "
            f"follows the scores so in {followed['srocc_real']}, and within each reference in "
            f"{followed['within_real']}.",
            f"Kernel distance of features to those of real crops: generated {whole['distance_generated']:.4f}, "
            f"undistorted references {whole['distance_references']:.4f}.",
        ),
    )

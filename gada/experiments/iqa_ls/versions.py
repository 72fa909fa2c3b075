"""Every version of a classifier's training images, with the quality of each: packed once, read by every strategy."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from gada.data.cache import default_folder
from gada.data.distorted import CLEAN, DistortedImages, Step, View, steps_of
from gada.data.labelled import LabelledImages
from gada.data.mixtures import NOISE, Strategy, Version
from gada.data.proxy import noise_seed
from gada.distortions import FAMILIES
from gada.errors import ConfigError
from gada.experiments.iqa_ls.images import resize_of
from gada.experiments.iqa_ls.quality import EVALUATOR, Quality
from gada.io.checkpoints import find_checkpoint, load_checkpoint
from gada.io.files import atomic_path, sha256_of
from gada.models.files import load_generator
from gada.models.generator import distort_crops
from gada.settings import ClassifierSettings

AT_ONCE = 500  # images measured or generated together
PIXEL_VARIANCE = 0.0625  # of natural images in [0, 1]: CIFAR-10's std is 0.25
BLUR_RANGE = (0.3, 32.0)  # sigmas of data mollification's schedule, in pixels
Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Versions:
    """Training images in every version that strategies mix.

    Args:
        images: the training images.
        size: side of the square that the network sees, in pixels.
        training: settings: s of IQA-LS, generator, evaluator.
        seed: of the noise.
        folder: where packed files lie; by default `classify` in the folder of packed caches.

    Raises:
        ConfigError: if s is unknown.
        DataError: if an image cannot be used.
    """

    def __init__(
        self,
        images: LabelledImages,
        size: int,
        training: ClassifierSettings,
        seed: int = 0,
        folder: Path | None = None,
    ) -> None:
        self.settings = training
        self.measure = Quality(training.quality, training.evaluator)
        self.seed = seed
        view, place = View(size, resize_of(images, size)), folder or default_folder() / "classify"
        self.distorted = DistortedImages(images, view, seed=seed, folder=place, complete=True)
        self.labels = self.distorted.images.labels
        self.classes = images.classes or int(self.labels.max()) + 1
        self.pristine = self.distorted.array(CLEAN)

    def of(self, strategy: Strategy) -> list[Version]:
        """Return the versions that a strategy mixes, the pristine images first; packed now if they do not exist."""
        versions = []
        for step in steps_of(strategy.families) if strategy.families else [CLEAN]:
            pixels = self.distorted.array(step)
            if strategy.labels == "iqa-ls":
                quality = self.quality(self.measure, self.distorted.file(step), pixels)
            else:
                quality = self.confidence(strategy, step)
            versions.append(Version(step.family, step.level, pixels, quality))
        return versions + (self.generated(strategy) if strategy.generated else [])

    def confidence(self, strategy: Strategy, step: Step) -> Floats:
        """Return the probability of the true class in labels that do not follow quality, (N,)."""
        uniform = 0.0
        if strategy.labels == "smoothing":
            uniform = self.settings.smoothing
        elif strategy.labels == "mollification":
            uniform = mollification(step.family, step.level)
        return np.full(len(self.labels), 1 - uniform + uniform / self.classes, np.float32)

    def quality(self, measure: Quality, file: Path, pixels: Pixels) -> Floats:
        """Return s of every image of a version (N, S, S, 3), (N,); kept beside its file."""
        kept = file.with_name(f"{file.stem}.{measure.key}.npy")
        if not kept.is_file():
            parts = [slice(start, start + AT_ONCE) for start in range(0, len(pixels), AT_ONCE)]
            found = [measure(np.array(pixels[one]), np.array(self.pristine[one])) for one in parts]
            with atomic_path(kept) as temporary:
                np.save(temporary, np.concatenate(found))
        values: Floats = np.load(kept)
        return values

    def generated(self, strategy: Strategy) -> list[Version]:
        """Return what the generator makes of every image: each target class at the target quality of each level.

        The generator has convolutions only, so that it takes images of CIFAR's size as they are: one is a crop of
        32 x 32 pixels, and nothing is resized.

        Raises:
            ConfigError: if the generator does not exist, or does not know a target class.
        """
        path, names = generator_of(self.settings)
        predicted = strategy.labels == "iqa-ls" and (strategy.predicted or self.measure.name == EVALUATOR)
        key = json.dumps([sha256_of(path), self.seed])
        folder = self.distorted.folder / f"generated-{sha256(key.encode()).hexdigest()[:16]}"
        versions = []
        for name in names:
            for level, target in enumerate(self.settings.target_qualities, start=1):
                file = folder / f"{name.replace('/', '-')}-{target:g}.npy"
                pixels = self.packed(file, path, name, target)
                targets = np.full(len(pixels), target, np.float32)
                quality = (
                    self.quality(Quality(EVALUATOR, self.settings.evaluator), file, pixels) if predicted else targets
                )
                versions.append(Version(name, level, pixels, quality, generated=True))
        return versions

    def packed(self, file: Path, generator: Path, name: str, target: float) -> Pixels:
        """Return all images as the generator distorts them, (N, S, S, 3), mapped from their file; made if missing."""
        if not file.is_file():
            network, card = load_generator(generator)
            label = card.classes.index(name)
            with atomic_path(file) as temporary:
                written = open_memmap(temporary, "w+", np.uint8, self.pristine.shape)
                for start in range(0, len(written), AT_ONCE):
                    some = list(np.array(self.pristine[start : start + AT_ONCE]))
                    noise = noise_seed(self.seed, str(start), name, target) >> 1  # torch takes 63 bits
                    written[start : start + AT_ONCE] = distort_crops(
                        network, some, [label] * len(some), [target] * len(some), noise
                    )
                written.flush()
        mapped: Pixels = np.load(file, mmap_mode="r")
        return mapped


def generator_of(settings: ClassifierSettings) -> tuple[Path, tuple[str, ...]]:
    """Return the generator's checkpoint and its target classes.

    Raises:
        ConfigError: if the generator does not exist, or does not know a target class.
    """
    path = find_checkpoint(settings.generator, "generator")
    known = tuple(load_checkpoint(path, "generator")[1]["classes"])
    if unknown := set(settings.generated_classes) - set(known):
        raise ConfigError(
            f"{path} does not make {', '.join(sorted(unknown))} of training.generated_classes; it makes "
            f"{', '.join(known)}. Give classes of these, or another training.generator."
        )
    return path, settings.generated_classes or known


def mollification(family: str, level: int) -> float:
    """Return the fraction of the uniform distribution in the label of a known noise or blur level.

    Heinonen et al. (2024, arXiv 2406.01494), with their default power of 1: the noise's fraction of the variance, and
    the logarithmic place of the blur's sigma between 0.3 and 32 pixels. JPEG has no level there: the mean of both.
    """
    if not family or not level:
        return 0.0
    strength = FAMILIES[family].strength(level)
    if family == NOISE:
        return strength / (strength + PIXEL_VARIANCE)
    if family == "iqa-ls/blur":
        low, high = np.log(BLUR_RANGE)
        return float((np.log(strength) - low) / (high - low))
    return (mollification(NOISE, level) + mollification("iqa-ls/blur", level)) / 2

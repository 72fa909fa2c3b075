"""Every version of a classifier's training images, with the quality of each: packed once, read by every strategy."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from gada.data.cache import default_folder
from gada.data.cifar10 import CLASSES, load_cifar10
from gada.data.distorted import CLEAN, DistortedImages, View, steps_of
from gada.data.labelled import LabelledImages, drawn, load_labelled
from gada.data.mixtures import GENERATED, NOISE, Strategy, Version
from gada.data.proxy import noise_seed
from gada.distortions import FAMILIES
from gada.errors import ConfigError, DataError
from gada.io.checkpoints import find_checkpoint, load_checkpoint
from gada.io.files import atomic_path, sha256_of
from gada.io.folders import images_in
from gada.metrics.psnr import psnr
from gada.metrics.ssim import ssim_each
from gada.models.files import load_generator
from gada.models.generator import distort_crops
from gada.settings import ClassifierSettings, ClassifyDataSettings, ImageSettings

BEST_PSNR = 50.0  # dB; from here on an image counts as pristine
AT_ONCE = 500  # images judged or generated together
PIXEL_VARIANCE = 0.0625  # of natural images in [0, 1]: CIFAR-10's deviation is 0.25
BLUR_RANGE = (0.3, 32.0)  # sigmas of data mollification's schedule, in pixels
Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


def load_images(data: ClassifyDataSettings, part: str) -> LabelledImages:
    """Return the training or test images.

    Args:
        data: which data.
        part: `train` or `test`.

    Raises:
        ConfigError: if more images are wanted than there are.
        DataError: if they are missing or invalid, or a test image is of a class that training lacks.
    """
    option = "per_class" if part == "train" else "test_per_class"
    count: int | None = getattr(data, option)
    if data.layout == "cifar10":
        images = load_cifar10(data.root, "train" if part == "train" else "test")
        return drawn(images, count, data.seed, f"data.{option}")
    for folder in (data.root / "train", data.root / part):
        if not folder.is_dir():
            raise DataError(f"{folder} is not there; the folder must hold train/CLASS/... and test/CLASS/...")
    names, images = class_names(data), load_labelled(ImageSettings(root=data.root / part, layout="folders"))
    labels = [class_of(path, data.root / part) for path in images.paths]
    if unknown := sorted(set(labels) - set(names)):
        raise DataError(
            f"{data.root / part} has the class {unknown[0]!r}, which {data.root / 'train'} lacks; put images of it "
            "there, or take it away here."
        )
    places = {name: place for place, name in enumerate(names)}
    indices = np.array([places[label] for label in labels], np.int64)
    images = replace(images, title=data.root.resolve().name, labels=indices, classes=len(names))
    return drawn(images, count, data.seed, f"data.{option}")


def class_of(path: Path, folder: Path) -> str:
    """Return the class of a picture: the folder below `train` or `test` in which, at any depth, it lies."""
    name, *below = path.relative_to(folder).parts
    if not below:
        raise DataError(f"{path} lies in no folder of a class; put it into one, or take it away.")
    return name


def class_names(data: ClassifyDataSettings) -> list[str]:
    """Return the names of the classes, in the order of their indices: for folders those of `train`, sorted."""
    if data.layout == "cifar10":
        return list(CLASSES)
    return sorted({class_of(path, data.root / "train") for path in images_in(data.root / "train")})


def resize_of(images: LabelledImages, size: int) -> int | None:
    """Return the shorter side that pictures get before the square is cut; None for CIFAR-10, which stays as it is."""
    return size if images.array is None else None


class Versions:
    """Training images in every version that strategies ask for.

    Args:
        images: the training images.
        size: side of the square that the network sees.
        training: settings: s of IQA-LS, generator, evaluator.
        seed: of the noise.
        folder: where packed files lie; by default `classify` in the folder of packed caches.
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
        self.seed = seed
        view = View(size, resize_of(images, size))
        self.distorted = DistortedImages(images, view, seed=seed, folder=folder or default_folder() / "classify")
        self.labels = self.distorted.images.labels
        self.pristine = self.distorted.array(CLEAN)
        self._judge: Callable[[Pixels], Floats] | None = None

    def of(self, strategy: Strategy) -> list[Version]:
        """Return the versions that a strategy mixes, the pristine images first; packed now if they are not there."""
        kind = self.settings.quality if strategy.labels == "iqa-ls" else "ssim"
        versions = [Version("", 0, self.pristine, self.quality(kind, self.distorted.file(CLEAN), self.pristine))]
        for step in steps_of(strategy.families)[1:] if strategy.families else ():
            pixels, file = self.distorted.array(step), self.distorted.file(step)
            versions.append(Version(step.family, step.level, pixels, self.quality(kind, file, pixels)))
        if strategy.generated:
            versions += self.generated("evaluator" if strategy.judged or kind == "evaluator" else "asked")
        return [one._replace(quality=confidence(strategy, one, self.settings, self.classes)) for one in versions]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.distorted.images.classes or int(self.labels.max()) + 1

    def quality(self, kind: str, file: Path, pixels: Pixels) -> Floats:
        """Return s of every image of a version, (N,); kept beside its file.

        Args:
            kind: `ssim`, `psnr` or `evaluator`.
            file: the version's file.
            pixels: the version, (N, S, S, 3).
        """
        name = f"evaluator-{self.evaluator_digest}" if kind == "evaluator" else kind
        kept = file.with_suffix(f".{name}.npy")
        if not kept.is_file():
            with atomic_path(kept) as temporary:
                np.save(temporary, np.concatenate(list(self._qualities(kind, pixels))))
        values: Floats = np.load(kept)
        return values

    def _qualities(self, kind: str, pixels: Pixels) -> Iterator[Floats]:
        for start in range(0, len(pixels), AT_ONCE):
            some, references = (np.array(array[start : start + AT_ONCE]) for array in (pixels, self.pristine))
            match kind:
                case "ssim":
                    yield ssim_each(some, references).astype(np.float32)
                case "psnr":
                    yield psnr_quality(some, references)
                case _:
                    yield self.judge(some)

    @cached_property
    def evaluator_digest(self) -> str:
        """The first digits of the evaluator's SHA-256."""
        return sha256_of(find_checkpoint(self.settings.evaluator, "evaluator"))[:12]

    def judge(self, pixels: Pixels) -> Floats:
        """Return the evaluator's quality of images (N, S, S, 3), whole and at once, (N,) in [0, 1]."""
        from gada.scoring.loading import load_scorer

        if self._judge is None:
            scorer = load_scorer(self.settings.evaluator, device="cpu")
            self._judge = lambda some: scorer.backend.predict(some).quality.astype(np.float32)
        return self._judge(pixels)

    def generated(self, kind: str) -> list[Version]:
        """Return what the generator makes of every image: each class at the quality asked for each level.

        The generator has convolutions only, so that it takes images of CIFAR's size as they are: one is a crop of
        32 x 32 pixels, and nothing is resized.

        Args:
            kind: whether the quality is what was `asked`, or an `evaluator`'s score.

        Raises:
            ConfigError: if there is no such generator, or it does not know an asked class.
        """
        path, names = generator_of(self.settings)
        key = json.dumps([sha256_of(path), self.seed])
        folder = self.distorted.folder / f"generated-{sha256(key.encode()).hexdigest()[:16]}"
        versions = []
        for name in names:
            for level, asked in enumerate(self.settings.asked, start=1):
                file = folder / f"{name.replace('/', '-')}-{asked:g}.npy"
                pixels = self.packed(file, path, name, asked)
                quality = np.full(len(pixels), asked, np.float32)
                if kind == "evaluator":
                    quality = self.quality("evaluator", file, pixels)
                versions.append(Version(f"{GENERATED} {name}", level, pixels, quality))
        return versions

    def packed(self, file: Path, generator: Path, name: str, asked: float) -> Pixels:
        """Return all images as the generator distorts them, (N, S, S, 3), mapped from their file; made if not there."""
        if not file.is_file():
            network, card = load_generator(generator)
            label = card.classes.index(name)
            with atomic_path(file) as temporary:
                written = open_memmap(temporary, "w+", np.uint8, self.pristine.shape)
                for start in range(0, len(written), AT_ONCE):
                    some = list(np.array(self.pristine[start : start + AT_ONCE]))
                    noise = noise_seed(self.seed, str(start), name, asked) >> 1  # torch takes 63 bits
                    written[start : start + AT_ONCE] = distort_crops(
                        network, some, [label] * len(some), [asked] * len(some), noise
                    )
                written.flush()
        mapped: Pixels = np.load(file, mmap_mode="r")
        return mapped


def generator_of(settings: ClassifierSettings) -> tuple[Path, tuple[str, ...]]:
    """Return the generator's checkpoint and the distortion classes that are asked of it.

    Raises:
        ConfigError: if there is no such generator, or it does not know an asked class.
    """
    path = find_checkpoint(settings.generator, "generator")
    known = tuple(load_checkpoint(path, "generator")[1]["classes"])
    if unknown := set(settings.generated_classes) - set(known):
        raise ConfigError(
            f"{path} does not make {', '.join(sorted(unknown))} of training.generated_classes; it makes "
            f"{', '.join(known)}. Give classes of these, or another training.generator."
        )
    return path, settings.generated_classes or known


def psnr_quality(images: Pixels, references: Pixels) -> Floats:
    """Return the PSNR of each image (N, S, S, 3) over 50 dB, in (0, 1]."""
    decibels = [psnr(*pair) for pair in zip(images, references, strict=True)]
    quality: Floats = np.clip(np.array(decibels) / BEST_PSNR, 1e-6, 1).astype(np.float32)
    return quality


def confidence(strategy: Strategy, version: Version, settings: ClassifierSettings, classes: int) -> Floats:
    """Return what a strategy's labels are made from, (N,): the share of the true class, or s for IQA-LS."""
    count = len(version.quality)
    match strategy.labels:
        case "iqa-ls":
            return version.quality
        case "hard":
            return np.ones(count, np.float32)
        case "smoothing":
            uniform = settings.smoothing
        case "mollification":
            uniform = mollification(version.family, version.level)
    return np.full(count, 1 - uniform + uniform / classes, np.float32)


def mollification(family: str, level: int) -> float:
    """Return the share of the uniform distribution in the label of a known noise or blur level.

    Heinonen et al. (2024, arXiv 2406.01494), with their default power of 1: the noise's share of the image's variance,
    and the logarithmic place of the blur's sigma between 0.3 and 32 pixels. JPEG has no level there: the mean of both.
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

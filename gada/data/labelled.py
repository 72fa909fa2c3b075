"""Labelled images for a classifier: class folders, file names, a table, ImageNet's validation layout, CIFAR-10."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.data.cache import fingerprint_of
from gada.data.cifar10 import CLASSES as CIFAR10_CLASSES
from gada.data.cifar10 import Part, read_cifar10
from gada.data.labels import class_indices, read_classes, read_imagenet, read_table
from gada.errors import ConfigError, DataError
from gada.io.folders import images_in
from gada.io.images import read_image
from gada.settings import ImageSettings

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images with the class of each."""

    title: str
    """Name of the set."""
    names: tuple[str, ...]
    """One for each image: its path below the root, or its number."""
    labels: NDArray[np.int64]
    """Index of the true class, (N,)."""
    classes: int
    """Number of classes that the indices belong to; 0 if unknown."""
    paths: tuple[Path, ...] = ()
    """The files, for a set of files."""
    array: Pixels | None = field(default=None, repr=False)
    """The images (N, H, W, 3), for a set that comes as one."""
    root: Path = Path()
    class_names: tuple[str, ...] = ()
    """Names of the classes in the order of their indices, where they are known."""

    def __len__(self) -> int:
        return len(self.names)

    def pixels(self, index: int) -> Pixels:
        """Return one image, (H, W, 3) uint8.

        Raises:
            DataError: if it cannot be read.
        """
        return read_image(self.paths[index]) if self.array is None else self.array[index]

    def select(self, index: Sequence[int] | NDArray[np.int64]) -> "LabelledImages":
        """Return some of the images, in the order of `index`."""
        chosen = np.asarray(index, dtype=np.int64)
        names = tuple(self.names[i] for i in chosen)
        paths = tuple(self.paths[i] for i in chosen) if self.paths else ()
        array = None if self.array is None else self.array[chosen]
        return replace(self, names=names, labels=self.labels[chosen], paths=paths, array=array)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the images: name, size and time of change of files, or the pixels themselves."""
        if self.array is None:
            return fingerprint_of(self.paths, self.root)
        return sha256(json.dumps(self.array.shape).encode() + self.array.tobytes()).hexdigest()

    @property
    def identity(self) -> dict[str, str]:
        """What makes outcomes on the set comparable: the images, and a SHA-256 over their labels."""
        return {"images": self.fingerprint, "labels": sha256(self.labels.tobytes()).hexdigest()}


def load_labelled(settings: ImageSettings, classes: Sequence[str] = ()) -> LabelledImages:
    """Read a labelled set.

    Args:
        settings: where it is.
        classes: the names of the classes in a classifier's own order, where it has them.

    Raises:
        ConfigError: if its settings do not fit together.
        DataError: if a folder, a table or a label is missing or wrong.
    """
    match settings.layout:
        case "folders":
            images = of_files(settings, [(path, path.parent.name) for path in images_in(settings.root)], classes)
        case "names":
            pairs = [(path, path.stem.split("_")[0]) for path in images_in(settings.root)]
            images = of_files(settings, pairs, classes)
        case "table":
            images = of_files(settings, read_table(settings), classes)
        case "imagenet":
            images = of_files(settings, read_imagenet(settings), classes)
        case "cifar10":
            if classes and tuple(classes) != CIFAR10_CLASSES:
                raise ConfigError(f"the classifier knows {', '.join(classes)}, which are not CIFAR-10's classes.")
            images = load_cifar10(settings.root, "test")
    return drawn(images, settings.per_class, settings.seed)


def load_cifar10(root: Path, part: Part) -> LabelledImages:
    """Read CIFAR-10's training or test images.

    Raises:
        DataError: if a file is missing or wrong.
    """
    pixels, labels = read_cifar10(root, part)
    names = tuple(f"{part}/{index:05d}" for index in range(len(labels)))
    classes = CIFAR10_CLASSES
    return LabelledImages("CIFAR-10", names, labels, len(classes), array=pixels, root=root, class_names=classes)


def of_files(
    settings: ImageSettings, labelled: Sequence[tuple[Path, str]], known: Sequence[str] = ()
) -> LabelledImages:
    """Return files with the index of each label.

    A label is one of the classifier's class names (`known`) where it has them. Else it is a class index, or a name
    whose index is its line in the file of classes, its place among ImageNet's 1,000 WordNet ids, or among all names,
    sorted.
    """
    if known and settings.classes and read_classes(settings.classes) != list(known):
        raise ConfigError(
            f"--images.classes {settings.classes} lists other classes than the classifier knows, or in another order; "
            "leave it out."
        )
    indices, classes = class_indices([label for _, label in labelled], settings.classes, known)
    for index, (path, label) in zip(indices, labelled, strict=True):
        if index is None:
            whose = f"the classes in {settings.classes}" if settings.classes else "the classifier's classes"
            raise DataError(f"{path.name} has the label {label!r}, which is none of {whose}.")
    root, paths = settings.root, tuple(path for path, _ in labelled)
    names = tuple(path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path) for path in paths)
    labels = np.array(indices, np.int64)
    return LabelledImages(root.resolve().name, names, labels, len(classes), paths, root=root, class_names=classes)


def drawn(images: LabelledImages, per_class: int | None, seed: int, option: str = "images.per_class") -> LabelledImages:
    """Draw some images of each class, as the paper does (section III-B: ten of each of 1,000 classes).

    Images of a class are ordered by SHA-256 of (seed, name): the same on every machine, and more contains fewer.

    Raises:
        ConfigError: if a class has fewer.
    """
    if per_class is None:
        return images
    chosen: list[int] = []
    for label in np.unique(images.labels):
        members = np.flatnonzero(images.labels == label).tolist()
        if len(members) < per_class:
            raise ConfigError(
                f"--{option} is {per_class}, but class {label} of {images.title} has {len(members)} images."
            )
        key = {i: sha256(json.dumps([seed, images.names[i]]).encode()).digest() for i in members}
        chosen += sorted(members, key=key.__getitem__)[:per_class]
    return images.select(sorted(chosen))

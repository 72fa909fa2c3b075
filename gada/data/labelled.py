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
from gada.data.checks import Files
from gada.data.spreadsheets import rows_of
from gada.errors import ConfigError, DataError
from gada.io.folders import images_in
from gada.io.images import read_image
from gada.settings import ImageSettings

Pixels = NDArray[np.uint8]
LONGEST_INDEX = 9  # digits; a longer number is a name
IMAGENET = Path(__file__).with_name("imagenet.txt")
"""The WordNet ids of ILSVRC 2012's 1,000 classes; sorted, they give the index that every ImageNet network uses."""


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images with the class of each."""

    title: str
    """What the set is called."""
    names: tuple[str, ...]
    """One for each image: its path below the root, or its number."""
    labels: NDArray[np.int64]
    """Index of the true class, (N,)."""
    classes: int
    """Number of classes that the indices belong to; 0 if the set does not say."""
    paths: tuple[Path, ...] = ()
    """The files, for a set of files."""
    array: Pixels | None = field(default=None, repr=False)
    """The images (N, H, W, 3), for a set that comes as one."""
    root: Path = Path()

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
        classes: the names of the classes in a classifier's own order, where it says them.

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
            from gada.data.cifar10 import CLASSES, load_cifar10  # which makes this module's sets

            if classes and tuple(classes) != CLASSES:
                raise ConfigError(f"the classifier knows {', '.join(classes)}, which are not CIFAR-10's classes.")
            images = load_cifar10(settings.root, "test")
    return drawn(images, settings.per_class, settings.seed)


def of_files(
    settings: ImageSettings, labelled: Sequence[tuple[Path, str]], known: Sequence[str] = ()
) -> LabelledImages:
    """Return files with the index of each label.

    A label is a name of the classifier's classes (`known`) where it says them. Else it is a class index, or a name: its
    line in the file of classes, its place among ImageNet's 1,000 WordNet ids, or its place among the names that occur,
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
    return LabelledImages(root.resolve().name, names, np.array(indices, np.int64), classes, paths, root=root)


def class_indices(
    labels: Sequence[str], file: Path | None, classes: Sequence[str] = ()
) -> tuple[list[int | None], int]:
    """Return the index of each label, None for an unknown one, and the number of classes (0: not known)."""
    whole = [label.removesuffix(".0") for label in labels]  # as spreadsheets write whole numbers
    if file is None and not classes and all(label.isdecimal() and len(label) <= LONGEST_INDEX for label in whole):
        return [int(label) for label in whole], 0
    if classes:
        known = list(classes)
    elif file is not None:
        known = read_classes(file)
    elif set(labels) <= set(imagenet := read_classes(IMAGENET)):
        known = imagenet
    else:
        known = sorted(set(labels))
    places = {name: place for place, name in enumerate(known)}
    places |= {str(place): place for place in range(len(known)) if str(place) not in places}
    return [places.get(label) for label in labels], len(known)


def read_classes(path: Path) -> list[str]:
    """Return the classes of a file in order: the first word of each line, as in ImageNet's list of synsets.

    Raises:
        DataError: if it cannot be read, is empty, or names a class twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a list of classes, one in each line: {error}") from error
    names = [line.split()[0].strip(",") for line in lines if line.strip()]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice or not names:
        raise DataError(
            f"{path} {f'names the class {twice!r} twice' if twice else 'is empty'}; give each class a line."
        )
    return names


def read_table(settings: ImageSettings) -> list[tuple[Path, str]]:
    """Return the (file, label) pairs of a table, CSV or a spreadsheet.

    Raises:
        DataError: if the table cannot be read, lacks a column or a cell, or names a file that is not below the root.
    """
    path = settings.root / settings.table
    names = {settings.image_column: "--images.image_column", settings.label_column: "--images.label_column"}
    files, pairs = Files(settings.root.resolve()), []
    for place, row in rows_of(path, names):
        name, label = row[settings.image_column], row[settings.label_column]
        if not name or not label:
            raise DataError(f"{place}, lacks an image or its label.")
        pairs.append((settings.root / files.find(name, place).relative_to(files.root), label))
    if not pairs:
        raise DataError(f"{path} has no rows below its column names; give each image and its label a row.")
    return pairs


def read_imagenet(settings: ImageSettings) -> list[tuple[Path, str]]:
    """Return the (file, label) pairs of ImageNet's validation set: flat with a label file, or sorted into wnid folders.

    The label file is `val.txt` (a name and an index or wnid in each line) or Kaggle's `LOC_val_solution.csv`.

    Raises:
        DataError: if it is missing or cannot be read, or a line of it is wrong.
    """
    file = settings.root / settings.table
    if not file.is_file():
        pictures = [(path, path.parent.name) for path in images_in(settings.root)]
        if {label for _, label in pictures} <= set(read_classes(IMAGENET)):
            return pictures
        raise DataError(
            f"{settings.root} has neither the label file {settings.table} (val.txt or LOC_val_solution.csv, named with "
            "--images.table) nor a folder for each WordNet id."
        )
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as a file name and its class in each line: {error}") from error
    found = {path.stem: path for path in images_in(settings.root)}
    pairs = []
    for number, line in enumerate(lines, start=1):
        words = line.replace(",", " ").split()
        if not words or words[0] == "ImageId":
            continue
        if len(words) < 2 or Path(words[0]).stem not in found:
            wrong = "has no label" if len(words) < 2 else f"names {words[0]}, which is not in {settings.root}"
            raise DataError(f"{file}, line {number}, {wrong}; each line is a file name and its class.")
        pairs.append((found[Path(words[0]).stem], words[1]))
    return pairs


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

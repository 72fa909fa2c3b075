"""The training and test images of IQA-LS."""

from pathlib import Path

import numpy as np

from gada.data.labelled import LabelledImages, drawn, load_cifar10
from gada.errors import DataError
from gada.io.folders import images_in
from gada.settings import ClassifyDataSettings


def load_images(data: ClassifyDataSettings, part: str) -> LabelledImages:
    """Return the training or test images.

    Args:
        data: which data.
        part: `train` or `test`.

    Raises:
        ConfigError: if more images are to be drawn than there are.
        DataError: if they are missing or invalid, or a test image is of a class that training lacks.
    """
    if data.layout == "folders":
        images = load_folders(data.root, part)
    else:
        images = load_cifar10(data.root, "train" if part == "train" else "test")
    if part == "train":
        return drawn(images, data.per_class, data.seed, "data.per_class")
    return drawn(images, data.test_per_class, data.seed, "data.test_per_class")


def load_folders(root: Path, part: str) -> LabelledImages:
    """Return the images in `root`/`part`/CLASS; the classes are those of `root`/train, sorted."""
    for folder in (root / "train", root / part):
        if not folder.is_dir():
            raise DataError(f"{folder} does not exist; the folder must hold train/CLASS/... and test/CLASS/...")
    classes = tuple(sorted({class_of(path, root / "train") for path in images_in(root / "train")}))
    paths = tuple(images_in(root / part))
    labels = [class_of(path, root / part) for path in paths]
    if unknown := sorted(set(labels) - set(classes)):
        raise DataError(
            f"{root / part} has the class {unknown[0]!r}, which {root / 'train'} lacks; put images of it there, or "
            "take it away here."
        )
    names = tuple(path.relative_to(root / part).as_posix() for path in paths)
    indices = np.array([classes.index(label) for label in labels], np.int64)
    return LabelledImages(
        root.resolve().name, names, indices, len(classes), paths, root=root / part, class_names=classes
    )


def class_of(path: Path, folder: Path) -> str:
    """Return the class of an image: the folder below `train` or `test` in which it lies, at any depth."""
    name, *below = path.relative_to(folder).parts
    if not below:
        raise DataError(f"{path} is not in the folder of a class; put it into one, or take it away.")
    return name


def resize_of(images: LabelledImages, size: int) -> int | None:
    """Return the shorter side of images before the square is cut; None for CIFAR-10, which stays as it is."""
    return size if images.array is None else None

"""CIFAR-10-C (Hendrycks and Dietterich, 2019): 15 corruptions at 5 severities, as NumPy files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.data.cifar10 import SIDE
from gada.errors import DataError

CORRUPTIONS = (
    "gaussian_noise shot_noise impulse_noise defocus_blur glass_blur motion_blur zoom_blur snow frost fog brightness "
    "contrast elastic_transform pixelate jpeg_compression"
).split()
SEVERITIES = 5


def read_corruption(folder: Path, name: str) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Yield images (N, 32, 32, 3) and labels (N,) of a corruption at severities 1 to 5.

    Args:
        folder: holds `labels.npy` and a file for each corruption, with the severities one after the other.
        name: one of `CORRUPTIONS`.

    Raises:
        DataError: if a file is missing or has another layout.
    """
    images, labels = mapped(folder / f"{name}.npy"), mapped(folder / "labels.npy")
    if images.shape[1:] != (SIDE, SIDE, 3) or images.dtype != np.uint8 or len(images) % SEVERITIES:
        raise DataError(f"{folder / name}.npy holds {images.shape} {images.dtype}; it must be (5 N, 32, 32, 3) uint8.")
    if labels.shape != (len(images),):
        raise DataError(f"{folder / 'labels.npy'} holds {labels.shape}; it must be ({len(images)},), as {name}.npy.")
    count = len(images) // SEVERITIES
    for start in range(0, len(images), count):
        yield images[start : start + count], labels[start : start + count].astype(np.int64)


def mapped(path: Path) -> NDArray[np.uint8]:
    """Return an array, mapped from its file.

    Raises:
        DataError: if it is missing or not a NumPy file.
    """
    try:
        array: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as CIFAR-10-C's NumPy file: {error}.") from error
    return array

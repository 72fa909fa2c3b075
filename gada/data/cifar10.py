"""CIFAR-10 in its official binary layout (Krizhevsky, 2009): files of 10,000 records, each a label and three planes."""

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gada.errors import DataError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SIDE = 32  # pixels
RECORD = 1 + 3 * SIDE * SIDE  # bytes: label, then the red, green and blue planes
IMAGES = 10_000  # in each file
Part = Literal["train", "test"]
FILES: dict[Part, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    "test": ("test_batch.bin",),
}


def read_cifar10(root: Path, part: Part, images: int = IMAGES) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read CIFAR-10's 50,000 training or 10,000 test images.

    Args:
        root: folder of the binary version, `cifar-10-batches-bin`.
        part: which images.
        images: how many a file holds; only this program's tests have smaller ones.

    Returns:
        Images (N, 32, 32, 3) and labels (N,).

    Raises:
        DataError: if a file is missing, truncated or not a batch of CIFAR-10; the message names it.
    """
    records = np.concatenate([read_records(root / name, images) for name in FILES[part]])
    pixels = np.ascontiguousarray(records[:, 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1))
    return pixels, records[:, 0].astype(np.int64)


def read_records(path: Path, images: int = IMAGES) -> NDArray[np.uint8]:
    """Read the records of one file, (N, 3073) uint8.

    Raises:
        DataError: if it is missing, has another size, or holds a label above 9.
    """
    if not path.is_file():
        names = ", ".join(sum(FILES.values(), ()))
        raise DataError(f"{path} does not exist; the folder must hold CIFAR-10's binary version: {names}.")
    size = path.stat().st_size
    if size != images * RECORD:
        raise DataError(
            f"{path} has {size:,} bytes but must have {images * RECORD:,} ({images:,} records of {RECORD}); "
            "get the file again."
        )
    records = np.fromfile(path, np.uint8).reshape(-1, RECORD)
    if (worst := int(records[:, 0].max())) >= len(CLASSES):
        first = int(np.flatnonzero(records[:, 0] >= len(CLASSES))[0])
        raise DataError(f"{path} is corrupt: record {first} has the label {worst}, which must be 0 to 9.")
    return records

"""CIFAR-10's binary layout and CIFAR-10-C's: what is read, and what a wrong file is told."""

from pathlib import Path

import numpy as np
import pytest

from gada.data.cifar10 import FILES, RECORD, read_cifar10, read_records
from gada.data.cifar10c import read_corruption
from gada.errors import DataError

IMAGES = 4


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number, name in enumerate([*FILES["train"], *FILES["test"]]):
        records = np.random.default_rng(number).integers(0, 256, (IMAGES, RECORD), dtype=np.uint8)
        records[:, 0] = np.arange(IMAGES) + number
        (tmp_path / name).write_bytes(records.tobytes())
    return tmp_path


def test_planes_become_pixels(root: Path) -> None:
    pixels, labels = read_cifar10(root, "test", IMAGES)
    record = np.fromfile(root / "test_batch.bin", np.uint8)[:RECORD]
    assert pixels.shape == (IMAGES, 32, 32, 3)
    assert pixels[0, 3, 7].tolist() == [record[1 + plane * 1024 + 3 * 32 + 7] for plane in range(3)]
    assert labels.tolist() == [5, 6, 7, 8]


def test_training_images_come_from_five_files(root: Path) -> None:
    pixels, labels = read_cifar10(root, "train", IMAGES)
    assert labels.tolist() == [label + number for number in range(5) for label in range(4)]
    assert len(pixels) == 20


def test_a_missing_file_is_named(root: Path) -> None:
    (root / "data_batch_3.bin").unlink()
    with pytest.raises(DataError, match=r"data_batch_3\.bin does not exist"):
        read_cifar10(root, "train", IMAGES)


@pytest.mark.parametrize("change", [-1, 1, -RECORD])
def test_a_file_of_another_length_is_named(root: Path, change: int) -> None:
    path = root / "data_batch_2.bin"
    path.write_bytes(path.read_bytes()[:change] if change < 0 else path.read_bytes() + b"0")
    with pytest.raises(DataError, match=r"data_batch_2\.bin has [\d,]+ bytes but must have 12,292"):
        read_cifar10(root, "train", IMAGES)


def test_a_wrong_label_is_named(root: Path) -> None:
    records = np.fromfile(root / "test_batch.bin", np.uint8).reshape(-1, RECORD)
    records[2, 0] = 10
    (root / "test_batch.bin").write_bytes(records.tobytes())
    with pytest.raises(DataError, match="record 2 has the label 10"):
        read_records(root / "test_batch.bin", IMAGES)


def test_cifar10c_has_its_severities_one_after_the_other(tmp_path: Path) -> None:
    images = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 32, 32, 3), np.uint8)
    np.save(tmp_path / "fog.npy", images)
    np.save(tmp_path / "labels.npy", np.tile([3, 7], 5))
    parts = list(read_corruption(tmp_path, "fog"))
    assert [(int(pixels[0, 0, 0, 0]), labels.tolist()) for pixels, labels in parts] == [
        (first, [3, 7]) for first in (0, 2, 4, 6, 8)
    ]


def test_a_wrong_file_of_cifar10c_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"snow\.npy"):
        list(read_corruption(tmp_path, "snow"))
    np.save(tmp_path / "labels.npy", np.zeros(5))
    np.save(tmp_path / "snow.npy", np.zeros((5, 3, 32, 32), np.uint8))
    with pytest.raises(DataError, match=r"must be \(5 N, 32, 32, 3\)"):
        list(read_corruption(tmp_path, "snow"))
    np.save(tmp_path / "snow.npy", np.zeros((10, 32, 32, 3), np.uint8))
    with pytest.raises(DataError, match=r"labels\.npy holds \(5,\)"):
        list(read_corruption(tmp_path, "snow"))

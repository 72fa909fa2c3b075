import errno
import json
import os
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import layouts
import numpy as np
import pytest

from gada.data import cache
from gada.data.cache import PackedImages, default_folder
from gada.errors import DataError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(5):
        layouts.picture(tmp_path / "set" / "a" / f"{number}.png", number, height=20 + number, width=30)
    return tmp_path / "set"


def paths(root: Path) -> list[Path]:
    return sorted(root.glob("a/*.png"))


def opened(root: Path) -> PackedImages:
    return PackedImages.open(paths(root), root, root.parent / "cache")


def assert_right(packed: PackedImages, root: Path) -> None:
    for number, path in enumerate(paths(root)):
        np.testing.assert_array_equal(packed.array(path), layouts.pixels(number, 20 + number, 30))


def no_decoding(*arguments: Any, **options: Any) -> None:
    raise AssertionError("an image was decoded")


def test_every_image_is_packed_as_it_is_decoded(root: Path) -> None:
    packed = opened(root)
    assert_right(packed, root)
    assert packed.size(paths(root)[3]) == (23, 30)
    assert sorted(path.suffix for path in packed.file.parent.iterdir()) == [".json", ".pack"]


def test_a_second_opening_decodes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = opened(root)
    monkeypatch.setattr(cache, "read_image", no_decoding)
    second = opened(root)
    assert second.fingerprint == first.fingerprint
    assert_right(second, root)


def test_a_moved_set_stays_valid(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(root)
    moved = root.rename(root.with_name("moved"))
    monkeypatch.setattr(cache, "read_image", no_decoding)
    assert_right(opened(moved), moved)


def test_views_cannot_be_written_to(root: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        opened(root).array(paths(root)[0])[0, 0, 0] = 1


def test_a_path_given_twice_is_packed_once(root: Path) -> None:
    packed = PackedImages.open(paths(root) * 2, root, root.parent / "cache")
    assert len(packed.entries) == 5
    assert packed.file == opened(root).file


def changed(path: Path) -> None:
    layouts.picture(path, 77, height=20, width=30)


def touched(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("change", [changed, touched])
def test_a_changed_file_has_another_cache(root: Path, change: Callable[[Path], None]) -> None:
    before = opened(root)
    change(paths(root)[0])
    after = opened(root)
    assert after.file != before.file
    assert after.array(paths(root)[0]).shape == (20, 30, 3)


def cut(packed: PackedImages) -> None:
    packed.file.write_bytes(packed.file.read_bytes()[:-1])


def emptied(packed: PackedImages) -> None:
    packed.file.write_bytes(b"")


def foreign(packed: PackedImages) -> None:
    packed.file.write_bytes(b"x" * packed.file.stat().st_size)


def gone(packed: PackedImages) -> None:
    packed.file.unlink()


def no_index(packed: PackedImages) -> None:
    packed.file.with_suffix(".json").unlink()


def broken_index(packed: PackedImages) -> None:
    packed.file.with_suffix(".json").write_text("[1, 2")


def short_index(packed: PackedImages) -> None:
    index = packed.file.with_suffix(".json")
    content = json.loads(index.read_text())
    content["shapes"] = [[100, 30], [9, 30]]  # as many bytes
    index.write_text(json.dumps(content))


@pytest.mark.parametrize("damage", [cut, emptied, foreign, gone, no_index, broken_index, short_index])
def test_a_damaged_cache_is_built_anew(root: Path, damage: Callable[[PackedImages], None]) -> None:
    damage(opened(root))
    assert_right(opened(root), root)


def test_a_pickle_carries_no_pixels_and_maps_anew(root: Path) -> None:
    packed = opened(root)
    assert_right(packed, root)
    data = pickle.dumps(packed)
    assert len(data) < 2000
    assert_right(pickle.loads(data), root)  # noqa: S301


def open_in_process(root: Path) -> bool:
    assert_right(opened(root), root)
    return True


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 and later, under threads
def test_processes_may_race(root: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        assert all(pool.map(open_in_process, [root] * 4))
    assert len(list((root.parent / "cache").iterdir())) == 2


def test_a_full_disk_is_one_sentence_and_leaves_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"\.pack cannot be written \(No space left on device\); .*GADA_CACHE"):
        opened(root)
    assert not list((root.parent / "cache").iterdir())


def test_a_broken_image_is_named_and_leaves_nothing(root: Path) -> None:
    path = paths(root)[2]
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"2\.png"):
        opened(root)
    assert not list((root.parent / "cache").iterdir())


def test_a_missing_image_is_named(root: Path) -> None:
    with pytest.raises(DataError, match=r"none\.png cannot be read: No such file"):
        PackedImages.open([root / "none.png"], root, root.parent / "cache")


def test_the_folder_is_the_environment_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GADA_CACHE", str(tmp_path))
    assert default_folder() == tmp_path
    monkeypatch.delenv("GADA_CACHE")
    assert default_folder() == Path.home() / ".cache" / "gada"

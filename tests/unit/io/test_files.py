"""A file is the old one or the whole new one, and what cannot be written is one sentence."""

import errno
import os
from pathlib import Path

import pytest

from gada.errors import DataError
from gada.io.files import atomic_path, remove_temporaries, write_text


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_names_it(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "page.txt"
    write_text(path, "old")
    with monkeypatch.context() as patch:
        if call == "fsync":
            patch.setattr(os, "fsync", full)
        else:
            patch.setattr(Path, "replace", full)
        with pytest.raises(
            DataError, match=r"page\.txt cannot be written \(No space left on device\); free some space"
        ):
            write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_text(tmp_path / "file" / "page.txt", "new")


def test_another_error_stays_what_it_is_and_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with atomic_path(tmp_path / "page.txt") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.iterdir())


def test_temporaries_of_a_killed_process_are_removed_once_they_are_old(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "run" / "last.ckpt") as temporary:
        temporary.write_text("whole")
        stale = temporary.with_name(temporary.name.replace("last", "best"))
        stale.write_text("half")
    remove_temporaries(tmp_path)
    assert stale.is_file(), "another process may be writing it"
    os.utime(stale, (1, 1))
    remove_temporaries(tmp_path)
    assert not stale.exists()
    assert (tmp_path / "run" / "last.ckpt").is_file()
    remove_temporaries(tmp_path / "nowhere")

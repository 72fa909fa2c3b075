"""What is in a folder, also where one may not look."""

import os
from pathlib import Path
from typing import Any

import pytest

from gada.errors import DataError
from gada.io.folders import check_arguments, images_in, pictures_of
from gada.io.images import read_image


def forbid(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the permission to look into a folder; root has it always, so that it is only said."""
    true = os.access
    monkeypatch.setattr(os, "access", lambda path, *mode, **how: Path(path) != folder and true(path, *mode, **how))
    monkeypatch.setattr(os, "supports_effective_ids", {os.access})


def test_a_folder_without_permission_is_one_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a/1.png", "closed/2.png", "z/3.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"")
    forbid(tmp_path / "closed", monkeypatch)
    assert list(pictures_of([tmp_path])) == [tmp_path / "a/1.png", tmp_path / "closed", tmp_path / "z/3.png"]
    with pytest.raises(DataError, match="closed is no file but a folder that cannot be listed"):
        read_image(tmp_path / "closed")


def test_the_folder_itself_without_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(tmp_path, monkeypatch)
    with pytest.raises(DataError, match="cannot be listed: permission denied"):
        images_in(tmp_path)


def test_links_are_not_followed_in_circles_and_strange_names_are_found(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path)
    names: list[Any] = [b"new\nline.png", b"\xff\xfe.png", b"=1+1.png", b"-rf.png"]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(b"")
    assert sorted(os.fsencode(path.name) for path in images_in(tmp_path)) == sorted(names)


def test_what_leads_nowhere_is_yielded(tmp_path: Path) -> None:
    (tmp_path / "broken.png").symlink_to(tmp_path / "absent.png")
    nowhere = [tmp_path / "missing[1].png", tmp_path / "none*.png", tmp_path / f"{'x' * 300}.png"]
    assert list(pictures_of([tmp_path, *nowhere])) == [tmp_path / "broken.png", *nowhere]
    for path in (tmp_path / "broken.png", *nowhere):
        with pytest.raises(DataError):
            read_image(path)
    with pytest.raises(DataError, match="holds no picture"):
        check_arguments([tmp_path / "none*.png"])

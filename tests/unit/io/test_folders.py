"""What is in a folder, also where one may not look."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gada.errors import DataError
from gada.io.folders import check_arguments, described, images_in, images_of
from gada.io.formats import FORMATS
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
    assert list(images_of([tmp_path])) == [tmp_path / "a/1.png", tmp_path / "closed", tmp_path / "z/3.png"]
    with pytest.raises(DataError, match="closed is not a file but a folder that cannot be listed"):
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


SIDE = (
    ".hidden.png ._a.png .ipynb_checkpoints/a-checkpoint.png __MACOSX/._a.png @eaDir/a.png $RECYCLE.BIN/a.png ~$a.png"
)


def test_hidden_and_side_files_are_passed_over_and_counted(tmp_path: Path) -> None:
    for name in (*SIDE.split(), "a.png", "sub/Thumbs.db", "sub/desktop.ini", "sub/notes.md", "sub/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    images = [tmp_path / "a.png", tmp_path / "sub" / "b.png"]
    passed_over = Counter[str]()
    assert images_in(tmp_path) == list(images_of([tmp_path], passed_over)) == images
    assert passed_over == {"hidden or side files": 9, ".md": 1}
    assert "10 that are not images: 9 hidden or side files, 1 .md" in described(passed_over)
    assert list(images_of([f"{tmp_path}/**/*.png"])) == images
    assert list(images_of([tmp_path / "._a.png", f"{tmp_path}/@eaDir/*.png"])) == [
        tmp_path / "._a.png",
        tmp_path / "@eaDir/a.png",
    ]  # what is named is meant


def test_every_suffix_of_what_pillow_reads_is_an_image(tmp_path: Path) -> None:
    Image.init()
    read = {suffix for suffix, name in Image.EXTENSION.items() if name in {*FORMATS, "MPO", "DIB"}}
    assert {".jfif", ".mpo", ".jpe", ".jp2", ".j2k", ".jpf", ".tif", ".webp", ".apng"} <= read
    names = sorted(f"a{suffix}" for suffix in (*read, ".JFIF", ".heic", ".jxl", ".dng", ".CR2", ".ppm"))
    for name in (*names, "a.txt", "a.mp4", "a"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in images_in(tmp_path)] == names


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_file_of_paths_is_a_list(encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "photos/b.png", "photos/c é.png"):
        (tmp_path / name).write_bytes(b"")
    lines = ["", "photos/c é.png", "photos", "gone.png", "https://example.com/a.png", str(tmp_path / "a.png"), ""]
    (tmp_path / "list.txt").write_text("\r\n".join(lines), encoding=encoding)
    wanted = [tmp_path / "photos/c é.png", tmp_path / "photos/b.png", tmp_path / "photos/c é.png"]
    nowhere = [Path("gone.png"), Path("https://example.com/a.png")]
    assert list(images_of([tmp_path / "list.txt"])) == [*wanted, *nowhere, tmp_path / "a.png"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos" / "list.lst").write_text("a.png\nphotos/b.png\nb.png\n")
    assert list(images_of(["photos/list.lst"])) == [Path("a.png"), Path("photos/b.png"), Path("photos/b.png")]
    with pytest.raises(DataError, match="is a URL; gada fetches nothing"):
        read_image(nowhere[1])


def test_a_text_of_something_else_is_not_a_list(tmp_path: Path) -> None:
    (tmp_path / "itself.txt").write_text("itself.txt\n")
    (tmp_path / "notes.txt").write_text("Some words on these images.\n")
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    for name in ("itself.txt", "notes.txt", "binary"):
        assert list(images_of([tmp_path / name])) == [tmp_path / name]
        with pytest.raises(DataError, match="is not an image of a known format"):
            read_image(tmp_path / name)


@pytest.mark.parametrize("url", ["https://example.com/a.png", "http://localhost", "s3://bucket/a.png", "file:///a.png"])
def test_a_url_is_told_at_once(url: str) -> None:
    for read in (lambda: check_arguments([url]), lambda: images_in(Path(url)), lambda: read_image(Path(url))):
        with pytest.raises(DataError, match=r"://.* is a URL; gada fetches nothing: give the path"):
            read()


def test_what_leads_nowhere_is_yielded(tmp_path: Path) -> None:
    (tmp_path / "broken.png").symlink_to(tmp_path / "absent.png")
    nowhere = [tmp_path / "missing[1].png", tmp_path / "none*.png", tmp_path / f"{'x' * 300}.png"]
    assert list(images_of([tmp_path, *nowhere])) == [tmp_path / "broken.png", *nowhere]
    for path in (tmp_path / "broken.png", *nowhere):
        with pytest.raises(DataError):
            read_image(path)
    with pytest.raises(DataError, match="holds no image"):
        check_arguments([tmp_path / "none*.png"])


@pytest.mark.parametrize("content", ["", " \n\n", "# my images\n"])
def test_a_list_without_names_is_told(content: str, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(content)
    with pytest.raises(DataError, match=r"list\.txt names no image; a list of images names one a line"):
        check_arguments([tmp_path / "list.txt"])


def test_comments_quotes_and_spaces_of_a_list_are_not_names(tmp_path: Path) -> None:
    for name in ("a.png", "b c.png"):
        (tmp_path / name).touch()
    (tmp_path / "list.txt").write_text('# my images\n  a.png  \n\n"b c.png"\n')
    assert list(images_of([tmp_path / "list.txt"])) == [tmp_path / "a.png", tmp_path / "b c.png"]

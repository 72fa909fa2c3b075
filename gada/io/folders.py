"""Which files of a folder are pictures."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gada.errors import DataError
from gada.io.files import exists, is_file, is_folder

# HEIC is listed so that it is refused by name and not passed over.
SUFFIXES = {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".gif"}
SUFFIXES |= {".jp2", ".j2k", ".jpx", ".jpf", ".avif", ".heic", ".heif"}


def images_in(folder: Path) -> list[Path]:
    """Return the pictures of a folder and its subfolders, sorted by path.

    Raises:
        DataError: if the folder is missing or holds no picture.
    """
    if not is_folder(folder):
        raise DataError(f"{folder} is not a folder; name a folder of photographs.")
    found = sorted(walk(folder))
    if not found:
        raise DataError(f"{folder} holds no picture; known are {', '.join(sorted(SUFFIXES))}.")
    return found


def walk(folder: Path) -> Iterator[Path]:
    """Yield the pictures of a folder and its subfolders, folder by folder, each sorted by name; holds one at a time.

    A subfolder that cannot be listed, and a link to a picture that is not there, are yielded themselves, so that
    reading them says what is wrong. Linked subfolders are passed over: a link could lead in a circle.
    """
    if not can_be_listed(folder):
        raise DataError(f"{folder} cannot be listed: permission denied.")
    for name in sorted(os.listdir(folder)):  # noqa: PTH208  # paths would take ten times the memory
        path = folder / name
        if is_folder(path):
            if not path.is_symlink():
                yield from walk(path) if can_be_listed(path) else [path]
        elif path.suffix.lower() in SUFFIXES and (is_file(path) or (path.is_symlink() and not exists(path))):
            yield path


def can_be_listed(folder: Path) -> bool:
    """Return whether this process may list a folder and open what is in it."""
    return os.access(folder, os.R_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def pictures_of(paths: Iterable[str | Path]) -> Iterator[Path]:
    """Yield each file as it is, the pictures of each folder, and what each pattern (such as `photos/**/*.jpg`) matches.

    What is missing, a pattern that matches nothing and a folder that cannot be listed are yielded too, so that reading
    them says what is wrong.
    """
    for path in paths:
        if is_folder(path) and can_be_listed(Path(path)):
            yield from walk(Path(path))
        else:
            yield from matches(path) or [Path(path)]


def matches(path: str | Path) -> list[Path]:
    """Return the files that a pattern matches, sorted; none for what is no pattern, or a file of that name."""
    if not _is_pattern(path):
        return []
    found = (Path(name) for name in glob.iglob(str(path), recursive=True))  # noqa: PTH207  # of any root
    return sorted(name for name in found if is_file(name))


def check_arguments(paths: Iterable[str | Path]) -> None:
    """Refuse at once what is surely a slip: a URL, a folder or pattern without pictures, a name that is no picture's.

    Raises:
        DataError: if one of them is.
    """
    for path in paths:
        if "://" in str(path):
            raise DataError(f"{path} is a URL, and gada fetches nothing; download the picture and name its file.")
        pattern = _is_pattern(path)
        if (is_folder(path) and next(walk(Path(path)), None) is None) or (pattern and not matches(path)):
            raise DataError(f"{path} holds no picture; known are {', '.join(sorted(SUFFIXES))}.")
        if not pattern and not exists(path) and Path(path).suffix.lower() not in SUFFIXES:
            raise DataError(f"{path} is not there; name pictures, folders of pictures or patterns.")


def _is_pattern(path: str | Path) -> bool:
    return glob.has_magic(str(path)) and not exists(path)

"""Which files of a folder are pictures."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gada.errors import DataError

# HEIC is listed so that it is refused by name and not passed over.
SUFFIXES = {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".gif"}
SUFFIXES |= {".jp2", ".j2k", ".jpx", ".jpf", ".avif", ".heic", ".heif"}


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures of a folder and its subfolders, sorted by path.

    Raises:
        DataError: if the folder is missing or holds no picture.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; name a folder of photographs.")
    found = sorted(walk(folder))
    if not found:
        raise DataError(f"{folder} holds no picture; known are {', '.join(sorted(SUFFIXES))}.")
    return found


def walk(folder: Path) -> Iterator[Path]:
    """Yield the pictures of a folder and its subfolders, folder by folder, each sorted by name; holds one at a time.

    A subfolder that cannot be listed is yielded itself, so that reading it says what is wrong.
    """
    if not can_be_listed(folder):
        raise DataError(f"{folder} cannot be listed: permission denied.")
    for name in sorted(os.listdir(folder)):  # noqa: PTH208  # paths would take ten times the memory
        path = folder / name
        if path.is_dir() and not path.is_symlink():  # a link could lead in a circle
            yield from walk(path) if can_be_listed(path) else [path]
        elif path.suffix.lower() in SUFFIXES and path.is_file():
            yield path


def can_be_listed(folder: Path) -> bool:
    """Return whether this process may list a folder and open what is in it."""
    return os.access(folder, os.R_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def pictures_of(paths: Iterable[str | Path]) -> Iterator[Path]:
    """Yield each file as it is, the pictures of each folder, and what each pattern (such as `photos/**/*.jpg`) matches.

    A file that is missing is yielded too, so that reading it says what is wrong.
    """
    for path in paths:
        if Path(path).is_dir():
            yield from walk(Path(path))
        elif _is_pattern(path):
            matched = (Path(name) for name in glob.iglob(str(path), recursive=True))  # noqa: PTH207  # of any root
            yield from sorted(name for name in matched if name.is_file())
        else:
            yield Path(path)


def check_arguments(paths: Iterable[str | Path]) -> None:
    """Refuse at once what is surely a slip: a URL, a folder or pattern without pictures, a name that is no picture's.

    Raises:
        DataError: if one of them is.
    """
    for path in paths:
        if "://" in str(path):
            raise DataError(f"{path} is a URL, and gada fetches nothing; download the picture and name its file.")
        if Path(path).is_dir() or _is_pattern(path):
            if next(pictures_of([path]), None) is None:
                raise DataError(f"{path} holds no picture; known are {', '.join(sorted(SUFFIXES))}.")
        elif not Path(path).exists() and Path(path).suffix.lower() not in SUFFIXES:
            raise DataError(f"{path} is not there; name pictures, folders of pictures or patterns.")


def _is_pattern(path: str | Path) -> bool:
    return glob.has_magic(str(path)) and not Path(path).exists()

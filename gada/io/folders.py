"""Which files of a folder are pictures."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from gada.errors import DataError

# HEIC is listed so that it is refused by name and not passed over.
SUFFIXES = {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".gif"}
SUFFIXES |= {".jp2", ".j2k", ".jpx", ".avif", ".heic", ".heif"}


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures of a folder and its subfolders, sorted by path.

    Raises:
        DataError: if the folder is missing or holds no picture.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; name a folder of photographs.")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise DataError(f"{folder} holds no picture; known are {', '.join(sorted(SUFFIXES))}.")
    return found


def pictures_of(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield each file as it is, and the pictures of each folder."""
    for path in paths:
        if path.is_dir():
            yield from pictures_in(path)
        else:
            yield path

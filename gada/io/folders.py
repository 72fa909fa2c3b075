"""Which images a user means: files, folders, patterns and lists of them."""

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from gada.errors import DataError
from gada.io.files import check_not_url, exists, is_file, is_folder, is_url
from gada.io.formats import is_side_file, known, suffixes

SIDE_FILES = "hidden or side files"
FIRST_LINE = 65_536  # characters of a list's first line


def images_in(folder: Path, option: str = "") -> list[Path]:
    """Return the images of a folder and its subfolders, sorted by path; hidden and side files are passed over.

    Args:
        folder: where to look.
        option: what names another folder, for the message.

    Raises:
        DataError: if the folder is missing or holds no image.
    """
    if not is_folder(folder):
        check_not_url(folder)
        raise DataError(f"{folder} is not a folder of images{f'; name yours with {option}' if option else ''}.")
    found = sorted(walk(folder))
    if not found:
        raise DataError(f"{folder} holds no image; known are {known()}.")
    return found


def walk(folder: Path, passed_over: Counter[str] | None = None) -> Iterator[Path]:
    """Yield the images of a folder and its subfolders, folder by folder, each sorted by name; holds one at a time.

    A subfolder that cannot be listed, and a link to an image that is missing, are yielded themselves, so that
    reading them says what is wrong. Linked subfolders are passed over: a link could lead in a circle.

    Args:
        folder: where to look.
        passed_over: counts what is left out, by suffix or as `SIDE_FILES`.
    """
    if not can_be_listed(folder):
        raise DataError(f"{folder} cannot be listed: permission denied.")
    left_out = Counter[str]() if passed_over is None else passed_over
    for name in sorted(os.listdir(folder)):  # noqa: PTH208  # paths would take ten times the memory
        path = folder / name
        if is_side_file(name):
            left_out[SIDE_FILES] += 1
        elif is_folder(path):
            if not path.is_symlink():
                yield from walk(path, passed_over) if can_be_listed(path) else [path]
        elif not is_image_name(path):
            left_out[path.suffix.lower() or "without a suffix"] += 1
        elif is_file(path) or (path.is_symlink() and not exists(path)):
            yield path


def is_image_name(path: str | Path) -> bool:
    """Return whether a file is an image by its name, be it one that is read or one that is refused by name."""
    return Path(path).suffix.lower() in suffixes()


def can_be_listed(folder: Path) -> bool:
    """Return whether this process may list a folder and open what is in it."""
    return os.access(folder, os.R_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def images_of(paths: Iterable[str | Path], passed_over: Counter[str] | None = None) -> Iterator[Path]:
    """Yield each file, the images of each folder, what each pattern (`photos/**/*.jpg`) matches, what each list names.

    What is missing, a pattern that matches nothing and a folder that cannot be listed are yielded too, so that reading
    them says what is wrong.

    Args:
        paths: files, folders, patterns, and text files with one of these a line.
        passed_over: counts what is left out of folders, as `walk` does.
    """
    for path in paths:
        named = (beside(line, Path(path)) for line in lines_of(Path(path))) if is_list(path) else [path]
        for one in named:
            if is_folder(one) and can_be_listed(Path(one)):
                yield from walk(Path(one), passed_over)
            else:
                yield from matches(one) or [Path(one)]


def matches(path: str | Path) -> list[Path]:
    """Return the files that a pattern matches, sorted; none for what is not a pattern, or a file of that name."""
    if not _is_pattern(path):
        return []
    named = set(Path(path).parts)
    found = (Path(name) for name in glob.iglob(str(path), recursive=True))  # noqa: PTH207  # of any root
    wanted = (one for one in found if not any(is_side_file(part) for part in set(one.parts) - named))
    return sorted(name for name in wanted if is_file(name))


def is_list(path: str | Path) -> bool:
    """Return whether a file is a list of images: its name is not an image's, and its first line is, or a folder's."""
    if is_image_name(path) or not is_file(path):
        return False
    first = next(lines_of(Path(path)), "")
    if not first or "\0" in first:
        return False
    return is_url(first) or is_image_name(first) or _is_pattern(first) or exists(beside(first, Path(path)))


def lines_of(path: Path) -> Iterator[str]:
    """Yield the names of a list without blank lines and comments; UTF-8, or UTF-16 with its mark."""
    try:
        with path.open("rb") as file:
            wide = file.read(2) in (b"\xff\xfe", b"\xfe\xff")
        encoding = "utf-16" if wide else "utf-8-sig"
        with path.open(encoding=encoding, errors="surrogateescape") as text:
            while line := text.readline(FIRST_LINE):
                name = line.strip().strip('"')  # as "copy as path" writes it
                if name and (not name.startswith("#") or exists(name)):
                    yield name
    except (OSError, UnicodeError):  # reading it as an image says what is wrong
        return


def beside(line: str, path: Path) -> str:
    """Return where a line of a list leads: counted from here or, where nothing is there, from the list's folder."""
    other = path.parent / line
    return line if exists(line) or is_url(line) or not (exists(other) or _is_pattern(line)) else str(other)


def check_arguments(paths: Iterable[str | Path]) -> None:
    """Check at once for what is surely a slip: a URL, a folder or pattern without images, a missing file.

    Raises:
        DataError: if one of them is.
    """
    for path in paths:
        check_not_url(path)
        pattern = _is_pattern(path)
        if (is_folder(path) and next(walk(Path(path)), None) is None) or (pattern and not matches(path)):
            raise DataError(f"{path} holds no image; known are {known()}.")
        if not pattern and not exists(path) and not is_image_name(path):
            raise DataError(f"{path} is missing; name images, folders, patterns, or text files with one a line.")
        if is_file(path) and not is_image_name(path) and os.access(path, os.R_OK) and not any(lines_of(Path(path))):
            raise DataError(f"{path} names no image; a list of images names one a line.")


def described(passed_over: Counter[str]) -> str:
    """Return how much was passed over, and of which kinds, in one phrase."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in passed_over.most_common())
    return f"passed over {passed_over.total()} that are not images: {kinds}"


def _is_pattern(path: str | Path) -> bool:
    return glob.has_magic(str(path)) and not exists(path)

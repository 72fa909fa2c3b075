"""Atomic writes: a file is either the old one or the whole new one, also after a crash or on a full disk."""

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from uuid import uuid4

from gada.errors import DataError

TEMPORARY = ".gada-"  # how the name of every temporary file begins
DAY = 86_400.0  # seconds


@contextmanager
def atomic_path(path: Path, advice: str = "free some space or choose another folder") -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is synced to disk and takes the name `path`.

    The temporary file lies in the same folder, so that the rename never crosses a file system. It keeps the
    suffix, because many writers choose their format by it. On an exception it is removed and `path` is untouched.

    Args:
        path: the file to write.
        advice: what the user can do if it cannot be written.

    Raises:
        DataError: if it cannot be written (the disk is full, say); the message names `path`.
    """
    temporary = path.with_name(f"{TEMPORARY}{uuid4().hex[:8]}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error, advice) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def is_file(path: str | Path) -> bool:
    """Whether this is a file; one that may not be looked at, or whose name no system takes, is none."""
    return os.path.isfile(path)  # noqa: PTH113  # a Path raises what this takes for no


def is_folder(path: str | Path) -> bool:
    """Whether this is a folder, likewise."""
    return os.path.isdir(path)  # noqa: PTH112


def exists(path: str | Path) -> bool:
    """Whether anything is there, likewise."""
    return os.path.exists(path)  # noqa: PTH110


def is_url(path: str | Path) -> bool:
    """Whether this is the address of something elsewhere, such as https://... or s3://...; a `Path` halves the //."""
    return re.match(r"[a-z][a-z0-9+.-]+:/", str(path), re.IGNORECASE) is not None and not exists(path)


def check_not_url(path: str | Path, where: str = "") -> None:
    """Raise DataError if this is a URL, as nothing is ever fetched; the message begins with `where`."""
    if is_url(path):
        url = re.sub(":/(?!/)", "://", str(path), count=1)
        raise DataError(
            f"{where}{url} is a URL; gada fetches nothing: give the path of a file or folder on this machine."
        )


def check_writable(path: Path) -> None:
    """Raise DataError if a file could not be written, before long work begins.

    Raises:
        DataError: if it is a folder, or its folder cannot be made or written into.
    """
    if is_folder(path):
        raise DataError(f"{path} is a folder; name a file.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=TEMPORARY):
            pass
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError, advice: str = "free some space or choose another folder") -> DataError:
    """Return the error that says in one sentence that `path` cannot be written, and why."""
    return DataError(f"{path} cannot be written ({error.strerror or error}); {advice}.")


def remove_temporaries(folder: Path, older_than: float = DAY) -> None:
    """Remove what a killed process left half-written in a folder and those below it.

    Args:
        folder: where to look; it may be missing.
        older_than: age in seconds that a file must have; a folder that others may be writing into needs a long one.
    """
    for path in folder.rglob(f"{TEMPORARY}*"):
        with suppress(OSError):  # another process may have been faster
            if time.time() - path.stat().st_mtime >= older_than:
                path.unlink()


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content`, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically.

    Raises:
        ValueError: if a number is not finite; NaN is not JSON.
    """
    write_text(path, json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of the file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

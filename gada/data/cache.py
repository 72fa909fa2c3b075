"""The packed cache: every image decoded once, in one memory-mapped file, so that an epoch never decodes an image."""

import json
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.data.checks import check_sizes
from gada.data.records import ScoredSet
from gada.errors import ConfigError, DataError
from gada.io.files import atomic_path, remove_temporaries, write_json
from gada.io.images import read_image, shown
from gada.io.progress import with_progress
from gada.io.threads import in_threads

SMALLEST_CROP = 8  # pixels: the generator halves it thrice
VERSION = 2  # 2: grey of 16 bits as that of 8
ADVICE = "free some space or choose another folder with $GADA_CACHE"
Entry = tuple[int, int, int]  # offset into the file in bytes, height, width


def default_folder() -> Path:
    """Return the folder of packed caches: $GADA_CACHE, else ~/.cache/gada."""
    return Path(os.environ.get("GADA_CACHE") or Path.home() / ".cache" / "gada")


class PackedImages:
    """Decoded images of one set: (H, W, 3) uint8 views into a read-only memory map. Picklable; workers map it anew."""

    def __init__(self, file: Path, fingerprint: str, entries: dict[Path, Entry], crop: int = 0) -> None:
        self.file = file
        self.fingerprint = fingerprint
        self.entries = entries
        for path, (_, height, width) in entries.items() if crop else ():
            if min(height, width) < SMALLEST_CROP:
                raise DataError(
                    f"{shown(path)} has {width} x {height} pixels, too small to train on (the least side is "
                    f"{SMALLEST_CROP}); leave it out"
                )
            if crop > min(height, width):
                raise ConfigError(
                    f"training.crop_size is {crop}, but {path.name} has {width} x {height} pixels; choose at most "
                    f"{min(height, width) // 8 * 8}."
                )

    @classmethod
    def of(cls, images: ScoredSet, folder: Path | None = None, crop: int = 0) -> "PackedImages":
        """Open the packed images of a set, as `open` does.

        Raises:
            DataError: also if an image has another size than its reference, which a header may not say.
        """
        packed = cls.open(images.files, images.root, folder, crop)
        check_sizes(images, {path: packed.size(path) for path in images.files})
        return packed

    @classmethod
    def open(cls, paths: Sequence[Path], root: Path, folder: Path | None = None, crop: int = 0) -> "PackedImages":
        """Open the packed images of `paths`, decoding them first if there is no valid file for them yet.

        Several processes may do so at once: each writes a temporary file and the last rename wins, with equal content.
        A cache that is truncated or of another version, or that belongs to other files, is built anew.

        Args:
            paths: image files; each is packed once.
            root: folder to which the fingerprint's names are relative, so that a moved database stays valid.
            folder: where caches lie; by default `default_folder()`.
            crop: side of the crops that will be cut from every image, in pixels; 0 for images that are not trained on.

        Raises:
            ConfigError: if a crop does not fit into an image.
            DataError: if an image cannot be read, or the cache cannot be written (the disk is full, say).
        """
        paths = list(dict.fromkeys(paths))
        fingerprint = fingerprint_of(paths, root)
        file = (folder or default_folder()) / f"{fingerprint[:32]}.pack"
        shapes = _read_index(file, fingerprint, len(paths))
        if shapes is None:
            shapes = _build(file, fingerprint, paths)
        return cls(file, fingerprint, dict(zip(paths, _entries(shapes), strict=True)), crop)

    def array(self, path: Path) -> NDArray[np.uint8]:
        """Return the decoded image, (H, W, 3) uint8, as a read-only view."""
        offset, height, width = self.entries[path]
        return self.memory[offset : offset + 3 * height * width].reshape(height, width, 3)

    def size(self, path: Path) -> tuple[int, int]:
        """Return (height, width) of an image."""
        return self.entries[path][1:]

    @cached_property
    def memory(self) -> NDArray[np.uint8]:
        """The whole file as bytes."""
        return np.asarray(np.memmap(self.file, dtype=np.uint8, mode="r"))

    def parts(self) -> list[NDArray[np.uint8]]:
        """Return the bytes that the offsets of `entries` count, as arrays that follow each other."""
        return [self.memory]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "memory"}


def fingerprint_of(paths: Sequence[Path], root: Path) -> str:
    """Return a SHA-256 over name, size and time of change of every file, in order.

    Raises:
        DataError: if a file is missing.
    """
    digest = sha256(f"gada packed images {VERSION}".encode())
    for path in paths:
        try:
            status = path.stat()
        except OSError as error:
            raise DataError(f"{shown(path)} cannot be read: {error.strerror}") from error
        name = os.path.relpath(path, root).replace(os.sep, "/")
        digest.update(json.dumps([name, status.st_size, status.st_mtime_ns]).encode())
    return digest.hexdigest()


def _header(fingerprint: str) -> bytes:
    return f"gada packed images {VERSION} {fingerprint}\n".encode().ljust(128)


def _entries(shapes: Sequence[tuple[int, int]]) -> Iterator[Entry]:
    """Images lie one after the other behind the header."""
    offset = len(_header(""))
    for height, width in shapes:
        yield offset, height, width
        offset += 3 * height * width


def _read_index(file: Path, fingerprint: str, count: int) -> list[tuple[int, int]] | None:
    """Return the shapes of the packed images, or None unless index and file are whole and belong together."""
    try:
        index = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        shapes = [(int(height), int(width)) for height, width in index["shapes"]]
        with file.open("rb") as packed:
            header = packed.read(len(_header("")))
        expected = len(header) + sum(3 * height * width for height, width in shapes)
        whole = header == _header(fingerprint) and file.stat().st_size == expected
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return shapes if whole and len(shapes) == count and min(map(min, shapes), default=1) > 0 else None


def _build(file: Path, fingerprint: str, paths: Sequence[Path]) -> list[tuple[int, int]]:
    """Decode and write all images, then the index; return their shapes."""
    shapes = []
    remove_temporaries(file.parent)
    with atomic_path(file, ADVICE) as temporary, temporary.open("wb") as packed:
        packed.write(_header(fingerprint))
        for _, image in with_progress(in_threads(read_image, paths), "Packing images", len(paths)):
            shapes.append((image.shape[0], image.shape[1]))
            packed.write(image.data)
    write_json(file.with_suffix(".json"), {"version": VERSION, "fingerprint": fingerprint, "shapes": shapes})
    return shapes

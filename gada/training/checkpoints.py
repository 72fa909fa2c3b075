"""The checkpoints of a training: written whole or not at all, hashed, the last two kept, read without running code."""

import io
import sys
import warnings
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import CheckpointIO
from torch import Tensor

from gada.errors import DataError
from gada.io.files import atomic_path

DIGEST = 64  # characters of a SHA-256 in hexadecimal


class NotFiniteError(ArithmeticError):
    """A tensor that was to be kept holds a number that is not finite."""


class Checkpoints(CheckpointIO):
    """`last.ckpt` and `previous.ckpt` of a stage; each ends with the SHA-256 of what comes before it.

    Every state of the folder in which a process can be killed holds a whole checkpoint, once there has been one.
    Lightning's own writer keeps no hash and, where the temporary folder lies on another file system, copies the file
    into place: a full disk then leaves half a checkpoint.
    """

    def __init__(self, folder: Path) -> None:
        self.last = folder / "last.ckpt"
        self.previous = folder / "previous.ckpt"

    def newest(self) -> Path | None:
        """Return the newest checkpoint that is whole; None where there is none yet.

        Raises:
            DataError: if there are only damaged ones.
        """
        there = [path for path in (self.last, self.previous) if path.is_file()]
        for path in there:
            if whole(path) is not None:
                return path
            sys.stderr.write(f"{path} is damaged; trying the one before.\n")
        if there:
            raise DataError(
                f"{there[0]} is damaged and there is no older one; delete it to train the stage from its start."
            )
        return None

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint; when it is `last.ckpt`, the one before becomes `previous.ckpt`.

        Raises:
            NotFiniteError: if a tensor holds a number that is not finite; nothing is written.
            DataError: if it cannot be written; the newest checkpoint stays what it was.
        """
        check_finite(checkpoint)
        content = io.BytesIO()
        torch.save(checkpoint, content)
        target = Path(path)
        with atomic_path(target) as temporary:
            with temporary.open("wb") as file:
                file.write(content.getbuffer())
                file.write(sha256(content.getbuffer()).hexdigest().encode())
            if target.name == self.last.name and target.is_file():
                target.replace(self.previous)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = True) -> dict[str, Any]:
        """Read a checkpoint, which holds tensors and plain values only.

        Lightning moves them to the device that resumes, which may be another than the one that was stopped.

        Raises:
            DataError: if it is damaged or holds anything else.
        """
        try:
            content = io.BytesIO(whole(Path(path)) or b"")
            with warnings.catch_warnings():  # torch warns of pickles that are not its own before it raises
                warnings.simplefilter("ignore")
                return dict(torch.load(content, map_location=map_location or "cpu", weights_only=True))
        except Exception as error:  # a pickle that was tampered with raises errors of many kinds
            raise DataError(
                f"{path} is not a checkpoint of a training; if it is not yours, delete it to train the "
                "stage from its start."
            ) from error

    def remove_checkpoint(self, path: Any) -> None:
        """Remove a checkpoint."""
        Path(path).unlink(missing_ok=True)


def whole(path: Path) -> bytes | None:
    """Return the content of a checkpoint file without its hash, or None where the hash does not match."""
    content = path.read_bytes()
    body, digest = content[:-DIGEST], content[-DIGEST:]
    return body if sha256(body).hexdigest().encode() == digest else None


def check_finite(values: Any) -> None:
    """Raise NotFiniteError if a tensor in nested dictionaries and lists is not finite.

    Raises:
        NotFiniteError: if there is one; the message names it.
    """
    for name, tensor in tensors_of(values):
        if not torch.isfinite(tensor).all():
            raise NotFiniteError(f"{name} holds a number that is not finite")


def tensors_of(values: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor of nested dictionaries and lists with its dotted name."""
    if isinstance(values, Tensor):
        yield name, values
    elif isinstance(values, dict):
        for key, value in values.items():
            yield from tensors_of(value, f"{name}.{key}" if name else str(key))
    elif isinstance(values, list | tuple):
        for number, value in enumerate(values):
            yield from tensors_of(value, f"{name}.{number}")

"""Exported torch programs (.pt2 files), checked before torch opens them.

`torch.export.load` reads pickles with code where a file asks for it, and evaluates the expressions of its shapes.
What `gada export` writes needs neither, nor does a classifier exported with tensors alone, so whatever else there is
is refused.
"""

import io
import json
import pickle
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gada.errors import DataError
from gada.io.cards import Card
from gada.io.checkpoints import CARD, read_card

MEMBERS = re.compile(
    r"data/weights/weight_\d+|data/constants/tensor_\d+|data/(weights|constants)/model_\w+_config\.json|models/model\.json|extra/gada|"
    r"data/sample_inputs/model\.pt|archive_format|archive_version|byteorder|\.data/(version|serialization_id)|version"
)
EXPRESSION = re.compile(r"(?:'[su]\d+'|[0-9A-Za-z(), =+*/-])*")
WORDS = frozenset("Symbol Integer Add Mul Max Min Mod FloorDiv positive integer True False".split())


def load_exported(path: Path) -> tuple[nn.Module, Card]:
    """Return the program of a .pt2 file and its card.

    Raises:
        DataError: if the file is missing, was not written by `gada export`, or holds code.
    """
    extra = {CARD: ""}
    try:
        check_program(path)
        program = torch.export.load(path, extra_files=extra)
        return program.module(), read_card(extra[CARD], path, "evaluator", "metrifier")
    except DataError:
        raise
    except Exception as error:  # zip, JSON and version errors of torch
        raise DataError(f"{path} cannot be read as an exported evaluator ({str(error).splitlines()[0]}).") from error


def check_program(path: Path) -> None:
    """Raise DataError if a .pt2 file holds anything that torch would run.

    Raises:
        DataError: if there is such a thing; the message names it.
    """
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            member = name.partition("/")[2]  # all lie in one folder
            if not MEMBERS.fullmatch(member):
                raise DataError(f"{path} holds {name!r}, which is not of an exported network; it is not opened.")
            if member.endswith(".json") and (wrong := next(code_in(json.loads(archive.read(name))), None)):
                raise DataError(f"{path} holds code in {name} ({wrong[:40]!r}); it is not opened.")
            if member.endswith(".pt"):
                check_tensors(path, archive.read(name))


def check_tensors(path: Path, content: bytes) -> None:
    """Raise DataError if a pickle holds more than tensors and plain values."""
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except pickle.UnpicklingError as error:
        raise DataError(f"{path} holds a pickle of more than tensors; it is not opened.") from error


def code_in(value: Any, key: str = "") -> Iterator[str]:
    """Yield what torch would unpickle or evaluate of a JSON value and is not known to be harmless."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from code_in(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from code_in(item, key)
    elif (key == "use_pickle" and value) or (key == "expr_str" and not harmless(str(value))):
        yield str(value)


def harmless(expression: str) -> bool:
    """Return whether an expression of a shape names sizes and arithmetic only."""
    named = re.findall(r"[A-Za-z]+", re.sub(r"'[su]\d+'", "", expression))
    return EXPRESSION.fullmatch(expression) is not None and set(named) <= WORDS

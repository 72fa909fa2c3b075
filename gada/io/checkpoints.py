"""Distributed checkpoints: safetensors files that hold tensors and a card in plain JSON, and cannot run code."""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.errors import ConfigError, DataError
from gada.io.cards import Card
from gada.io.files import atomic_path, check_not_url, is_file, is_folder
from gada.settings import STAGES

Tensors = dict[str, NDArray[Any]]
CARD = "gada"  # the key of the card in the file's metadata
BEST = "best.safetensors"  # of a stage's folder: the evaluator with the highest validation SROCC
ENDED = "ended.safetensors"  # where a training ended; the next phase starts from it
GENERATOR = "generator.safetensors"
HASH = "sha256"  # the card's key of the tensors' hash
BUNDLED = {"evaluator": "photos", "generator": "live-like"}  # what `bundled` means: any image that people drop on it


def save_checkpoint(path: Path, tensors: Mapping[str, NDArray[Any]], card: Mapping[str, Any]) -> None:
    """Write tensors and their card, atomically.

    Args:
        path: file that ends in .safetensors.
        tensors: named arrays.
        card: what the tensors are: "kind" (evaluator or generator), "model", "classes", "scale", "data", "proxy" ...

    Raises:
        DataError: if a tensor holds a number that is not finite.
    """
    from safetensors.numpy import save

    for name, values in tensors.items():
        if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
            raise DataError(f"{path}: the tensor {name} holds a number that is not finite; nothing was written.")
    contiguous = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    written = {**card, HASH: hash_of(contiguous)}
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(contiguous, metadata={CARD: json.dumps(written, sort_keys=True)}))


def load_checkpoint(path: Path, *kinds: str) -> tuple[Tensors, dict[str, Any]]:
    """Read tensors and card.

    Args:
        path: a file that `save_checkpoint` wrote.
        kinds: those that are expected, as `evaluator`, `generator` or `classifier`; the first is named in messages.

    Raises:
        DataError: if the file is missing, damaged, not gada's or of another kind.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise DataError(f"{path} is not there; name a .safetensors checkpoint of a gada {kinds[0]}.")
    try:
        with safe_open(path, framework="numpy") as file:
            card = dict(json.loads((file.metadata() or {}).get(CARD, "{}")))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise DataError(f"{path} cannot be read as a checkpoint ({error}).") from error
    if card.get("kind") not in kinds:
        raise DataError(f"{path} does not hold a gada {kinds[0]} but {card.get('kind') or 'foreign tensors'}.")
    if card.get(HASH, found := hash_of(tensors)) != found:
        raise DataError(f"{path} does not hold the tensors that its card was written for; get the file again.")
    return tensors, card


def read_card(text: str, path: Path, *kinds: str) -> Card:
    """Return the card that an exported model holds as JSON.

    Raises:
        DataError: if it is not a JSON object, lacks an entry, or is of another kind than `kinds`.
    """
    try:
        plain = dict(json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(f"the card of {path} is not a JSON object; get the file again, or export it anew.") from error
    card = Card.from_plain(plain, path)
    if kinds and card.kind not in kinds:
        raise DataError(f"{path} does not hold a gada {kinds[0]} but {card.kind}.")
    return card


def hash_of(tensors: Tensors) -> str:
    """Return the SHA-256 of named tensors, in hexadecimal; it does not depend on their order."""
    digest = sha256()
    for name, values in sorted(tensors.items()):
        digest.update(json.dumps([name, str(values.dtype), values.shape]).encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def find_checkpoint(name: str, kind: str) -> Path:
    """Return the file that a user means.

    Args:
        name: a .safetensors file, a stage's or a run's folder (a folder of photos may be called like a bundled one),
            the name of a bundled one, or `bundled`.
        kind: `evaluator` or `generator`.

    Raises:
        ConfigError: if nothing of that name is there.
        DataError: if it is a URL: nothing is ever fetched.
    """
    check_not_url(name)
    path = Path(name)
    if is_file(path):
        return path
    if is_folder(path):
        file = {"evaluator": BEST, "generator": GENERATOR}[kind]
        stages = [path, *(path / stage for stage in reversed(STAGES))]
        for found in (stage / file for stage in stages if is_finished(stage)):
            if found.is_file():
                return found
    bundled = bundled_folder() / f"{BUNDLED[kind] if name == 'bundled' else name}-{kind}.safetensors"
    if bundled.is_file():
        return bundled
    if is_folder(path):
        raise ConfigError(f"{path} holds no finished {kind}; train it first, or name a checkpoint file.")
    known = bundled_names(kind)
    like = get_close_matches(name, known, 1)
    raise ConfigError(
        f"there is no {kind} '{name}': give a file, a run's folder, or one of: {', '.join(known) or 'none is bundled'}"
        f"{f'; did you mean {like[0]}?' if like else '.'}"
    )


def bundled_names(kind: str) -> list[str]:
    """Return the names of the bundled checkpoints, the default first."""
    found = bundled_folder().glob(f"*-{kind}.safetensors")
    return sorted(
        (file.name.removesuffix(f"-{kind}.safetensors") for file in found),
        key=lambda name: (name != BUNDLED[kind], name),
    )


def is_finished(folder: Path) -> bool:
    """Return whether no training is under way in a folder: each leaves `ENDED` beside its checkpoint at its end."""
    return (folder / ENDED).is_file() or not (folder / "last.ckpt").is_file()


def bundled_folder() -> Path:
    """Return the folder of the bundled checkpoints: inside the wheel, or in the clone."""
    inside = Path(__file__).parents[1] / "_bundled"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "checkpoints"

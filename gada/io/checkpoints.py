"""Distributed checkpoints: safetensors files that hold tensors and a card in plain JSON, and cannot run code."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.errors import ConfigError, DataError
from gada.io.files import atomic_path, is_file, is_folder, is_url
from gada.settings import STAGES

Tensors = dict[str, NDArray[Any]]
CARD = "gada"  # the key of the card in the file's metadata
LARGEST_CROP = 4096  # pixels of a side
ENDED = "ended.safetensors"  # where a training ended; the next phase goes on from it
HASH = "sha256"  # the card's key of the tensors' hash
BUNDLED = {"evaluator": "authentic", "generator": "live-like"}  # what `bundled` means: photographs as people have them


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


def load_checkpoint(path: Path, kind: str) -> tuple[Tensors, dict[str, Any]]:
    """Read tensors and card.

    Args:
        path: a file that `save_checkpoint` wrote.
        kind: the kind that is expected, `evaluator` or `generator`.

    Raises:
        DataError: if the file is missing, damaged, not gada's or of another kind.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise DataError(f"{path} is not there; name a .safetensors checkpoint of a gada {kind}.")
    try:
        with safe_open(path, framework="numpy") as file:
            card = dict(json.loads((file.metadata() or {}).get(CARD, "{}")))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise DataError(f"{path} cannot be read as a checkpoint ({error}).") from error
    if card.get("kind") != kind:
        raise DataError(f"{path} is no {kind} of gada but {card.get('kind') or 'a foreign safetensors file'}.")
    if card.get(HASH, found := hash_of(tensors)) != found:
        raise DataError(f"{path} does not hold the tensors that its card was written for; get the file again.")
    return tensors, card


def read_card(text: str, path: Path) -> dict[str, Any]:
    """Return the card that an exported model holds as JSON.

    Raises:
        DataError: if it is no JSON object.
    """
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(f"the card of {path} is no JSON object; get the file again, or export it anew.") from error


def check_card(card: Mapping[str, Any], path: Path) -> None:
    """Refuse a card that lacks what a scorer needs of it.

    Raises:
        DataError: if an entry is missing or of another kind; the message names it.
    """
    given = card.get("scale")
    scale = given if isinstance(given, dict) else {}
    right = {
        "name": isinstance(card.get("name"), str),
        "data": isinstance(card.get("data"), str),
        "classes": isinstance(card.get("classes"), list) and all(isinstance(name, str) for name in card["classes"]),
        "crop_size": isinstance(card.get("crop_size"), int) and 8 <= card["crop_size"] <= LARGEST_CROP,
        "crop_grid": isinstance(card.get("crop_grid", 1), int) and 1 <= card.get("crop_grid", 1) <= LARGEST_CROP,
        "scale": set(scale) == {"name", "low", "high", "higher_is_better"},
        "scale.name": isinstance(scale.get("name"), str),
        "scale.low and scale.high": all(isinstance(scale.get(end), int | float) for end in ("low", "high")),
        "scale.higher_is_better": isinstance(scale.get("higher_is_better"), bool),
        "view": "view" not in card or is_view(card["view"]),
    }
    for name, is_right in right.items():
        if not is_right:
            raise DataError(f"the card of {path} has no valid {name}; get the file again, or export it anew.")


def is_view(view: Any) -> bool:
    """Tell whether a metrifier's card says how it sees pictures."""
    if not isinstance(view, dict) or set(view) != {"size", "resize", "filter"}:
        return False
    sides = [view["size"]] if view["resize"] is None else [view["size"], view["resize"]]
    right = all(isinstance(side, int) and 0 < side <= LARGEST_CROP for side in sides)
    return right and view["filter"] in ("bilinear", "bicubic")


def check_quality(card: Mapping[str, Any], model: str | Path) -> None:
    """Refuse a metrifier where quality is asked for: it looks at pictures in another way, and predicts another thing.

    Raises:
        ConfigError: if it is one.
    """
    if "view" in card:
        raise ConfigError(f"{model} predicts a classifier's error, not quality; use it with `gada metrify predict`.")


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
        name: a .safetensors file, a stage's folder, a run's folder, the name of a bundled one, or `bundled`.
        kind: `evaluator` or `generator`.

    Raises:
        ConfigError: if nothing of that name is there, or it is a URL: nothing is ever fetched.
    """
    if is_url(name):
        raise ConfigError(f"{name} is a URL, and gada fetches nothing; download the file and name it.")
    path = Path(name)
    if is_file(path):
        return path
    if is_folder(path):
        names = {"evaluator": ["best.safetensors"], "generator": ["generator.safetensors"]}[kind]
        stages = [path, *(path / stage for stage in reversed(STAGES))]
        for found in (stage / file for stage in stages if is_finished(stage) for file in names):
            if found.is_file():
                return found
        raise ConfigError(f"{path} holds no finished {kind}; train it first, or name a checkpoint file.")
    folder = bundled_folder()
    bundled = folder / f"{BUNDLED[kind] if name == 'bundled' else name}-{kind}.safetensors"
    if bundled.is_file():
        return bundled
    known = sorted(file.name.removesuffix(f"-{kind}.safetensors") for file in folder.glob(f"*-{kind}.safetensors"))
    raise ConfigError(
        f"there is no {kind} '{name}': give a file, a run's folder, or one of: {', '.join(known) or 'none is bundled'}."
    )


def is_finished(folder: Path) -> bool:
    """Return whether no training is under way in a folder: each leaves `ENDED` beside its checkpoint at its end."""
    return (folder / ENDED).is_file() or not (folder / "last.ckpt").is_file()


def bundled_folder() -> Path:
    """Return the folder of the bundled checkpoints: inside the wheel, or in the clone."""
    inside = Path(__file__).parents[1] / "_bundled"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "checkpoints"

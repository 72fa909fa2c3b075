"""Networks from and to checkpoint files."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import nn

from gada.errors import DataError
from gada.io.cards import Card
from gada.io.checkpoints import load_checkpoint, save_checkpoint
from gada.models.evaluator import Evaluator
from gada.models.generator import Generator
from gada.settings import ModelSettings, as_plain

Network = TypeVar("Network", bound=nn.Module)


def save_network(path: Path, network: Evaluator | Generator, card: Card, half: bool = False) -> None:
    """Write a network's weights, with `half` in 16 bits, and a card that says how to build it again."""
    tensors = {name: tensor.detach().cpu().numpy() for name, tensor in network.state_dict().items()}
    if half:
        tensors = {name: one.astype(np.float16) if one.dtype == np.float32 else one for name, one in tensors.items()}
    if isinstance(network, Generator):
        card = replace(card, kind="generator")
    save_checkpoint(path, tensors, replace(card, model=as_plain(network.settings)).as_plain())


def load_evaluator(path: Path) -> tuple[Evaluator, Card]:
    """Return the network of an evaluator or metrifier in eval mode, and its card.

    Raises:
        DataError: if the file is missing, is damaged or holds something else.
    """
    tensors, plain = load_checkpoint(path, "evaluator", "metrifier")
    card = Card.from_plain(plain, path)
    return built(partial(Evaluator, model_settings(card, path), len(card.classes) or 1), tensors, path), card


def load_generator(path: Path) -> tuple[Generator, Card]:
    """Return the generator of a checkpoint in eval mode, and its card.

    Raises:
        DataError: if the file is missing, is damaged or holds something else.
    """
    tensors, plain = load_checkpoint(path, "generator")
    card = Card.from_plain(plain, path)
    return built(partial(Generator, model_settings(card, path), len(card.classes) or 1), tensors, path), card


def model_settings(card: Card, path: Path) -> ModelSettings:
    """Return the settings of the network that a card describes; those of other versions are passed over.

    Raises:
        DataError: if there are none, or they are not valid.
    """
    known = {field.name for field in fields(ModelSettings)}
    try:
        if not card.model:
            raise ValueError("none")
        plain = {key: value for key, value in card.model.items() if key in known}
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()
        }
        return ModelSettings(**values)
    except (AttributeError, TypeError, ValueError) as error:
        raise DataError(f"the card of {path} has no valid model ({type(error).__name__}: {error}).") from error


def built(build: Callable[[], Network], tensors: Mapping[str, Any], path: Path) -> Network:
    """Return a new network with these tensors, in eval mode; a card that asks for a huge one costs no memory."""
    try:
        with torch.device("meta"):
            expected = {name: tuple(tensor.shape) or (1,) for name, tensor in build().state_dict().items()}
    except (RuntimeError, TypeError, OverflowError) as error:
        raise DataError(f"the card of {path} has no valid model ({str(error).splitlines()[0]}).") from error
    found = {name: tuple(values.shape) or (1,) for name, values in tensors.items()}
    if wrong := sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)):
        raise DataError(f"{path} does not fit its own card: its tensor {wrong[0]} is missing or has another shape.")
    return fill(build(), tensors, path)


def fill(network: Network, tensors: Mapping[str, Any], path: Path) -> Network:
    """Put tensors into a network, and the network into eval mode."""
    try:
        network.load_state_dict({name: torch.from_numpy(values) for name, values in tensors.items()})
    except RuntimeError as error:
        raise DataError(f"{path} does not fit its own card ({str(error).splitlines()[0]}).") from error
    return network.eval()

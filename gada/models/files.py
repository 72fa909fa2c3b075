"""Networks from and to checkpoint files."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from gada.errors import DataError
from gada.io.checkpoints import load_checkpoint, save_checkpoint
from gada.models.evaluator import Evaluator
from gada.models.generator import Generator
from gada.settings import ModelSettings, as_plain

Network = TypeVar("Network", bound=nn.Module)

Card = dict[str, Any]


def save_network(path: Path, network: Evaluator | Generator, card: Mapping[str, Any]) -> None:
    """Write a network's weights with a card that says how to build it again."""
    tensors = {name: tensor.detach().cpu().numpy() for name, tensor in network.state_dict().items()}
    kind = "evaluator" if isinstance(network, Evaluator) else "generator"
    save_checkpoint(path, tensors, {**card, "kind": kind, "model": as_plain(network.settings)})


def load_evaluator(path: Path) -> tuple[Evaluator, Card]:
    """Return the evaluator of a checkpoint, ready to score, and its card.

    Raises:
        DataError: if the file is missing or is no evaluator's.
    """
    tensors, card = load_checkpoint(path, "evaluator")
    network = Evaluator(model_settings(card), len(card["classes"]) or 1)
    return fill(network, tensors, path), card


def load_generator(path: Path) -> tuple[Generator, Card]:
    """Return the generator of a checkpoint, at rest, and its card.

    Raises:
        DataError: if the file is missing or is no generator's.
    """
    tensors, card = load_checkpoint(path, "generator")
    network = Generator(model_settings(card), len(card["classes"]) or 1)
    return fill(network, tensors, path), card


def model_settings(card: Card) -> ModelSettings:
    """Return the settings that the card was written with."""
    known = {field.name for field in fields(ModelSettings)}
    plain = {key: value for key, value in card["model"].items() if key in known}
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()}
    return ModelSettings(**values)


def fill(network: Network, tensors: Mapping[str, Any], path: Path) -> Network:
    """Put tensors into a network, and the network at rest."""
    try:
        network.load_state_dict({name: torch.from_numpy(values) for name, values in tensors.items()})
    except RuntimeError as error:
        raise DataError(f"{path} does not fit its own card ({str(error).splitlines()[0]}).") from error
    return network.eval()

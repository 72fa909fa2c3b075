"""Settings as plain dictionaries, as config files hold them, and back."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from gada.errors import ConfigError

T = TypeVar("T")


def as_plain(settings: Any) -> Any:
    """Return a settings object as plain dictionaries, lists, numbers and strings, as config files hold them."""
    if is_dataclass(settings):
        return {field.name: as_plain(getattr(settings, field.name)) for field in fields(settings)}
    if isinstance(settings, tuple):
        return [as_plain(value) for value in settings]
    return settings.as_posix() if isinstance(settings, Path) else settings


def from_plain(kind: type[T], plain: Mapping[str, Any]) -> T:
    """Return settings of plain values, as `as_plain` gives them and config files hold them.

    Raises:
        ConfigError: if a key is unknown, or a value is of another type or out of its range.
    """
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "settings", sub_configs=True)
    try:
        made: T = parser.instantiate(parser.parse_object({"settings": dict(plain)})).settings
    except ConfigError:
        raise
    except Exception as error:  # jsonargparse has errors of its own
        first, *others = str(error).replace("settings.", "").splitlines() or [type(error).__name__]
        wanted = [line.strip(" -") for line in others if "Expected" in line and "NoneType" not in line]
        raise ConfigError(" ".join([first.removeprefix("Parser key "), *wanted[:1]])) from error
    return made


def changed(settings: T, changes: Mapping[str, Any]) -> T:
    """Return settings with some values replaced, given by dotted keys as `training.crop_size`.

    Raises:
        ConfigError: if there is no such key, or a value does not fit it.
    """
    plain = as_plain(settings)
    for key, value in changes.items():
        *groups, name = key.split(".")
        inner = plain
        for group in groups:
            inner = inner.get(group) if isinstance(inner, dict) else None
        if not isinstance(inner, dict) or name not in inner or isinstance(inner[name], dict):
            known = inner if isinstance(inner, dict) else plain
            shown = known[name] if isinstance(known.get(name), dict) else known
            raise ConfigError(f"{key} is no setting; known here are {', '.join(shown)}.")
        inner[name] = value
    return from_plain(type(settings), plain)

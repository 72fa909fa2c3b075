"""Settings as plain dictionaries, as config files and presets hold them, and back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from gada.errors import ConfigError
from gada.settings.names import renamed
from gada.settings.training import Preset, Settings

T = TypeVar("T")
Function = TypeVar("Function", bound=Callable[..., Any])
PRESETS = Path(__file__).parent / "presets"


def as_plain(settings: Any) -> Any:
    """Return a settings object as plain dictionaries, lists, numbers and strings, as config files hold them."""
    if is_dataclass(settings):
        return {field.name: as_plain(getattr(settings, field.name)) for field in fields(settings)}
    if isinstance(settings, tuple):
        return [as_plain(value) for value in settings]
    return settings.as_posix() if isinstance(settings, Path) else settings


def from_plain(kind: type[T], plain: Mapping[str, Any]) -> T:
    """Return settings of plain values, as `as_plain` gives them and config files hold them, over those of their preset.

    Raises:
        ConfigError: if a key is unknown, or a value is of another type or out of its range.
    """
    from jsonargparse import ArgumentParser

    plain = merged(preset_values(plain.get("preset", "")), plain)
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "settings", sub_configs=True)
    try:
        made: T = parser.instantiate(parser.parse_object({"settings": plain})).settings
    except ConfigError:
        raise
    except Exception as error:  # jsonargparse has errors of its own
        message = str(error).replace("settings.", "")
        first, *others = (renamed(message) or message).splitlines() or [type(error).__name__]
        wanted = [line.strip(" -") for line in others if "Expected" in line and "NoneType" not in line]
        raise ConfigError(" ".join([first.removeprefix("Parser key "), *wanted[:1]])) from error
    return made


def changed(settings: T, changes: Mapping[str, Any]) -> T:
    """Return settings with some values replaced, given by dotted keys as `training.crop_size`.

    A `preset` among the changes brings all its values, and the other changes hold over them.

    Raises:
        ConfigError: if a key is unknown, or a value does not fit it.
    """
    plain: dict[str, Any] = merged(as_plain(settings), preset_values(changes.get("preset", "")))
    for key, value in changes.items():
        *groups, name = key.split(".")
        inner: Any = plain
        for group in groups:
            inner = inner.get(group) if isinstance(inner, dict) else None
        if not isinstance(inner, dict) or name not in inner or isinstance(inner[name], dict):
            known = inner if isinstance(inner, dict) else plain
            shown = known[name] if isinstance(known.get(name), dict) else known
            sentence = f"--{key} is not a setting; known here are {', '.join(shown)}."
            raise ConfigError(renamed(sentence) or sentence.removeprefix("--"))
        inner[name] = value
    return from_plain(type(settings), plain)


def preset_settings(name: Preset, seed: int = 0) -> Settings:
    """Return the settings of a preset."""
    return from_plain(Settings, {"preset": name, "seed": seed})


def preset_values(name: str) -> dict[str, Any]:
    """Return what a preset's file says; nothing for a name that is not one, which is checked where it is parsed."""
    import yaml

    file = PRESETS / f"{name}.yaml"
    return dict(yaml.safe_load(file.read_text(encoding="utf-8"))) if file in PRESETS.glob("*.yaml") else {}


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values with others over them, group by group."""
    both = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], Mapping) and isinstance(above[key], Mapping):
            both[key] = merged(below[key], above[key])
    return both


def preset_files(options: Sequence[str]) -> list[str]:
    """Return the file of the preset that a command line names, itself or in a config file of its; the last name holds.

    Args:
        options: each is `--name`, followed by its value, or `--name=value`.
    """
    import yaml

    chosen = ""
    for number, option in enumerate(options):
        name, equals, value = option.partition("=")
        value = value if equals else " ".join(options[number + 1 : number + 2])
        if name == "--preset":
            chosen = value
        elif name == "--config":
            try:
                chosen = yaml.safe_load(Path(value).read_text(encoding="utf-8"))["preset"]
            except (OSError, UnicodeError, yaml.YAMLError, LookupError, TypeError):  # the parser says what is wrong
                continue
    return [str(PRESETS / f"{chosen}.yaml")] if preset_values(str(chosen)) else []


def takes(kind: type[Any]) -> Callable[[Function], Function]:
    """Mark a function whose `**settings` are the fields of a settings class, as the command line then offers them."""

    def marked(function: Function) -> Function:
        function.settings = kind  # type: ignore[attr-defined]
        return function

    return marked

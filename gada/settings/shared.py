"""A training's config in the hands of the verbs that use what was trained."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from gada.errors import ConfigError
from gada.settings.training import Settings

OF_A_TRAINING = {field.name for field in fields(Settings)}
OF_A_TRAINING |= {"phase", "run", "from", "device", "devices", "wandb", "workers"}


def config_for(given: str, kinds: Mapping[str, Any], with_model: bool = True) -> str:
    """Return what `--config` says to a verb that takes a trained model: of a training's config what concerns it.

    Args:
        given: a file of settings, or the folder of a run, whose `config.yaml` is meant.
        kinds: the type of each parameter of the verb.
        with_model: whether a run also says which model is meant, its own; not where `--model` does.

    Returns:
        The file as it was given, or YAML text where parts of it are for the training alone; of a run it names the
        trained model.

    Raises:
        ConfigError: if a folder holds no run.
    """
    path = Path(given)
    run = path if path.is_dir() else path.parent if (path.parent / "split.json").is_file() else None
    if path.is_dir():
        path = path / "config.yaml"
        if not path.is_file():
            raise ConfigError(f"--config {given} is not the folder of a run; name one, or a YAML file of settings.")
    if kinds.get("model") is not str:
        return str(path)
    import yaml

    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return str(path)  # which the parser explains
    if not isinstance(plain, dict):
        return str(path)
    concerns = {key: value for key, value in plain.items() if key in kinds and not isinstance(value, dict)}
    concerns |= {key: value for key, value in plain.items() if is_dataclass(kinds.get(key))}
    passed_over = plain.keys() - concerns.keys()
    if (
        with_model and run and isinstance(plain.get("model"), dict)
    ):  # the networks' settings; what is wanted is what was trained
        concerns["model"] = str(run)
    if not passed_over or not passed_over <= OF_A_TRAINING:
        return str(path)
    return str(yaml.safe_dump(concerns))

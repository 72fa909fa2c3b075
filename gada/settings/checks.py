"""Checks for the settings of every verb."""

from typing import Any

from gada.errors import ConfigError


def check(group: str, settings: Any, names: tuple[str, ...], least: int) -> None:
    """Raise ConfigError if a number is below the least allowed; None is none given."""
    for name in names:
        if (value := getattr(settings, name)) is not None and not value >= least:  # NaN neither
            raise ConfigError(f"{group}.{name} is {value} but must be at least {least}.")


def check_seed(seed: int) -> None:
    """Raise ConfigError for a seed that random generators do not take."""
    if not 0 <= seed < 2**32:
        raise ConfigError(f"seed is {seed} but must be at least 0 and below 2^32.")

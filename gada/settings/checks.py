"""Checks that settings of every verb share."""

from typing import Any

from gada.errors import ConfigError


def check(group: str, settings: Any, names: tuple[str, ...], least: int) -> None:
    """Refuse a number below the least allowed; None is unset."""
    for name in names:
        if (value := getattr(settings, name)) is not None and not value >= least:  # NaN neither
            raise ConfigError(f"{group}.{name} is {value} but must be at least {least}.")


def check_seed(seed: int) -> None:
    """Refuse a seed that the sources of noise do not take."""
    if not 0 <= seed < 2**32:
        raise ConfigError(f"seed is {seed} but must be at least 0 and below 2^32.")

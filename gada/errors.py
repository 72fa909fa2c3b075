"""The errors a user can mend, each with the exit code the command line gives it."""


class ConfigError(ValueError):
    """A key, a value, a phase or a class count is wrong; the message says which and what would be right."""

    exit_code = 2


class DataError(ValueError):
    """A folder, a table, a score, an image or a checkpoint is missing or invalid; the message names it."""

    exit_code = 3


class DivergedError(RuntimeError):
    """Losses or gradients stayed not finite, also at lower rates."""

    exit_code = 5

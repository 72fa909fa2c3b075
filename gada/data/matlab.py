"""The MATLAB files in which LIVE's databases keep names and scores."""

from pathlib import Path
from typing import Any

import numpy as np

from gada.errors import DataError
from gada.io.images import shown


def read_row(path: Path, variable: str, kinds: str, total: int) -> np.ndarray[Any, np.dtype[Any]]:
    """Read one variable of a MATLAB file.

    Args:
        path: the file.
        variable: its name.
        kinds: the kinds of numpy types that it may have.
        total: how many entries it must have.

    Returns:
        The entries, (total,).

    Raises:
        DataError: if the file is missing, damaged or another.
    """
    from scipy.io import loadmat

    if not path.is_file():
        raise DataError(f"{shown(path)} is missing; it belongs to the database")
    try:
        values = np.ravel(loadmat(path, variable_names=[variable])[variable])
    except KeyError as error:
        raise DataError(f"{shown(path)} has no variable {variable!r}; is it the file of this database?") from error
    except Exception as error:  # a damaged MATLAB file raises errors of many kinds
        raise DataError(f"{shown(path)} cannot be read as a MATLAB file ({shown(str(error))})") from error
    if values.size != total or values.dtype.kind not in kinds:
        raise DataError(
            f"{shown(path)}: {variable!r} has {values.size} entries of type {values.dtype}; expected {total}"
        )
    return values


def text_of(value: Any) -> str:
    """Unwrap MATLAB's cell of a string."""
    while isinstance(value, np.ndarray) and value.size == 1:
        value = value.flat[0]
    return str(value).strip()

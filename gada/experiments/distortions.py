"""The distortion library at a glance: a table of its families, a contact sheet of TID2013's types."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gada.distortions import FAMILIES, distort
from gada.errors import ConfigError, DataError
from gada.io.files import atomic_path
from gada.reports.contact_sheet import contact_sheet

CROP_HEIGHT, CROP_WIDTH = 132, 176
"""Size of a tile, in pixels."""


def families_table() -> str:
    """Return the Markdown table of every family: name, what it is, parameter, unit, strengths, source."""
    lines = ["| family | distortion | parameter | unit | at levels 1, 2, ... | source |", "|---|---|---|---|---|---|"]
    for family in FAMILIES.values():
        strengths = ", ".join(f"{strength:g}" for strength in family.strengths)
        lines.append(
            f"| `{family.name}` | {family.title} | {family.parameter} | {family.unit} | {strengths} | {family.source} |"
        )
    return "\n".join(lines) + "\n"


def distortion_sheet(photo: NDArray[np.uint8], name: str, seed: int = 0) -> NDArray[np.uint8]:
    """Draw the middle of a photo under TID2013's 24 types at 5 levels.

    The middle is cut out first and distorted then, so that every tile shows all of its distortion at full size.

    Args:
        photo: (H, W, 3), 8-bit, at least 132 x 176.
        name: Of the photo.
        seed: Of the noise.

    Returns:
        (H', W', 3), 8-bit.

    Raises:
        DataError: if the photo is smaller.
    """
    if photo.shape[0] < CROP_HEIGHT or photo.shape[1] < CROP_WIDTH:
        raise DataError(
            f"{name} has {photo.shape[1]} x {photo.shape[0]} pixels; "
            f"the sheet needs {CROP_WIDTH} x {CROP_HEIGHT} or more"
        )
    top, left = (photo.shape[0] - CROP_HEIGHT) // 2, (photo.shape[1] - CROP_WIDTH) // 2
    middle = np.ascontiguousarray(photo[top : top + CROP_HEIGHT, left : left + CROP_WIDTH])
    families = [family for family in FAMILIES.values() if family.name.startswith("tid2013/")]
    tiles = [[distort(middle, family.name, level, seed) for level in range(1, 6)] for family in families]
    labels = [f"{family.name.partition('/')[2]} {family.title}" for family in families]
    columns = [f"level {level}" for level in range(1, 6)]
    return contact_sheet(tiles, labels, columns, f"gada.distortions: TID2013's 24 types at five levels ({name})")


def write_sheet(path: Path, sheet: NDArray[np.uint8]) -> None:
    """Write a contact sheet as PNG, or as JPEG of quality 80.

    Raises:
        ConfigError: if the suffix is neither.
    """
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise ConfigError(f"{path} ends in {path.suffix or 'nothing'}; a sheet is written as .jpg or .png")
    with atomic_path(path) as temporary:
        Image.fromarray(sheet).save(temporary, quality=80)

"""What `synthesize` makes: recipes, reference images, and human scores for the cells of a recipe."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gada.data.records import Scale
from gada.data.spreadsheets import rows_of
from gada.distortions import FAMILIES
from gada.errors import ConfigError, DataError
from gada.io.folders import images_in
from gada.io.images import read_image

Recipe = Literal["live", "tid2013", "dodge-karam", "iqa-ls", "web"]

CROP_HEIGHT, CROP_WIDTH = 384, 512
"""Size of every TID2013 reference, in pixels."""

HUMAN_SCALES = {"tid2013": Scale("MOS", 0.0, 9.0, higher_is_better=True)}
"""The scale of the human scores that a recipe can be given."""


@dataclass(frozen=True)
class Cell:
    """One image of a recipe, before any reference is chosen."""

    family: str
    """A name of `FAMILIES`."""
    level: float
    """From 1 to the family's last level."""

    @property
    def distortion(self) -> str:
        """The class without its database, such as "jp2k" or "08"."""
        return self.family.partition("/")[2]


@dataclass(frozen=True)
class Source:
    """Where a reference comes from: an image, or the part of one at (top, left)."""

    name: str
    """Names the scene in tables and seeds."""
    path: Path
    """The image."""
    corner: tuple[int, int] | None = None
    """(top, left) of a crop of 384 x 512 pixels; None takes the whole image."""

    def pixels(self) -> NDArray[np.uint8]:
        """Decode the reference, (H, W, 3).

        Raises:
            DataError: if the image cannot be decoded or is smaller than its crop.
        """
        image = read_image(self.path)
        if self.corner is None:
            return image
        top, left = self.corner
        if top + CROP_HEIGHT > image.shape[0] or left + CROP_WIDTH > image.shape[1]:
            raise DataError(
                f"{self.path} has {image.shape[1]} x {image.shape[0]} pixels; the crop of {self.name} at "
                f"top {top}, left {left} needs {left + CROP_WIDTH} x {top + CROP_HEIGHT} or more"
            )
        return np.ascontiguousarray(image[top : top + CROP_HEIGHT, left : left + CROP_WIDTH])


def cells_of(recipe: Recipe, levels: int | None) -> tuple[Cell, ...]:
    """List the cells of a recipe: every family of that database at every level.

    Args:
        recipe: The database whose distortions are wanted.
        levels: With "live", "tid2013" and "web" so many strengths, evenly spaced from the first level to the last;
            None takes the levels themselves.

    Raises:
        ConfigError: if the recipe is unknown, or levels are given where they are printed, or too few.
    """
    families = [family for family in FAMILIES.values() if family.name.startswith(f"{recipe}/")]
    if not families:
        known = ", ".join(dict.fromkeys(name.partition("/")[0] for name in FAMILIES))
        raise ConfigError(f"recipe {recipe!r} is unknown; known are {known}")
    if levels is not None and recipe not in ("live", "tid2013", "web"):
        raise ConfigError(f"levels cannot be set for recipe {recipe}: its levels are those printed in the paper")
    if levels is not None and levels < 2:
        raise ConfigError(f"levels is {levels}; it must be 2 or more")
    return tuple(
        Cell(family.name, float(level))
        for family in families
        for level in np.linspace(1, len(family.strengths), levels or len(family.strengths)).round(6)
    )


def find_sources(references: Path, crops: Path | None, out: Path | None = None) -> tuple[Source, ...]:
    """List the references: every image of a folder and its subfolders, or the crops that a table names in it.

    Args:
        references: Folder of images.
        crops: table with columns reference (which names the files made of it), kodak (a file name), top, left; or
            None.
        out: Folder of the set, whose images are not references where it lies among them.

    Raises:
        DataError: if the folder has no image, two have one name, or the table does not fit the folder.
    """
    if not references.is_dir():
        raise DataError(f"{references} is not a folder; give the folder of the references")
    sources = tuple(_crops_of(references, crops) if crops else _images_of(references, out))
    if not sources:
        raise DataError(f"{crops or references} holds no reference; at least one is needed")
    named = dict[str, Source]()
    for source in sources:
        other = named.setdefault(source.name.lower(), source)
        if other is not source:
            raise DataError(
                f"{crops or references} has two references named {source.name} (of {other.path} and {source.path}); "
                "names must differ"
            )
    return sources


def _images_of(references: Path, out: Path | None) -> Iterator[Source]:
    for path in images_in(references):
        if out is None or out.resolve() not in path.resolve().parents:
            yield Source(path.stem, path)


def _crops_of(references: Path, crops: Path) -> Iterator[Source]:
    columns = ("reference", "kodak", "top", "left")
    for place, row in rows_of(crops, dict.fromkeys(columns, "")):
        name, file, top, left = (row[column] for column in columns)
        if name in ("", ".", "..") or set(name) & set("/\\"):  # it becomes a file's name
            raise DataError(f"{place}: {name!r} cannot name a file; give a name such as I01")
        path = references / file
        if Path(file).name != file or not path.is_file():
            raise DataError(f"{place}: {file!r} is not a file of {references}")
        try:
            corner = (int(top), int(left))
        except ValueError as error:
            raise DataError(f"{place}: top and left must be whole numbers") from error
        if min(corner) < 0:
            raise DataError(f"{place}: top and left must be 0 or more")
        yield Source(name, path, corner)


def human_scores(
    table: Path, recipe: Recipe, sources: Iterable[Source], cells: Iterable[Cell]
) -> dict[tuple[str, str, float], float]:
    """Read the human score of every (reference, distortion, level) that is to be made.

    Rows of other references are passed over: a database may have images that are missing here.

    Args:
        table: table with columns reference, distortion (a number), level, mos.
        recipe: Must be "tid2013", the one with human scores.
        sources: The references that will be made.
        cells: The cells that will be made.

    Raises:
        ConfigError: if the recipe has no human scores.
        DataError: if the table misses a cell, has one twice, or holds a score outside the scale.
    """
    if recipe not in HUMAN_SCALES:
        raise ConfigError(f"scores is {table} but recipe {recipe} has no human scores; give scores=proxy")
    scale, found = HUMAN_SCALES[recipe], dict[tuple[str, str, float], float]()
    wanted = {(source.name.lower(), cell.distortion, cell.level) for source in sources for cell in cells}
    columns = ("reference", "distortion", "level", "mos")
    for place, row in rows_of(table, dict.fromkeys(columns, ""), ("level", "mos")):
        name, kind, strength, mos = (row[column] for column in columns)
        try:
            key = (name.lower(), f"{int(kind):02d}", float(strength))
            score = float(mos)
        except ValueError as error:
            raise DataError(f"{place}: distortion, level and mos must be numbers") from error
        if key in found:
            again = f"reference {name}, distortion {kind}, level {strength}"
            raise DataError(f"{place}: a second score for {again}; each cell has one")
        if score not in scale:
            raise DataError(f"{place}: the score {score:g} lies outside {scale.describe()}")
        found[key] = score
    for missing in sorted(wanted - found.keys())[:1]:
        reference, distortion, level = missing
        raise DataError(
            f"{table} has no score for reference {reference.upper()}, distortion {int(distortion)}, level {level:g}"
        )
    return {key: found[key] for key in wanted}

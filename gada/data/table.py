"""Any CSV table of scored images, and the folders that `gada synthesize` writes.

A table has a header, a column with the path of each image relative to the root, a column with its score and, if there
are references or distortion classes, a column for each. A table without references trains the baseline and phase 3.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gada.data.checks import Files, checked, root_folder, score_on
from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.errors import ConfigError, DataError
from gada.io.images import shown
from gada.settings import DataSettings

MANIFEST = "manifest.json"


def load_table(settings: DataSettings) -> ScoredSet:
    """Load the CSV table `settings.table` in `settings.root`.

    Raises:
        ConfigError: if scale or direction are not given.
        DataError: if the table or an image fails a check.
    """
    for key in ("scale_low", "scale_high", "higher_is_better"):
        if getattr(settings, key) is None:
            raise ConfigError(
                f"data.{key} is missing: a table does not say what its scores mean, so give data.scale_low, "
                "data.scale_high and data.higher_is_better"
            )
    scale = Scale(settings.scale_name, settings.scale_low, settings.scale_high, settings.higher_is_better)  # type: ignore[arg-type]
    return _load(settings, settings.name or Path(settings.table).stem, scale, settings.proxy)


def load_synthetic(settings: DataSettings) -> ScoredSet:
    """Load a folder written by `gada synthesize`: its manifest.json gives name, scale and direction.

    Raises:
        DataError: if the manifest, the table or an image fails a check.
    """
    path = root_folder(settings.root, "a synthetic set") / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        given = manifest["scale"]
        scale = Scale(str(given["name"]), float(given["low"]), float(given["high"]), given["higher_is_better"] is True)
        name = str(manifest["name"]).partition(",")[0]  # whose scores they are stands behind it, and in `proxy`
        proxy, complete = manifest["proxy"] is True, manifest["complete"] is True
    except OSError as error:
        raise DataError(
            f"{shown(path)} cannot be read ({error.strerror}); `gada synthesize` writes it, and data.format: table "
            "needs none"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{shown(path)} is no manifest of a synthetic set ({type(error).__name__}: {error})") from error
    if not complete:
        raise DataError(
            f"{shown(settings.root)} is not complete; run `gada synthesize` again, which goes on where it ended"
        )
    standard = DataSettings(root=settings.root)
    return _load(standard, name, scale, proxy)


def rows_of(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (place, row) for each line of a CSV file with a header; `place` names file and line.

    Raises:
        DataError: if the file is missing, empty, not UTF-8 or has a line with too many or too few cells.
    """
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True, skipinitialspace=True)
            columns = [name.strip() for name in reader.fieldnames or ()]
            if not columns:
                raise DataError(f"the table {shown(path)} is empty; its first line must name the columns")
            if len(set(columns)) < len(columns):
                raise DataError(
                    f"{shown(path.name)}, line 1: a column is named twice ({', '.join(map(shown, columns))})"
                )
            reader.fieldnames = columns
            for row in reader:
                line = reader.line_num
                if None in row or None in row.values():
                    raise DataError(
                        f"{shown(path.name)}, line {line}: expected {len(columns)} cells, as in the first line"
                    )
                yield f"{shown(path.name)}, line {line}", row
    except OSError as error:
        raise DataError(f"the table {shown(path)} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"the table {shown(path)} is not UTF-8 (byte {error.start}); save it as CSV UTF-8") from error
    except csv.Error as error:
        raise DataError(f"{shown(path.name)}, line {line + 1} or later: {error}") from error


def cell(row: dict[str, Any], column: str, place: str, required: bool = True) -> str:
    """Return a cell, stripped; "" where an optional column is absent."""
    if column not in row:
        if required:
            raise DataError(f"{place.rsplit(', ', 1)[0]} has no column {column!r}; it has {', '.join(map(shown, row))}")
        return ""
    return str(row[column]).strip()


def _load(settings: DataSettings, name: str, scale: Scale, proxy: bool) -> ScoredSet:
    root = root_folder(settings.root, "the table's images")
    files = Files(root)
    records, places = [], []
    for place, row in rows_of(root / settings.table):
        records.append(_record(settings, files, scale, row, place))
        places.append(place)
    if not records:
        raise DataError(f"the table {shown(root / settings.table)} has no rows below its header")
    if len({record.reference is None for record in records}) > 1:
        place = places[[record.reference is None for record in records].index(True)]
        raise DataError(f"{place}: the reference is missing; give one for all images or for none")
    return checked(ScoredSet(name, root, tuple(records), scale, proxy), places)


def _record(settings: DataSettings, files: Files, scale: Scale, row: dict[str, str], place: str) -> ScoredImage:
    name = cell(row, settings.image_column, place)
    image = files.find(f"{settings.image_folder}/{name}" if settings.image_folder and name else name, place)
    score = score_on(scale, cell(row, settings.score_column, place), place)
    reference = cell(row, settings.reference_column, place, required=False)
    pristine = files.find(reference, place) if reference else None
    scene = cell(row, settings.group_column, place) if settings.group_column else ""
    if scene and pristine:
        raise DataError(f"{place}: data.group_column is for images without references; leave it out")
    return ScoredImage(
        image=image,
        reference=pristine,
        reference_id=scene or (pristine or image).relative_to(files.root).as_posix(),
        distortion=cell(row, settings.distortion_column, place, required=False),
        quality=scale.quality(score),
        score=score,
        level=_level(row, place),
    )


def _level(row: dict[str, str], place: str) -> float | None:
    """Return the number in the column "level"; a table of one's own may use that name for anything else."""
    try:
        return float(cell(row, "level", place, required=False))
    except ValueError:
        return None

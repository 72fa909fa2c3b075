"""Any table of scored images, and the folders that `gada synthesize` writes.

A table has a line of column names, a column with the path of each image relative to the root, a column with its score
and, if there are references or distortion classes, a column for each. A table without references trains the baseline
and phase 3.
"""

import json
from pathlib import Path

from gada.data.checks import Files, checked, is_absolute, root_folder, score_on
from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.data.spreadsheets import Row, rows_of
from gada.errors import ConfigError, DataError
from gada.io.images import shown
from gada.settings import DataSettings

MANIFEST = "manifest.json"


def load_table(settings: DataSettings) -> ScoredSet:
    """Load the table `settings.table` in `settings.root`: CSV, or a spreadsheet.

    Raises:
        ConfigError: if scale or direction are not given.
        DataError: if the table or an image fails a check.
    """
    for key in ("scale_low", "scale_high", "higher_is_better"):
        if getattr(settings, key) is None:
            raise ConfigError(
                f"{key} of the table {Path(settings.root, settings.table)} is missing: a table does not say what its "
                "scores mean, so give data.scale_low, data.scale_high and data.higher_is_better (of a further set, "
                "those of its entry in whole.sets)"
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
        name = str(manifest["name"])
        proxy, complete = manifest["proxy"] is True, manifest["complete"] is True
    except OSError as error:
        raise DataError(
            f"{shown(path)} cannot be read ({error.strerror}); `gada synthesize` writes it, and data.format: table "
            "needs none"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{shown(path)} is not a manifest of a synthetic set ({type(error).__name__}: {error})"
        ) from error
    if not complete:
        raise DataError(f"{shown(settings.root)} is not complete; run `gada synthesize` again, which resumes it")
    standard = DataSettings(root=settings.root)
    return _load(standard, name, scale, proxy)


def _load(settings: DataSettings, name: str, scale: Scale, proxy: bool) -> ScoredSet:
    root = root_folder(settings.root, "the table's images")
    files = Files(root)
    columns = {settings.image_column: "--data.image_column", settings.score_column: "--data.score_column"}
    if settings.group_column:
        columns[settings.group_column] = "--data.group_column"
    records, places = [], []
    for place, row in rows_of(
        root / settings.table,
        columns,
        (settings.score_column, "level"),
        settings.separator,
        settings.decimal,
        optional=(settings.reference_column, settings.distortion_column),
    ):
        records.append(_record(settings, files, scale, row, place))
        places.append(place)
    if not records:
        raise DataError(f"the table {shown(root / settings.table)} has no rows below its header")
    if len({record.reference is None for record in records}) > 1:
        place = places[[record.reference is None for record in records].index(True)]
        raise DataError(f"{place}: the reference is missing; give one for all images or for none")
    return checked(ScoredSet(name, root, tuple(records), scale, proxy), places)


def _record(settings: DataSettings, files: Files, scale: Scale, row: Row, place: str) -> ScoredImage:
    image = _image(settings, files, row[settings.image_column], place)
    score = score_on(scale, row[settings.score_column], place)
    reference = row.get(settings.reference_column, "")
    pristine = files.find(reference, place) if reference else None
    scene = row[settings.group_column] if settings.group_column else ""
    if scene and pristine:
        raise DataError(f"{place}: data.group_column is for images without references; leave it out")
    return ScoredImage(
        image=image,
        reference=pristine,
        reference_id=scene or (pristine or image).relative_to(files.root).as_posix(),
        distortion=row.get(settings.distortion_column, ""),
        quality=scale.quality(score),
        score=score,
        level=_level(row),
    )


def _image(settings: DataSettings, files: Files, name: str, place: str) -> Path:
    """Return the file of an image; where only its folder is missing from the name, say which option gives it."""
    if settings.image_folder and name and not is_absolute(name):
        name = f"{settings.image_folder}/{name}"
    try:
        return files.find(name, place)
    except DataError as error:
        below = next((folder for folder in sorted(files.root.iterdir()) if name and (folder / name).is_file()), None)
        if settings.image_folder or below is None or is_absolute(name):
            raise
        raise DataError(
            f"{error}; it is in {shown(below.name)}: give --data.image_folder {shown(below.name)}"
        ) from error


def _level(row: Row) -> float | None:
    """Return the number in the column "level"; a table of one's own may use that name for anything else."""
    try:
        return float(row.get("level", ""))
    except ValueError:
        return None

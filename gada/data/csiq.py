"""CSIQ (Larson and Chandler, Journal of Electronic Imaging 19, 2010).

Layout: `src_imgs/1600.png` ...; `dst_imgs/awgn/1600.AWGN.1.png` ..., a folder for each of six types, or all in
`dst_imgs/` itself; `csiq.DMOS.xlsx`, whose sheet `all_by_image` has the columns image, dst_type, dst_lev and dmos below
some lines of text. 30 references, 866 rated images; some image files have no score. Who has no openpyxl may save that
sheet as `csiq.DMOS.csv`.
"""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from gada.data.checks import Files, checked, root_folder, score_on
from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.data.table import cell, rows_of
from gada.errors import DataError
from gada.io.images import shown

SCALE = Scale("DMOS", 0.0, 1.0, higher_is_better=False)
IMAGES = 866
SHEET = "all_by_image"
LEVELS = frozenset("12345")
COLUMNS = ("image", "dst_type", "dst_lev", "dmos")
FOLDERS = {
    "noise": ("awgn", "AWGN"),
    "jpeg": ("jpeg", "JPEG"),
    "jpeg 2000": ("jpeg2000", "jpeg2000"),
    "fnoise": ("fnoise", "fnoise"),
    "blur": ("blur", "BLUR"),
    "contrast": ("contrast", "contrast"),
}
"""Folder and part of the file name for each distortion type of the spreadsheet, in the order of the database."""


def load_csiq(root: Path, partial: bool = False) -> ScoredSet:
    """Load CSIQ; DMOS 0 to 1, lower is better.

    Args:
        root: folder of the database.
        partial: accept a spreadsheet with fewer images.

    Raises:
        DataError: if the database fails a check, or the spreadsheet cannot be read without openpyxl.
    """
    root = root_folder(root, "CSIQ, which holds src_imgs/, dst_imgs/ and csiq.DMOS.xlsx")
    files = Files(root, any_case=True)
    records, places = [], []
    for place, row in _rows(root):
        records.append(_record(files, row, place))
        places.append(place)
    return checked(ScoredSet("CSIQ", root, tuple(records), SCALE, classes=tuple(FOLDERS)), places, IMAGES, partial)


def _rows(root: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (place, row) from the CSV export where there is one, else from the spreadsheet."""
    exported = root / "csiq.DMOS.csv"
    return rows_of(exported) if exported.exists() else _spreadsheet_rows(root / "csiq.DMOS.xlsx")


def _spreadsheet_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    lines = _sheet(path)
    start = next((number for number, cells in enumerate(lines) if set(COLUMNS) <= set(cells)), None)
    if start is None:
        raise DataError(f"{shown(path)}: the sheet {SHEET!r} has no line with the columns {', '.join(COLUMNS)}")
    for number, cells in enumerate(lines[start + 1 :], start=start + 2):
        row = {str(name): _plain(value) for name, value in zip_longest(lines[start], cells) if name is not None}
        if row["image"]:
            yield f"{path.name}, row {number}", row


def _sheet(path: Path) -> list[tuple[Any, ...]]:
    if not path.is_file():
        raise DataError(f"{shown(path)} is missing; it belongs to CSIQ and holds the scores")
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise DataError(
            f"reading {path.name} needs openpyxl (pip install openpyxl); or save its sheet {SHEET!r} as csiq.DMOS.csv, "
            f"from the line of column names on and with the columns {', '.join(COLUMNS)} alone"
        ) from error
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        try:
            return list(book[SHEET].iter_rows(values_only=True))
        finally:
            book.close()
    except KeyError as error:
        raise DataError(f"{shown(path)} has no sheet {SHEET!r}") from error
    except Exception as error:  # a damaged spreadsheet raises errors of zip, XML and openpyxl
        raise DataError(f"{shown(path)} cannot be read as a spreadsheet ({shown(str(error))})") from error


def _plain(value: Any) -> str:
    """Turn a cell into text; the picture 1600 is stored as a number."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _record(files: Files, row: dict[str, str], place: str) -> ScoredImage:
    name, kind, level, value = (cell(row, column, place) for column in COLUMNS)
    if kind.lower() not in FOLDERS:
        raise DataError(f"{place}: there is no distortion type {kind!r}; CSIQ has {', '.join(FOLDERS)}")
    folder, infix = FOLDERS[kind.lower()]
    if level not in LEVELS:
        raise DataError(f"{place}: the level {level!r} is not 1 to 5")
    below = f"dst_imgs/{folder}" if (files.root / "dst_imgs" / folder).is_dir() else "dst_imgs"
    score = score_on(SCALE, value, place)
    return ScoredImage(
        image=files.find(f"{below}/{name}.{infix}.{level}.png", place),
        reference=files.find(f"src_imgs/{name}.png", place),
        reference_id=name.lower(),
        distortion=kind.lower(),
        quality=SCALE.quality(score),
        score=score,
        level=float(level),
    )

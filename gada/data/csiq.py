"""CSIQ (Larson and Chandler, Journal of Electronic Imaging 19, 2010).

Layout: `src_imgs/1600.png` ...; `dst_imgs/awgn/1600.AWGN.1.png` ..., a folder for each of six types, or all in
`dst_imgs/` itself; `csiq.DMOS.xlsx`, whose sheet `all_by_image` has the columns image, dst_type, dst_lev and dmos below
some lines of text. 30 references, 866 rated images; some image files have no score. Without openpyxl, save that sheet
as `csiq.DMOS.csv`.
"""

from collections.abc import Iterator
from pathlib import Path

from gada.data.checks import Files, checked, root_folder, score_on
from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.data.spreadsheets import Row, rows_of
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
        if not row["image"]:  # a note below the table
            continue
        records.append(_record(files, row, place))
        places.append(place)
    return checked(ScoredSet("CSIQ", root, tuple(records), SCALE, classes=tuple(FOLDERS)), places, IMAGES, partial)


def _rows(root: Path) -> Iterator[tuple[str, Row]]:
    """Yield (place, row) from the CSV export where there is one, else from the spreadsheet."""
    columns = dict.fromkeys(COLUMNS, "")
    exported, sheet = root / "csiq.DMOS.csv", root / "csiq.DMOS.xlsx"
    if exported.exists():
        return rows_of(exported, columns, ("dmos",))
    if not sheet.is_file():
        raise DataError(f"{shown(sheet)} is missing; it belongs to CSIQ and holds the scores")
    return rows_of(sheet, columns, ("dmos",), sheet=SHEET)


def _record(files: Files, row: Row, place: str) -> ScoredImage:
    name, kind, level, value = (row[column] for column in COLUMNS)
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

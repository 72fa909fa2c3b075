"""TID2013 (Ponomarenko et al., Signal Processing: Image Communication 30, 2015).

Layout: `reference_images/I01.BMP` ..., `distorted_images/i01_01_1.bmp` ..., `mos_with_names.txt` with lines such as
"5.51429 I01_01_1.bmp". The case of the names is mixed, so it does not count. 25 references x 24 types x 5 levels.
"""

import re
from pathlib import Path

from gada.data.checks import Files, checked, root_folder, score_on
from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.errors import DataError
from gada.io.images import shown

SCALE = Scale("MOS", 0.0, 9.0, higher_is_better=True)
IMAGES = 3000
TABLE = "mos_with_names.txt"
CLASSES = tuple(f"{kind:02d}" for kind in range(1, 25))  # the database's own numbers, as tables of results name them
_LINE = re.compile(r"(\S+)\s+(i(\d\d)_(\d\d)_(\d)\.bmp)", re.IGNORECASE)


def load_tid2013(root: Path, partial: bool = False) -> ScoredSet:
    """Load TID2013; MOS 0 to 9, higher is better.

    Args:
        root: folder of the database.
        partial: accept a table with fewer images.

    Raises:
        DataError: if the database fails a check.
    """
    root = root_folder(root, "TID2013, which holds reference_images/, distorted_images/ and mos_with_names.txt")
    files = Files(root, any_case=True)
    records, places = [], []
    for number, line in enumerate(_lines(root / TABLE), start=1):
        place = f"{TABLE}, line {number}"
        if not line.strip():
            continue
        if not (parts := _LINE.fullmatch(line.strip())):
            raise DataError(f'{place}: {shown(line)!r} is not of the form "5.51429 I01_01_1.bmp"')
        records.append(_record(files, parts, place))
        places.append(place)
    return checked(ScoredSet("TID2013", root, tuple(records), SCALE, classes=CLASSES), places, IMAGES, partial)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not plain text"
        raise DataError(f"{shown(path)} cannot be read: {reason}") from error


def _record(files: Files, parts: re.Match[str], place: str) -> ScoredImage:
    value, name, reference, kind, level = parts.groups()
    if kind not in CLASSES:
        raise DataError(f"{place}: there is no distortion {kind}; TID2013 has 01 to {len(CLASSES)}")
    score = score_on(SCALE, value, place)
    return ScoredImage(
        image=files.find(f"distorted_images/{name}", place),
        reference=files.find(f"reference_images/I{reference}.BMP", place),
        reference_id=f"I{reference}",
        distortion=kind,
        quality=SCALE.quality(score),
        score=score,
        level=float(level),
    )

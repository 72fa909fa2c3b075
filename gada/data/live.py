"""LIVE Image Quality Assessment Database, release 2 (Sheikh, Sabir and Bovik, IEEE TIP 15, 2006).

Layout: `refimgs/*.bmp`; `jp2k/ jpeg/ wn/ gblur/ fastfading/` with `img1.bmp`, `img2.bmp`, ...; `dmos.mat` (`dmos`,
`orgs`), `dmos_realigned.mat` (`dmos_new`, `orgs`) and `refnames_all.mat` (`refnames_all`). The arrays run over the five
folders in that order, 982 entries; `orgs` marks the 203 copies of references, which are dropped: 779 remain.
"""

from pathlib import Path
from typing import Any

import numpy as np

from gada.data.checks import Files, checked, root_folder, score_on
from gada.data.matlab import read_row, text_of
from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.errors import DataError
from gada.io.images import shown

FOLDERS = {"jp2k": 227, "jpeg": 233, "wn": 174, "gblur": 174, "fastfading": 174}
IMAGES = 779
RANGES = {"dmos.mat": (0.0, 100.0), "dmos_realigned.mat": (-10.0, 120.0)}  # plausible; a file outside them is another
VARIABLES = {"dmos.mat": "dmos", "dmos_realigned.mat": "dmos_new"}


def load_live(root: Path, realigned: bool = True, partial: bool = False) -> ScoredSet:
    """Load LIVE.

    DMOS 0 is best. The realigned scores are not bounded by 100 (the greatest is near 112), so the high end of their
    scale is the greatest score in the file, and the low end 0 or the least score in it, whichever is less.

    Args:
        root: folder of the database.
        realigned: read dmos_realigned.mat (the usual choice) rather than dmos.mat.
        partial: accept missing image files.

    Raises:
        DataError: if the database fails a check.
    """
    root = root_folder(root, "LIVE, which holds refimgs/, jp2k/ and dmos.mat")
    table = "dmos_realigned.mat" if realigned else "dmos.mat"
    if not (root / table).is_file() and (root / (other := "dmos.mat" if realigned else "dmos_realigned.mat")).is_file():
        raise DataError(
            f"{shown(root / table)} is missing, but {other} is there: use its scores with --data.realigned "
            f"{str(not realigned).lower()} (the realigned scores are a download of their own)"
        )
    total = sum(FOLDERS.values())
    scores = read_row(root / table, VARIABLES[table], "iuf", total).astype(np.float64)
    originals = read_row(root / table, "orgs", "biuf", total).astype(bool)
    references = [text_of(name) for name in read_row(root / "refnames_all.mat", "refnames_all", "OU", total)]
    scale = _scale(scores, table)
    files = Files(root, any_case=True)
    names = [
        (folder, f"{folder}/img{number}.bmp") for folder, count in FOLDERS.items() for number in range(1, count + 1)
    ]
    records, places = [], []
    for entry, ((folder, name), reference) in enumerate(zip(names, references, strict=True)):
        place = f"{table}, entry {entry + 1}"
        if originals[entry] or (partial and not files.has(name)):
            continue
        score = score_on(scale, float(scores[entry]), place)
        pristine = files.find(f"refimgs/{reference}", f"refnames_all.mat, entry {entry + 1}")
        image = files.find(name, place)
        records.append(ScoredImage(image, pristine, pristine.name, folder, scale.quality(score), score))
        places.append(place)
    return checked(ScoredSet("LIVE", root, tuple(records), scale, classes=tuple(FOLDERS)), places, IMAGES, partial)


def _scale(scores: np.ndarray[Any, np.dtype[np.float64]], table: str) -> Scale:
    """Return the scale of a score file: 0 to 100, or for the realigned scores what the file holds."""
    low, high = RANGES[table]
    for entry, score in enumerate(scores):
        if not low <= score <= high:
            raise DataError(f"{table}, entry {entry + 1}: the score {score:g} lies outside {low:g} to {high:g}")
    if table == "dmos_realigned.mat":
        low, high = min(0.0, float(scores.min())), float(scores.max())
    return Scale("DMOS", low, high, higher_is_better=False)

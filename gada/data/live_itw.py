"""LIVE In the Wild Image Quality Challenge Database (Ghadiyaram and Bovik, IEEE TIP 25, 2016).

Layout: `Images/3.bmp`, ...; `Data/AllImages_release.mat` (`AllImages_release`, the names) and `Data/AllMOS_release.mat`
(`AllMOS_release`, in the same order), 1,169 entries. Seven of them, `t1.bmp` to `t7.bmp` in `Images/trainingImages/`,
were shown to train the observers and are dropped: 1,162 remain. Photos with authentic distortions: no references
and no distortion classes.
"""

import re
from pathlib import Path

import numpy as np

from gada.data.checks import Files, checked, root_folder, score_on
from gada.data.matlab import read_row, text_of
from gada.data.records import Scale, ScoredImage, ScoredSet

SCALE = Scale("MOS", 0.0, 100.0, higher_is_better=True)
ENTRIES = 1169
IMAGES = 1162
SHOWN_FOR_TRAINING = re.compile(r"t\d+\.bmp", re.IGNORECASE)
NAMES, SCORES = "AllImages_release", "AllMOS_release"


def load_live_itw(root: Path, partial: bool = False) -> ScoredSet:
    """Load LIVE in the Wild; MOS 0 to 100, higher is better.

    Args:
        root: folder of the database.
        partial: accept missing image files.

    Raises:
        DataError: if the database fails a check.
    """
    root = root_folder(root, "LIVE in the Wild, which holds Images/ and Data/")
    names = [text_of(name) for name in read_row(root / "Data" / f"{NAMES}.mat", NAMES, "OU", ENTRIES)]
    scores = read_row(root / "Data" / f"{SCORES}.mat", SCORES, "iuf", ENTRIES).astype(np.float64)
    files = Files(root, any_case=True)
    records, places = [], []
    for entry, (name, value) in enumerate(zip(names, scores, strict=True), start=1):
        place = f"{SCORES}.mat, entry {entry}"
        if SHOWN_FOR_TRAINING.fullmatch(name) or (partial and not files.has(f"Images/{name}")):
            continue
        score = score_on(SCALE, float(value), place)
        image = files.find(f"Images/{name}", f"{NAMES}.mat, entry {entry}")
        records.append(ScoredImage(image, None, image.name, "", SCALE.quality(score), score))
        places.append(place)
    return checked(ScoredSet("LIVE in the Wild", root, tuple(records), SCALE), places, IMAGES, partial)

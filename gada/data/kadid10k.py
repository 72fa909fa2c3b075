"""KADID-10k (Lin, Hosu and Saupe, QoMEX 2019).

Layout: `images/I01.png` ..., `images/I01_01_01.png` ... and `dmos.csv` with the columns dist_img, ref_img, dmos, var.
81 references x 25 types x 5 levels. The scores are called DMOS and yet higher is better.
"""

import re
from pathlib import Path

from gada.data.checks import Files, checked, root_folder, score_on
from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.data.spreadsheets import Row, rows_of
from gada.errors import DataError
from gada.io.images import shown

SCALE = Scale("DMOS", 1.0, 5.0, higher_is_better=True)
IMAGES = 10125
CLASSES = (
    "Gaussian blur",
    "lens blur",
    "motion blur",
    "colour diffusion",
    "colour shift",
    "colour quantization",
    "colour saturation 1",
    "colour saturation 2",
    "JPEG2000 compression",
    "JPEG compression",
    "white noise",
    "white noise in colour components",
    "impulse noise",
    "multiplicative noise",
    "denoising",
    "brightening",
    "darkening",
    "mean shift",
    "jitter",
    "non-eccentricity patches",
    "pixelation",
    "quantization",
    "colour blocks",
    "high sharpening",
    "contrast change",
)
_NAME = re.compile(r"(I\d\d)_(\d\d)_0(\d)\.png", re.IGNORECASE)


def load_kadid10k(root: Path, partial: bool = False) -> ScoredSet:
    """Load KADID-10k; DMOS 1 to 5, higher is better.

    Args:
        root: folder of the database.
        partial: accept a table with fewer images.

    Raises:
        DataError: if the database fails a check.
    """
    root = root_folder(root, "KADID-10k, which holds images/ and dmos.csv")
    files = Files(root, any_case=True)
    records, places = [], []
    for place, row in rows_of(root / "dmos.csv", dict.fromkeys(("dist_img", "ref_img", "dmos"), ""), ("dmos",)):
        records.append(_record(files, row, place))
        places.append(place)
    return checked(ScoredSet("KADID-10k", root, tuple(records), SCALE, classes=CLASSES), places, IMAGES, partial)


def _record(files: Files, row: Row, place: str) -> ScoredImage:
    name, reference = row["dist_img"], row["ref_img"]
    parts = _NAME.fullmatch(name)
    if not parts or not 1 <= int(parts[2]) <= len(CLASSES):
        raise DataError(
            f"{place}: {shown(name)!r} is not of the form I01_01_01.png with a type from 01 to {len(CLASSES)}"
        )
    if Path(reference).stem.lower() != parts[1].lower():
        raise DataError(f"{place}: {shown(name)} does not belong to the reference {shown(reference)}")
    score = score_on(SCALE, row["dmos"], place)
    return ScoredImage(
        image=files.find(f"images/{name}", place),
        reference=files.find(f"images/{reference}", place),
        reference_id=parts[1].upper(),
        distortion=CLASSES[int(parts[2]) - 1],
        quality=SCALE.quality(score),
        score=score,
        level=float(parts[3]),
    )

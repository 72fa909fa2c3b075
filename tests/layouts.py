"""Tiny databases in the layouts of the real ones, for tests.

Every distorted image is a hard link to its reference, so that thousands of files take a second; scores come from a
seeded generator.
"""

import csv
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HEIGHT, WIDTH = 32, 48
LIVE_FOLDERS = {"jp2k": (227, 58), "jpeg": (233, 58), "wn": (174, 29), "gblur": (174, 29), "fastfading": (174, 29)}
"""Images in each folder and how many of them are copies of references."""
CSIQ_FILES = {
    "noise": "awgn/{}.AWGN.{}.png",
    "jpeg": "jpeg/{}.JPEG.{}.png",
    "jpeg 2000": "jpeg2000/{}.jpeg2000.{}.png",
    "fnoise": "fnoise/{}.fnoise.{}.png",
    "blur": "blur/{}.BLUR.{}.png",
    "contrast": "contrast/{}.contrast.{}.png",
}


def pixels(seed: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """A picture of noise, (height, width, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def picture(path: Path, seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> Path:
    """Write a picture of noise; an older file or link of that name goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    Image.fromarray(pixels(seed, height, width)).save(path)
    return path


def link(path: Path, to: Path) -> None:
    """Make `path` another name of the picture `to`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.link(to, path)


def live(root: Path) -> Path:
    """LIVE release 2: 29 references, 982 images of which 203 are copies of references."""
    from scipy.io import savemat

    references = [picture(root / "refimgs" / f"scene{number:02d}.bmp", number) for number in range(29)]
    names, originals = [], []
    for folder, (count, copies) in LIVE_FOLDERS.items():
        for number in range(1, count + 1):
            reference = references[number % 29]
            link(root / folder / f"img{number}.bmp", reference)
            names.append(reference.name)
            originals.append(number > count - copies)
    rng = np.random.default_rng(0)
    scores = np.where(originals, 0.0, rng.uniform(0, 100, len(names)))
    realigned = np.where(originals, 0.0, rng.uniform(3, 112, len(names)))
    cells = np.empty((1, len(names)), dtype=object)
    cells[0] = names
    orgs = np.array([originals], dtype=np.uint8)
    savemat(root / "dmos.mat", {"dmos": scores[None], "orgs": orgs})
    savemat(root / "dmos_realigned.mat", {"dmos_new": realigned[None], "dmos_std": realigned[None] / 10, "orgs": orgs})
    savemat(root / "refnames_all.mat", {"refnames_all": cells})
    return root


def live_itw(root: Path, pictures: int = 1162) -> Path:
    """LIVE in the Wild: 1,169 entries, of which seven were shown for training."""
    from scipy.io import savemat

    first = picture(root / "Images" / "trainingImages" / "t1.bmp", 0)
    names = [f"t{number}.bmp" for number in range(1, 8)] + [f"{number}.bmp" for number in range(3, 3 + pictures)]
    for name in names[7:]:
        link(root / "Images" / name, first)
    cells = np.empty((len(names), 1), dtype=object)
    cells[:, 0] = names
    (root / "Data").mkdir()
    scores = np.random.default_rng(0).uniform(3, 93, (1, len(names)))
    savemat(root / "Data" / "AllImages_release.mat", {"AllImages_release": cells})
    savemat(root / "Data" / "AllMOS_release.mat", {"AllMOS_release": scores})
    return root


def tid2013(root: Path, references: int = 25, types: int = 24) -> Path:
    """TID2013 with its mixed case: names of even references are in capitals on disk, the table's never match."""
    lines = []
    for reference in range(1, references + 1):
        name = f"{'I' if reference % 2 else 'i'}{reference:02d}"
        pristine = picture(root / "reference_images" / f"{name}.{'BMP' if reference % 2 else 'bmp'}", reference)
        for kind in range(1, types + 1):
            for level in range(1, 6):
                link(root / "distorted_images" / f"{name.swapcase()}_{kind:02d}_{level}.bmp", pristine)
                lines.append(f"{7.5 - level - kind / 24:.5f} {name}_{kind:02d}_{level}.bmp")
    (root / "mos_with_names.txt").write_text("\r\n".join(lines) + "\r\n", encoding="ascii")
    return root


def csiq_rows(references: int = 30) -> list[dict[str, Any]]:
    """The rows of CSIQ's spreadsheet: five levels of each type, but four for 34 combinations; 866 in all."""
    names: list[Any] = [1600, *(f"scene_{number:02d}" for number in range(1, references))]
    combinations = [(name, index, kind) for name in names for index, kind in enumerate(CSIQ_FILES, start=1)]
    return [
        {
            "image": name,
            "dst_idx": index,
            "dst_type": kind,
            "dst_lev": level,
            "dmos_std": 0.1,
            "dmos": (level * 37 + index) / 200,
        }
        for number, (name, index, kind) in enumerate(combinations)
        for level in range(1, 5 if number < 34 else 6)
    ]


def csiq(root: Path, rows: list[dict[str, Any]], spreadsheet: bool = True) -> Path:
    """CSIQ: pictures for the given rows, and the scores as spreadsheet or as its CSV export."""
    for row in rows:
        pristine = root / "src_imgs" / f"{row['image']}.png"
        if not pristine.exists():
            picture(pristine, len(list(root.glob("src_imgs/*"))))
        link(root / "dst_imgs" / CSIQ_FILES[row["dst_type"]].format(row["image"], row["dst_lev"]), pristine)
    if spreadsheet:
        csiq_spreadsheet(root / "csiq.DMOS.xlsx", rows)
    else:
        table(root / "csiq.DMOS.csv", rows)
    return root


def csiq_spreadsheet(path: Path, rows: Iterable[Mapping[str, Any]], sheet: str = "all_by_image") -> None:
    """Write the spreadsheet as CSIQ lays it out: header in row 4, from column D on, padding below."""
    from openpyxl import Workbook

    book = Workbook()
    page = book.active
    page.title = sheet
    page["A1"] = "CSIQ DMOS values"
    columns = ("image", "dst_idx", "dst_type", "dst_lev", "dmos_std", "dmos")
    for number, values in enumerate([columns, *([row[name] for name in columns] for row in rows)], start=4):
        for column, value in enumerate(values, start=4):
            page.cell(number, column, value)
        last = number
    page.cell(last + 2, 1, "end")
    book.save(path)


def kadid10k(root: Path, references: int = 81, types: int = 25) -> Path:
    """KADID-10k."""
    rows = []
    for reference in range(1, references + 1):
        pristine = picture(root / "images" / f"I{reference:02d}.png", reference)
        for kind in range(1, types + 1):
            for level in range(1, 6):
                name = f"I{reference:02d}_{kind:02d}_{level:02d}.png"
                link(root / "images" / name, pristine)
                rows.append({"dist_img": name, "ref_img": pristine.name, "dmos": 5.5 - level * 0.9, "var": 0.5})
    table(root / "dmos.csv", rows)
    return root


def scored_table(root: Path, references: int = 5, classes: Iterable[str] = ("jpeg", "blur"), levels: int = 3) -> Path:
    """A table `scores.csv` (image, score, reference, distortion, level) on a MOS scale of 1 to 5, with its pictures."""
    rows = []
    for reference in range(references):
        pristine = picture(root / "references" / f"r{reference}.png", reference)
        for kind in classes:
            for level in range(1, levels + 1):
                image = root / kind / f"r{reference}_{level}.png"
                link(image, pristine)
                rows.append(
                    {
                        "image": image.relative_to(root).as_posix(),
                        "score": 5 - 4 * level / (levels + 1) - reference / 50,
                        "reference": pristine.relative_to(root).as_posix(),
                        "distortion": kind,
                        "level": level,
                    }
                )
    table(root / "scores.csv", rows)
    return root


def synthetic(root: Path, **options: Any) -> Path:
    """A folder as `gada synthesize` writes it: the table and a manifest."""
    scored_table(root, **options)
    scale = {"name": "MOS", "low": 1.0, "high": 5.0, "higher_is_better": True}
    manifest = {"name": "live-like", "recipe": "live", "scale": scale, "proxy": True, "complete": True}
    (root / "manifest.json").write_text(json.dumps(manifest))
    return root


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write a CSV table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else ["image", "score"])
        writer.writeheader()
        writer.writerows(rows)
    return path

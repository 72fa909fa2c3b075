"""How near the re-simulated distortions come to the real TID2013: PSNR and SSIM against the published values."""

import csv
from collections.abc import Sequence
from math import inf, isclose
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from gada.data.proxy import noise_seed
from gada.data.recipes import Source, find_sources
from gada.data.records import ScoredSet
from gada.distortions import FAMILIES, distort
from gada.errors import DataError
from gada.io.images import read_image
from gada.io.records import Row
from gada.metrics.correlation import srocc
from gada.metrics.psnr import luminance, psnr
from gada.metrics.ssim import ssim

PSNR_TOLERANCE_DB = 0.5
SSIM_TOLERANCE = 0.03

PUBLISHED_SROCC = {"psnr": 0.640, "ssim": 0.637}
"""SROCC of luminance PSNR and SSIM with the human scores of the real TID2013, all types (Ponomarenko et al., 2015)."""

UNCHANGED_DB = 50.0
"""A cell published as `inf` (luminance unchanged) is met from here on: rounding R, G and B moves luminance a little."""


def measure_fidelity(references: Path, crops: Path, published: Path, seed: int = 0) -> list[Row]:
    """Distort the references that have published values and compare, on luminance.

    Args:
        references: Folder of the photos that the crops are taken from.
        crops: CSV table of crops (see `find_sources`).
        published: CSV table with columns reference, distortion, level, psnr_db, ssim.
        seed: The seed of the set; noise is the same as in `synthesize` with this seed.

    Returns:
        One row for each published cell: reference, distortion, level, and PSNR and SSIM, ours and published; an
        infinite PSNR is None.

    Raises:
        DataError: if a table or photo is wrong, or a published reference has no crop.
    """
    sources = {source.name: source for source in find_sources(references, crops)}
    rows, pixels = list[Row](), dict[str, NDArray[np.uint8]]()
    for name, number, level, published_psnr, published_ssim in read_published(published):
        if name not in pixels:
            pixels[name] = _find(sources, name, crops).pixels()
        distortion = f"{number:02d}"
        noise = noise_seed(seed, name, distortion, level)
        distorted = luminance(distort(pixels[name], f"tid2013/{distortion}", level, noise))
        reference = luminance(pixels[name])
        ours = psnr(distorted, reference)
        rows.append(
            {
                "reference": name,
                "distortion": number,
                "level": level,
                "psnr_db": None if ours == inf else round(ours, 4),
                "published_psnr_db": None if published_psnr == inf else published_psnr,
                "ssim": round(ssim(distorted, reference), 4),
                "published_ssim": published_ssim,
            }
        )
    return rows


def read_published(path: Path) -> list[tuple[str, int, float, float, float]]:
    """Read the published table: (reference, distortion, level, PSNR in dB, SSIM).

    Raises:
        DataError: if it cannot be read or a field is missing or not a number.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [
                (
                    row["reference"],
                    int(row["distortion"]),
                    float(row["level"]),
                    float(row["psnr_db"]),
                    float(row["ssim"]),
                )
                for row in csv.DictReader(file)
            ]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} must have the columns reference, distortion, level, psnr_db, ssim") from error


def _find(sources: dict[str, Source], name: str, crops: Path) -> Source:
    if name not in sources:
        raise DataError(f"{crops} has no crop for reference {name}, which has published values")
    return sources[name]


def psnr_met(row: Row) -> bool:
    """Whether luminance PSNR is within 0.5 dB, or at least 50 dB where luminance should not change."""
    ours = inf if row["psnr_db"] is None else row["psnr_db"]
    if row["published_psnr_db"] is None:
        return bool(ours >= UNCHANGED_DB)
    return isclose(ours, row["published_psnr_db"], rel_tol=0, abs_tol=PSNR_TOLERANCE_DB)


def ssim_met(row: Row) -> bool:
    """Whether SSIM is within 0.03."""
    return isclose(row["ssim"], row["published_ssim"], rel_tol=0, abs_tol=SSIM_TOLERANCE)


def fidelity_table(rows: Sequence[Row]) -> str:
    """Return the Markdown table by type: cells met of five levels, and the median difference, for each reference."""
    references = list(dict.fromkeys(row["reference"] for row in rows))
    heads = [f"{name} {figure}" for name in references for figure in ("PSNR", "SSIM", "median dB", "median SSIM")]
    lines = ["| type | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads)]
    for number in sorted({row["distortion"] for row in rows}):
        cells = [f"{number} {FAMILIES[f'tid2013/{number:02d}'].title}"]
        for name in references:
            cells += _figures([row for row in rows if row["distortion"] == number and row["reference"] == name])
        lines.append("| " + " | ".join(cells) + " |")
    totals = ["**all**"]
    for name in references:
        totals += _figures([row for row in rows if row["reference"] == name])
    return "\n".join([*lines, "| " + " | ".join(totals) + " |"]) + "\n"


def _figures(rows: Sequence[Row]) -> list[str]:
    """Cells met in PSNR and in SSIM, and the median differences, ours minus published."""
    decibels = [
        row["psnr_db"] - row["published_psnr_db"]
        for row in rows
        if row["psnr_db"] is not None and row["published_psnr_db"] is not None
    ]
    similarity = [row["ssim"] - row["published_ssim"] for row in rows]
    return [
        f"{sum(map(psnr_met, rows))}/{len(rows)}",
        f"{sum(map(ssim_met, rows))}/{len(rows)}",
        f"{median(decibels):+.2f}" if decibels else "-",
        f"{median(similarity):+.4f}",
    ]


def rank_full_reference(scored: ScoredSet) -> list[Row]:
    """Correlate luminance PSNR and SSIM with the scores of a set.

    Args:
        scored: A set with references.

    Returns:
        One row for each metric: metric, n, srocc, published_srocc. A PSNR of equal luminance counts as 100 dB.

    Raises:
        DataError: if the set has no references or an image cannot be decoded.
    """
    if not scored.has_references:
        raise DataError(f"{scored.name} has no references; PSNR and SSIM need them")
    luma = {path: luminance(read_image(path)) for path in {record.reference for record in scored.images} if path}
    values: dict[str, list[float]] = {"psnr": [], "ssim": []}
    for record in scored.images:
        if record.reference is None:  # has_references has checked it
            continue
        pair = luminance(read_image(record.image)), luma[record.reference]
        values["psnr"].append(min(psnr(*pair), 100.0))
        values["ssim"].append(ssim(*pair))
    return [
        {
            "metric": metric,
            "n": len(found),
            "srocc": round(srocc(found, scored.qualities), 4),
            "published_srocc": PUBLISHED_SROCC[metric],
        }
        for metric, found in values.items()
    ]


def ranking_table(rows: Sequence[Row]) -> str:
    """Return the Markdown table of `rank_full_reference`."""
    lines = ["| metric, on luminance | images | SROCC here | SROCC published for TID2013 |", "|---|---|---|---|"]
    lines += [
        f"| {row['metric'].upper()} | {row['n']} | {row['srocc']:.3f} | {row['published_srocc']:.3f} |" for row in rows
    ]
    return "\n".join(lines) + "\n"

"""D-test, L-test and P-test of an evaluator, from pristine photos alone (Ma et al., IEEE TIP 26, 2017)."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gada.data.proxy import noise_seed
from gada.distortions import FAMILIES, distort
from gada.errors import ConfigError, DataError
from gada.experiments.evaluation import reduced
from gada.io.files import check_writable, write_text
from gada.io.folders import images_in
from gada.io.images import read_image
from gada.io.progress import with_progress
from gada.io.records import as_csv
from gada.metrics.dlp import Consistency, Discriminability, Preference, d_test, l_test, p_test
from gada.metrics.gmsd import gmsd
from gada.metrics.psnr import luminance
from gada.metrics.ssim import MS_SSIM_SMALLEST_SIDE, ms_ssim
from gada.metrics.vif import vif
from gada.reports.layout import Cell, Table
from gada.scoring.scorer import Scorer
from gada.settings import EvaluationSettings

DISTORTIONS = ("live/wn", "live/gblur", "live/jpeg", "live/jp2k")
"""The four of the paper: white noise, blur, JPEG and JPEG2000."""
LEVELS = 5
GAP = 40.0
"""Percentiles by which all measures must agree; the paper takes 40 on its scale of 0 to 100."""


class ScoredVersion(NamedTuple):
    """An image with its predicted quality and its full-reference measures."""

    photograph: str
    distortion: str
    """A name of `DISTORTIONS`; "" for the photo itself."""
    level: int
    """0 for the photo itself."""
    quality: float
    """Predicted, in [0, 1], higher is better."""
    ms_ssim: float
    vif: float
    negative_gmsd: float
    """Higher is better, as for all here."""


class Dlp(NamedTuple):
    """The three tests."""

    model: str
    """The evaluator in one line."""
    sha256: str
    photos: int
    discriminability: Discriminability
    consistency: dict[str, Consistency]
    """For each distortion, and "ALL"."""
    preference: Preference
    gap: float


def run_dlp(
    scorer: Scorer,
    photos: Path,
    evaluation: EvaluationSettings,
    gap: float = GAP,
    out: Path | None = None,
) -> Dlp:
    """Distort photos, score all images, and run the three tests.

    Args:
        scorer: Of the evaluator.
        photos: Folder of pristine photos.
        evaluation: Seed of the noise, and the size to which large photos are reduced first.
        gap: See `gada.metrics.dlp.p_test`.
        out: CSV file for every image's measures, or none.

    Raises:
        ConfigError: if the gap is not a percentage below 100.
        DataError: if there is no photo, or one cannot be read or is too small.
    """
    if not 0 <= gap < 100:
        raise ConfigError(f"--gap is {gap:g} but must lie between 0 and 100, in percentiles.")
    if out:
        check_writable(out)
    paths = images_in(photos, "--photos")
    shown = with_progress(paths, "photos", len(paths))
    scored = [one for path in shown for one in versions(scorer, path, evaluation)]
    if out:
        write_versions(out, scored)
    levels = {
        name: np.array([one.quality for one in scored if one.distortion == name]).reshape(-1, LEVELS)
        for name in DISTORTIONS
    }
    consistency = {name: l_test(values) for name, values in levels.items()}
    consistency["ALL"] = l_test(np.concatenate(list(levels.values())))
    return Dlp(
        scorer.describe(),
        scorer.digest,
        len(paths),
        d_test([one.quality for one in scored if not one.level], [one.quality for one in scored if one.level]),
        consistency,
        p_test([one.quality for one in scored], list(zip(*(one[4:] for one in scored), strict=True)), gap),
        gap,
    )


def versions(scorer: Scorer, path: Path, evaluation: EvaluationSettings) -> Iterator[ScoredVersion]:
    """Yield a photo and its distorted versions, distortion by distortion and level by level."""
    photo = reduced(read_image(path), evaluation.shorter_side)
    if min(photo.shape[:2]) < MS_SSIM_SMALLEST_SIDE:
        raise DataError(
            f"{path} has {photo.shape[1]} x {photo.shape[0]} pixels; MS-SSIM, by which pairs are chosen, "
            f"needs sides of {MS_SSIM_SMALLEST_SIDE} or more"
        )
    cells = [("", 0), *((name, level) for name in DISTORTIONS for level in range(1, LEVELS + 1))]
    images = [distorted(photo, path.name, name, level, evaluation.seed) for name, level in cells]
    grey = luminance(photo)
    for (name, level), image, prediction in zip(cells, images, scorer.score_all(images), strict=True):
        own = luminance(image)
        yield ScoredVersion(
            path.name, name, level, prediction.quality, ms_ssim(own, grey), vif(own, grey), 0.0 - gmsd(own, grey)
        )


def distorted(photo: NDArray[np.uint8], name: str, family: str, level: int, seed: int) -> NDArray[np.uint8]:
    """Return a photo at one level of a distortion; level 0 is the photo."""
    return distort(photo, family, level, noise_seed(seed, name, family, level)) if level else photo


def dlp_table(found: Dlp) -> Table:
    """Return the three tests as a table."""
    images = found.photos * len(DISTORTIONS) * LEVELS
    rows: list[tuple[Cell, ...]] = [
        ("D-test", "", found.discriminability.value, f"{found.photos} pristine, {images} distorted")
    ]
    for figure in ("srocc", "krocc"):
        for name, one in found.consistency.items():
            title = FAMILIES[name].title if name in FAMILIES else name
            count = found.photos * (1 if name in FAMILIES else len(DISTORTIONS))
            rows.append((f"L-test, {figure.upper()}", title, getattr(one, figure), f"{count} rows of {LEVELS} levels"))
    rows.append(("P-test", "", found.preference.value, f"{found.preference.pairs} clear pairs"))
    caption = f"D-, L- and P-test. Evaluator: {found.model}."
    notes = (
        "A pair is clear when MS-SSIM, VIF and GMSD all find the same image better by more than "
        f"{found.gap:g} percentiles.",
    )
    return Table(
        caption, ("test", "distortion"), ("value", "of"), tuple(rows), (), frozenset({1, len(rows) - 1}), notes
    )


def write_versions(path: Path, scored: list[ScoredVersion]) -> None:
    """Write one CSV line for each image."""
    rows = [[f"{value:.6f}" if isinstance(value, float) else value for value in one] for one in scored]
    write_text(path, as_csv([ScoredVersion._fields, *rows]))

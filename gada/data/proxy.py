"""Scores of a set that nobody rated, by a full-reference metric, and the noise seeds of its images."""

import json
from hashlib import blake2b
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gada.data.records import Scale

Metric = Literal["MS-SSIM", "SSIM"]

MS_SSIM_SMALLEST_SIDE = 161
"""MS-SSIM halves the image four times and then needs its whole window."""


def proxy_scale(metric: Metric) -> Scale:
    """Return what a set without human scores is scored on; 0 is the undistorted image."""
    return Scale(f"proxy DMOS ({metric})", 0.0, 100.0, higher_is_better=False)


def metric_for(smallest_side: int) -> Metric:
    """Return the metric that a set can be scored by, whose smallest image side is given in pixels."""
    return "MS-SSIM" if smallest_side >= MS_SSIM_SMALLEST_SIDE else "SSIM"


def proxy_dmos(distorted: NDArray[np.uint8], reference: NDArray[np.uint8], metric: Metric = "MS-SSIM") -> float:
    """Map MS-SSIM (or SSIM, for small images) to a scale like DMOS: 100 (1 - MS-SSIM)^0.4, at most 100.

    It is 0 for the reference itself. The power spreads mild distortions, which MS-SSIM crowds against 1; being monotone
    it changes no ranking.
    """
    from gada.metrics import ssim  # imports torch, which not every recipe needs

    similarity = ssim.ms_ssim if metric == "MS-SSIM" else ssim.ssim
    loss = min(max(1.0 - similarity(distorted, reference), 0.0), 1.0)
    return round(100.0 * float(loss**0.4), 4)


def noise_seed(seed: int, reference: str, distortion: str, level: float) -> int:
    """Derive the noise seed of one image, 64 bits, from what names it."""
    name = json.dumps([seed, reference, distortion, float(level)]).encode()
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big")

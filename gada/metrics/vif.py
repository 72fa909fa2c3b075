"""Visual information fidelity in the pixel domain (Sheikh and Bovik, IEEE TIP 15, 2006; its multi-scale version).

torchmetrics has it too and agrees to 1e-12, but takes some forty times as long and gives NaN for flat images.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from gada.metrics.psnr import check_pair

SCALES = 4
NOISE = 2.0  # variance of the visual noise, for 8-bit values
TINY = 1e-10


def smallest_side(scales: int = SCALES) -> int:
    """Return the side, in pixels, of which this many scales of valid filtering leave a pixel: 41 for all four."""
    side: int = 1 + 2 ** (SCALES - scales + 1)  # the last window
    for scale in range(scales - 1, 0, -1):
        window: int = 2 ** (SCALES - scale)
        side = max(2 * side - 1 + window, 1 + 2 * window)
    return side


def vif(image: NDArray[np.uint8], reference: NDArray[np.uint8], scales: int = SCALES) -> float:
    """Return VIFp; 1 for equal images, higher is better. A rise in contrast can pass 1.

    Args:
        image: (H, W), 8-bit luminance.
        reference: The same shape, 8-bit.
        scales: the first of the four, for small images.

    Raises:
        ValueError: if the shapes differ, an array is not 8-bit, or a side is shorter than 41 (25 for two scales).
    """
    check_pair(image, reference)
    if min(image.shape) < (least := smallest_side(scales)):
        raise ValueError(f"VIF needs sides of {least} pixels or more, not {image.shape}.")
    first, second = reference.astype(np.float64), image.astype(np.float64)
    kept, whole = 0.0, 0.0
    for scale in range(scales):
        window = _window(2 ** (SCALES - scale) + 1)  # 17, 9, 5, 3 taps
        if scale:
            first, second = (_filtered(plane, window)[::2, ::2] for plane in (first, second))
        through, there = _information(first, second, window)
        kept, whole = kept + through, whole + there
    return kept / whole if whole else 1.0


def _information(
    reference: NDArray[np.float64], image: NDArray[np.float64], window: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the information that the eye gets of the reference through the image, and of the reference itself."""
    means = [_filtered(plane, window) for plane in (reference, image)]
    products = ((reference, reference, 0, 0), (image, image, 1, 1), (reference, image, 0, 1))
    own, other, joint = (_filtered(one * two, window) - means[at] * means[to] for one, two, at, to in products)
    own, other = np.maximum(own, 0), np.maximum(other, 0)
    gain = np.where((own < TINY) | (other < TINY), 0, joint / (own + TINY))
    blur = np.where(other < TINY, 0, np.where(own < TINY, other, other - gain * joint))
    own = np.where(own < TINY, 0, own)
    blur, gain = np.where(gain < 0, other, blur), np.maximum(gain, 0)
    through = np.log10(1 + gain**2 * own / (np.maximum(blur, TINY) + NOISE))
    return float(through.sum()), float(np.log10(1 + own / NOISE).sum())


def _window(taps: int) -> NDArray[np.float64]:
    """Return a Gaussian of this many taps, whose std is a fifth of them."""
    at = np.arange(taps) - taps // 2
    weights = np.exp(-0.5 * (at / (taps / 5)) ** 2)
    return np.asarray(weights / weights.sum())


def _filtered(plane: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a plane filtered along both axes, where the window fits."""
    margin = len(window) // 2
    both = correlate1d(correlate1d(plane, window, axis=0), window, axis=1)
    return np.asarray(both[margin:-margin, margin:-margin])

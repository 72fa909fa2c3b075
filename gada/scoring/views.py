"""Which crops of a picture are judged: pure functions of the picture's size, the same on every machine."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gada.data.crops import below, crop_positions
from gada.errors import ConfigError

Mode = Literal["crops", "grid", "dense"]
PAPER_CROPS = 30  # section 4.2
GRID_CROPS = 8  # speed against agreement with 30 random crops, which `tests/bench_scoring.py` measures
GOLDEN = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio


def positions(
    mode: Mode, height: int, width: int, size: int, count: int | None = None, seed: int = 0, grid: int = 1
) -> NDArray[np.int64]:
    """Return the top left corners of a mode's crops, (n, 2) of (top, left).

    Args:
        mode: `crops` (random), `grid` (fixed and stratified) or `dense` (the whole picture).
        height: of the picture, at least `size`.
        width: of the picture, at least `size`.
        size: side of a crop, in pixels.
        count: how many; by default 30 (the paper's) for `crops`, few for `grid`. `dense` takes as many as it needs.
        seed: of `crops`.
        grid: corners are multiples of it; 8 keeps crops on the block grid of JPEG, as some models were trained.

    Raises:
        ConfigError: if the mode is unknown or the count is not positive.
    """
    if count is not None and count < 1:
        raise ConfigError(f"--crops is {count} but must be at least 1.")
    match mode:
        case "crops":
            return crop_positions(seed, height, width, count or PAPER_CROPS, size, grid)
        case "grid":
            return stratified_positions(height, width, size, count or GRID_CROPS) // grid * grid
        case "dense":
            return corners_of(covering_starts(height, size, grid), covering_starts(width, size, grid))
    raise ConfigError(f"--mode is {mode!r} but must be crops, grid or dense.")


def stratified_positions(height: int, width: int, size: int, count: int) -> NDArray[np.int64]:
    """Return few fixed positions that spread evenly over a picture of any shape, (count, 2).

    Along the longer side each of `count` equal parts holds one crop; along the shorter side they follow multiples of
    the golden ratio, whose fractions stay far from each other (a Kronecker lattice).
    """
    index = np.arange(count, dtype=np.uint64)
    even = (2 * index.astype(np.int64) + 1) * (max(height, width) - size + 1) // (2 * count)
    golden = index * np.uint64(GOLDEN) + np.uint64(1 << 63)  # wraps at 2**64: the fraction of index x golden + 1/2
    spread = below(golden, min(height, width) - size + 1)
    return np.stack([spread, even] if width >= height else [even, spread], axis=1)


def covering_starts(side: int, size: int, grid: int = 1) -> NDArray[np.int64]:
    """Return the starts of the fewest parts of `size` pixels that cover a side, evenly overlapping.

    All but the last are multiples of `grid`, which `size` must be too.
    """
    steps = -(-(side - size) // grid)
    gaps = -(-steps * grid // size)
    starts = np.arange(gaps + 1, dtype=np.int64) * steps // max(1, gaps) * grid
    return np.minimum(starts, side - size)


def corners_of(tops: NDArray[np.int64], lefts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return every pair of a top and a left, row by row, (R x C, 2)."""
    return np.stack(np.meshgrid(tops, lefts, indexing="ij"), axis=-1).reshape(-1, 2)


def even_indices(count: int, share: float) -> NDArray[np.int64]:
    """Return a share of the indices 0 to `count` - 1, evenly spread and one at least."""
    kept = max(1, int(count * share))
    return (2 * np.arange(kept) + 1) * count // (2 * kept)


def cut(image: NDArray[np.uint8], corners: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """Cut square crops of a picture (H, W, 3), (n, size, size, 3)."""
    crops = np.empty((len(corners), size, size, 3), dtype=np.uint8)
    for crop, (top, left) in zip(crops, corners, strict=True):
        crop[:] = image[top : top + size, left : left + size]
    return crops


def reflect_up(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Reflect a picture (H, W, 3) at its far borders until both sides have at least `size` pixels."""
    missing = [max(0, size - side) for side in image.shape[:2]]
    if not any(missing):
        return image
    return np.pad(image, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")

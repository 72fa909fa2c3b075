"""Which crops of an image are scored: pure functions of the image's size, the same on every machine."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gada.data.crops import below, crop_positions
from gada.errors import ConfigError, DataError

Mode = Literal["crops", "grid", "dense"]
PAPER_CROPS = 30  # section 4.2
GRID_CROPS = 8  # speed against agreement with 30 random crops, which `tests/bench_scoring.py` measures
MOST_CROPS = 100_000
MOST = 50_000_000  # pixels of the crops that cover an image; a larger image's may have four times its own
GOLDEN = 0x9E3779B97F4A7C15  # 2**64 divided by the golden ratio


def positions(
    mode: Mode, height: int, width: int, size: int, count: int | None = None, seed: int = 0, grid: int = 1
) -> NDArray[np.int64]:
    """Return the top left corners of a mode's crops, (n, 2) of (top, left).

    Args:
        mode: `crops` (random), `grid` (fixed and stratified) or `dense` (the whole image).
        height: of the image; one that is smaller than a crop is taken as reflected up to it.
        width: of the image, likewise.
        size: side of a crop, in pixels.
        count: how many; by default 30 (the paper's) for `crops`, few for `grid`; none for `dense`.
        seed: of `crops`.
        grid: corners are multiples of it; 8 keeps crops on the block grid of JPEG, as some models were trained.

    Raises:
        ConfigError: if the mode is unknown, or the count is not positive or given for `dense`.
        DataError: if an image is too thin for `dense`.
    """
    if count is not None and not (isinstance(count, int | np.integer) and 1 <= count <= MOST_CROPS):
        raise ConfigError(f"--crops is {count!r} but must be a whole number from 1 to {MOST_CROPS}.")
    if count is not None and mode == "dense":
        raise ConfigError(f"--crops is {count}, but --mode dense takes as many as cover the image; leave it out.")
    sides = max(height, size), max(width, size)
    match mode:
        case "crops":
            return crop_positions(seed, *sides, count or PAPER_CROPS, size, grid)
        case "grid":
            return stratified_positions(*sides, size, count or GRID_CROPS) // grid * grid
        case "dense":
            return corners_of(*cover(height, width, size, grid))
    raise ConfigError(f"--mode is {mode!r} but must be crops, grid or dense.")


def stratified_positions(height: int, width: int, size: int, count: int) -> NDArray[np.int64]:
    """Return few fixed positions that spread evenly over an image of any shape, (count, 2).

    Along the longer side each of `count` equal parts holds one crop; along the shorter side they follow multiples of
    the golden ratio, whose fractions stay far from each other (a Kronecker lattice).
    """
    index = np.arange(count, dtype=np.uint64)
    even = (2 * index.astype(np.int64) + 1) * (max(height, width) - size + 1) // (2 * count)
    golden = index * np.uint64(GOLDEN) + np.uint64(1 << 63)  # wraps at 2**64: the fraction of index x golden + 1/2
    spread = below(golden, min(height, width) - size + 1)
    return np.stack([spread, even] if width >= height else [even, spread], axis=1)


def cover(
    height: int, width: int, size: int, grid: int = 1, most: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the tops (R,) and the lefts (C,) of crops that cover an image.

    Args:
        height: of the image; one that is smaller than a crop is taken as reflected up to it.
        width: of the image, likewise.
        size: side of a crop, in pixels.
        grid: as for `positions`.
        most: at most so many crops; of a larger image only some rows and columns are taken, evenly spread.

    Raises:
        DataError: if the image is so thin that the crops would hold far more pixels than it.
    """
    tops, lefts = (covering_starts(max(side, size), size, grid) for side in (height, width))
    if most and len(tops) * len(lefts) > most:
        fraction = (most / (len(tops) * len(lefts))) ** 0.5
        rows = min(most, max(1, int(len(tops) * fraction)))
        columns = min(most // rows, max(1, int(len(lefts) * fraction)))
        tops, lefts = tops[even_indices(len(tops), rows)], lefts[even_indices(len(lefts), columns)]
    if len(tops) * len(lefts) * size**2 > max(MOST, 4 * height * width):
        raise DataError(f"{width} x {height} pixels are too thin to be covered by crops of {size} x {size}")
    return tops, lefts


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


def even_indices(count: int, kept: int) -> NDArray[np.int64]:
    """Return `kept` of the indices 0 to `count` - 1, evenly spread."""
    return (2 * np.arange(kept) + 1) * count // (2 * kept)


def flat_fraction(crops: NDArray[np.uint8]) -> float:
    """Return the fraction of the pixels of crops (N, H, W, 3) that equal those to the right and below; 1 is blank."""
    fractions = []
    for crop in crops:  # one at a time: those that cover a large image fill the memory already
        here = crop[:-1, :-1]
        equal = (here == crop[:-1, 1:]) & (here == crop[1:, :-1])
        fractions.append((equal[..., 0] & equal[..., 1] & equal[..., 2]).mean())
    return float(np.mean(fractions))

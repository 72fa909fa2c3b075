"""All crops are cut here, at positions that are a pure function of their arguments, the same on every machine.

Only the raw output of the counter-based generator Philox is used, with integer arithmetic: numpy promises that
stream for ever, while the methods of its `Generator` may change from one release to the next.
"""

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from gada.errors import ConfigError


def raw_bits(count: int, *key: int | str) -> NDArray[np.uint64]:
    """Return `count` random 64-bit integers that depend on `key` alone, (count,)."""
    digest = sha256(repr(key).encode()).digest()[:16]
    return np.random.Philox(key=int.from_bytes(digest, "little")).random_raw(count)


def below(bits: NDArray[np.uint64], limit: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Map random bits to integers in [0, limit), where limit < 2**32; uneven by less than 2**-32 x limit."""
    return (((bits >> np.uint64(32)) * np.asarray(limit, np.uint64)) >> np.uint64(32)).astype(np.int64)


def unit(bits: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Map random bits to floats in [0, 1), 53 bits each."""
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def crop_positions(seed: int, height: int, width: int, count: int, size: int, grid: int = 1) -> NDArray[np.int64]:
    """Draw the top left corners of `count` square crops of an image.

    The positions depend on the arguments alone, never on the image, on other images or on the order of calls: two
    images of one size are cut at the same places, and a score never changes from run to run. A greater `count`
    continues the same sequence.

    Args:
        seed: any integer; evaluation keeps one fixed seed.
        height: of the image, in pixels.
        width: of the image, in pixels.
        count: how many crops (30 in the paper, section 4.2).
        size: side of a crop, in pixels.
        grid: positions are multiples of it; 8 keeps crops on the block grid of JPEG.

    Returns:
        (count, 2) of (top, left).

    Raises:
        ConfigError: if a crop does not fit into the image or an argument is not positive.
    """
    if min(count, size, grid) < 1:
        raise ConfigError(f"crops need a positive count, size and grid; got {count}, {size} and {grid}")
    if size > min(height, width):
        raise ConfigError(f"a crop of {size} pixels does not fit into an image of {height} x {width} (height x width)")
    bits = raw_bits(2 * count, "crops", seed, height, width).reshape(count, 2)
    steps = np.array([(height - size) // grid + 1, (width - size) // grid + 1])
    return below(bits, steps) * grid


def evaluation_crops(image: NDArray[np.uint8], seed: int, count: int, size: int, grid: int = 1) -> NDArray[np.uint8]:
    """Cut the crops over which an image's score is averaged (paper, section 4.2: 30 random crops).

    Args:
        image: (H, W, 3) uint8.
        seed: the evaluation seed.
        count: how many crops.
        size: side of a crop, in pixels.
        grid: positions are multiples of it, as those that the evaluator was trained on.

    Returns:
        (count, 3, size, size) uint8.

    Raises:
        ConfigError: if a crop does not fit into the image.
    """
    positions = crop_positions(seed, image.shape[0], image.shape[1], count, size, grid)
    return cut(image, positions, size).transpose(0, 3, 1, 2)


def cut(image: NDArray[np.uint8], corners: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """Cut square crops of an image (H, W, 3) at their (top, left) corners (n, 2), (n, size, size, 3)."""
    crops = np.empty((len(corners), size, size, 3), dtype=np.uint8)
    for crop, (top, left) in zip(crops, corners.tolist(), strict=True):
        crop[:] = crop_at(image, top, left, size)
    return crops


def crop_at(image: NDArray[np.uint8], top: int, left: int, size: int) -> NDArray[np.uint8]:
    """Return one square crop of an image (H, W, 3), a view where the image is large enough.

    Where it is not, the crop is reflected up to its size, each by itself: a thin image would take a hundred times its
    memory.
    """
    return reflect_up(image[top : top + size, left : left + size], size)


def middle(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return the middle of an image, on JPEG's 8-pixel grid, at most `size` pixels high and wide."""
    top, left = (max(0, (side - size) // 2 // 8 * 8) for side in image.shape[:2])
    return image[top : top + size, left : left + size]


def reflect_up(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Reflect an image (H, W, 3) at its far borders until both sides have at least `size` pixels."""
    missing = [max(0, size - side) for side in image.shape[:2]]
    if not any(missing):
        return image
    return np.pad(image, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")

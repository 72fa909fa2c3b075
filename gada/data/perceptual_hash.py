"""Perceptual hashes: whether two images show the same scene, after resizing, recompression or a crop.

Databases share photos (LIVE, TID2013 and Kodak do), at times as crops of each other, so file names and bytes say
nothing. An image is known by two things:

- the signs of its low frequencies, which survive resizing and compression (a DCT hash);
- its landmarks, the blobs that stand out, each with a difference hash of what lies around it. A crop at the same scale
  keeps those inside it, all moved by one shift.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter, maximum_filter

SIDE = 32  # pixels of the reduced image whose DCT is taken
LOW = 8  # frequencies a side, of which the constant one does not count: 63 bits
NEAR = 8  # bits that may differ; of unlike photos about half differ

BLUR = 3.0  # pixels: what is smaller, compression may change
APART = 12  # pixels: of several blobs in such a square the strongest counts
LANDMARKS = 64  # the most that are kept
AROUND = 7 * np.arange(-4, 5)  # pixels from a landmark at which its surroundings are looked at
BITS = 72  # of a difference hash, 9 x 8
FEWEST = 20  # bits of either kind: surroundings without structure are alike everywhere
MARGIN = 30  # pixels between a landmark and the border
LOOSE = 12  # bits of a landmark's that may differ, because one common shift is needed too
SLACK = 3  # pixels by which shifts may differ
AGREEING = 5  # landmarks that must agree on a shift; of 77,028 pairs of unlike photos none had more than 4

Landmarks = NDArray[np.int64]
"""(N, 4): top and left in pixels, and 72 bits as two numbers of 36."""


@dataclass(frozen=True)
class PerceptualHash:
    """What an image is known by."""

    low: int
    """The signs of its low frequencies, 63 bits."""
    landmarks: tuple[tuple[int, int, int, int], ...] = ()
    """Top, left, and the difference hash as two numbers of 36 bits, of each landmark."""

    def text(self) -> str:
        """Return the hash as one word: hexadecimal numbers, as `read` takes them."""
        marks = (f"{top:04x}{left:04x}{high:09x}{low:09x}" for top, left, high, low in self.landmarks)
        return "".join([f"{self.low:016x}", *marks])

    @classmethod
    def read(cls, text: str) -> "PerceptualHash":
        """Return what `text` wrote.

        Raises:
            ValueError: if the word is not such a hash.
        """
        if len(text) < 16 or (len(text) - 16) % 26:
            raise ValueError(f"{text[:16]!r} is not a perceptual hash")
        marks = (text[at : at + 26] for at in range(16, len(text), 26))
        cuts = ((0, 4), (4, 8), (8, 17), (17, 26))
        numbers = (tuple(int(mark[start:end], 16) for start, end in cuts) for mark in marks)
        return cls(int(text[:16], 16), tuple(numbers))  # type: ignore[arg-type]


def perceptual_hash(image: NDArray[np.uint8], landmarks: bool = True) -> PerceptualHash:
    """Return what an image is known by.

    Args:
        image: (H, W, 3), 8-bit.
        landmarks: Whether to look for landmarks, which takes ten times as long.
    """
    grey = Image.fromarray(image).convert("L")
    small = np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float64)
    low = dctn(small)[:LOW, :LOW].ravel()[1:]
    found = _landmarks(np.asarray(grey, dtype=np.float32)) if landmarks else ()
    return PerceptualHash(_number(low > np.median(low)), found)


def lookalikes(
    images: Mapping[str, PerceptualHash], known: Mapping[str, PerceptualHash], crops: bool = True
) -> dict[str, str]:
    """Return the images that show a known scene, each with the name of the first such.

    Args:
        images: images by name.
        known: known images by name.
        crops: Whether crops count too, where both have landmarks; else resized and compressed copies alone.
    """
    names = list(known)
    lows = np.array([known[name].low for name in names], dtype=np.uint64)
    marks = [_array(known[name]) for name in names] if crops else []
    found: dict[str, str] = {}
    for name, image in images.items():
        near = alike(lows, np.uint64(image.low))
        first = int(near.argmax()) if near.any() else len(names)
        if crops:
            own = _array(image)
            first = next((at for at in range(first) if _share_a_shift(own, marks[at])), first)
        if first < len(names):
            found[name] = names[first]
    return found


def alike(lows: NDArray[np.uint64], low: np.uint64) -> NDArray[np.bool_]:
    """Tell which low frequencies (N,) are those of one image, up to `NEAR` signs."""
    near: NDArray[np.bool_] = np.bitwise_count(lows ^ low) <= NEAR
    return near


def _landmarks(grey: NDArray[np.float32]) -> tuple[tuple[int, int, int, int], ...]:
    """Return the strongest blobs of an image (H, W): extrema of the difference of two Gaussians."""
    if min(grey.shape) <= 2 * MARGIN:
        return ()
    fine = gaussian_filter(grey, BLUR)
    blobs = np.abs(fine - gaussian_filter(grey, 2 * BLUR))
    highest = (blobs == maximum_filter(blobs, APART)) & (blobs > 1)
    inside = np.zeros_like(highest)
    inside[MARGIN:-MARGIN, MARGIN:-MARGIN] = highest[MARGIN:-MARGIN, MARGIN:-MARGIN]
    places = np.argwhere(inside)
    found = []
    for top, left in places[np.argsort(-blobs[inside], kind="stable")]:
        high, low = _surroundings(fine, top, left)
        if FEWEST <= high.bit_count() + low.bit_count() <= BITS - FEWEST:
            found.append((int(top), int(left), high, low))
    return tuple(found[:LANDMARKS])


def _surroundings(fine: NDArray[np.float32], top: int, left: int) -> tuple[int, int]:
    """Return the difference hash around a landmark: where the blurred image rises from left to right, 9 x 8 bits."""
    rises = np.diff(fine[np.ix_(top + AROUND, left + AROUND)], axis=1).ravel() > 0
    return _number(rises[:36]), _number(rises[36:])


def _number(bits: NDArray[np.bool_]) -> int:
    return int("".join("01"[bit] for bit in bits.astype(int)), 2)


def _array(image: PerceptualHash) -> Landmarks:
    return np.array(image.landmarks, dtype=np.int64).reshape(-1, 4)


def _share_a_shift(first: Landmarks, second: Landmarks) -> bool:
    """Tell whether enough landmarks are alike and moved by one shift."""
    if min(len(first), len(second)) < AGREEING:
        return False
    differing = sum(np.bitwise_count(first[:, None, at] ^ second[None, :, at]).astype(int) for at in (2, 3))
    ones, others = np.nonzero(differing <= LOOSE)
    if len(ones) < AGREEING:
        return False
    shifts = first[ones, :2] - second[others, :2]
    close = (np.abs(shifts[:, None] - shifts[None]) <= SLACK).all(axis=2)
    return bool(close.sum(axis=1).max() >= AGREEING)

"""The images of the trust checks: ladders of one distortion, images without content, and large versions."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gada.distortions import FAMILIES, distort
from gada.distortions.blur import gaussian_blur
from gada.distortions.compression import jpeg
from gada.distortions.graded import rescaled
from gada.distortions.noise import white_noise

Pixels = NDArray[np.uint8]
MILD_JPEG = (95, 85, 70, 50, 30)
"""Qualities on libjpeg's scale, from what a camera writes to what a messenger makes of it."""
MILD_NOISE = (1.5, 3.0, 5.0, 8.0, 12.0)
"""Standard deviations in grey levels, from invisible to plain."""
RESCALING = (1.5, 2.0, 3.0, 4.0, 6.0)
"""Factors by which an image is reduced and enlarged again."""
BLUR_AT_SIZE = 1 / 256
"""Standard deviation of the blur of a large image, as a fraction of its shorter side: one pixel of a 256-pixel view."""
CANVAS = 2.0
"""Side of the white canvas around a photo, as a multiple of the photo's."""


@dataclass(frozen=True)
class Ladder:
    """One distortion at rising strength."""

    name: str
    """As in the table."""
    strengths: tuple[float, ...]
    """Mildest first."""
    unit: str
    """What the strengths are."""
    apply: Callable[[Pixels, int, int], Pixels]
    """(image (H, W, 3) uint8, level from 1, seed) to the distorted image."""
    limit: float
    """Kendall's tau of level and falling score that a model to be trusted reaches."""

    def images(self, image: Pixels, seed: int) -> list[Pixels]:
        """Return the image itself and its version at each strength."""
        return [image, *(self.apply(image, level, seed) for level in range(1, len(self.strengths) + 1))]


def _of_family(name: str, family: str) -> Ladder:
    """Return the ladder of a distortion family at all its levels."""
    known = FAMILIES[family]

    def apply(image: Pixels, level: int, seed: int) -> Pixels:
        return distort(image, family, level, seed)

    return Ladder(name, known.strengths, f"{known.parameter}, {known.unit}", apply, 0.97)


LADDERS = (
    _of_family("noise", "live/wn"),
    _of_family("blur", "live/gblur"),
    _of_family("JPEG", "live/jpeg"),
    _of_family("JPEG2000", "live/jp2k"),
    _of_family("contrast", "dodge-karam/contrast"),
    Ladder("rescaling", RESCALING, "factor", lambda image, level, _: rescaled(image, RESCALING[level - 1]), 0.97),
    Ladder("mild JPEG", MILD_JPEG, "quality", lambda image, level, _: jpeg(image, MILD_JPEG[level - 1]), 0.9),
    Ladder(
        "mild noise",
        MILD_NOISE,
        "standard deviation, grey level",
        lambda image, level, seed: white_noise(image, MILD_NOISE[level - 1], np.random.default_rng(seed)),
        0.9,
    ),
)


def blurred_at_size(image: Pixels) -> Pixels:
    """Blur a large image so that it shows also when the image is seen small."""
    return gaussian_blur(image, min(image.shape[:2]) * BLUR_AT_SIZE)


def without_content(height: int, width: int, seed: int) -> dict[str, Pixels]:
    """Return images that show nothing, or nothing that a photo shows, by their names."""
    shape = (height, width, 3)
    random = np.random.default_rng(seed)
    found = {f"flat {level}": np.full(shape, level, np.uint8) for level in (64, 128, 192)}
    found |= {"black": np.zeros(shape, np.uint8), "white": np.full(shape, 255, np.uint8)}
    found["noise"] = random.integers(0, 256, shape, dtype=np.uint8)
    ramp = np.linspace(0, 255, width).astype(np.uint8)
    found["ramp"] = np.broadcast_to(ramp[None, :, None], shape).copy()
    return found | {"text": page_of_text(height, width)}


def page_of_text(height: int, width: int) -> Pixels:
    """Return black text on white, as a screenshot of a document shows it."""
    page = Image.new("RGB", (width, height), "white")
    draw, line = ImageDraw.Draw(page), "A page of text is not a photo, and its quality is not what was learnt. "
    for number, top in enumerate(range(8, height, 16)):
        draw.text((8, top), (line * (1 + width // 200))[number * 7 :], fill="black", font=_FONT)
    return np.asarray(page)


def on_canvas(image: Pixels) -> Pixels:
    """Return a photo in the middle of a white canvas, as a product is shown in a shop."""
    height, width = image.shape[:2]
    canvas = np.full((round(CANVAS * height), round(CANVAS * width), 3), 255, np.uint8)
    top, left = (canvas.shape[0] - height) // 2, (canvas.shape[1] - width) // 2
    canvas[top : top + height, left : left + width] = image
    return canvas


def product(image: Pixels) -> Pixels:
    """Return a small part of a photo on a white canvas of the photo's size: mostly nothing."""
    height, width = image.shape[:2]
    canvas = np.full_like(image, 255)
    part = image[height // 3 : height // 3 * 2, width // 3 : width // 3 * 2]
    canvas[height // 3 : height // 3 + part.shape[0], width // 3 : width // 3 + part.shape[1]] = part
    return canvas


_FONT = ImageFont.load_default(12)

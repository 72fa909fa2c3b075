"""The images of the trust checks that are not distorted photos: images without content, and large versions."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gada.distortions.blur import gaussian_blur

Pixels = NDArray[np.uint8]
BLUR_AT_SIZE = 1 / 256
"""Standard deviation of the blur of a large image, as a fraction of its shorter side: one pixel of a 256-pixel view."""
CANVAS = 2.0
"""Side of the white canvas around a photo, as a multiple of the photo's."""


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

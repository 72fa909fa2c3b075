"""Images without a photo's content, which an evaluator must not prefer to photos: drawn anew for each training step."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]


def blank(random: Generator, side: int) -> Pixels:
    """Return a flat, graded, noisy or written square, (side, side, 3) uint8."""
    kind = random.integers(6)
    if kind == 0:
        return written(random, side)
    if kind == 1:
        return noise(random, side)
    if kind == 2:
        ends, ramp = random.integers(0, 256, (2, 3)), np.linspace(0, 1, side)[:, None, None]
        values = np.broadcast_to(ends[0] + (ends[1] - ends[0]) * ramp, (side, side, 3))
        values = values if random.random() < 0.5 else values.transpose(1, 0, 2)
    else:  # black or white, grey, or a colour; half of them with the faint noise of a sensor
        levels = ([0, 255][random.integers(2)], random.integers(0, 256), random.integers(0, 256, 3))[kind - 3]
        faint = random.uniform(0.5, 4) if random.random() < 0.5 else 0.0
        values = np.zeros((side, side, 3)) + levels + faint * random.standard_normal((side, side, 3))
    return np.clip(values, 0, 255).astype(np.uint8)


def noise(random: Generator, side: int) -> Pixels:
    """Return nothing but noise: uniform or Gaussian, grey or coloured."""
    channels = 3 if random.random() < 0.6 else 1
    if random.random() < 0.6:
        values = random.uniform(0, 256, (side, side, channels))
    else:
        values = random.uniform(60, 200) + random.uniform(3, 90) * random.standard_normal((side, side, channels))
    return np.repeat(np.clip(values, 0, 255).astype(np.uint8), 3 // channels, axis=2)


def written(random: Generator, side: int) -> Pixels:
    """Return lines of letters, mostly dark on light, as a screenshot of a document shows them."""
    light = random.random() < 0.8
    paper, ink = (int(random.integers(200, 256)), 0) if light else (int(random.integers(0, 60)), 255)
    page = Image.new("RGB", (side, side), (paper,) * 3)
    draw, size = ImageDraw.Draw(page), int(random.integers(8, 28))
    font, top = ImageFont.load_default(size), int(random.integers(2, 20))
    while top < side - size:
        letters = random.integers(97, 123, 2 * side // size)
        letters[random.random(len(letters)) < 0.18] = 32
        draw.text((int(random.integers(4, 20)), top), bytes(letters.tolist()).decode("ascii"), (ink,) * 3, font=font)
        top += int(size * random.uniform(1.1, 1.8))
    return np.asarray(page)


def on_canvas(random: Generator, photo: Pixels, side: int) -> Pixels:
    """Return a photo on a canvas of one colour, (side, side, 3): a quarter to three quarters of its sides."""
    height, width = photo.shape[:2]
    factor = random.uniform(0.25, 0.75) * side / max(height, width)
    small = Image.fromarray(photo).resize((max(8, int(width * factor)), max(8, int(height * factor))), _BILINEAR)
    colour = (255,) * 3 if random.random() < 0.6 else tuple(random.integers(0, 256, 3).tolist())
    canvas = Image.new("RGB", (side, side), colour)
    canvas.paste(small, ((side - small.width) // 2, (side - small.height) // 2))
    return np.asarray(canvas)


_BILINEAR = Image.Resampling.BILINEAR

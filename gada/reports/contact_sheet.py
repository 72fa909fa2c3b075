"""Contact sheets: labelled grids of image tiles, drawn with Pillow."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]

FONT_SIZE = 15  # pixels
LINE = FONT_SIZE + 4
GAP = 8  # pixels between tiles and around them
SMALLEST_TILE = 128  # smaller tiles are enlarged by a whole factor, so that the text below them fits
ROW_LABEL = 132  # pixels for the labels on the left
PAPER, INK, SOFT = (255, 255, 255), (20, 20, 20), (90, 90, 90)


def contact_sheet(
    tiles: Sequence[Sequence[Pixels | None]],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    title: str,
    captions: Sequence[Sequence[str]] | None = None,
) -> Pixels:
    """Draw a grid of tiles with labels on the left and above, and a caption below each tile.

    Tiles below 128 pixels are enlarged by a whole factor, all of them alike, and not smoothed.

    Args:
        tiles: rows of (H, W, 3) R, G, B tiles; sizes may differ; None leaves a cell empty.
        row_labels: one for each row, wrapped to the width of the margin.
        column_labels: one for each column, wrapped to the width of the column.
        title: written on top, wrapped.
        captions: rows of texts, such as the target class and quality of a generated tile; "" for none.

    Returns:
        (H, W, 3) 8-bit R, G, B.

    Raises:
        ValueError: if no tile is given, one is not (H, W, 3) uint8, or labels or captions do not fit the grid.
    """
    _check(tiles, row_labels, column_labels, captions)
    font = ImageFont.load_default(size=FONT_SIZE)
    real = [tile for row in tiles for tile in row if tile is not None]
    factor = max(1, -(-SMALLEST_TILE // max(max(tile.shape[:2]) for tile in real)))
    height, width = (factor * max(tile.shape[axis] for tile in real) for axis in (0, 1))
    left = ROW_LABEL + GAP if any(row_labels) else 0
    sheet_width = max(left + GAP + len(column_labels) * (width + GAP), 480)
    heads = [_wrapped(label, font, width) for label in column_labels]
    below = [
        [_wrapped(text, font, width) for text in row] for row in captions or [[""] * len(column_labels)] * len(tiles)
    ]
    names = [_wrapped(label, font, ROW_LABEL) for label in row_labels]
    top = _wrapped(title, font, sheet_width - 2 * GAP)
    row_tops, end = _row_tops(GAP + LINE * (len(top) + max(map(len, heads))) + GAP, height, names, below)

    sheet = Image.new("RGB", (sheet_width, end), PAPER)
    draw = ImageDraw.Draw(sheet)
    _write(draw, GAP, GAP, top, font, INK)
    for column, lines in enumerate(heads):
        lowest = row_tops[0] - GAP // 2 - LINE * len(lines)
        _write(draw, left + GAP + column * (width + GAP), lowest, lines, font, INK)
    for row, y in enumerate(row_tops):
        _write(draw, GAP, y, names[row], font, INK)
        for column, tile in enumerate(tiles[row]):
            x = left + GAP + column * (width + GAP)
            if tile is not None:
                enlarged = tile.repeat(factor, axis=0).repeat(factor, axis=1)
                sheet.paste(Image.fromarray(enlarged), (x, y))
            _write(draw, x, y + height + 2, below[row][column], font, SOFT)
    return np.asarray(sheet)


def _check(
    tiles: Sequence[Sequence[Pixels | None]],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    captions: Sequence[Sequence[str]] | None,
) -> None:
    """Raise ValueError for a grid that cannot be drawn."""
    if not any(tile is not None for row in tiles for tile in row):
        raise ValueError("a contact sheet needs at least one tile")
    for tile in (tile for row in tiles for tile in row if tile is not None):
        if tile.dtype != np.uint8 or tile.ndim != 3 or tile.shape[2] != 3 or not tile.size:
            raise ValueError(f"a tile has shape {tile.shape} and type {tile.dtype}; it must be (H, W, 3) uint8")
    if len(row_labels) != len(tiles) or any(len(row) != len(column_labels) for row in tiles):
        shape = f"{len(tiles)} rows of {sorted({len(row) for row in tiles})} tiles"
        raise ValueError(f"{len(row_labels)} row labels and {len(column_labels)} column labels do not fit {shape}")
    if captions is not None and [len(row) for row in captions] != [len(row) for row in tiles]:
        raise ValueError("captions must have one text for each tile")


def _row_tops(first: int, height: int, names: list[list[str]], below: list[list[list[str]]]) -> tuple[list[int], int]:
    """Return the top of each row of tiles and the bottom of the sheet."""
    tops, y = [], first
    for name, captions in zip(names, below, strict=True):
        tops.append(y)
        y += max(height + LINE * max(map(len, captions)), LINE * len(name)) + GAP
    return tops, y


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """Return the lines of `text` that fit into `width` pixels; a longer word is broken."""
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
            continue
        while font.getlength(word) > width and len(word) > 1:
            fits = max(1, sum(font.getlength(word[: end + 1]) <= width for end in range(len(word))))
            lines.append(word[:fits])
            word = word[fits:]
        lines.append(word)
    return lines


def _write(
    draw: ImageDraw.ImageDraw,
    x: int,
    y: int,
    lines: Sequence[str],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    ink: tuple[int, int, int],
) -> None:
    for number, line in enumerate(lines):
        draw.text((x, y + number * LINE), line, fill=ink, font=font)


def png_of(image: Pixels) -> bytes:
    """Return an image (H, W, 3) as PNG bytes."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()

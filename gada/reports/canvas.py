"""What all figures share: size, colours, markers, texts, and the way to a PNG file or into a page."""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#000000", "#56B4E9", "#999933")  # Okabe and Ito, Tol
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
SIZE = 6.0  # of a marker, in points
DOTS_PER_INCH = 160
WIDTH = 5.6  # inches: 403 units of SVG, so that a phone shows the texts at nearly their own size
INKS = {"#000000": "--ink", "#222222": "--ink", "#555555": "--soft", "#999999": "--soft", "#ffffff": "--paper"}
INKS |= dict.fromkeys(("#b0b0b0", "#dddddd", "#e5e5e5"), "--line")
"""Colours that a page replaces by its own, which follow dark mode."""


def marker_style(number: int) -> dict[str, Any]:
    """Return marker and colour of the class with this number: the first 8 differ in both, all 64 in one of the two."""
    turn = number // len(COLOURS)
    marker = MARKERS[(number + 3 * turn) % len(MARKERS)]
    colour = COLOURS[number % len(COLOURS)]
    size = SIZE * (1.6 if marker == "*" else 1.2 if marker in "PX" else 1.0)  # a star of equal width looks smaller
    edge = {"markeredgecolor": "white", "markeredgewidth": 0.4}
    return {"linestyle": "none", "marker": marker, "markersize": size, "markerfacecolor": colour, **edge}


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG file; the same figure gives the same bytes."""
    FigureCanvasAgg(figure)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=DOTS_PER_INCH, facecolor="white", metadata={"Software": None})
    return file.getvalue()


def svg(figure: Figure) -> str:
    """Return a figure as an SVG element for a page, which sets its width; the same figure gives the same text.

    Texts stay texts, and black, white and greys are the page's own, as in `INKS`.
    """
    FigureCanvasSVG(figure)
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "gada"}):
        figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    text = file.getvalue()
    (box,) = re.findall(r'viewBox="[^"]*"', text)
    inner = text[text.index(">", text.index(box)) + 1 :]
    inner = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|\n\s*(?=<)", "", inner, flags=re.DOTALL)
    inner = re.sub(r'<g id="[^"]*">', "<g>", inner)  # several figures of one page would have the same
    inner = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", inner)
    for colour, name in INKS.items():
        inner = inner.replace(f": {colour}", f": var({name})")
    return f'<svg {box} role="img">{inner}'


def put_title(axes: Axes, text: str) -> None:
    """Write a title above the axes; "$" is a dollar, as in all texts here."""
    axes.set_title(text, fontsize=10, parse_math=False)


def label_axes(axes: Axes, x: str, y: str) -> None:
    """Name both axes."""
    axes.set_xlabel(x, fontsize=9, parse_math=False)
    axes.set_ylabel(y, fontsize=9, parse_math=False)
    axes.tick_params(labelsize=8.5)


def put_legend(figure: Figure, handles: Sequence[Any], labels: Sequence[str], columns: int = 2) -> None:
    """Put a legend below everything."""
    if not handles:
        return
    shown = [f" {label}" if label.startswith("_") else label for label in labels]  # a leading _ would hide the entry
    legend = figure.legend(
        list(handles), shown, loc="outside lower center", fontsize=8.5, ncols=columns, frameon=False, columnspacing=1.4
    )
    for text in legend.get_texts():
        text.set_parse_math(False)

"""What all figures share: colours, markers, texts, and the way to a PNG file."""

import io
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#000000", "#56B4E9", "#999933")  # Okabe and Ito, Tol
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
SIZE = 6.0  # of a marker, in points
DOTS_PER_INCH = 120


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


def put_title(axes: Axes, text: str) -> None:
    """Write a title above the axes; "$" is a dollar, as in all texts here."""
    axes.set_title(text, fontsize=11, parse_math=False)


def label_axes(axes: Axes, x: str, y: str) -> None:
    """Name both axes."""
    axes.set_xlabel(x, fontsize=10, parse_math=False)
    axes.set_ylabel(y, fontsize=10, parse_math=False)
    axes.tick_params(labelsize=9)


def put_legend(
    axes: Axes, handles: Sequence[Any], labels: Sequence[str], columns: int = 1, below: bool = False
) -> None:
    """Put a legend to the right of the axes, or below them."""
    if not handles:
        return
    shown = [f" {label}" if label.startswith("_") else label for label in labels]  # a leading _ would hide the entry
    legend = axes.legend(
        list(handles),
        shown,
        loc="upper center" if below else "upper left",
        bbox_to_anchor=(0.5, -0.2) if below else (1.01, 1.0),
        borderaxespad=0.0,
        fontsize=9,
        ncols=columns,
        frameon=False,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)

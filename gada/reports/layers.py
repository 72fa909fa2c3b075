"""Tables and the plot of how far distortions change the layers of a network."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from gada.distortions.names import names_of
from gada.io.records import Row
from gada.reports.canvas import WIDTH, label_axes, put_title
from gada.reports.layout import Cell, Table

SHADES = (0.1, 0.62)  # of viridis, mildest to strongest: darker ones cannot be seen on a dark page
PASSING = ("pooling", "dropout")  # layers that are marked in the plot


def answer_table(rows: Sequence[Row]) -> Table:
    """Return whether a distortion changes early or late layers more, for each distortion, over all levels."""
    body: list[tuple[Cell, ...]] = []
    for row, name in zip(rows, names_of([row["distortion"] for row in rows]), strict=True):
        means = np.mean(row["changes"], axis=1)
        places = [place for place, (_, kind) in enumerate(row["layers"]) if kind == "convolution"]
        ends = [float(means[places[end]]) for end in (0, -1)]
        low, high = row["difference_low"], row["difference_high"]
        difference = f"{row['late'] - row['early']:+.3f} ({low:+.3f} to {high:+.3f})"
        where = "late" if low > 0 else "early" if high < 0 else "neither"
        body.append((name, *ends, row["early"], row["late"], difference, where))
    first = rows[0]
    caption = (
        f"Relative change of the convolutions' outputs in {first['network']}, mean over all levels. Data: "
        f"{first['dataset']}, {first['n']} images; seed {first['seed']}; machine {first['machine']}; commit "
        f"{first['commit'] or 'unknown'}."
    )
    columns = ("first", "last", "first third", "last third", "late minus early", "changed more")
    notes = (
        "Relative change: distance of a layer's outputs to the distorted and to the undistorted image, over the size "
        "of the latter. Interval: 95 %, bootstrap over the images.",
    )
    return Table(caption, ("distortion",), columns, tuple(body), notes=notes)


def layers_table(rows: Sequence[Row]) -> Table:
    """Return the mean change of each layer over the levels of each distortion, and at the strongest."""
    names = names_of([row["distortion"] for row in rows])
    body: list[tuple[Cell, ...]] = []
    for place, (name, kind) in enumerate(rows[0]["layers"]):
        cells = [(float(np.mean(along)), along[-1]) for along in (row["changes"][place] for row in rows)]
        body.append((f"{place + 1} {name}", kind, *(cell for both in cells for cell in both)))
    columns = ("mean", "strongest") * len(rows)
    groups = tuple(name for name in names for _ in range(2))
    return Table("Relative change of every layer.", ("layer", "kind"), columns, tuple(body), groups)


def layers_figure(rows: Sequence[Row]) -> Figure:
    """Draw relative change against depth, a panel for each distortion and a line for each level."""
    across = min(2, len(rows))
    down = -(-len(rows) // across)
    figure = Figure(figsize=(WIDTH, 0.5 + 2.5 * down), layout="constrained")
    figure.suptitle(f"How distortions travel through {rows[0]['network']}", fontsize=10, parse_math=False)
    panels = figure.subplots(down, across, squeeze=False).ravel()
    for panel, row in zip(panels, rows, strict=False):
        changes = np.array(row["changes"])
        depth = np.arange(1, len(changes) + 1)
        colours = colormaps["viridis_r"](np.linspace(*SHADES, changes.shape[1]))
        for values, colour, strength in zip(changes.T, colours, row["strengths"], strict=True):
            panel.plot(depth, values, color=colour, linewidth=1.2, label=f"{strength:g}")
        for place in (at for at, (_, kind) in zip(depth, row["layers"], strict=True) if kind in PASSING):
            panel.axvline(place, color="#999999", linestyle=":", linewidth=0.8)
        put_title(panel, row["title"])
        label_axes(panel, "layer", "relative change")
        panel.set_ylim(0, 1.6 * changes.max())  # room for the key
        panel.grid(alpha=0.3)
        panel.legend(title=row["parameter"], fontsize=6, title_fontsize=7, ncols=4, loc="upper left", framealpha=0.6)
    for panel in panels[len(rows) :]:
        panel.set_axis_off()
    return figure

"""The table and the plot of the trust checks."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gada.reports.canvas import COLOURS, label_axes, put_title

ACROSS = 4


def curves_figure(
    curves: Mapping[str, NDArray[np.float64]], strengths: Mapping[str, Sequence[float]], title: str
) -> Figure:
    """Draw predicted quality against the level of each distortion, a thin line a photo and their mean.

    Args:
        curves: qualities of each distortion, (photos, levels + 1), the photo itself first.
        strengths: of each distortion, mildest first.
        title: what is shown.
    """
    down = -(-len(curves) // ACROSS)
    figure = Figure(figsize=(2.7 * ACROSS, 0.5 + 2.5 * down), layout="constrained")
    figure.suptitle(title, fontsize=11, parse_math=False)
    panels = figure.subplots(down, ACROSS, squeeze=False, sharey=True).ravel()
    for panel, (name, rows) in zip(panels, curves.items(), strict=False):
        places = np.arange(rows.shape[1])
        panel.plot(places, rows.T, color="#999999", linewidth=0.6, alpha=0.7)
        panel.plot(places, rows.mean(axis=0), color=COLOURS[0], linewidth=2, marker="o", markersize=4)
        panel.set_xticks(places, ["none", *(f"{strength:g}" for strength in strengths[name])], rotation=60)
        put_title(panel, name)
        label_axes(panel, "", "predicted quality" if panel is panels[0] else "")
    for panel in panels[len(curves) :]:
        panel.set_axis_off()
    return figure

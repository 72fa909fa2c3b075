"""Filter responses as images (Dodge and Karam, 2016, Figure 4)."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gada.reports.canvas import png, put_title

ACROSS = 4  # maps of a mosaic, each way


def responses_figure(
    layers: Mapping[str, NDArray[np.float32]],
    changes: Mapping[str, NDArray[np.float64]],
    columns: Sequence[str],
    title: str,
) -> bytes:
    """Draw mosaics of the strongest maps, a row for each layer and a column for each image, as PNG.

    Args:
        layers: maps (N, M, h, w) of each layer.
        changes: distance of each image's maps from the first image's, (N,), of each layer.
        columns: titles of the N images.
        title: of the figure.
    """
    figure = Figure(figsize=(2.9 * len(columns), 0.5 + 3.1 * len(layers)), layout="constrained")
    figure.suptitle(title, fontsize=11, parse_math=False)
    panels = figure.subplots(len(layers), len(columns), squeeze=False)
    for row, (name, maps) in zip(panels, layers.items(), strict=True):
        chosen = np.argsort(maps[0].std(axis=(1, 2)))[::-1][: ACROSS**2]
        mosaics = [mosaic(one[chosen]) for one in maps]
        low, high = np.nanpercentile(mosaics[0], [1, 99])  # one scale along the row, that of the undistorted image
        for panel, shown, column, change in zip(row, mosaics, columns, changes[name], strict=True):
            panel.imshow(shown, cmap="viridis", vmin=low, vmax=high, interpolation="nearest")
            panel.set_axis_off()
            put_title(panel, f"{name}, {column}" + (f"\nrelative change {change:.2f}" if change else "\n"))
    return png(figure)


def mosaic(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return up to 16 maps (M, h, w) side by side, with a line of NaN between them."""
    count, height, width = maps.shape
    down = -(-count // ACROSS)
    whole = np.full((down * (height + 1) - 1, ACROSS * (width + 1) - 1), np.nan, np.float32)
    for index, one in enumerate(maps):
        top, left = index // ACROSS * (height + 1), index % ACROSS * (width + 1)
        whole[top : top + height, left : left + width] = one
    return whole

"""The figure of a study: a metric of each variant, and its difference from the first one."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gada.metrics.statistics import FEWEST_SPLITS, mean_interval
from gada.reports.canvas import COLOURS, WIDTH, label_axes, put_legend

LONGEST_NAME, LINE = 26, 0.24  # characters of a name in a line, inches of a line
Difference = tuple[float, Sequence[float] | None]
"""Mean over splits, and its 95 % interval [low, high], None with too few splits."""


def variants_figure(
    values: Mapping[str, Sequence[float]], differences: Mapping[str, Difference], metric: str, first: str, seed: int = 0
) -> Figure:
    """Draw a metric of each variant, and below it the paired differences from the first one, where there are some.

    From six splits on, means and differences have their 95 % bootstrap intervals; with fewer nothing is claimed.

    Args:
        values: of each variant, one value for each split.
        differences: of each variant that has one.
        metric: name of the metric.
        first: name of the variant that the others are compared with.
        seed: seed of the bootstrap.
    """
    names = {name: fill(name, LONGEST_NAME) for name in values}
    lines = sum(1.3 + text.count("\n") for text in names.values())
    panels = 2 if differences else 1
    figure = Figure(figsize=(WIDTH, 0.9 + panels * (0.5 + LINE * lines)), layout="constrained")
    means, *others = figure.subplots(panels, 1, squeeze=False)[:, 0]
    _draw_means(means, list(values.values()), seed)
    label_axes(means, metric, "")
    for axes in others:
        axes.axvline(0, color="#555555", linewidth=0.8)
        _draw_points(axes, [differences.get(name, (np.nan, None)) for name in values])
        label_axes(axes, f"{metric}, difference from {first}", "")
    for axes in (means, *others):
        axes.set_yticks(range(len(names)), names.values(), parse_math=False)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
        axes.set_axisbelow(True)
    _put_names(figure, means)
    return figure


def _draw_means(axes: Axes, values: Sequence[Sequence[float]], seed: int) -> None:
    """Draw each variant's splits and their mean."""
    if any(len(one) > 1 for one in values):
        for place, one in enumerate(values):
            axes.plot(one, [place] * len(one), "o", color="#999999", markersize=4, label="one split")
    spans = [mean_interval(one, seed) if len(one) >= FEWEST_SPLITS else None for one in values]
    _draw_points(
        axes, [(float(np.mean(one)) if one else np.nan, span) for one, span in zip(values, spans, strict=True)]
    )


def _draw_points(axes: Axes, points: Sequence[Difference]) -> None:
    """Draw a value for each variant, with its interval if it has one."""
    for place, (value, span) in enumerate(points):
        reach = None if span is None else [[value - span[0]], [span[1] - value]]
        label = "mean, 95 % interval" if span else "mean"
        axes.errorbar(value, place, xerr=reach, fmt="D", color=COLOURS[0], markersize=6, capsize=4, label=label)


def _put_names(figure: Figure, axes: Axes) -> None:
    """Name the markers, each once; where each variant has one value, there is nothing to name."""
    handles, labels = axes.get_legend_handles_labels()
    known = dict(zip(labels, handles, strict=True))
    if "one split" in known:
        put_legend(figure, list(known.values()), list(known))

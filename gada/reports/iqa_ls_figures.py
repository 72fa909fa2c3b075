"""Figures 1, 3 and 4 of IQA-LS, calibration curves and confidence histograms."""

from collections.abc import Callable, Sequence
from itertools import zip_longest

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gada.io.records import Row
from gada.reports.canvas import COLOURS, WIDTH, label_axes, put_legend, put_title
from gada.reports.contact_sheet import contact_sheet
from gada.reports.iqa_ls import KINDS, LABELS, PAIRS, PRISTINE, SETS, over_seeds, published_beside, strategies_of

Pixels = NDArray[np.uint8]
ACROSS = 2  # panels


def figure_3(rows: Sequence[Row]) -> Figure:
    """Draw the paper's Figure 3: accuracy along the levels of each distortion, hard labels against IQA-LS.

    A panel for each mix that was trained; the published curves are thin.
    """
    there = set(strategies_of(rows))
    pairs = [(kind, *pair) for kind, pair in zip(KINDS, PAIRS, strict=False) if there & set(pair)]
    pairs += [(kind, "8", "9") for kind in KINDS if there & {"8", "9"}]
    down = max(1, -(-len(pairs) // ACROSS))
    figure = Figure(figsize=(WIDTH, 0.8 + 2.3 * down), layout="constrained")
    every = figure.subplots(down, ACROSS, sharey=True, squeeze=False).ravel()
    for axes in every[len(pairs) :]:
        axes.set_axis_off()
    for axes, (kind, hard, smoothed) in zip(every, pairs, strict=False):
        draw_levels(axes, rows, kind, hard, smoothed)
        put_title(axes, f"Strategies {hard} and {smoothed}, {KINDS[kind]}")
        label_axes(axes, "distortion level", "accuracy" if axes in every[::ACROSS] else "")
    if pairs:
        put_legend(figure, *every[0].get_legend_handles_labels())
    return figure


def draw_levels(axes: Axes, rows: Sequence[Row], kind: str, hard: str, smoothed: str) -> None:
    """Draw one panel of Figure 3: strategy 1, hard labels, IQA-LS, ours and, on CIFAR-10, published."""
    sets = [PRISTINE, *(f"{kind} {level}" for level in (1, 2, 3))]
    for strategy, label, colour in (
        ("1", "strategy 1", "#767676"),
        (hard, "hard labels", COLOURS[0]),
        (smoothed, "IQA-LS", COLOURS[1]),
    ):
        values = [over_seeds(rows, strategy, name, "accuracy") for name in sets]
        if all(len(one) for one in values):
            means, spread = [one.mean() for one in values], [one.std(ddof=1) if len(one) > 1 else 0 for one in values]
            axes.errorbar(range(4), means, spread, color=colour, marker="o", capsize=3, label=f"{label}, ours")
        if known := published_beside(rows):
            curve = [known[strategy][name] for name in sets]
            axes.plot(range(4), curve, color=colour, linestyle=":", linewidth=1.2, label=f"{label}, published")
    axes.set_xticks(range(4), ["pristine", "1", "2", "3"])
    axes.grid(alpha=0.25)


def figure_1(samples: Sequence[tuple[Row, Sequence[Pixels]]]) -> Pixels:
    """Draw the paper's Figure 1: for each class an image, pristine and at level 3 of each distortion, as predicted.

    Args:
        samples: a row of one classifier, with "class" and "predicted", and the image in the order of `SETS`.

    Returns:
        (H, W, 3).
    """
    sets = [SETS.index(name) for name in (PRISTINE, *(f"{kind} 3" for kind in KINDS))]
    captions = [[marked(row["predicted"][place], row["class"]) for place in sets] for row, _ in samples]
    tiles = [[versions[place] for place in sets] for _, versions in samples]
    half = -(-len(samples) // 2)  # two classes side by side
    blank = [None] * len(sets)
    pairs = list(zip_longest(range(half), range(half, len(samples))))
    rows = [[*tiles[left], *(blank if right is None else tiles[right])] for left, right in pairs]
    below = [[*captions[left], *([""] * len(sets) if right is None else captions[right])] for left, right in pairs]
    columns = ["pristine", *(f"{kind} 3" for kind in KINDS)] * 2
    names = [" / ".join(samples[place][0]["class"] for place in pair if place is not None) for pair in pairs]
    return contact_sheet(rows, names, columns, "Predicted class; x: not the true one, which stands on the left", below)


def marked(predicted: str, true: str) -> str:
    """Return the predicted class, with a mark where it is wrong."""
    return predicted if predicted == true else f"x {predicted}"


def figure_4(samples: Sequence[tuple[Sequence[Row], Sequence[Pixels]]]) -> Pixels:
    """Draw the paper's Figure 4: images at levels 0 to 3 of the blur, with each strategy's confidence in their class.

    Args:
        samples: for each image the rows of the strategies, with "confidences", and the image in the order of `SETS`.

    Returns:
        (H, W, 3).
    """
    captions = [
        [" / ".join(f"{row['confidences'][level]:.2f}" for row in rows) for level in range(4)] for rows, _ in samples
    ]
    columns = ["pristine", *(f"blur level {level}" for level in (1, 2, 3))]
    title = "Confidence in the true class, strategy " + " / ".join(row["strategy"] for row in samples[0][0])
    tiles = [list(versions[:4]) for _, versions in samples]
    return contact_sheet(tiles, [rows[0]["class"] for rows, _ in samples], columns, title, captions)


LEVELS = {PRISTINE: [PRISTINE], **{f"level {level}": [f"{kind} {level}" for kind in KINDS] for level in (1, 2, 3)}}


def binned(rows: Sequence[Row], draw: Callable[[Axes, NDArray[np.float64], str, str], None], y: str) -> Figure:
    """Draw a panel for each strategy with a line for the pristine images and for each level."""
    strategies = strategies_of(rows)
    across = min(ACROSS, len(strategies))
    down = -(-len(strategies) // across)
    figure = Figure(figsize=(WIDTH, 2.3 * down + 0.5), layout="constrained")
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for panel, strategy in zip(panels.flat, strategies, strict=False):
        first = next(row for row in rows if row["strategy"] == strategy)
        for (name, sets), colour in zip(LEVELS.items(), COLOURS, strict=False):
            chosen = [row["bins"] for row in rows if row["strategy"] == strategy and row["set"] in sets]
            draw(panel, np.sum(chosen, axis=0), name, colour)
        put_title(panel, f"{strategy} {first['title']}, {LABELS[first['labels']]}")
        label_axes(panel, "confidence in the predicted class", y if panel in panels[:, 0] else "")
        panel.grid(alpha=0.25)
    for panel in panels.flat[len(strategies) :]:
        panel.set_axis_off()
    for panel in panels.flat[: len(strategies)][-across:]:  # the last of each column
        panel.tick_params(labelbottom=True)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    put_legend(figure, handles, labels, columns=4)
    return figure


def calibration_curves(rows: Sequence[Row]) -> Figure:
    """Draw accuracy against confidence, over the bins that hold an image in a hundred, for each strategy."""

    def draw(panel: Axes, bins: NDArray[np.float64], name: str, colour: str) -> None:
        n, confidence, correct = bins[bins[:, 0] >= 0.01 * bins[:, 0].sum()].T
        panel.plot([0, 1], [0, 1], color="#767676", linewidth=0.8, linestyle=":")
        panel.plot(confidence / n, correct / n, color=colour, marker="o", markersize=3, label=name)

    return binned(rows, draw, "accuracy")


def confidence_histograms(rows: Sequence[Row]) -> Figure:
    """Draw the fraction of images by confidence in the predicted class, for each strategy."""

    def draw(panel: Axes, bins: NDArray[np.float64], name: str, colour: str) -> None:
        heights, edges = bins[:, 0] / bins[:, 0].sum(), np.linspace(0, 1, len(bins) + 1)
        panel.stairs(heights, edges, color=colour, label=name, linewidth=1.4)

    return binned(rows, draw, "fraction of images")

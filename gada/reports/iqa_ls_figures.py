"""Figures 3 and 4 of IQA-LS."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gada.io.records import Row
from gada.reports.canvas import COLOURS, WIDTH, label_axes, put_title
from gada.reports.contact_sheet import contact_sheet
from gada.reports.iqa_ls import KINDS, PAIRS, PRISTINE, over_seeds, published_beside, strategies_of

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
        figure.legend(
            *every[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, fontsize=8.5
        )
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


def figure_4(
    images: Sequence[Sequence[NDArray[np.uint8]]], confidences: Sequence[Mapping[str, Sequence[float]]], kind: str
) -> NDArray[np.uint8]:
    """Draw the paper's Figure 4: images at levels 0 to 3, with each classifier's confidence in the true class.

    Args:
        images: for each sample its four versions, (S, S, 3).
        confidences: for each sample, by classifier, the four confidences.
        kind: the distortion.

    Returns:
        (H, W, 3).
    """
    captions = [
        [" / ".join(f"{values[level]:.2f}" for values in one.values()) for level in range(4)] for one in confidences
    ]
    columns = ["pristine", *(f"{kind} level {level}" for level in (1, 2, 3))]
    title = "Confidence in the true class: " + " / ".join(confidences[0])
    return contact_sheet([list(one) for one in images], [""] * len(images), columns, title, captions)

"""Tables and plots of predictors of a classifier's error."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from gada.distortions.names import names_of
from gada.io.records import Row
from gada.metrics.correlation import ALL
from gada.reports.canvas import COLOURS, MARKERS, WIDTH, label_axes, put_legend, put_title
from gada.reports.layout import Cell, Table

BINS = 10
FIGURES = {
    "srocc": "SROCC",
    "lcc": "LCC",
    "srocc_within": "SROCC within",
    "srocc_over": "SROCC over",
    "calibration": "calibration",
    "risk": "mean risk",
    "kept_0.1": "10 %",
    "kept_0.3": "30 %",
    "kept_0.5": "50 %",
}


def predictors_table(rows: Sequence[Row]) -> Table:
    """Return a row for each predictor: correlations with the true error, calibration, accuracy of what is kept."""
    first = rows[0]
    chosen = [row for row in rows if row["distortion"] == ALL]
    body = tuple((row["predictor"], lead_cell(row), *(row.get(name) for name in FIGURES)) for row in chosen)
    groups = ("",) + ("true error",) * 6 + ("accuracy, rejected",) * 3
    caption = (
        f"Predicted against true error ({first['error']}) of {first['classifier']} on {first['dataset']}: "
        f"{first['sources']} held-out sources x {first['steps']} steps; D' of {first['trained_on']} sources, "
        f"{first['training_steps']} training steps. "
        f"Seed {first['seed']}; machine {first['machine']}; commit {first['commit'] or 'unknown'}."
    )
    notes = (
        "Lead: SROCC of the metrifier minus that of the predictor, with a 95 % bootstrap interval over the sources. "
        "SROCC within: mean over each image's ladders, undistorted to strongest; over: mean over the steps, each "
        "across the images. Calibration: mean distance of predicted and true error over 15 bins, 0 is best; only for "
        "predictors that estimate the error. Mean risk: fraction of wrong decisions, averaged over all coverages. "
        "Accuracy: of what is kept when the worst-predicted fraction is rejected; of all images it is "
        f"{first['accuracy']:.3f}.",
        *(gain_of(row) for row in chosen if row.get("gain") is not None),
    )
    columns = ("metrifier's lead", *FIGURES.values())
    return Table(caption, ("predictor",), columns, body, groups, frozenset({1}), notes)


def lead_cell(row: Row) -> str:
    """Return how much higher the metrifier's SROCC is, with its interval."""
    if row["lead"] is None:
        return ""
    return f"{row['lead']:+.3f} ({row['lead_low']:+.3f} to {row['lead_high']:+.3f})"


def gain_of(row: Row) -> str:
    """Return in a sentence what the metrifier adds to the classifier's own confidence."""
    return (
        f"The two together: SROCC {row['gain']:+.3f} ({row['gain_low']:+.3f} to {row['gain_high']:+.3f}) beside "
        "maximum softmax alone; joined by the line that fits the validation sources best."
    )


def confusion_table(row: Row) -> Table:
    """Return how often the metrifier names each distortion (columns) where another is there (rows)."""
    names = list(row["confusion"])
    shown = [names[0], *names_of(names[1:])]  # none comes first
    body = tuple((short, *row["confusion"][name].values()) for short, name in zip(shown, names, strict=True))
    caption = (
        f"The distortion that the metrifier names: right on {row['named_top1']:.3f} of the held-out images "
        f"({row['named_low']:.3f} to {row['named_high']:.3f}; {1 / len(names):.3f} by chance)."
    )
    notes = ("Each row sums to 1, over all levels; the mildest ones change an image little.",)
    return Table(caption, ("there",), tuple(shown), body, ("named",) * len(names), notes=notes)


def distortions_table(rows: Sequence[Row]) -> Table:
    """Return the SROCC of each predictor on each distortion."""
    names = list(dict.fromkeys(row["predictor"] for row in rows))
    distortions = [name for name in dict.fromkeys(row["distortion"] for row in rows) if name != ALL]
    cells = {(row["predictor"], row["distortion"]): row["srocc"] for row in rows}
    body: list[tuple[Cell, ...]] = [(name, *(cells.get((name, one)) for one in [*distortions, ALL])) for name in names]
    caption = "SROCC of predicted and true error on the images of each distortion, all levels."
    return Table(caption, ("predictor",), (*names_of(distortions), ALL), tuple(body), (), frozenset({1}))


def levels_figure(rows: Sequence[Row]) -> Figure:
    """Draw mean true error and what each estimate predicts against level, a panel for each distortion."""
    chosen = [row for row in rows if "true_errors" in row]
    families = list(dict.fromkeys(row["distortion"] for row in chosen))
    across = min(2, len(families))
    down = -(-len(families) // across)
    figure = Figure(figsize=(WIDTH, 0.9 + 2.3 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for panel, family in zip(panels, families, strict=False):
        along = [row for row in chosen if row["distortion"] == family]
        panel.plot(along[0]["true_errors"], color="black", linewidth=2.2, label="true error")
        for row, colour, marker in zip(along, COLOURS, MARKERS, strict=False):
            panel.plot(row["predicted_errors"], color=colour, marker=marker, markersize=3, label=row["predictor"])
        put_title(panel, along[0]["title"])
        label_axes(panel, "level, 0 undistorted", "mean error")
        panel.set_ylim(0, 1)
        panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        panel.grid(alpha=0.3)
    for panel in panels[len(families) :]:
        panel.set_axis_off()
    put_legend(figure, *panels[0].get_legend_handles_labels())
    return figure


def risk_figure(curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]], title: str) -> Figure:
    """Draw risk against coverage, (N,) each, for each predictor."""
    figure, axes = _axes(title, "fraction of images kept", "fraction of wrong decisions among them")
    for number, (coverage, risk) in enumerate(curves.values()):
        colour, style = COLOURS[number % len(COLOURS)], "--" if number >= len(COLOURS) else "-"
        shown = np.unique(np.linspace(0, len(coverage) - 1, 400).astype(int))
        shown = shown[coverage[shown] >= 0.02]  # below, single images make the curve jump
        axes.plot(coverage[shown], risk[shown], color=colour, linestyle=style, linewidth=1.6)
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0)
    put_legend(figure, axes.get_lines(), list(curves))
    return figure


def reliability_figure(predicted: Mapping[str, NDArray[np.float64]], true: NDArray[np.float64], title: str) -> Figure:
    """Draw the mean true error (N,) in each bin of predicted error (N,), for each predictor."""
    figure, axes = _axes(title, "predicted error", "mean true error")
    axes.plot([0, 1], [0, 1], color="#999999", linewidth=1, linestyle=":")
    for colour, values in zip(COLOURS, predicted.values(), strict=False):
        places = np.minimum((values.clip(0, 1) * BINS).astype(int), BINS - 1)
        filled = [place for place in range(BINS) if (places == place).any()]
        means = [(values[places == place].mean(), true[places == place].mean()) for place in filled]
        axes.plot(*np.transpose(means), color=colour, marker="o", markersize=5, linewidth=1.4)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    put_legend(figure, axes.get_lines()[1:], list(predicted))
    return figure


def _axes(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, 4.0), layout="constrained")
    axes = figure.add_subplot()
    put_title(axes, title)
    label_axes(axes, x, y)
    axes.grid(alpha=0.3)
    return figure, axes

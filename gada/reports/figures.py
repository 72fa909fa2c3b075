"""Figures of a report: scatter with fit, learning curves, figures by distortion, spread over splits.

Everything is drawn on figures of its own, without pyplot, so nothing here has state or needs a display.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from gada.distortions.names import distortion_name
from gada.metrics.correlation import ALL, Row, all_metrics
from gada.metrics.logistic import FitError, fit_logistic
from gada.metrics.statistics import FEWEST_SPLITS, mean_interval
from gada.reports.canvas import COLOURS, MARKERS, WIDTH, label_axes, marker_style, put_legend, put_title
from gada.reports.published import heading, published_systems
from gada.reports.tables import METRIC_NAMES, STAGE_NAMES

STAGE_COLOURS = {
    "start": "#56B4E9",
    "baseline": "#767676",
    "phase1": "#B8571E",
    "phase2": "#00745A",
    "phase3": "#0072B2",
}
GREY = "#555555"


def scatter(
    predicted: ArrayLike, truth: ArrayLike, distortions: Sequence[str], title: str, scale_label: str, proxy: bool
) -> Figure:
    """Draw true against predicted scores, each class with its own marker and colour, with the logistic fit.

    Args:
        predicted: (N,) predicted scores, on the scale of the database.
        truth: (N,) true scores, on the same scale.
        distortions: N names of classes ("" for none).
        title: what is shown; n, SROCC and LCC are added.
        scale_label: name and best end of the scale, as "DMOS (0 best)".
        proxy: whether `truth` was computed and not given by people; the axis says so.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    merit = all_metrics(x, y)
    classes = list(dict.fromkeys(distortions))
    figure = Figure(figsize=(WIDTH, 4.4 + 0.11 * len(classes)), layout="constrained")
    axes = figure.add_subplot()
    kind = "proxy" if proxy else "true"
    handles, labels = [], []
    for number, name in enumerate(classes):
        chosen = np.array([one == name for one in distortions])
        style = marker_style(number)
        axes.plot(x[chosen], y[chosen], alpha=0.75, **style)
        handles.append(Line2D([], [], **style))
        labels.append(name or "one image")
    for handle, label in _fit_lines(axes, x, y, kind):
        handles.append(handle)
        labels.append(label)
    measured = ", ".join(f"{METRIC_NAMES[name]} {_shown(merit[name])}" for name in ("srocc", "lcc"))
    put_title(axes, f"{title}\nn = {x.size}, {measured}")
    name = scale_label.removeprefix("proxy ")  # the scale of a proxy may say so itself
    label_axes(axes, f"predicted {name}", f"{kind} {name}")
    put_legend(figure, handles, labels)
    return figure


def learning_curves(metrics: Mapping[str, Sequence[Row]]) -> Figure:
    """Draw the loss of each player and the validation metrics of each stage over its steps.

    Args:
        metrics: for each stage the rows of its `metrics.csv`: `step`, `loss_<player>`, `val_srocc`, `val_lcc`; numbers,
            or texts that hold numbers; an empty cell is left out.
    """
    figure = Figure(figsize=(WIDTH, 0.8 + 1.7 * len(metrics)), layout="constrained")
    panels = figure.subplots(len(metrics), 2, squeeze=False)
    names = list(dict.fromkeys(name for rows in metrics.values() for row in rows for name in row))
    styles = {name: number for number, name in enumerate(one for one in names if one.startswith("loss_"))}
    styles |= {name: number for number, name in enumerate(("val_srocc", "val_lcc"), start=len(styles))}
    drawn: dict[str, Line2D] = {}
    for (stage, rows), (losses, validation) in zip(metrics.items(), panels, strict=True):
        for panel, start in ((losses, "loss_"), (validation, "val_")):
            drawn |= _curves(panel, rows, {name: style for name, style in styles.items() if name.startswith(start)})
            panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
            panel.set_xlim(left=0)
        put_title(losses, f"{STAGE_NAMES.get(stage, stage)}: losses")
        put_title(validation, "validation")
        label_axes(losses, "", "loss")
        label_axes(validation, "", "correlation")
        shown = np.concatenate([line.get_ydata() for line in losses.get_lines()] or [np.ones(1)])
        if (shown > 0).all() and shown.max() > 20 * shown.min():
            losses.set_yscale("log")
    for panel in panels[-1]:
        panel.set_xlabel("step", fontsize=9)
    ends = [panel.get_ylim() for panel in panels[:, 1]]
    for panel in panels[:, 1]:  # one scale, so that the stages can be compared
        panel.set_ylim(min(low for low, _ in ends), max(high for _, high in ends))
    put_legend(figure, list(drawn.values()), [_curve_name(name) for name in drawn], columns=3)
    return figure


def _curve_name(column: str) -> str:
    """Return what a column of `metrics.csv` is called: `loss_generator_class` is "generator class"."""
    kind, _, name = column.partition("_")
    return f"validation {METRIC_NAMES[name]}" if kind == "val" else name.replace("_", " ")


def bars_by_distortion(
    rows: Sequence[Row], metric: str = "srocc", database: str = "", stages: Sequence[str] = ("baseline", "phase3")
) -> Figure:
    """Draw one metric by distortion: bars for our stages, markers for the published systems.

    A bar is the median over splits; with several splits a whisker spans the lowest and the highest.

    Args:
        rows: result rows.
        metric: one of `METRICS`, as "srocc".
        database: "LIVE" or "TID2013" adds the published systems; "" adds none.
        stages: which of our stages.
    """
    classes = list(dict.fromkeys(row["distortion"] for row in rows))
    present = [stage for stage in stages if any(row["stage"] == stage for row in rows)]
    published = published_systems(database, metric) if database else {}
    lanes = len(present) + bool(published)
    figure = Figure(figsize=(WIDTH, 1.4 + len(classes) * (0.12 + 0.1 * lanes)), layout="constrained")
    axes = figure.add_subplot()
    places, width = np.arange(len(classes)), 0.84 / lanes
    handles: list[Any] = []
    for number, stage in enumerate(present):
        values = [_values(rows, stage, name, metric) for name in classes]
        lengths = [float(np.median(one)) if one.size else 0.0 for one in values]
        reach = [(m - one.min(), one.max() - m) if one.size else (0, 0) for one, m in zip(values, lengths, strict=True)]
        whiskers = np.transpose(reach) if any(one.size > 1 for one in values) else None
        at = places - 0.42 + (number + 0.5) * width
        colour = STAGE_COLOURS.get(stage, COLOURS[number])
        handles.append(axes.barh(at, lengths, width * 0.9, color=colour, xerr=whiskers, ecolor="#222222", capsize=2))
    for number, (system, cells) in enumerate(published.items()):
        style = marker_style(number)
        if system.startswith("GADA"):
            style |= {"marker": "*", "markersize": 11, "markerfacecolor": "#D55E00", "markeredgecolor": "black"}
        known = [(cells[heading(name)], place) for place, name in enumerate(classes) if heading(name) in cells]
        shift = 0.42 - width * (1 - (number + 0.5) / len(published))  # beside the bars, each system in its own lane
        handles += axes.plot([value for value, _ in known], [place + shift for _, place in known], **style)
    data = rows[0].get("dataset", "")
    names = ["all" if name == ALL else distortion_name(name, data) or "no class" for name in classes]
    axes.set_yticks(places, names, parse_math=False)
    axes.invert_yaxis()
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(y=0.02)
    label_axes(axes, METRIC_NAMES[metric], "")
    put_legend(figure, handles, [*(STAGE_NAMES.get(stage, stage) for stage in present), *published], columns=3)
    return figure


def spread_over_splits(rows: Sequence[Row], metric: str = "srocc", seed: int = 0) -> Figure:
    """Draw one metric (ALL) of every split and stage: a line for each split, boxes, and the mean.

    From six splits on the mean has its 95 % bootstrap interval; with fewer nothing is claimed.

    Args:
        rows: result rows.
        metric: one of `METRICS`.
        seed: seed of the bootstrap.
    """
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    values = [_values(rows, stage, ALL, metric) for stage in stages]
    figure = Figure(figsize=(WIDTH, 4.0), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(len(stages), dtype=np.float64)
    by_split: dict[int, list[tuple[int, float]]] = {}
    for row in rows:
        if row["distortion"] == ALL and row.get(metric) is not None:
            by_split.setdefault(row["split"], []).append((stages.index(row["stage"]), row[metric]))
    for points in by_split.values():
        at, heights = zip(*sorted(points), strict=True)
        (split,) = axes.plot(at, heights, "o-", color="#999999", markersize=4, linewidth=0.8)
    means = [float(one.mean()) if one.size else np.nan for one in values]
    claimed = min(one.size for one in values) >= FEWEST_SPLITS
    ends = np.array([mean_interval(one, seed) for one in values]).T if claimed else None
    reach = np.abs(ends - np.array(means)) if ends is not None else None
    mean = axes.errorbar(places, means, yerr=reach, fmt="D", color=COLOURS[0], markersize=6, capsize=5, zorder=3)
    axes.set_xticks(places, [STAGE_NAMES.get(stage, stage) for stage in stages], parse_math=False)
    axes.set_xlim(-0.5, len(stages) - 0.5)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    label_axes(axes, "", f"{METRIC_NAMES[metric]}, all distortions")
    handles: list[Any] = [mean, *([split] if by_split else [])]
    put_legend(figure, handles, ["mean, 95 % interval" if claimed else "mean", "one split"][: len(handles)])
    return figure


def _fit_lines(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], kind: str) -> list[tuple[Any, str]]:
    """Draw the identity and the four-parameter fit; return their handles and labels."""
    if x.size == 0:
        return []
    low, high = min(x.min(), y.min()), max(x.max(), y.max())
    (identity,) = axes.plot([low, high], [low, high], ":", color=GREY, linewidth=1.2)
    lines: list[tuple[Any, str]] = [(identity, f"predicted = {kind}")]
    try:
        fit = fit_logistic(x, y, 4)
    except FitError:
        return [*lines, (Line2D([], [], linestyle="none"), "no logistic fit")]
    along = np.linspace(x.min(), x.max(), 200)
    (curve,) = axes.plot(along, fit(along), "-", color="black", linewidth=1.6)
    return [*lines, (curve, "logistic fit")]


def _curves(axes: Axes, rows: Sequence[Row], styles: Mapping[str, int]) -> dict[str, Line2D]:
    """Draw the named columns over `step`, each in the style of its number; return the lines of those that occur."""
    drawn = {}
    for name, number in styles.items():
        points = [(float(row["step"]), float(row[name])) for row in rows if row.get(name) not in (None, "")]
        if not points:
            continue
        steps, values = np.array(points).T
        marker = MARKERS[number % len(MARKERS)] if len(points) < 40 else ""
        style: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "marker": marker, "markersize": 3}
        (drawn[name],) = axes.plot(steps, values, linewidth=1.2, **style)
    axes.grid(color="#E5E5E5", linewidth=0.6)
    return drawn


def _values(rows: Sequence[Row], stage: str, distortion: str, metric: str) -> NDArray[np.float64]:
    """Return the defined values over splits."""
    found = [row.get(metric) for row in rows if row["stage"] == stage and row["distortion"] == distortion]
    return np.array([value for value in found if value is not None], dtype=np.float64)


def _shown(value: float | str | None) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "undefined"

"""Figures of a report as PNG bytes: scatter with fit, learning curves, figures by distortion, spread over splits.

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

from gada.metrics.correlation import ALL, Row, all_metrics
from gada.metrics.logistic import FitError, fit_logistic
from gada.metrics.statistics import FEWEST_SPLITS, mean_interval
from gada.reports.canvas import COLOURS, MARKERS, label_axes, marker_style, png, put_legend, put_title
from gada.reports.published import heading, published_systems
from gada.reports.tables import METRIC_NAMES, STAGE_NAMES

STAGE_COLOURS = {"baseline": "#767676", "phase1": "#B8571E", "phase2": "#00745A", "phase3": "#0072B2"}
GREY = "#555555"
FEW = 12  # classes up to here get a single column of legend, level labels and numbers in the bars


def scatter(
    predicted: ArrayLike, truth: ArrayLike, distortions: Sequence[str], title: str, scale_label: str, proxy: bool
) -> bytes:
    """Draw true against predicted scores, each class with its own marker and colour, with the logistic fit.

    Args:
        predicted: (N,) predicted scores, on the scale of the database.
        truth: (N,) true scores, on the same scale.
        distortions: N class names ("" for none).
        title: what is shown; n, SROCC and LCC are added.
        scale_label: name and best end of the scale, as "DMOS (0 best)".
        proxy: whether `truth` was computed and not given by people; the axis says so.

    Returns:
        A PNG file.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    merit = all_metrics(x, y)
    classes = list(dict.fromkeys(distortions))
    many = len(classes) > FEW
    figure = Figure(figsize=(8.6 if many else 7.6, 5.8), layout="constrained")
    axes = figure.add_subplot()
    kind = "proxy" if proxy else "true"
    handles, labels = [], []
    for number, name in enumerate(classes):
        chosen = np.array([one == name for one in distortions])
        style = marker_style(number)
        axes.plot(x[chosen], y[chosen], alpha=0.75, **style)
        handles.append(Line2D([], [], **style))
        labels.append(heading(name) or "no class")
    for handle, label in _fit_lines(axes, x, y, kind):
        handles.append(handle)
        labels.append(label)
    measured = ", ".join(f"{METRIC_NAMES[name]} {_shown(merit[name])}" for name in ("srocc", "lcc"))
    put_title(axes, f"{title}\nn = {x.size}, {measured}")
    name = scale_label.removeprefix("proxy ")  # the scale of a proxy may say so itself
    label_axes(axes, f"predicted {name}", f"{kind} {name}")
    put_legend(axes, handles, labels, columns=2 if many else 1)
    return png(figure)


def learning_curves(metrics: Mapping[str, Sequence[Row]], title: str) -> bytes:
    """Draw the loss of each player and the validation figures of each stage over its steps.

    Args:
        metrics: for each stage the rows of its `metrics.csv`: `step`, `loss_<player>`, `val_srocc`, `val_lcc`; numbers,
            or texts that hold numbers; an empty cell is left out.
        title: what is shown.
    """
    figure = Figure(figsize=(8.6, 0.6 + 2.3 * len(metrics)), layout="constrained")
    figure.suptitle(title, fontsize=11, parse_math=False)
    panels = figure.subplots(len(metrics), 2, squeeze=False)
    for (stage, rows), (losses, validation) in zip(metrics.items(), panels, strict=True):
        named = dict.fromkeys(name for row in rows for name in row)
        _curves(losses, rows, [name for name in named if name.startswith("loss_")], "loss_")
        _curves(validation, rows, [name for name in ("val_srocc", "val_lcc") if name in named], "val_")
        stage_name = STAGE_NAMES.get(stage, stage)
        put_title(losses, f"{stage_name}: losses")
        put_title(validation, f"{stage_name}: validation")
        for panel in (losses, validation):
            panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        label_axes(losses, "step", "loss")
        label_axes(validation, "step", "correlation")
        shown = np.concatenate([line.get_ydata() for line in losses.get_lines()] or [np.ones(1)])
        if (shown > 0).all() and shown.max() > 20 * shown.min():
            losses.set_yscale("log")
            losses.set_ylabel("loss (log)", fontsize=9)
    ends = [panel.get_ylim() for panel in panels[:, 1]]
    for panel in panels[:, 1]:  # one scale, so that the stages can be compared
        panel.set_ylim(min(low for low, _ in ends), max(high for _, high in ends))
    return png(figure)


def bars_by_distortion(
    rows: Sequence[Row],
    title: str,
    figure: str = "srocc",
    database: str = "",
    stages: Sequence[str] = ("baseline", "phase3"),
) -> bytes:
    """Draw one figure by distortion: bars for our stages, markers for the published systems.

    A bar is the median over splits; with several splits a whisker spans the lowest and the highest.

    Args:
        rows: result rows.
        title: what is shown.
        figure: one of `METRICS`, as "srocc".
        database: "LIVE" or "TID2013" adds the published systems; "" adds none.
        stages: which of our stages.
    """
    headings = list(dict.fromkeys(heading(row["distortion"]) for row in rows))
    present = [stage for stage in stages if any(row["stage"] == stage for row in rows)]
    many = len(headings) > FEW
    drawn = Figure(figsize=(8.6, 6.4 if many else 5.2), layout="constrained")
    axes = drawn.add_subplot()
    places = np.arange(len(headings))
    published = published_systems(database, figure) if database else {}
    width = 0.84 / (len(present) + bool(published))
    handles: list[Any] = []
    labels: list[str] = []
    for number, stage in enumerate(present):
        values = [_values(rows, stage, name, figure) for name in headings]
        heights = [float(np.median(one)) if one.size else 0.0 for one in values]
        reach = [(m - one.min(), one.max() - m) if one.size else (0, 0) for one, m in zip(values, heights, strict=True)]
        whiskers = np.transpose(reach) if any(one.size > 1 for one in values) else None
        colour = STAGE_COLOURS.get(stage, COLOURS[number])
        at = places - 0.42 + (number + 0.5) * width
        bars = axes.bar(at, heights, width * 0.94, color=colour, yerr=whiskers, ecolor="#222222", capsize=2)
        if not many and whiskers is None:
            texts = [f"{one:.3f}" if value.size else "" for one, value in zip(heights, values, strict=True)]
            axes.bar_label(bars, texts, label_type="center", rotation=90, fontsize=9, color="white")
        handles.append(bars)
        labels.append(f"{STAGE_NAMES.get(stage, stage)} (this run)")
    for number, (system, cells) in enumerate(published.items()):
        style = marker_style(number)
        if system.startswith("GADA"):
            style |= {"marker": "*", "markersize": 12, "markerfacecolor": "#D55E00", "markeredgecolor": "black"}
        known = [place for place, name in enumerate(headings) if name in cells]
        shift = 0.42 - width * (1 - (number + 0.5) / len(published))  # beside the bars, each system in its own lane
        (line,) = axes.plot([place + shift for place in known], [cells[headings[place]] for place in known], **style)
        handles.append(line)
        labels.append(system)
    axes.set_xticks(places, headings, rotation=90 if many else 0, parse_math=False)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(x=0.02)
    put_title(axes, title)
    label_axes(axes, "distortion", METRIC_NAMES[figure])
    put_legend(axes, handles, labels, columns=4 if many else 1, below=many)
    return png(drawn)


def spread_over_splits(rows: Sequence[Row], title: str, figure: str = "srocc", seed: int = 0) -> bytes:
    """Draw one figure (ALL) of every split and stage: a line for each split, boxes, and the mean.

    From six splits on the mean has its 95 % bootstrap interval; with fewer nothing is claimed.

    Args:
        rows: result rows.
        title: what is shown.
        figure: one of `METRICS`.
        seed: seed of the bootstrap.
    """
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    values = [_values(rows, stage, ALL, figure) for stage in stages]
    drawn = Figure(figsize=(7.6, 4.8), layout="constrained")
    axes = drawn.add_subplot()
    places = np.arange(len(stages), dtype=np.float64)
    by_split: dict[int, list[tuple[int, float]]] = {}
    for row in rows:
        if row["distortion"] == ALL and row.get(figure) is not None:
            by_split.setdefault(row["split"], []).append((stages.index(row["stage"]), row[figure]))
    for points in by_split.values():
        at, heights = zip(*sorted(points), strict=True)
        (split,) = axes.plot(at, heights, "o-", color="#9A9A9A", markersize=4, linewidth=0.8)
    shown = [number for number, one in enumerate(values) if one.size > 2]
    means = [float(one.mean()) if one.size else np.nan for one in values]
    claimed = min(one.size for one in values) >= FEWEST_SPLITS
    ends = np.array([mean_interval(one, seed) for one in values]).T if claimed else None
    reach = np.abs(ends - np.array(means)) if ends is not None else None
    mean = axes.errorbar(places + 0.26, means, yerr=reach, fmt="D", color=COLOURS[0], markersize=7, capsize=4)
    axes.set_xticks(places, [STAGE_NAMES.get(stage, stage) for stage in stages], parse_math=False)
    axes.set_xlim(-0.5, len(stages) - 0.5)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    put_title(axes, f"{title}\n{len(by_split)} split{'s' if len(by_split) != 1 else ''}")
    label_axes(axes, "stage", f"{METRIC_NAMES[figure]}, all distortions")
    handles: list[Any] = [mean]
    labels = ["mean, 95 % interval" if claimed else "mean"]
    if by_split:
        handles.append(split)
        labels.append("one split")
    if shown:
        median = {"color": COLOURS[1], "linewidth": 1.8}
        of: dict[str, Any] = {"widths": 0.34, "showfliers": False, "manage_ticks": False, "medianprops": median}
        boxes = axes.boxplot([values[number] for number in shown], positions=places[shown], **of)
        handles.append(boxes["medians"][0])
        labels.append("median, in a box\nof quartiles")
    put_legend(axes, handles, labels)
    return png(drawn)


def _fit_lines(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], kind: str) -> list[tuple[Any, str]]:
    """Draw the identity and the four-parameter fit; return their handles and labels."""
    if x.size == 0:
        return []
    low, high = min(x.min(), y.min()), max(x.max(), y.max())
    (identity,) = axes.plot([low, high], [low, high], ":", color=GREY, linewidth=1.2)
    lines: list[tuple[Any, str]] = [(identity, f"predicted = {kind}")]
    try:
        fit = fit_logistic(x, y, 4)
    except FitError as error:
        return [*lines, (Line2D([], [], linestyle="none"), f"no 4-par. logistic fit:\n{error}")]
    along = np.linspace(x.min(), x.max(), 200)
    (curve,) = axes.plot(along, fit(along), "-", color="black", linewidth=1.6)
    return [*lines, (curve, "4-par. logistic fit")]


def _curves(axes: Axes, rows: Sequence[Row], names: Sequence[str], prefix: str) -> None:
    """Draw the named columns over `step`."""
    handles, labels = [], []
    for number, name in enumerate(names):
        points = [(float(row["step"]), float(row[name])) for row in rows if row.get(name) not in (None, "")]
        steps, values = np.array(points).reshape(-1, 2).T
        marker = MARKERS[number % len(MARKERS)] if len(points) < 40 else ""
        (line,) = axes.plot(
            steps, values, color=COLOURS[number % len(COLOURS)], marker=marker, markersize=3, linewidth=1.2
        )
        handles.append(line)
        labels.append(METRIC_NAMES.get(name.removeprefix(prefix), name.removeprefix(prefix).replace("_", " ")))
    axes.grid(color="#E5E5E5", linewidth=0.6)
    put_legend(axes, handles, labels)


def _values(rows: Sequence[Row], stage: str, distortion: str, figure: str) -> NDArray[np.float64]:
    """Return the defined values over splits; `distortion` as `heading` gives it."""
    found = [row.get(figure) for row in rows if row["stage"] == stage and heading(row["distortion"]) == distortion]
    return np.array([value for value in found if value is not None], dtype=np.float64)


def _shown(value: float | str | None) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "undefined"

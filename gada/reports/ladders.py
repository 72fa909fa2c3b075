"""Tables and the plot of a robustness sweep: accuracy along the ladders, corruption errors."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from gada.distortions.names import names_of
from gada.io.records import Row, as_csv
from gada.metrics.classification import baseline_corruption_error, corruption_error, relative_corruption_error
from gada.reports.canvas import COLOURS, MARKERS, WIDTH, label_axes, put_title
from gada.reports.layout import Cell, Table

NONE = "none"
"""The distortion of the undistorted images."""

FIGURES = {
    "top1": "Top-1 accuracy",
    "top5": "Top-5 accuracy",
    "confidence": "Mean confidence in the true class",
    "ece": "Calibration error (ECE, 15 bins)",
}
SIZES = ("depth", "convolutions", "fully_connected", "parameters")
"""Of a network, in its rows."""


def sweep_csv(rows: Sequence[Row]) -> str:
    """Return result rows as CSV."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[row.get(name, "") for name in names] for row in rows]
    return as_csv([names, *([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row] for row in cells)])


def networks_of(rows: Sequence[Row]) -> list[str]:
    """Return the networks, in order."""
    return list(dict.fromkeys(row["network"] for row in rows))


def ladders_of(rows: Sequence[Row]) -> list[str]:
    """Return the distortions that have levels, in order."""
    return list(dict.fromkeys(row["distortion"] for row in rows if row["distortion"] != NONE))


def ladder(rows: Sequence[Row], network: str, distortion: str) -> list[Row]:
    """Return one network's rows along one ladder, mildest first."""
    chosen = [row for row in rows if row["network"] == network and row["distortion"] == distortion]
    return sorted(chosen, key=lambda row: int(row["level"]))


def origin(rows: Sequence[Row]) -> str:
    """Return the origin of the results, in sentences; a partial result is called so."""
    first = rows[0]
    counts = sorted({row["n"] for row in rows})
    images = f"{counts[0]} images" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} images"
    partial = f"PARTIAL: {first['partial']}. " if first.get("partial") else ""
    return (
        f"{partial}Data: {first['dataset']}, {images}; seed {first['seed']}; machine {first['machine']}; "
        f"commit {first['commit'] or 'unknown'}."
    )


def ladder_table(rows: Sequence[Row], figure: str, intervals: bool = False) -> Table:
    """Return one metric by distortion, network and level.

    Args:
        rows: result rows.
        figure: one of `FIGURES`.
        intervals: whether 95 % intervals stand beside top-1 or top-5.
    """
    ladders = ladders_of(rows)
    levels = max((row["level"] for row in rows), default=0)
    body: list[tuple[Cell, ...]] = []
    for distortion, name in zip([NONE, *ladders], [NONE, *names_of(ladders)], strict=True):
        for network in networks_of(rows):
            found = {row["level"]: row for row in ladder(rows, network, distortion)}
            first = 0 if distortion == NONE else 1
            cells = [_cell(found.get(first + at), figure, intervals) for at in range(levels)]
            body.append((name, network, *cells))
    step = len(networks_of(rows))
    caption = f"{FIGURES[figure]} at each level, 1 being the mildest{_interval_note(rows, figure)}."
    rules = frozenset(range(step, len(body), step))
    columns = tuple(map(str, range(1, levels + 1)))
    return Table(caption, ("distortion", "network"), columns, tuple(body), (), rules, strength_notes(rows, figure))


def _cell(row: Row | None, figure: str, intervals: bool) -> Cell:
    if row is None:
        return None
    if not intervals or f"{figure}_low" not in row:
        return float(row[figure])
    return f"{row[figure]:.3f} ({row[f'{figure}_low']:.2f} to {row[f'{figure}_high']:.2f})"


def _interval_note(rows: Sequence[Row], figure: str) -> str:
    if f"{figure}_low" not in rows[0]:
        return ""
    widest = max(max(row[f"{figure}_high"] - row[figure], row[figure] - row[f"{figure}_low"]) for row in rows)
    return f"; 95 % binomial intervals (Wilson) reach at most {widest:.3f} to either side"


def strength_notes(rows: Sequence[Row], figure: str) -> tuple[str, ...]:
    """Return what the levels of each ladder are, below the table of top-1 alone."""
    notes = []
    ladders = ladders_of(rows) if figure == "top1" else []
    for name, shown in zip(ladders, names_of(ladders), strict=True):
        along = max((ladder(rows, network, name) for network in networks_of(rows)), key=len)
        values = ", ".join(f"{row['strength']:g}" for row in along)
        notes.append(f"{shown}: {along[0]['parameter']} {values}.")
    return tuple(notes)


def summary_table(rows: Sequence[Row], baseline: str) -> Table:
    """Return a row for each network: undistorted accuracy, mean accuracy along each ladder, corruption errors."""
    ladders, whole = ladders_of(rows), [name for name in networks_of(rows) if is_whole(rows, name)]
    body: list[tuple[Cell, ...]] = []
    for network in networks_of(rows):
        clean = ladder(rows, network, NONE)
        means = [_mean(ladder(rows, network, name)) for name in ladders]
        errors = _corruption(rows, network, baseline) if {network, baseline} <= set(whole) else (None,) * 3
        head = tuple(float(clean[0][name]) for name in ("top1", "top5", "ece")) if clean else (None,) * 3
        body.append((network, *head, *means, *errors))
    columns = ("top-1", "top-5", "ECE", *names_of(ladders), "plain", "mCE", "relative mCE")
    groups = ("undistorted",) * 3 + ("mean top-1 along",) * len(ladders) + ("corruption error",) * 3
    notes = (
        "Corruption error, plain: mean over the ladders of the mean top-1 error over their levels. mCE and relative "
        "mCE (Hendrycks and Dietterich, 2019): over the errors, and over the losses beside undistorted images, of "
        f"{baseline}; empty where it has none on some ladder.",
    )
    return Table(f"Summary. {origin(rows)}", ("network",), columns, tuple(body), groups, frozenset(), notes)


def networks_table(rows: Sequence[Row]) -> Table:
    """Return the size of each network (Dodge and Karam, Table I); empty cells where torch does not run it."""
    first = {row["network"]: row for row in reversed(rows)}
    body = []
    for name in networks_of(rows):
        *layers, parameters = (first[name].get(key) for key in SIZES)
        shown = None if parameters is None else f"{parameters / 1e6:.2f} million"
        body.append((name, *(None if count is None else str(count) for count in layers), shown))
    columns = ("depth", "convolutions", "fully connected", "parameters")
    notes = ("Depth: convolutions and fully connected layers on the longest way from the image to the output.",)
    return Table("Networks.", ("network",), columns, tuple(body), notes=notes)


def _mean(along: Sequence[Row]) -> Cell:
    return float(np.mean([row["top1"] for row in along])) if along else None


def is_whole(rows: Sequence[Row], network: str) -> bool:
    """Whether a network has been through every step that any network has."""
    steps = {(row["distortion"], row["level"]) for row in rows}
    return len([row for row in rows if row["network"] == network]) == len(steps)


def _errors(rows: Sequence[Row], network: str) -> dict[str, list[float]]:
    return {name: [1 - row["top1"] for row in ladder(rows, network, name)] for name in ladders_of(rows)}


def _corruption(rows: Sequence[Row], network: str, baseline: str) -> tuple[Cell, ...]:
    own, other = _errors(rows, network), _errors(rows, baseline)
    if not own:
        return (None,) * 3
    clean, other_clean = (1 - ladder(rows, name, NONE)[0]["top1"] for name in (network, baseline))
    relative = relative_corruption_error(own, clean, other, other_clean)
    return corruption_error(own), baseline_corruption_error(own, other), relative


def ladder_figure(rows: Sequence[Row], title: str) -> Figure:
    """Draw top-1 (solid, with its 95 % interval) and top-5 (dashed) along each ladder, a colour for each network."""
    ladders, networks = ladders_of(rows), networks_of(rows)
    across = min(2, len(ladders) + 1)
    down = -(-(len(ladders) + 1) // across)
    figure = Figure(figsize=(WIDTH, 0.5 + 2.3 * down), layout="constrained")
    figure.suptitle(title, fontsize=10, parse_math=False)
    panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for panel, name in zip(panels, ladders, strict=False):
        for number, network in enumerate(networks):
            _draw_ladder(panel, ladder(rows, network, name), ladder(rows, network, NONE), number)
        first = ladder(rows, networks[0], name)
        put_title(panel, first[0]["title"] if first else name)
        label_axes(panel, first[0]["parameter"] if first and _ordered(first) else "level", "")
        panel.set_ylim(-0.02, 1.02)
        panel.xaxis.set_major_locator(MaxNLocator(6))
        panel.grid(alpha=0.3)
    for panel in panels[::across]:
        panel.set_ylabel("accuracy", fontsize=10)
    for panel in panels[len(ladders) :]:
        panel.set_axis_off()
    _put_key(panels[len(ladders)], networks)
    return figure


def _ordered(along: Sequence[Row]) -> bool:
    """Whether the strengths rise or fall all along, so that they can be an axis."""
    differences = np.diff([row["strength"] for row in along])
    return bool((differences > 0).all() or (differences < 0).all())


def _draw_ladder(panel: Axes, along: Sequence[Row], clean: Sequence[Row], number: int) -> None:
    if not along:
        return
    colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
    at = [row["strength"] if _ordered(along) else row["level"] for row in along]
    low, high = ([row[f"top1_{end}"] for row in along] for end in ("low", "high"))
    panel.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0)
    panel.plot(at, [row["top1"] for row in along], color=colour, marker=marker, markersize=4, linewidth=1.4)
    panel.plot(at, [row["top5"] for row in along], color=colour, linestyle="--", linewidth=1.1)
    if clean:
        panel.axhline(clean[0]["top1"], color=colour, linestyle=":", linewidth=1)
    if len(at) > 1 and at[0] > at[-1] and not panel.xaxis_inverted():
        panel.invert_xaxis()  # the mildest stands on the left


def _put_key(panel: Axes, networks: Sequence[str]) -> None:
    colours, markers = (cycle(values) for values in (COLOURS, MARKERS))
    handles = [Line2D([], [], color=next(colours), marker=next(markers), markersize=5) for _ in networks]
    handles += [Line2D([], [], color="#555555", linestyle=style) for style in ("-", "--", ":")]
    styles = ["top-1, 95 % interval", "top-5", "top-1, undistorted"]
    legend = panel.legend(handles, [*networks, *styles], loc="center", frameon=False, fontsize=9)
    for text in legend.get_texts():
        text.set_parse_math(False)

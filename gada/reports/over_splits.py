"""What several splits say together: median, mean and std of each stage, and paired differences of stages."""

from collections.abc import Iterable, Sequence

from gada.metrics.correlation import ALL, METRICS, Row
from gada.metrics.statistics import summary_over_splits
from gada.reports.layout import Cell, Provenance, Table
from gada.reports.published import heading
from gada.reports.tables import METRIC_NAMES, named_splits, stage_name


def summary_table(rows: Sequence[Row], provenance: Provenance | None = None, distortion: str = ALL) -> Table:
    """Return median, mean and std over splits of every metric, for one distortion (or `ALL`)."""
    summaries = summary_over_splits(row for row in rows if row["distortion"] == distortion)
    present = [metric for metric in METRICS if any(metric in summary for summary in summaries)]
    body: list[tuple[Cell, ...]] = []
    for summary in summaries:
        for measure in ("median", "mean", "std"):
            cells = [summary[metric][measure] if metric in summary else None for metric in present]
            body.append((stage_name(summary["stage"]), measure, *cells))
    caption = f"Median, mean and standard deviation over {named_splits(rows)}, {heading(distortion)}."
    caption = f"{caption} {provenance.describe()}" if provenance else caption
    rules = frozenset(range(3, len(body), 3))
    columns = tuple(METRIC_NAMES[metric] for metric in present)
    notes = [
        f"{stage_name(summary['stage'])}: {METRIC_NAMES[metric]} is defined in {summary[metric]['defined']} "
        f"of {summary['splits']} splits."
        for summary in summaries
        for metric in present
        if metric in summary and summary[metric]["defined"] < summary["splits"]
    ]
    return Table(caption, ("stage", "over splits"), columns, tuple(body), (), rules, tuple(notes))


def differences_table(differences: Iterable[Row], provenance: Provenance | None = None) -> Table:
    """Return a row for each paired difference of two stages, as `gada.metrics.statistics.stage_difference` gives it."""
    body: list[tuple[Cell, ...]] = []
    notes, claims = dict[str, None](), dict[str, None]()
    for one in differences:
        what = f"{stage_name(one['stage'])} minus {stage_name(one['against']).lower()}, {heading(one['distortion'])}"
        intervals = [end for name in ("interval", "corrected") for end in one[name] or (None, None)]
        metrics = (one["median"], one["mean"], one["std"], *intervals, shown_p(one))
        body.append((what, METRIC_NAMES[one["metric"]], *metrics))
        name = METRIC_NAMES[one["metric"]]
        listed = ", ".join(f"{value:+.3f}" for value in one["differences"])
        lacking = ", ".join(map(str, one.get("left_out", [])))
        notes[f"{name} in each split: {listed}{f' (undefined in split {lacking})' if lacking else ''}."] = None
        claims |= dict.fromkeys(claims_of(one))
    columns = ("median", "mean", "std", "95 % from", "to", "corrected from", "to", "p")
    caption = "Paired differences over splits."
    caption = f"{caption} {provenance.describe()}" if provenance else caption
    return Table(caption, ("difference", "metric"), columns, tuple(body), (), frozenset(), (*claims, *notes))


def claims_of(difference: Row) -> list[str]:
    """Return what a paired difference rests on, or why nothing is claimed of it, in sentences."""
    reason = difference.get("not_claimed", "")
    claims = [f"{reason[:1].upper()}{reason[1:]}."] if reason else []
    if difference["interval"]:
        claims.append(f"Interval: {difference['interval_method']}; p: Wilcoxon's signed-rank test, two-sided.")
    if difference["corrected"]:
        claims.append("Corrected: the interval that allows for references that splits share (Nadeau and Bengio, 2003).")
    return claims


def shown_p(difference: Row) -> Cell:
    """Return the p-value of a paired difference as a table shows it."""
    p: float | None = difference["wilcoxon_p"]
    return "<0.001" if p and p < 0.001 else p

"""The page of a run of classifiers: what IQA-LS gains over hard labels, tables, curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gada.io.files import write_text
from gada.io.records import Row, environment
from gada.reports.iqa_ls import DISTORTED, PAIRS, all_tables, described, paired, shown, strategies_of
from gada.reports.iqa_ls_figures import figure_3
from gada.reports.page import Figure, Headline, Section, page


def write_report(folder: Path, rows: Sequence[Row], settings: Mapping[str, Any]) -> None:
    """Write `report.html` of a run from its result rows."""
    first, *others = all_tables(rows)
    head, figures = headline(rows), []
    if head:
        caption = "Accuracy along the levels of each distortion, hard labels and IQA-LS (as in the paper's Figure 3)."
        figures = [Figure(figure_3(rows), caption, "Lines of accuracy against level, a panel for each mix.")]
    sections = [
        Section("Results", tables=[first], figures=figures),
        Section("Differences, calibration, confidence", tables=others, folded=True),
        Section("Configuration", listing=settings),
        Section("Environment", listing=environment()),
    ]
    title = f"Classifiers of {rows[0]['dataset']}"
    write_text(folder / "report.html", page(title, [described(rows)], sections, headline=head))


def headline(rows: Sequence[Row]) -> Headline | None:
    """Return what IQA-LS gains on distorted images, by the mix of all three if it was trained; None without a pair."""
    there = set(strategies_of(rows))
    pair = next((pair for pair in (("8", "9"), *PAIRS) if set(pair) <= there), None)
    if pair is None:
        return None
    gains = paired(rows, pair[1], pair[0], list(DISTORTED.values()), "accuracy")
    if not len(gains):
        return None
    meaning = (
        f"accuracy on distorted test images: IQA-LS (strategy {pair[1]}) minus hard labels (strategy {pair[0]}) on the "
        "same training images."
    )
    several = f"Mean and standard deviation over {len(gains)} seeds." if len(gains) > 1 else "One seed, so no interval."
    return Headline(str(shown(gains, signed=True)), meaning, several)

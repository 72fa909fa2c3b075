"""The page of a metrifier's evaluation, and its tables in a Markdown page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.experiments.metrifier.predictors import ESTIMATES
from gada.io.files import write_bytes, write_text
from gada.io.records import Row, environment, read_results
from gada.metrics.classification import risk_coverage
from gada.metrics.correlation import ALL
from gada.reports.canvas import png
from gada.reports.layout import Table, render
from gada.reports.markdown import replace_block
from gada.reports.page import Figure, Headline, Section, page
from gada.reports.predictors import (
    confusion_table,
    distortions_table,
    levels_figure,
    predictors_table,
    reliability_figure,
    risk_figure,
)
from gada.runs.comparison import spanned, told_apart

FIGURES = ("levels", "risk", "reliability")
"""What an evaluation draws, by the names of the files."""
Values = NDArray[np.float64]


def write_page(
    folder: Path, predicted: Mapping[str, Values], true: Values, wrong: Values, rows: Sequence[Row], configuration: Row
) -> None:
    """Write the plots and the page.

    Args:
        folder: the run directory.
        predicted: of each predictor, (N, T).
        true: the error, (N, T).
        wrong: the fraction of wrong decisions, (N, T).
        rows: the result rows.
        configuration: of the run.
    """
    curves = {name: risk_coverage(values.ravel(), wrong.ravel()) for name, values in predicted.items()}
    estimates = {name: values.ravel() for name, values in predicted.items() if name in ESTIMATES}
    drawn = (
        levels_figure(rows),
        risk_figure(curves, "Risk of the images that are kept"),
        reliability_figure(estimates, true.ravel(), "Calibration"),
    )
    texts = (
        (
            "Mean error along each ladder, true and predicted; the undistorted images on the left.",
            "Lines of true and predicted error against level, one panel for each distortion.",
        ),
        (
            "Fraction of wrong decisions among the images that are kept when the worst-predicted are rejected.",
            "Lines of risk against coverage, one for each predictor.",
        ),
        (
            "Mean true error of the images in each bin of predicted error; on the diagonal a prediction is exact.",
            "Lines of true against predicted error, one for each predictor that estimates the error.",
        ),
    )
    figures = [Figure(plot, *text) for plot, text in zip(drawn, texts, strict=True)]
    for name, figure in zip(FIGURES, figures, strict=True):
        write_bytes(folder / f"{name}.png", figure.file)
    sections = [
        Section("Results", tables=tables_of(rows), figures=figures),
        Section("Configuration", listing=configuration),
        Section("Environment", listing=environment()),
    ]
    whole = [row for row in rows if row["distortion"] == ALL]
    title = f"Metrifier of {rows[0]['classifier']} on {rows[0]['dataset']}"
    summary = [f"All results are over {rows[0]['sources']} held-out source images, at every step."]
    write_text(folder / "report.html", page(title, summary, sections, headline=headline(whole)))


def headline(rows: Sequence[Row]) -> Headline | None:
    """Return how well the metrifier orders images by their true error, and whether another predictor does as well."""
    own, *others = rows
    if own["srocc"] is None:
        return None
    meaning = (
        f"of predicted and true error ({own['error']}), over {own['sources']} held-out images at {own['steps']} steps; "
        "1 is their true order, 0 is chance."
    )
    closest = max((row for row in others if row["lead"] is not None), key=lambda row: row["srocc"], default=None)
    if closest is None:
        return Headline(f"SROCC {own['srocc']:.3f}", meaning)
    low, high = closest["lead_low"], closest["lead_high"]
    told = told_apart([low, high])
    change = f"{closest['lead']:+.3f}{spanned([low, high], '+.3f')}"
    return Headline(f"SROCC {own['srocc']:.3f}", meaning, f"{told} the best other, {closest['predictor']}: {change}.")


def tables_of(rows: Sequence[Row]) -> list[Table]:
    """Return the tables of an evaluation."""
    named = [confusion_table(row) for row in rows if "confusion" in row]
    return [predictors_table(rows), distortions_table(rows), *named]


def put_results(results: Path, into: Path | None, figure: Path | None = None) -> None:
    """Put kept result rows into the block "gada metrify evaluate RESULTS" of a Markdown file, or draw them."""
    rows = read_results([results], "metrify evaluate")
    if figure:
        write_bytes(figure, png(levels_figure(rows)))
    if into:
        replace_block(into, block_of(results), "\n".join(render(table, "markdown") for table in tables_of(rows)))


def block_of(results: Path) -> str:
    """Return the name of the Markdown block of some result rows."""
    return f"gada metrify evaluate {results.as_posix()}"

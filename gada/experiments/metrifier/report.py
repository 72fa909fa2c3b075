"""The page of a metrifier's evaluation, and its tables in a Markdown page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.experiments.metrifier.predictors import ESTIMATES
from gada.io.files import write_bytes, write_text
from gada.io.records import Row, environment, read_results
from gada.metrics.classification import risk_coverage
from gada.reports.layout import Table, render
from gada.reports.markdown import replace_block
from gada.reports.page import Figure, Section, page
from gada.reports.predictors import (
    confusion_table,
    distortions_table,
    levels_figure,
    predictors_table,
    reliability_figure,
    risk_figure,
)

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
    for name, image in zip(FIGURES, drawn, strict=True):
        write_bytes(folder / f"{name}.png", image)
    pictures = [Figure(image, *text) for image, text in zip(drawn, texts, strict=True)]
    sections = [
        Section("Results", tables=tables_of(rows), figures=pictures),
        Section("Configuration", listing=configuration),
        Section("Environment", listing=environment()),
    ]
    title = f"Metrifier of {rows[0]['classifier']} on {rows[0]['dataset']}"
    summary = [f"All results are over {rows[0]['sources']} held-out source images, at every step."]
    write_text(folder / "report.html", page(title, summary, sections))


def tables_of(rows: Sequence[Row]) -> list[Table]:
    """Return the tables of an evaluation."""
    named = [confusion_table(row) for row in rows if "confusion" in row]
    return [predictors_table(rows), distortions_table(rows), *named]


def put_results(results: Path, into: Path | None, figure: Path | None = None) -> None:
    """Put kept result rows into the block "gada metrify evaluate RESULTS" of a Markdown file, or draw them."""
    rows = read_results([results], "metrify evaluate")
    if figure:
        write_bytes(figure, levels_figure(rows))
    if into:
        replace_block(into, block_of(results), "\n".join(render(table, "markdown") for table in tables_of(rows)))


def block_of(results: Path) -> str:
    """Return the name of the Markdown block of some result rows."""
    return f"gada metrify evaluate {results.as_posix()}"

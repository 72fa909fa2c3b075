"""The report of a sweep: tables, Figure 2's plot, an example sheet, filter responses, one page."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gada.data.labelled import LabelledImages
from gada.data.labels import shown_classes
from gada.errors import ConfigError
from gada.experiments.robustness.examples import example_sheet, predictions_sheet, responses_sheet
from gada.experiments.robustness.sweep import Sweep
from gada.io.files import write_bytes, write_text
from gada.io.images import read_image
from gada.io.records import Row, environment, read_results
from gada.reports.canvas import png
from gada.reports.contact_sheet import png_of
from gada.reports.dodge_karam import findings, findings_table
from gada.reports.ladders import (
    FIGURES,
    NONE,
    ladder_figure,
    ladder_table,
    ladders_of,
    networks_of,
    networks_table,
    origin,
    summary_table,
)
from gada.reports.layout import Table, render
from gada.reports.markdown import replace_block
from gada.reports.page import Figure, Headline, Section, page
from gada.runs.comparison import spanned
from gada.scoring.classifiers import Classifier


def write_report(
    folder: Path,
    classifiers: Sequence[Classifier],
    images: LabelledImages,
    sweep: Sweep,
    baseline: str | None = None,
    example: Path | None = None,
) -> None:
    """Write `accuracy.png`, `predictions.png`, `examples.png`, `responses-<network>.png` and `report.html` of a sweep.

    Args:
        folder: the run directory.
        classifiers: the networks.
        images: the labelled images.
        sweep: the results.
        baseline: the network that others are compared with; by default the first.
        example: image of the example sheet; by default the set's first.
    """
    rows = [{**row, "partial": sweep.partial} for row in sweep.rows]
    others = [name for name in FIGURES if name != "top1"]
    sections = [
        results_section(folder, rows, baseline),
        Section("Top-1 accuracy by level", tables=[ladder_table(rows, "top1", intervals=True)]),
        Section("Other metrics by level", tables=[ladder_table(rows, name) for name in others], folded=True),
        example_section(folder, classifiers, images, sweep, example),
        *([Section("Images left out", listing=sweep.failed)] if sweep.failed else []),
        Section("Networks", tables=[networks_table(rows)], listing={one.name: one.identity for one in classifiers}),
        Section("Environment", listing=environment()),
    ]
    title = f"Robustness sweep on {images.title}"
    write_text(folder / "report.html", page(title, [origin(rows)], sections, headline=headline(rows)))


def headline(rows: Sequence[Row]) -> Headline | None:
    """Return what distortions cost the network that they cost least."""
    clean = {row["network"]: row for row in rows if row["distortion"] == NONE}
    losses = {
        one: clean[one]["top1"] - np.mean([r["top1"] for r in rows if r["network"] == one and r["distortion"] != NONE])
        for one in networks_of(rows)
        if one in clean and any(row["network"] == one and row["distortion"] != NONE for row in rows)
    }
    if not losses:
        return None
    best = min(losses, key=lambda one: losses[one])
    first = clean[best]
    top1 = f"{first['top1']:.3f}{spanned([first['top1_low'], first['top1_high']], '.3f')}"
    meaning = (
        f"top-1 accuracy lost by {best}, mean over all distortions and levels; on {first['n']} undistorted images it "
        f"reaches {top1}."
    )
    others = ", ".join(f"{one} {value:.3f}" for one, value in losses.items() if one != best)
    return Headline(f"{losses[best]:.3f}", meaning, f"Less than the others lose: {others}." if others else "")


def results_section(folder: Path, rows: list[Row], baseline: str | None) -> Section:
    """Return the summary, whether the findings of Dodge and Karam hold, and the plot."""
    drawn = ladder_figure(rows, f"Accuracy under distortion: {rows[0]['dataset']}")
    write_bytes(folder / "accuracy.png", png(drawn))
    plot = Figure(
        drawn,
        "Top-1 (solid, with 95 % interval) and top-5 accuracy (dashed) along each ladder, the mildest level on the "
        "left; dotted: top-1 of undistorted images (after Dodge and Karam, 2016, Figure 2).",
        "Lines of accuracy against distortion strength, one panel for each distortion, one colour for each network.",
    )
    tables = [summary_table(rows, baseline_of(networks_of(rows), baseline)), *findings_tables(rows)]
    return Section("Results", tables=tables, figures=[plot])


def findings_tables(rows: Sequence[Row]) -> list[Table]:
    """Return the findings of Dodge and Karam as a table, for a sweep over their ladders."""
    found = findings(rows)
    return [findings_table(found)] if found else []


def example_section(
    folder: Path, classifiers: Sequence[Classifier], images: LabelledImages, sweep: Sweep, example: Path | None
) -> Section:
    """Draw one image through the ladders and through the networks."""
    if example is None:
        index = next(i for i, name in enumerate(images.names) if name not in sweep.failed)
        pixels, name, label = images.pixels(index), images.names[index], int(images.labels[index])
    else:
        pixels, name, label = read_image(example), example.name, None
    first = sweep.rows[0]
    predicted = predictions_sheet(classifiers, pixels, name, shown_classes(images.class_names), first["seed"])
    told = f"{name}: what each network takes it for at four qualities (after Dodge and Karam, 2016, Figure 1)."
    drawn = {"predictions": (png_of(predicted), told)}
    if families := ladders_of(sweep.rows):
        sheet = example_sheet(classifiers, pixels, name, families, first["distorted"], first["seed"], label)
        caption = f"{name} along the ladders, with the networks' confidence (after Dodge and Karam, 2016, Figure 3)."
        drawn["examples"] = png_of(sheet), caption
    for one in classifiers:
        if responses := responses_sheet(one, pixels, name, first["seed"]):
            caption = (
                f"Responses of the first and the last convolution of {one.name} to the undistorted, blurred and noisy "
                "image; each row has one colour scale (after Dodge and Karam, 2016, Figure 4)."
            )
            drawn[f"responses-{one.name}"] = responses, caption
    for file, (image, _) in drawn.items():
        write_bytes(folder / f"{file}.png", image)
    figures = [Figure(image, caption, caption) for image, caption in drawn.values()]
    return Section("Example", figures=figures, shows_database=example is None)


def block_of(results: Path) -> str:
    """Return the name of the Markdown block of some result rows."""
    return f"gada sweep {results.as_posix()}"


def show(results: Path, baseline: str | None, into: Path | None, figure: Path | None, as_json: bool) -> None:
    """Print result rows, or put them into a Markdown block, or plot them."""
    rows = read_results([results], "sweep")
    tables = tables_of(rows, baseline)
    if figure:
        write_bytes(figure, png(ladder_figure(rows, f"Accuracy under distortion: {rows[0]['dataset']}")))
    if into:
        replace_block(into, block_of(results), "\n".join(render(table, "markdown") for table in tables))
    elif as_json:
        sys.stdout.write(json.dumps({"findings": findings(rows), "results": rows}, allow_nan=False) + "\n")
    elif not figure:
        sys.stdout.write("\n".join(render(table, "text") for table in tables[: -len(FIGURES) + 1]) + "\n")


def tables_of(rows: Sequence[Row], baseline: str | None) -> list[Table]:
    """Return summary, findings, networks, and each metric by distortion and level."""
    summary = summary_table(rows, baseline_of(networks_of(rows), baseline))
    return [summary, *findings_tables(rows), networks_table(rows), *(ladder_table(rows, name) for name in FIGURES)]


def baseline_of(names: Sequence[str], baseline: str | None) -> str:
    """Return the network that others are compared with: the first of their names, if none is chosen.

    Raises:
        ConfigError: if it is not among them.
    """
    if baseline is not None and baseline not in names:
        raise ConfigError(f"--baseline is {baseline} but the networks are {', '.join(names)}.")
    return baseline or names[0]

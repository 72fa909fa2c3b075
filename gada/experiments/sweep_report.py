"""What a sweep leaves to look at: tables, Figure 2's plot, an example sheet, filter responses, one page."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from gada.data.labelled import LabelledImages
from gada.errors import ConfigError
from gada.experiments.examples import example_sheet, responses_sheet
from gada.experiments.sweep import Sweep
from gada.io.files import write_bytes, write_text
from gada.io.images import read_image
from gada.io.records import RESULTS, Row, environment, read_results, read_rows
from gada.reports.contact_sheet import png_of
from gada.reports.ladders import (
    FIGURES,
    findings,
    ladder_figure,
    ladder_table,
    ladders_of,
    networks_of,
    origin,
    summary_table,
)
from gada.reports.layout import Table, render
from gada.reports.markdown import replace_block
from gada.reports.page import Figure, Section, page
from gada.scoring.classifiers import Classifier


def write_report(
    folder: Path,
    classifiers: Sequence[Classifier],
    images: LabelledImages,
    sweep: Sweep,
    baseline: str | None = None,
    photograph: Path | None = None,
) -> None:
    """Write `accuracy.png`, `examples.png`, `responses-<network>.png` and `report.html` of a sweep's folder."""
    rows = read_rows(folder / RESULTS)
    title = f"Accuracy under distortion: {images.title}"
    write_bytes(folder / "accuracy.png", ladder_figure(rows, title))
    examples = example_section(folder, classifiers, images, sweep, rows, photograph)
    identity = {one.name: one.identity for one in classifiers}
    sections = [
        results_section(folder, rows, baseline),
        Section("By distortion and level", tables=[ladder_table(rows, name, intervals=True) for name in FIGURES]),
        examples,
        *([Section("Images left out", listing=sweep.failed)] if sweep.failed else []),
        Section("Networks", listing=identity),
        Section("Environment", listing=environment()),
    ]
    write_text(folder / "report.html", page(f"Robustness sweep on {images.title}", [origin(rows)], sections))


def results_section(folder: Path, rows: list[Row], baseline: str | None) -> Section:
    """Return the summary, what Dodge and Karam found, and the plot."""
    plot = Figure(
        (folder / "accuracy.png").read_bytes(),
        "Top-1 (solid, with 95 % interval) and top-5 accuracy (dashed) along each ladder, the mildest level on the "
        "left; dotted: top-1 of undistorted images (after Dodge and Karam, 2016, Figure 2).",
        "Lines of accuracy against distortion strength, one panel for each distortion, one colour for each network.",
    )
    said = findings(rows)
    text = ["What Dodge and Karam (2016, section IV) found:", *said] if said else []
    return Section("Results", text, [summary_table(rows, baseline_of(rows, baseline))], [plot])


def example_section(
    folder: Path,
    classifiers: Sequence[Classifier],
    images: LabelledImages,
    sweep: Sweep,
    rows: Sequence[Row],
    photograph: Path | None,
) -> Section:
    """Draw one photograph through the ladders and through the networks."""
    index = next(i for i, name in enumerate(images.names) if name not in sweep.failed)
    pixels = images.pixels(index) if photograph is None else read_image(photograph)
    name = images.names[index] if photograph is None else photograph.name
    label, first = int(images.labels[index]) if photograph is None else None, rows[0]
    sheet = example_sheet(classifiers, pixels, name, ladders_of(rows), first["distorted"], first["seed"], label)
    drawn = {"examples": png_of(sheet)}
    drawn |= {f"responses-{one.name}": made for one in classifiers if (made := responses_sheet(one, pixels, name))}
    pictures = []
    for file_name, made in drawn.items():
        write_bytes(folder / f"{file_name}.png", made)
        network = file_name.partition("-")[2]
        caption = (
            f"Responses of the first and the last convolution of {network} to the undistorted, blurred and noisy "
            "picture; each row has one colour scale (after Dodge and Karam, 2016, Figure 4)."
            if network
            else f"{name} along the ladders, with the networks' confidence (after Dodge and Karam, 2016, Figure 3)."
        )
        pictures.append(Figure(made, caption, caption))
    return Section("Example", figures=pictures, shows_database=photograph is None)


def block_of(results: Path) -> str:
    """Return the name of the Markdown block of some result rows."""
    return f"gada sweep {results.as_posix()}"


def print_again(results: Path, baseline: str | None, into: Path | None, figure: Path | None, as_json: bool) -> None:
    """Print kept result rows, put them into a Markdown block, or draw them."""
    rows = read_results([results], "sweep")
    if figure:
        write_bytes(figure, ladder_figure(rows, f"Accuracy under distortion: {rows[0]['dataset']}"))
    if into:
        replace_block(into, block_of(results), as_markdown(rows, baseline))
    elif not figure:
        show(rows, baseline, as_json)


def show(rows: Sequence[Row], baseline: str | None, as_json: bool) -> None:
    """Print summary, top-1 and findings, or everything as one JSON object."""
    if as_json:
        text = json.dumps({"findings": findings(rows), "results": list(rows)}, allow_nan=False)
    else:
        text = "\n".join([*(render(table, "text") for table in tables_of(rows, baseline)[:2]), *findings(rows)])
    sys.stdout.write(text + "\n")


def as_markdown(rows: Sequence[Row], baseline: str | None) -> str:
    """Return tables and findings as Markdown."""
    return "\n".join(
        [*(render(table, "markdown") for table in tables_of(rows, baseline)), *(f"- {one}" for one in findings(rows))]
    )


def tables_of(rows: Sequence[Row], baseline: str | None) -> list[Table]:
    """Return the summary, and each figure by distortion and level."""
    return [summary_table(rows, baseline_of(rows, baseline)), *(ladder_table(rows, name) for name in FIGURES)]


def baseline_of(rows: Sequence[Row], baseline: str | None) -> str:
    """Return the network that others are compared with.

    Raises:
        ConfigError: if it is not among them.
    """
    names = networks_of(rows)
    if baseline is not None and baseline not in names:
        raise ConfigError(f"--baseline is {baseline} but the networks are {', '.join(names)}.")
    return baseline or names[0]

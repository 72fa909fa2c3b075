"""How a distortion travels through a network, layer by layer (Cheraaqee, 2022, section 3.2)."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.data.distorted import CLEAN, DistortedImages, Step, Where, steps_of
from gada.data.labelled import LabelledImages
from gada.distortions import FAMILIES
from gada.errors import ConfigError
from gada.experiments.robustness.sweep import Progress
from gada.io.files import write_bytes, write_text
from gada.io.records import RESULTS, Row, commit, environment, machine, read_results, write_rows
from gada.metrics.statistics import mean_interval
from gada.reports.canvas import png
from gada.reports.layers import answer_table, layers_figure, layers_table
from gada.reports.layout import render
from gada.reports.markdown import replace_block
from gada.reports.page import Figure, Section, page
from gada.scoring.classifiers import Classifier
from gada.scoring.responses import CONVOLUTION, Layer, layer_changes

AT_ONCE = 4 * 224 * 224
"""Pixels that go through the network together, the undistorted image among them."""
Changes = NDArray[np.float32]


def convolutions(layers: Sequence[Layer]) -> list[int]:
    """Return the places of the convolutions."""
    return [place for place, layer in enumerate(layers) if layer.kind == CONVOLUTION]


def measure(
    classifier: Classifier,
    distorted: DistortedImages,
    steps: Sequence[Step],
    sources: Sequence[int] | NDArray[np.int64],
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[list[Layer], Changes]:
    """Return the layers, and how far each one's output changes for each image and step, (N, T, L).

    An image goes through the network beside its distorted versions, several at once; only the changes are kept.

    Args:
        classifier: the network.
        distorted: the images, made at all steps.
        steps: T of them.
        sources: which images, (N,).
        advance: gets the number of distorted images done.
    """
    clean = distorted.array(CLEAN)
    layers = list(layer_changes(classifier, np.array(clean[:1])))
    arrays = [distorted.array(step) for step in steps]
    together = max(1, AT_ONCE // distorted.view.size**2 - 1)
    changes = np.empty((len(sources), len(steps), len(layers)), np.float32)
    for place, index in enumerate(sources):
        for start in range(0, len(steps), together):
            some = arrays[start : start + together]
            found = layer_changes(classifier, np.stack([clean[index], *(array[index] for array in some)]))
            changes[place, start : start + len(some)] = np.stack(list(found.values()), axis=1)[1:]
            advance(len(some))
    return layers, changes


def early_and_late(layers: Sequence[Layer], changes: Changes) -> tuple[Changes, Changes]:
    """Return the mean change of the first and of the last third of the convolutions, (N, T) both."""
    places = convolutions(layers)
    third = max(1, len(places) // 3)
    return changes[..., places[:third]].mean(axis=-1), changes[..., places[-third:]].mean(axis=-1)


def run_layers(
    classifier: Classifier,
    images: LabelledImages,
    distortions: Sequence[str],
    folder: Path,
    where: Where = "crop",
    seed: int = 0,
    jobs: int | None = None,
) -> list[Row]:
    """Measure every layer at every step; write `results.jsonl`, `layers.png` and `report.html` to the folder.

    Args:
        classifier: the network.
        images: the images; their labels are not used.
        distortions: families or sets of families (see `steps_of`).
        folder: the run directory.
        where: distort what the network sees, or the whole image before it is resized.
        seed: of the noise.
        jobs: processes that distort; by default one for each core.

    Raises:
        ConfigError: if names do not fit, or the network shows no layers.
        DataError: if images cannot be used or an output is not finite.
    """
    steps = [step for step in steps_of(distortions) if step != CLEAN]
    distorted = DistortedImages(images, classifier.input.view, where, seed)
    if len(convolutions(list(layer_changes(classifier, np.array(distorted.array(CLEAN)[:1]))))) < 2:
        raise ConfigError(
            f"{classifier.name} shows fewer than two convolutions; give a network that torch runs, as a function "
            "(package.module:function) or one of gada's, and not an exported file."
        )
    list(distorted.made(steps, jobs))
    with Progress(len(steps) * len(distorted.images)) as advance:
        layers, changes = measure(classifier, distorted, steps, range(len(distorted.images)), advance)
    origin = {"dataset": images.title, "n": len(changes), "distorted": where, "seed": seed}
    origin |= {"machine": machine(), "commit": commit()}
    rows = [{"network": classifier.name, **row, **origin} for row in rows_of(layers, changes, steps)]
    write_rows(folder / RESULTS, rows)
    write_page(folder, rows, {classifier.name: classifier.identity, "left out": distorted.failed or "none"})
    return rows


def rows_of(layers: Sequence[Layer], changes: Changes, steps: Sequence[Step]) -> list[Row]:
    """Return a row for each distortion: the mean change of each layer at each level, early and late layers."""
    early, late = early_and_late(layers, changes)
    rows = []
    for family in dict.fromkeys(step.family for step in steps):
        chosen = [at for at, step in enumerate(steps) if step.family == family]
        ends = [part[:, chosen].mean(axis=1).astype(np.float64) for part in (early, late)]
        low, high = mean_interval(ends[1] - ends[0], seed=0)
        row: Row = {
            "distortion": family,
            "title": FAMILIES[family].title,
            "parameter": FAMILIES[family].parameter,
            "strengths": [FAMILIES[family].strengths[steps[at].level - 1] for at in chosen],
            "layers": [list(layer) for layer in layers],
            "changes": np.round(changes[:, chosen].mean(axis=0, dtype=np.float64).T, 5).tolist(),
        }
        row |= {"early": float(ends[0].mean()), "late": float(ends[1].mean())}
        rows.append({**row, "difference_low": low, "difference_high": high})
    return rows


def write_page(folder: Path, rows: list[Row], listing: Row) -> None:
    """Write the figure and the page."""
    caption = (
        "Relative change of each layer's output, from the image to the class, one line for each level, the strongest "
        "darkest; dotted: pooling and dropout (Cheraaqee, 2022, section 3.2)."
    )
    alt = "Lines of relative change against depth, one panel for each distortion."
    drawn = Figure(layers_figure(rows), caption, alt)
    write_bytes(folder / "layers.png", drawn.file)
    first = rows[0]
    sections = [
        Section("Early layers against late", tables=[answer_table(rows)], figures=[drawn]),
        Section("Every layer", tables=[layers_table(rows)], folded=True),
        Section("Network", listing=listing),
        Section("Environment", listing=environment()),
    ]
    summary = [f"{first['n']} images of {first['dataset']}, each beside its distorted versions; nothing was trained."]
    write_text(folder / "report.html", page(f"How distortions travel through {first['network']}", summary, sections))


def show(results: Path, into: Path | None, figure: Path | None) -> str:
    """Put result rows into a Markdown block or a figure; return the tables as text where neither is asked for."""
    rows = read_results([results], "layers")
    if figure:
        write_bytes(figure, png(layers_figure(rows)))
    if into:
        text = "\n".join(render(table, "markdown") for table in (answer_table(rows), layers_table(rows)))
        replace_block(into, f"gada layers {results.as_posix()}", text)
    return "" if into or figure else render(answer_table(rows), "text")

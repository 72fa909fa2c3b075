"""Figures show something, whatever the data, as PNG and in a page; contact sheets hold their tiles unchanged."""

import io
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from gada.io.records import read_rows
from gada.reports.canvas import COLOURS, INKS, marker_style, png, svg
from gada.reports.contact_sheet import contact_sheet
from gada.reports.figures import STAGE_COLOURS, bars_by_distortion, learning_curves, scatter, spread_over_splits
from gada.reports.iqa_ls import tested as of_test_sets
from gada.reports.iqa_ls_figures import figure_3
from gada.reports.layers import layers_figure
from gada.reports.predictors import levels_figure

ROOT = Path(__file__).parents[3]

LIVE = ["jp2k", "jpeg", "wn", "gblur", "fastfading"]
TID = [f"tid2013/{number:02d}" for number in range(1, 25)]


def pixels(figure: Figure) -> NDArray[np.uint8]:
    image = Image.open(io.BytesIO(png(figure)))
    image.load()
    assert image.format == "PNG"
    return np.asarray(image.convert("RGB"))


def has_colour(picture: NDArray[np.uint8], colour: str) -> bool:
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return bool((np.abs(picture.astype(int) - wanted).max(axis=-1) <= 2).any())


@pytest.mark.parametrize("classes", [LIVE, TID, [""], ["_hidden", "$x$ & <b>"]])
def test_scatter_shows_every_class(classes: list[str], scores: Callable[..., Any]) -> None:
    predicted, truth, names = scores(classes)
    picture = pixels(scatter(predicted, truth, names, "a set at $5", "DMOS (0 best)", proxy=True))
    assert min(picture.shape[:2]) > 500
    assert all(has_colour(picture, marker_style(n)["markerfacecolor"]) for n in range(len(classes)))


def test_scatter_of_a_collapsed_or_tiny_run_is_still_drawn(scores: Callable[..., Any]) -> None:
    _, truth, names = scores(LIVE)
    pixels(scatter(np.full(truth.size, 0.5), truth, names, "collapsed", "DMOS (0 best)", proxy=False))
    pixels(scatter([1.0], [2.0], ["wn"], "one image", "MOS (9 best)", proxy=False))
    with pytest.raises(ValueError, match="must be finite"):
        scatter([np.nan, 1.0], [1.0, 2.0], ["", ""], "diverged", "MOS", proxy=False)


def test_the_same_figure_has_the_same_bytes(scores: Callable[..., Any]) -> None:
    arguments = (*scores(LIVE), "title", "DMOS (0 best)", True)
    assert png(scatter(*arguments)) == png(scatter(*arguments))
    assert svg(scatter(*arguments)) == svg(scatter(*arguments))


def test_in_a_page_a_figure_has_the_colours_of_the_page_and_its_texts(scores: Callable[..., Any]) -> None:
    predicted, truth, names = scores(LIVE)
    drawn = svg(scatter(predicted, truth, names, "a <title>", "DMOS (0 best)", proxy=True))
    assert drawn.startswith('<svg viewBox="')
    assert drawn.endswith("</svg>\n")
    assert "a &lt;title&gt;" in drawn
    assert "var(--ink)" in drawn
    assert "http" not in drawn
    assert not re.search("#000000|#ffffff|#555555", drawn)
    assert marker_style(0)["markerfacecolor"].lower() in drawn


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, from 1 to 21 (WCAG 2, relative luminance)."""
    light = []
    for colour in (one, other):
        parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        light.append(float(linear @ (0.2126, 0.7152, 0.0722)) + 0.05)
    return max(light) / min(light)


def test_every_line_can_be_seen_on_a_dark_page() -> None:
    (dark,) = re.findall(r"--paper: (#\w{6});", (files("gada.reports") / "templates/page.css").read_text())
    layers = layers_figure(read_rows(ROOT / "docs/results/layers-imagenet.jsonl"))
    levels = levels_figure(read_rows(ROOT / "docs/results/metrify-cifar10.jsonl"))
    accuracy = figure_3(of_test_sets(read_rows(ROOT / "docs/results/iqa-ls.jsonl")))
    lines = {colour for drawn in (layers, levels, accuracy) for colour in re.findall(r"stroke: (#\w{6})", svg(drawn))}
    assert len(lines) > 10
    for colour in lines | set(STAGE_COLOURS.values()) | set(COLOURS) - set(INKS):
        assert contrast(colour, dark) >= 3, colour


def test_24_classes_can_be_told_apart() -> None:
    looks = [(style["marker"], style["markerfacecolor"]) for style in map(marker_style, range(24))]
    assert len(set(looks)) == 24
    assert len({marker for marker, _ in looks[:8]}) == len({colour for _, colour in looks[:8]}) == 8


def test_learning_curves_take_numbers_texts_and_gaps() -> None:
    rows: list[dict[str, Any]] = [
        {"step": "100", "loss_generator": "-0.5", "loss_evaluator": "0.2", "val_srocc": "0.1", "val_lcc": ""},
        {"step": 200, "loss_generator": 0.5, "loss_evaluator": 0.1, "val_srocc": 0.5, "val_lcc": 0.6},
    ]
    one = pixels(learning_curves({"phase1": rows}))
    two = pixels(learning_curves({"phase1": rows, "phase2": []}))
    assert two.shape[0] > 1.4 * one.shape[0]


def test_bars_and_spread(result_rows: Callable[[Sequence[str], int], list[dict[str, Any]]]) -> None:
    rows = result_rows(LIVE, 2)
    rows[0] |= {"srocc": None, "srocc_undefined": "why"}
    plain = pixels(bars_by_distortion(rows))
    published = pixels(bars_by_distortion(rows, database="LIVE"))
    star = "#D55E00"  # GADA's own published figures
    assert has_colour(published, star)
    assert not has_colour(plain, star)
    pixels(bars_by_distortion(result_rows(TID, 1), database="TID2013"))
    for splits in (1, 7):
        pixels(spread_over_splits(result_rows(["wn"], splits)))


def test_figures_touch_no_global_state_of_matplotlib() -> None:
    code = "import sys, gada.reports.figures; sys.exit('matplotlib.pyplot' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def tile(value: int, size: int = 64) -> NDArray[np.uint8]:
    return np.full((size, size, 3), value, dtype=np.uint8)


def test_tiles_stand_on_the_sheet_pixel_by_pixel() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    sheet = contact_sheet([[noise, tile(100, 128)]], ["row"], ["reference", "generated"], "title", [["", "wn 0.5"]])
    found = [
        (y, x)
        for y in range(sheet.shape[0] - 127)
        for x in range(sheet.shape[1] - 127)
        if (sheet[y, x] == noise[0, 0]).all() and (sheet[y : y + 128, x : x + 128] == noise).all()
    ]
    assert len(found) == 1


def test_small_tiles_are_enlarged_by_a_whole_factor_and_gaps_stay_white() -> None:
    sheet = contact_sheet([[tile(100), None]], ["a"], ["x", "y"], "title")
    assert (sheet == 100).all(axis=-1).sum() >= 128 * 128
    assert (sheet[-20:, -20:] == 255).all()
    assert sheet.dtype == np.uint8


def test_captions_and_long_words_fit_on_the_sheet() -> None:
    plain = contact_sheet([[tile(9)]], [""], ["x"], "t")
    text = contact_sheet([[tile(9)]], [""], ["x"], "t", [["asked gaussian_blur_of_a_very_long_name quality 0.25"]])
    assert text.shape[0] > plain.shape[0]
    assert (text[:, -8:] == 255).all()


def test_a_grid_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one tile"):
        contact_sheet([[None]], ["a"], ["x"], "t")
    with pytest.raises(ValueError, match="2 row labels and 1 column labels do not fit 1 rows"):
        contact_sheet([[tile(1)]], ["a", "b"], ["x"], "t")
    with pytest.raises(ValueError, match=r"must be \(H, W, 3\) uint8"):
        contact_sheet([[tile(1)[..., 0]]], ["a"], ["x"], "t")
    with pytest.raises(ValueError, match="one text for each tile"):
        contact_sheet([[tile(1)]], ["a"], ["x"], "t", [[]])

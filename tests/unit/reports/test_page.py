"""The page is well-formed, complete, escaped, and loads nothing from anywhere."""

import re
import shutil
import socket
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import browser

from gada.reports.contact_sheet import png_of
from gada.reports.figures import bars_by_distortion, learning_curves, scatter
from gada.reports.layout import Table
from gada.reports.page import Figure, Headline, Section, page

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
HOSTILE = "<script>alert('x')</script> & \"quoted\""
VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Collects elements and text, and checks that every element is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def table(caption: str = "Figures") -> Table:
    groups = ("LCC", "LCC")
    return Table(caption, ("stage",), ("WN", "ALL"), (("Baseline", 0.5, None),), groups, frozenset({0}), (HOSTILE,))


def full_page(database: bool = True) -> str:
    sections = [
        Section("Results", ["Text."], [table(HOSTILE), table()]),
        Section(HOSTILE, figures=[Figure(PNG, HOSTILE, HOSTILE)]),
        Section("Worst images", figures=[Figure(PNG, "the worst", "a grid of photographs")], shows_database=True),
        Section("Images", tiles={HOSTILE: [Figure(JPEG, HOSTILE, HOSTILE)]}),
        Section("Configuration", listing={"data": {"root": HOSTILE, "classes": ("a", "b")}, "steps": 5}),
    ]
    return page(f"Report {HOSTILE}", [HOSTILE], sections, database, Headline("SROCC 0.9", HOSTILE, HOSTILE))


def test_everything_given_is_on_the_page_and_escaped() -> None:
    html = full_page()
    read = Reader(html)
    assert "<script" not in html
    assert read.all("script") == []
    in_text = ["head", "title", "summary", "table", "note", "note", "section", "contents", "figure", "value"]
    in_text += ["headline", "comparison", "row of tiles", "tile"]
    assert read.text.count(HOSTILE) == len(in_text)
    for text in ("Table 1.", "Table 2.", "Figure 1.", "Figure 2.", "0.500", "data.classes", "a, b", "steps"):
        assert text in read.text


def test_the_page_loads_nothing() -> None:
    html = full_page()
    read = Reader(html)
    assert not re.search(
        r"https?:|//[a-z]|url\(|@import|<link|<iframe", re.sub("data:image/(png|jpeg);base64,", "", html)
    )
    assert all((image["src"] or "").startswith("data:image/") for image in read.all("img"))
    policies = [meta["content"] for meta in read.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_contents_lead_to_every_section() -> None:
    read = Reader(full_page())
    targets = [(link["href"] or "").removeprefix("#") for link in read.all("a")]
    identities = [section["id"] for section in read.all("section") if section.get("id")]
    assert targets == identities == ["s1", "s2", "s3", "s4", "s5"]


def test_every_picture_has_words_and_every_table_its_own_scroll() -> None:
    read = Reader(full_page())
    assert len(read.all("img")) == 3
    assert all(image["alt"] for image in read.all("img"))
    scrolls = [box for box in read.all("div") if box.get("class") == "scroll"]
    assert len(scrolls) == len(read.all("table")) + 2
    with pytest.raises(ValueError, match="caption and an alternative text"):
        Figure(PNG, "caption", " ")
    with pytest.raises(ValueError, match="neither a plot nor a PNG or JPEG"):
        Figure(b"GIF89a", "caption", "alt")


def test_without_pictures_sections_that_show_a_database_are_left_out_and_named() -> None:
    read = Reader(full_page(database=False))
    assert "the worst" not in read.text
    assert "because it shows images of the database: Worst images." in read.text
    assert len(read.all("img")) == 2
    assert "Left out" not in Reader(full_page()).text


def test_wide_tables_become_blocks() -> None:
    wide = Table("wide", ("s",), tuple(f"c{n}" for n in range(25)), (("row", *[0.1] * 25),))
    read = Reader(page("t", [], [Section("s", tables=[wide])]))
    assert len(read.all("table")) == 2
    assert read.text.count("0.100") == 25


def test_configuration_is_folded_away() -> None:
    read = Reader(full_page())
    assert len(read.all("details")) == len(read.all("summary")) == 1
    assert not any("open" in one for one in read.all("details"))


@pytest.mark.enable_socket
@pytest.mark.skipif(not (shutil.which("chromium") and shutil.which("chromedriver")), reason="needs Chromium")
def test_nothing_hangs_over_the_side_of_a_phone(
    tmp_path: Path, scores: Callable[..., Any], result_rows: Callable[..., Any]
) -> None:
    classes = [f"tid2013/{number:02d}" for number in range(1, 25)]
    wide = Table("wide", ("s",), tuple(f"column {n}" for n in range(25)), (("row", *[0.1] * 25),))
    curves = [{"step": step, "loss_evaluator_quality": 1 / step, "val_srocc": 0.1 * step} for step in (1, 2, 3)]
    predicted, truth, names = scores(classes)
    plots = [
        scatter(predicted, truth, names, "24 classes", "DMOS (0 best)", proxy=True),
        bars_by_distortion(result_rows(classes, 2), database="TID2013"),
        learning_curves({"phase1": curves}),
    ]
    pixels = np.zeros((400, 900, 3), np.uint8)
    sections = [
        Section("Tables", ["A" * 200], tables=[wide]),
        Section("Figures", figures=[Figure(plot, "a plot", "a plot") for plot in plots]),
        Section("Sheet", figures=[Figure(png_of(pixels), "a wide sheet", "a sheet")]),
        Section("Tiles", tiles={"best": [Figure(png_of(pixels), "name_" * 30, "an image")] * 4}),
        Section("Configuration", listing={"data": {"root": "/a" * 100}}),
    ]
    file = tmp_path / "page.html"
    told = Headline("SROCC 0.912", "on some images", "Better than the baseline.")
    file.write_text(page("Wide", ["Data"], sections, headline=told).replace("<details>", "<details open>"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with browser(port, (390, 844)) as window:
        window.open(file.as_uri())
        assert window.overflowing() == []
        assert window.run("return document.documentElement.scrollWidth") == 390
        drawn = window.run("return [...document.querySelectorAll('svg')].map((one) => one.clientWidth)")
        assert len(drawn) == 3
        assert max(drawn) <= 390, "plots scale to the page and are not scrolled"

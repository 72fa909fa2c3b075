"""The page is well-formed, complete, escaped, and loads nothing from anywhere."""

import re
from html.parser import HTMLParser

import pytest

from gada.reports.layout import Table
from gada.reports.page import Figure, Section, page

PNG = b"\x89PNG\r\n\x1a\n"
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
        Section("Configuration", listing={"data": {"root": HOSTILE, "classes": ("a", "b")}, "steps": 5}),
    ]
    return page(f"Report {HOSTILE}", [HOSTILE], sections, database)


def test_everything_given_is_on_the_page_and_escaped() -> None:
    html = full_page()
    read = Reader(html)
    assert "<script" not in html
    assert read.all("script") == []
    in_text = ["head", "title", "summary", "table", "note", "note", "section", "contents", "figure", "value"]
    assert read.text.count(HOSTILE) == len(in_text)
    for text in ("Table 1.", "Table 2.", "Figure 1.", "Figure 2.", "0.500", "data.classes", "a, b", "steps"):
        assert text in read.text


def test_the_page_loads_nothing() -> None:
    html = full_page()
    read = Reader(html)
    assert not re.search(r"https?:|//[a-z]|url\(|@import|<link|<iframe", html.replace("data:image/png;base64,", ""))
    assert all((image["src"] or "").startswith("data:image/png;base64,") for image in read.all("img"))
    policies = [meta["content"] for meta in read.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_contents_lead_to_every_section() -> None:
    read = Reader(full_page())
    targets = [(link["href"] or "").removeprefix("#") for link in read.all("a")]
    identities = [section["id"] for section in read.all("section") if section.get("id")]
    assert targets == identities == ["s1", "s2", "s3", "s4"]


def test_every_picture_has_words_and_every_table_its_own_scroll() -> None:
    read = Reader(full_page())
    assert len(read.all("img")) == 2
    assert all(image["alt"] for image in read.all("img"))
    scrolls = [box for box in read.all("div") if box.get("class") == "scroll"]
    assert len(scrolls) == len(read.all("table")) + len(read.all("img"))
    with pytest.raises(ValueError, match="caption and an alternative text"):
        Figure(PNG, "caption", " ")
    with pytest.raises(ValueError, match="is not a PNG file"):
        Figure(b"GIF89a", "caption", "alt")


def test_without_pictures_sections_that_show_a_database_are_left_out_and_named() -> None:
    read = Reader(full_page(database=False))
    assert "the worst" not in read.text
    assert "because it shows images of the database: Worst images." in read.text
    assert len(read.all("img")) == 1
    assert "Left out" not in Reader(full_page()).text


def test_wide_tables_become_blocks() -> None:
    wide = Table("wide", ("s",), tuple(f"c{n}" for n in range(25)), (("row", *[0.1] * 25),))
    read = Reader(page("t", [], [Section("s", tables=[wide])]))
    assert len(read.all("table")) == 2
    assert read.text.count("0.100") == 25

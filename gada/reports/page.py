"""One self-contained HTML page: tables, figures, images, configuration. It loads nothing and runs no script."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import count
from typing import Any

from gada.reports.layout import Table


@dataclass(frozen=True)
class Picture:
    """A PNG with what a reader and what a screen reader is told."""

    png: bytes
    """The file's bytes."""
    caption: str
    """Stands below the picture."""
    alt: str
    """Says in words what the picture shows."""

    def __post_init__(self) -> None:
        """Refuse what the page could not show."""
        if not self.png.startswith(b"\x89PNG"):
            raise ValueError(f"the picture {self.caption!r} is no PNG file")
        if not self.alt.strip() or not self.caption.strip():
            raise ValueError("a picture needs a caption and an alternative text")


@dataclass(frozen=True)
class Section:
    """A part of the page with its own heading and its line in the table of contents."""

    title: str
    text: Sequence[str] = ()
    """Paragraphs."""
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()
    """Plots, sample grids, images."""
    listing: Mapping[str, Any] = field(default_factory=dict)
    """Names and values, such as configuration or environment; may be nested."""
    shows_database: bool = False
    """True when its pictures show images of a database, which many licences forbid to publish."""


def page(title: str, summary: Sequence[str], sections: Sequence[Section], pictures: bool = True) -> str:
    """Return the page as HTML.

    Args:
        title: heading of the page.
        summary: its first paragraphs.
        sections: its parts, in order.
        pictures: False leaves out every section with `shows_database` and names it, so that the page may be published.
    """
    kept = [section for section in sections if pictures or not section.shows_database]
    left_out = [section.title for section in sections if section not in kept]
    paragraphs = [*summary]
    if left_out:
        paragraphs.append(f"Left out of this copy, because it shows pictures of the database: {', '.join(left_out)}.")
    tables, figures = count(1), count(1)
    contents = "".join(f'<li><a href="#s{n}">{escape(s.title)}</a></li>' for n, s in enumerate(kept, 1))
    body = "\n".join(_section(number, section, tables, figures) for number, section in enumerate(kept, 1))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
{_paragraphs(paragraphs)}
</header>
<nav aria-label="Contents"><h2>Contents</h2><ol>{contents}</ol></nav>
<main>
{body}
</main>
</body>
</html>
"""


def html_table(table: Table, number: int) -> str:
    """Return a table with its caption and notes; each block of columns scrolls by itself on a narrow screen."""
    blocks = "\n".join(
        f'<div class="scroll" tabindex="0" role="region" aria-label="Table {number}, part {part}">{_block(block)}</div>'
        for part, block in enumerate(table.blocks(), 1)
    )
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in table.notes)
    caption = f'<p class="caption" id="t{number}"><strong>Table {number}.</strong> {escape(table.caption)}</p>'
    return f'<section class="table" aria-labelledby="t{number}">\n{caption}\n{blocks}\n{notes}</section>'


def _section(number: int, section: Section, tables: Iterator[int], figures: Iterator[int]) -> str:
    parts = [f'<section id="s{number}">', f"<h2>{escape(section.title)}</h2>", _paragraphs(section.text)]
    parts += [html_table(table, next(tables)) for table in section.tables]
    parts += [_figure(picture, next(figures)) for picture in section.pictures]
    if section.listing:
        parts.append(_listing(section))
    return "\n".join([*(part for part in parts if part), "</section>"])


def _paragraphs(texts: Sequence[str]) -> str:
    return "\n".join(f"<p>{escape(text)}</p>" for text in texts)


def _block(table: Table) -> str:
    keep = len(table.labels)
    groups = ""
    if any(table.groups):
        spans = "".join(f'<th colspan="{size}" scope="colgroup">{escape(name)}</th>' for name, size in table.spans())
        groups = f"<tr>{'<td></td>' * keep}{spans}</tr>"
    header = "".join(f'<th scope="col" class="label">{escape(name)}</th>' for name in table.labels)
    header += "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    rows = []
    for number, row in enumerate(table.shown_rows()):
        cells = "".join(f'<th scope="row" class="label">{escape(cell)}</th>' for cell in row[:keep])
        cells += "".join(f"<td>{escape(cell)}</td>" for cell in row[keep:])
        start = '<tr class="rule">' if number in table.rules else "<tr>"
        rows.append(f"{start}{cells}</tr>")
    return f"<table><thead>{groups}<tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _figure(picture: Picture, number: int) -> str:
    data = base64.b64encode(picture.png).decode("ascii")
    image = f'<img alt="{escape(picture.alt)}" src="data:image/png;base64,{data}">'
    scroll = f'<div class="scroll" tabindex="0" role="region" aria-label="Figure {number}">{image}</div>'
    caption = f"<figcaption><strong>Figure {number}.</strong> {escape(picture.caption)}</figcaption>"
    return f"<figure>{scroll}{caption}</figure>"


def _listing(section: Section) -> str:
    rows = "".join(
        f'<tr><th scope="row" class="label">{escape(name)}</th><td class="value">{escape(value)}</td></tr>'
        for name, value in _flat(section.listing)
    )
    scroll = f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(section.title)}">'
    return f'{scroll}<table class="listing">{rows}</table></div>'


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted names and values of nested mappings."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{name}", ", ".join(map(str, value))
        else:
            yield f"{prefix}{name}", "not set" if value is None else str(value)


STYLE = """
:root { --ink: #1b1b1b; --soft: #55595e; --paper: #fff; --line: #c9cdd2; --faint: #f3f4f6; --link: #0b5cad; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --soft: #a7adb4; --paper: #16181b; --line: #44494f; --faint: #1f2226; --link: #7db8f5; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 62rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .8rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; border-bottom: 1px solid var(--line); padding-bottom: .2rem; }
nav h2 { font-size: 1rem; border: 0; margin: 1.2rem 0 .2rem; }
nav ol { margin: 0; padding-left: 1.5rem; columns: 16rem; }
a { color: var(--link); }
p { margin: .5rem 0; max-width: 46rem; }
.caption { margin-top: 1.4rem; max-width: none; }
.note, figcaption { color: var(--soft); font-size: .875rem; max-width: none; }
.scroll { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: .2rem .55rem; text-align: right; white-space: nowrap; }
th { font-weight: 600; }
th[colspan] { text-align: center; }
thead tr:last-child > * { border-bottom: 1.5px solid var(--ink); }
tbody tr:last-child > * { border-bottom: 1px solid var(--line); }
tr.rule > * { border-top: 1px solid var(--line); }
.label { text-align: left; }
tbody .label { font-weight: 400; }
.label:first-child { position: sticky; left: 0; background: var(--paper); }
.listing .value { text-align: left; white-space: normal; min-width: 12rem; }
.listing tr:nth-child(odd) > * { background: var(--faint); }
figure { margin: 1.4rem 0; }
img { display: block; max-width: max(100%, 36rem); height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: 4px; }
figcaption { margin-top: .4rem; }
@media print {
  :root { --ink: #000; --soft: #333; --paper: #fff; --line: #999; --faint: #fff; --link: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .scroll { overflow: visible; }
  img { max-width: 100%; max-height: 12cm; }
  table { font-size: 7.5pt; }
  th, td { padding: .1rem .3rem; }
  figure, tr { break-inside: avoid; }
  h2, .caption { break-after: avoid; }
}
"""

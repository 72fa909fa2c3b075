"""One self-contained HTML page: headline, tables, figures, configuration. It loads nothing and runs no script."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from matplotlib.figure import Figure as Plot

from gada.reports.canvas import png, svg
from gada.reports.layout import Table

KINDS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg"}


@dataclass(frozen=True)
class Headline:
    """The one number that the page is about."""

    number: str
    """With its name, as "SROCC 0.912"."""
    meaning: str
    """Of what it is, with its interval."""
    comparison: str = ""
    """Better or worse than what it is compared with, and whether that can be told."""


@dataclass(frozen=True)
class Figure:
    """A plot or a PNG or JPEG image, with what a reader and what a screen reader is told."""

    image: Plot | bytes
    """A plot is drawn in the colours of the page and scales to its width; an image keeps its pixels."""
    caption: str
    """Stands below the figure."""
    alt: str
    """Says in words what the figure shows."""

    def __post_init__(self) -> None:
        """Raise ValueError if the page could not show it."""
        if isinstance(self.image, bytes) and not self.image.startswith(tuple(KINDS)):
            raise ValueError(f"the figure {self.caption!r} is neither a plot nor a PNG or JPEG file")
        if not self.alt.strip() or not self.caption.strip():
            raise ValueError("a figure needs a caption and an alternative text")

    @property
    def file(self) -> bytes:
        """The figure as an image file; a plot as PNG."""
        return png(self.image) if isinstance(self.image, Plot) else self.image

    @property
    def html(self) -> Markup:
        """The figure as an element."""
        if isinstance(self.image, Plot):
            named = svg(self.image).replace("<svg ", Markup('<svg aria-label="{}" ').format(self.alt), 1)
            return Markup(named)  # noqa: S704 # nosec B704 - matplotlib escapes the texts
        kind = next(name for start, name in KINDS.items() if self.image.startswith(start))
        return Markup('<img alt="{}" src="data:image/{};base64,{}">').format(
            self.alt, kind, base64.b64encode(self.image).decode("ascii")
        )


@dataclass(frozen=True)
class Section:
    """A part of the page with its own heading and its line in the table of contents."""

    title: str
    text: Sequence[str] = ()
    """Paragraphs."""
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    """Plots, sample grids, images."""
    tiles: Mapping[str, Sequence[Figure]] = field(default_factory=dict)
    """Rows of small images, each row by its heading."""
    listing: Mapping[str, Any] = field(default_factory=dict)
    """Names and values, such as configuration or environment; may be nested."""
    folded: bool = False
    """True for what few look at, which opens when asked."""
    shows_database: bool = False
    """True when its figures show images of a database, which many licences forbid to publish."""


def page(
    title: str,
    summary: Sequence[str],
    sections: Sequence[Section],
    database: bool = True,
    headline: Headline | None = None,
) -> str:
    """Return the page as HTML; what is given is text and is escaped.

    Args:
        title: heading of the page.
        summary: its first paragraphs.
        sections: its parts, in order.
        database: False leaves out every section with `shows_database` and names it, so that the page may be published.
        headline: the one number, above everything else.
    """
    kept = [section for section in sections if database or not section.shows_database]
    left_out = [section.title for section in sections if section not in kept]
    paragraphs = [*summary]
    if left_out:
        paragraphs.append(f"Left out of this copy, because it shows images of the database: {', '.join(left_out)}.")
    return template().render(title=title, headline=headline, summary=paragraphs, sections=kept)


@cache
def template() -> Template:
    """Return `templates/page.html`."""
    environment = Environment(
        loader=PackageLoader("gada.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"flat": flat}
    return environment.get_template("page.html")


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted names and values of nested mappings."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{name}", ", ".join(map(str, value))
        else:
            yield f"{prefix}{name}", "not set" if value is None else str(value)

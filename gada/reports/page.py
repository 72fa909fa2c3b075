"""One self-contained HTML page: tables, figures, configuration. It loads nothing and runs no script."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from gada.reports.layout import Table


@dataclass(frozen=True)
class Figure:
    """A PNG with what a reader and what a screen reader is told."""

    png: bytes
    """The file's bytes."""
    caption: str
    """Stands below the figure."""
    alt: str
    """Says in words what the figure shows."""

    def __post_init__(self) -> None:
        """Raise ValueError if the page could not show it."""
        if not self.png.startswith(b"\x89PNG"):
            raise ValueError(f"the figure {self.caption!r} is not a PNG file")
        if not self.alt.strip() or not self.caption.strip():
            raise ValueError("a figure needs a caption and an alternative text")


@dataclass(frozen=True)
class Section:
    """A part of the page with its own heading and its line in the table of contents."""

    title: str
    text: Sequence[str] = ()
    """Paragraphs."""
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    """Plots, sample grids, images."""
    listing: Mapping[str, Any] = field(default_factory=dict)
    """Names and values, such as configuration or environment; may be nested."""
    shows_database: bool = False
    """True when its figures show images of a database, which many licences forbid to publish."""


def page(title: str, summary: Sequence[str], sections: Sequence[Section], database: bool = True) -> str:
    """Return the page as HTML; what is given is text and is escaped.

    Args:
        title: heading of the page.
        summary: its first paragraphs.
        sections: its parts, in order.
        database: False leaves out every section with `shows_database` and names it, so that the page may be published.
    """
    kept = [section for section in sections if database or not section.shows_database]
    left_out = [section.title for section in sections if section not in kept]
    paragraphs = [*summary]
    if left_out:
        paragraphs.append(f"Left out of this copy, because it shows images of the database: {', '.join(left_out)}.")
    return template().render(title=title, summary=paragraphs, sections=kept)


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
    environment.filters |= {"base64": lambda data: base64.b64encode(data).decode("ascii"), "flat": flat}
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

"""A progress bar on a terminal's standard error."""

from collections.abc import Iterable
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


def with_progress(items: Iterable[Item], title: str, total: int | None = None) -> Iterable[Item]:
    """Yield items; on a terminal with a bar, which goes when they are done."""
    console = Console(stderr=True)
    return track(items, title, total=total, console=console, transient=True, disable=not console.is_terminal)

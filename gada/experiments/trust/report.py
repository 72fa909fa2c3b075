"""The table of the trust checks, and the files that `gada trust --out` leaves."""

from pathlib import Path
from typing import Any

from gada.experiments.trust.checks import Check, Trust
from gada.experiments.trust.probes import LADDERS, strengths_of
from gada.io.files import write_bytes
from gada.io.records import commit, machine, write_rows
from gada.reports.layout import Cell, Table
from gada.reports.trust import curves_figure

TESTS = {"order": "order", "content": "no content", "size": "camera size", "dlp": "D-, L-, P-test", "speed": "speed"}
ORDER_NOTE = (
    "order: Kendall's tau of level and falling score within a photo, the photo itself included, averaged over photos."
)


def trust_rows(found: Trust, seed: int) -> list[dict[str, Any]]:
    """Return one result row for each check."""
    origin = {"model": found.model, "photos": found.photos, "seed": seed, "machine": machine(), "commit": commit()}
    return [{**vars(check), "passed": check.passed, **origin} for check in found.checks]


def trust_table(checks: list[Check] | tuple[Check, ...], model: str, photos: int) -> Table:
    """Return the checks as a table."""
    words = {True: "yes", False: "no", None: "not measured"}
    rows: list[tuple[Cell, ...]] = [
        (TESTS[one.test], one.case, one.value, one.limit, words[one.passed], str(one.n)) for one in checks
    ]
    rules = frozenset(at for at in range(1, len(checks)) if checks[at].test != checks[at - 1].test)
    notes = (ORDER_NOTE, *(f"{one.case}: {one.note}." for one in checks if one.note))
    caption = f"What a sceptic would show the model, on {photos} photos. Model: {model}."
    return Table(caption, ("check", "case"), ("measured", "to reach", "reached", "n"), tuple(rows), (), rules, notes)


def write_trust(folder: Path, found: Trust, seed: int) -> None:
    """Write `trust.jsonl`, one row a check, and `trust.png`, score against level for each distortion."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / "trust.jsonl", trust_rows(found, seed))
    plot = curves_figure(found.curves, strengths_of(LADDERS), f"{found.model.partition(':')[0]}, {found.photos} photos")
    write_bytes(folder / "trust.png", plot)

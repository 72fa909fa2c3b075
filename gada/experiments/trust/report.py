"""The table of the trust checks, and the files that `gada trust --out` leaves."""

import re
from pathlib import Path
from typing import Any

from gada.experiments.trust.checks import Trust
from gada.io.files import write_bytes
from gada.io.records import commit, machine, write_rows
from gada.reports.canvas import png
from gada.reports.layout import Cell, Table
from gada.reports.trust import curves_figure
from gada.scoring.ladders import LADDERS

TESTS = {"order": "order", "content": "no content", "size": "camera size", "dlp": "D-, L-, P-test", "speed": "speed"}
ORDER_NOTE = (
    "order: Kendall's tau of level and falling score within a photo, the photo itself included, averaged over photos."
)


def trust_rows(found: Trust, seed: int) -> list[dict[str, Any]]:
    """Return one result row for each check."""
    origin = {"model": found.model, "photos": found.photos, "seed": seed, "machine": machine(), "commit": commit()}
    return [{**vars(check), "passed": check.passed, **origin} for check in found.checks]


def short_name(model: str) -> str:
    """Return a model's name without the first digits of its SHA-256."""
    return re.sub(r" [0-9a-f]{12}\b", "", model)


def trust_table(rows: list[dict[str, Any]]) -> Table:
    """Return the checks as a table."""
    words = {True: "yes", False: "no", None: "not measured"}
    cells: list[tuple[Cell, ...]] = [
        (
            TESTS.get(row["test"], row["test"]),
            row["case"],
            row["value"],
            row["limit"],
            words[row["passed"]],
            str(row["n"]),
        )
        for row in rows
    ]
    rules = frozenset(at for at in range(1, len(rows)) if rows[at]["test"] != rows[at - 1]["test"])
    notes = (ORDER_NOTE, *(f"{row['case']}: {row['note']}." for row in rows if row["note"]))
    first = rows[0]
    origin = f"Seed {first['seed']}; machine {first['machine']}; commit {first['commit']}."
    model = short_name(first["model"])
    caption = f"What a sceptic would show the model, on {first['photos']} photos. Model: {model}. {origin}"
    return Table(caption, ("check", "case"), ("measured", "to reach", "reached", "n"), tuple(cells), (), rules, notes)


def write_trust(folder: Path, found: Trust, seed: int) -> None:
    """Write `trust.jsonl`, one row a check, and `trust.png`, score against level for each distortion."""
    write_rows(folder / "trust.jsonl", trust_rows(found, seed))
    strengths = {ladder.name: ladder.strengths for ladder in LADDERS}
    plot = curves_figure(found.curves, strengths, f"{found.name}, {found.photos} photos")
    write_bytes(folder / "trust.png", png(plot))

"""Results of other systems as they were published; each row of `published.csv` names its source."""

import csv
from functools import cache
from importlib.resources import files

from gada.metrics.correlation import ALL, Row

LIVE_HEADINGS = {"jp2k": "JP2K", "jpeg": "JPEG", "wn": "WN", "gblur": "GBLUR", "fastfading": "FF"}


def heading(distortion: str) -> str:
    """Return the paper's column heading of a distortion class: "live/jp2k" is JP2K and "tid2013/08" is #08.

    A class of another database keeps its name.
    """
    name = distortion.rsplit("/", 1)[-1]
    if name.lstrip("#").isdigit():
        return f"#{int(name.lstrip('#')):02d}"
    return LIVE_HEADINGS.get(name.lower(), distortion)


@cache
def published_values() -> tuple[Row, ...]:
    """Return all published results.

    Each has `database`, `system`, `stage` ("" or the stage of the paper's Table 1), `metric`, `distortion` (a heading
    as `heading` gives it), `value` and `source`. A cell that the source leaves open or that cannot be read has no row.
    """
    text = (files("gada.reports") / "published.csv").read_text(encoding="utf-8")
    return tuple({**row, "value": float(row["value"])} for row in csv.DictReader(text.splitlines()))


def published_systems(database: str, metric: str) -> dict[str, dict[str, float]]:
    """Return one metric of each published system on a database: system, then heading, then value.

    Args:
        database: "LIVE" (the paper's Table 2) or "TID2013" (its Table 3).
        metric: "lcc" or "srocc".
    """
    systems: dict[str, dict[str, float]] = {}
    for row in published_values():
        if row["database"] == database and not row["stage"] and row["metric"] == metric:
            systems.setdefault(row["system"], {})[row["distortion"]] = row["value"]
    return systems


def published_headings(database: str) -> list[str]:
    """Return the distortion headings of a database in the paper's order, `ALL` last."""
    found = dict.fromkeys(row["distortion"] for row in published_values() if row["database"] == database)
    return [*(name for name in found if name != ALL), ALL]

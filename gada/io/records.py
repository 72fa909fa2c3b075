"""What a run leaves beside its checkpoints: where it ran, with what, and one JSON line for each result."""

import csv
import io
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from gada.errors import ConfigError, DataError
from gada.io.files import write_text

Row = dict[str, Any]
RESULTS = "results.jsonl"  # the result rows in the folder of a run
NEEDED = {  # what every result row of other verbs holds; `gada.io.results` has those of trainings
    "sweep": ("network", "distortion", "level", "strength", "n", "top1", "top5", "dataset"),
    "layers": ("network", "distortion", "layers", "changes", "early", "late", "difference_low", "dataset"),
    "metrify evaluate": ("predictor", "distortion", "srocc", "classifier", "dataset"),
    "metrify learn": ("arm", "seed", "kept", "kept_flawed", "accuracy", "accuracy_flawed", "dataset"),
    "fidelity": ("reference", "distortion", "psnr_db", "published_psnr_db", "ssim", "published_ssim"),
    "fidelity ranking": ("metric", "n", "srocc", "published_srocc"),
    "evaluate": ("model", "trained_on", "dataset", "interval", "n"),
    "trust": ("test", "case", "value", "limit", "n", "note", "passed", "model", "photos", "seed", "machine", "commit"),
    "classify": ("strategy", "title", "labels", "seed", "dataset", "commit"),
}
FIGURES = re.compile(r"[-+](?:[-+±.,()\de ]|to|inf|nan)*")  # such as -1e-05, or +0.013 (+0.001 to +0.025)
PACKAGES = ("gada-iqa", "torch", "pytorch-lightning", "numpy", "scipy", "pillow", "wandb")


def environment() -> dict[str, Any]:
    """Return versions of packages, the commit where the code is a clone, and the machine in words."""
    return {
        "python": platform.python_version(),
        "packages": {name: installed_version(name) for name in PACKAGES},
        "commit": commit(),
        "machine": machine(),
    }


def machine() -> str:
    """Return the machine in words: processor, cores, system."""
    return f"{processor()}, {os.cpu_count()} cores, {platform.system()}"


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def installed_version(package: str) -> str | None:
    """Return the installed version of a package, None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def commit() -> str | None:
    """Return the commit of the clone that this code is, with "+" if it was changed; None outside a clone."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    """Return what git prints."""
    call = ["git", "-C", str(root), *arguments]
    return subprocess.run(call, capture_output=True, text=True, check=True, timeout=10).stdout.strip()


def read_rows(path: Path, missing: Literal["empty", "refuse"] = "empty") -> list[Row]:
    """Return the rows of a `results.jsonl`.

    Args:
        path: the file.
        missing: what to do if there is none.

    Raises:
        ConfigError: if the file is not text, or a line is not a JSON object.
        DataError: if the file is missing or empty and that is refused.
    """
    if not path.is_file() or not path.stat().st_size:
        if missing == "refuse":
            raise DataError(f"{path} holds no result rows; name a results.jsonl or a run's folder.")
        return []
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text; name a file of result rows, one JSON object a line.") from error
    return [_row_of(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1)]


def _row_of(line: str, place: str) -> Row:
    """Return the row in a line; `place` names the line in the message."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"{place} is not a JSON object; restore the file or delete it.") from error
    if not isinstance(row, dict):
        raise ConfigError(f"{place} is not a JSON object; restore the file or delete it.")
    return row


def read_results(paths: Sequence[str | Path], verb: str) -> list[Row]:
    """Return the rows of several files of results; a folder stands for the results of the run in it.

    Args:
        paths: the files.
        verb: whose results they have to be, as in `NEEDED`.

    Raises:
        ConfigError: if a line is not a JSON object.
        DataError: if a file is missing or empty, or holds the results of another verb.
    """
    results: list[Row] = []
    for path in map(Path, paths):
        file = path / RESULTS if path.is_dir() else path
        rows = read_rows(file, missing="refuse")
        lacking = next((key for row in rows for key in NEEDED[verb] if key not in row), None)
        if lacking:
            raise DataError(f"{file} has a row without '{lacking}'; name a file of results of `gada {verb}`.")
        results += rows
    return results


def check_single(rows: Sequence[Row], alike: Sequence[str], keys: Sequence[str]) -> None:
    """Refuse rows of several experiments, and rows given twice: one table would mix them.

    Args:
        rows: result rows.
        alike: what all of them must have in common.
        keys: what tells them apart; none given, nothing is looked for twice.

    Raises:
        ConfigError: if they differ in the former, or two have the latter in common.
    """
    for name in alike:
        if len(found := list(dict.fromkeys(row.get(name) for row in rows))) > 1:
            raise ConfigError(
                f"the rows have different {name}: {found[0]} and {found[1]}; give those of one at a time."
            )
    seen: set[tuple[Any, ...]] = set()
    for row in rows if keys else ():
        key = tuple(row.get(name) for name in keys)
        if key in seen:
            which = ", ".join(f"{name} {value}" for name, value in zip(keys, key, strict=True) if value is not None)
            raise ConfigError(f"the row of {which} is given twice; name each file or folder once.")
        seen.add(key)


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write rows as JSON lines, atomically."""
    write_text(path, "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows))


def metrics_csv(rows: Sequence[Mapping[str, float]]) -> str:
    """Return the figures of a training as CSV with a header of all their names."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return as_csv([names, *([f"{row[name]:.6g}" if name in row else "" for name in names] for row in rows)])


def as_csv(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as CSV, the first being the header; every cell is `harmless`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def harmless(cell: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would run; figures and their signs stay as they are."""
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r", "\\r")  # Python's writer does not quote it, and a new row would begin behind it
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) and not FIGURES.fullmatch(text) else text

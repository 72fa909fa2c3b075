"""The share of lines that `make test` runs."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

LEAST = 92.0  # per cent


def line_coverage(count: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Run the tests under coverage; lines that only forked or spawned processes run are not counted."""
    del count, seed
    start, data = time.monotonic(), f"--data-file={folder / 'coverage'}"
    command = [sys.executable, "-m", "coverage"]
    tests = subprocess.run([*command, "run", data, "--source=gada", "-m", "pytest"], capture_output=True, text=True)
    report = subprocess.run(
        [*command, "report", data, "--format=total", "--precision=1"], capture_output=True, text=True
    )
    covered, passed = float(report.stdout or 0), tests.returncode == 0
    last = tests.stdout.strip().splitlines()[-1:]
    return {
        "test": "line coverage of `make test`",
        "count": 1,
        "failures": int(not passed),
        "measured": f"{covered:g} % of the lines of gada/",
        "limits": f"{LEAST:g} %",
        "held": passed and covered >= LEAST,
        "seconds": round(time.monotonic() - start),
        "examples": last,
    }

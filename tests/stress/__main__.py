"""`make stress`: run the stress tests and write their report.

PYTHONPATH=tests python -m stress [--share 0.1] [--only NAME ...] [--seed 0] [--out ROWS.jsonl] [--into PAGE.md]
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot  # noqa: F401  # imported before processes are forked, which then start at once
import pytorch_lightning  # noqa: F401
import torch

from gada.io.records import commit, machine, read_rows, write_rows
from gada.options import VERBS
from gada.reports.markdown import replace_block
from stress.alone import every_verb_alone
from stress.covered import line_coverage
from stress.disk import full_disks
from stress.guided import guided_files
from stress.hostile_files import cases, malicious_files
from stress.hostile_requests import hostile_requests
from stress.images import bombs, mutated_images
from stress.scores import folder_with_bad_files, same_scores
from stress.training import PHASES, injected_nans, kills_at_checkpoints, random_kills, same_seed

StressTest = Callable[[int, Path, int], dict[str, Any]]
STRESS_TESTS: dict[str, tuple[StressTest, int]] = {
    "images": (mutated_images, 100_000),
    "guided": (guided_files, 10_000),
    "bombs": (bombs, 13),
    "folder": (folder_with_bad_files, 10_000),
    "kills": (random_kills, 100),
    "checkpoints": (kills_at_checkpoints, 96),
    "disks": (full_disks, 50),
    "nan": (injected_nans, 100),
    "hostile_files": (malicious_files, len(cases())),
    "seeds": (same_seed, len(PHASES)),
    "scores": (same_scores, 30),
    "server": (hostile_requests, 1_000),
    "alone": (every_verb_alone, len(VERBS)),
    "coverage": (line_coverage, 1),
}


def main() -> int:
    """Run the stress tests that were asked for; the exit code says whether all held."""
    options = parsed()
    torch.set_num_threads(1)
    rows = read_rows(options.out)
    for name in options.only or STRESS_TESTS:
        row = run(name, options.share, options.seed)
        rows = [old for old in rows if old["name"] != name] + [row]
        rows.sort(key=lambda row: list(STRESS_TESTS).index(row["name"]))
        write_rows(options.out, rows)
        replace_block(options.into, "make stress", table(rows))
        sys.stderr.write(f"{name}: {'held' if row['held'] else 'DID NOT HOLD'}: {row['measured']}\n")
    return 0 if all(row["held"] for row in rows) else 1


def parsed() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="stress")
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts")
    parser.add_argument("--only", nargs="*", choices=list(STRESS_TESTS), help="these stress tests")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("docs/results/stress.jsonl"))
    parser.add_argument("--into", type=Path, default=Path("docs/stress.md"))
    return parser.parse_args()


def run(name: str, share: float, seed: int) -> dict[str, Any]:
    """Run one stress test in a folder of its own; return its row."""
    stress_test, full = STRESS_TESTS[name]
    folder = Path(tempfile.mkdtemp(prefix=f"gada-{name}-"))
    cache = os.environ.get("GADA_CACHE")
    try:
        row = stress_test(max(1, round(full * share)), folder, seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.pop("GADA_CACHE", None)
        if cache is not None:
            os.environ["GADA_CACHE"] = cache
    return {"name": name, **row, "full": full, "seed": seed, "machine": machine(), "commit": commit()}


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table."""
    head = "| stress test | count | limit | measured | failures | held | minutes | commit |\n" + "|---" * 8 + "|\n"
    lines = [
        f"| {row['test']} | {row['count']:,} | {row['limits']} | {row['measured']} | {row['failures']} "
        f"| {'yes' if row['held'] else '**no**'} | {row['seconds'] / 60:.1f} | {row['commit']} |\n"
        for row in rows
    ]
    return head + "".join(lines) + f"\nMachine: {rows[0]['machine']}, one core at low priority. Seed {rows[0]['seed']}."


if __name__ == "__main__":
    sys.exit(main())

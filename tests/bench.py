"""`make bench`: run the benchmarks, keep their rows with machine and commit, and put them into docs/results/bench.md.

PYTHONPATH=tests python -m bench [--only NAME ...] [--scored data/tid2013-r] [--out ROWS.jsonl] [--into PAGE.md]
"""

import argparse
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

from gada.io.records import Row, commit, machine, read_rows, write_rows
from gada.reports.markdown import replace_block

NAMES = ("training", "scoring", "paper", "sweep", "classifier", "busy")
PAGES = {"paper": Path("docs/speed.md")}  # where a table stands, if not in --into


def main() -> None:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--only", nargs="*", choices=NAMES, default=NAMES, help="these benchmarks")
    parser.add_argument("--scored", help="a set with human scores, on which fast scoring is compared with slow")
    parser.add_argument("--out", type=Path, default=Path("docs/results/bench.jsonl"))
    parser.add_argument("--into", type=Path, default=Path("docs/results/bench.md"))
    chosen = parser.parse_args()
    for name in chosen.only:
        more = ["--scored", chosen.scored] if chosen.scored and name == "scoring" else []
        rows = [row for row in read_rows(chosen.out) if row["benchmark"] != name] + figures(name, more)
        write_rows(chosen.out, sorted(rows, key=lambda row: NAMES.index(row["benchmark"])))
        replace_block(PAGES.get(name, chosen.into), f"make bench: {name}", table(read_rows(chosen.out), name))


def figures(name: str, more: list[str]) -> list[Row]:
    """Run a benchmark in a process of its own, as it would run alone; show and return its figures."""
    origin = {"machine": machine(), "commit": commit(), "day": date.today().isoformat()}
    rows = []
    command = [sys.executable, "-m", f"bench_{name}", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line)
            rows.append({"benchmark": name, **json.loads(line), **origin})
    if process.returncode:
        sys.exit(process.returncode)
    return rows


def table(rows: list[Row], name: str) -> str:
    """Return the figures of a benchmark as a Markdown table."""
    chosen = [row for row in rows if row["benchmark"] == name]
    head = "| figure | measured |\n|---|---|\n"
    lines = [f"| {row['figure']} | {measured(row)} |\n" for row in chosen]
    first = chosen[0]
    return f"{head}{''.join(lines)}\nMachine: {first['machine']}; commit {first['commit']}; {first['day']}."


def measured(row: Row) -> str:
    """Return what a row measured, in words."""
    values = {key: row[key] for key in row if key not in ("benchmark", "figure", "machine", "commit", "day")}
    main_value = values.pop("value", None)
    parts = [str(main_value)] if main_value is not None else []
    parts += [f"{key.replace('_', ' ')} {value}" for key, value in values.items()]
    return "; ".join(parts).replace("|", "\\|")


if __name__ == "__main__":
    main()

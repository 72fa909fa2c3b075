"""`make mutants`: hold what survived `mutmut run` against tests/mutants.yaml; fills docs/results/mutants.md.

PYTHONPATH=tests python -m mutants [--into PAGE.md]
"""

import argparse
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from gada.io.records import commit, machine
from gada.reports.markdown import replace_block

KILLED = ("killed", "timeout", "segfault", "caught by type check")
Change = tuple[str, str]  # a function and the line that a mutant put into it


@dataclass(frozen=True)
class Mutant:
    """A mutant by its name in mutmut, as `gada.data.crops.x_unit__mutmut_2`."""

    name: str
    status: str

    @property
    def module(self) -> str:
        """The module that was mutated."""
        return self.name.rpartition(".")[0]

    @property
    def change(self) -> Change:
        """The function that was mutated and its new line."""
        plain = re.sub(r"^x_|^xǁ|__mutmut_\d+$", "", self.name.rpartition(".")[2]).replace("ǁ", ".")
        added = [line[1:].strip() for line in mutmut("show", self.name) if re.match(r"\+(?!\+\+ )", line)]
        return f"{self.module}.{plain}", " ".join(added)


@dataclass(frozen=True)
class Explanation:
    """Why no test kills some mutants of a function."""

    function: str
    changes: tuple[str, ...]
    why: str


def main() -> int:
    """Compare survivors with explanations; the exit code says whether each has its counterpart."""
    parser = argparse.ArgumentParser(prog="mutants")
    parser.add_argument("--into", type=Path, default=Path("docs/results/mutants.md"))
    into = parser.parse_args().into
    mutants = [Mutant(*line.strip().split(": ")) for line in mutmut("results", "--all", "true")]
    explanations = read(Path(__file__).with_suffix(".yaml"))
    explained = {(one.function, change) for one in explanations for change in one.changes}
    survived = {mutant: mutant.change for mutant in mutants if mutant.status not in KILLED}
    for mutant, (function, change) in survived.items():
        if (function, change) not in explained:
            sys.stderr.write(f"{function}: {change}\n    {mutant.status}: kill {mutant.name} or explain it\n")
    for function, change in sorted(explained - set(survived.values())):
        sys.stderr.write(f"{function}: {change}\n    is explained, but no such mutant survives\n")
    if not mutants or explained != set(survived.values()):
        return 1
    replace_block(into, "make mutants", report(mutants, survived, explanations))
    return 0


def mutmut(*arguments: str) -> list[str]:
    """Return the lines that mutmut prints."""
    call = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    return subprocess.run(call, capture_output=True, encoding="utf-8", check=True).stdout.splitlines()


def read(path: Path) -> list[Explanation]:
    """Return the explanations of a file; `change` is one line or a list of them."""
    found = []
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        changes = entry["change"] if isinstance(entry["change"], list) else [entry["change"]]
        found.append(Explanation(entry["function"], tuple(changes), entry["why"]))
    return found


def report(mutants: list[Mutant], survived: Mapping[Mutant, Change], explanations: list[Explanation]) -> str:
    """Return the counts of each module as a Markdown table, and the explanations as a list."""
    made, alive = (Counter(mutant.module for mutant in some) for some in (mutants, survived))
    counts = {f"`{module}`": (made[module], alive[module]) for module in sorted(made)}
    counts["all"] = (made.total(), alive.total())
    lines = [f"| {name} | {all_:,} | {all_ - left:,} | {left:,} |\n" for name, (all_, left) in counts.items()]
    reasons = [
        f"- `{one.function}`: {one.why}\n" + "".join(f"  - `{change}`\n" for change in one.changes)
        for one in explanations
    ]
    head = "| module | mutants | killed | survived and explained |\n" + "|---" * 4 + "|\n"
    origin = f"Machine: {machine()}; commit {commit()}; {date.today().isoformat()}."
    return f"{head}{''.join(lines)}\n{origin}\n\nWhat survived, and why no test kills it:\n\n{''.join(reasons)}"


if __name__ == "__main__":
    sys.exit(main())

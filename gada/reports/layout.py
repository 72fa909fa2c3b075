"""A table as data, and how it is written as text, Markdown, LaTeX and CSV."""

import io
import textwrap
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from rich.box import Box
from rich.console import Console
from rich.table import Table as RichTable

from gada.io.records import as_csv

Format = Literal["text", "markdown", "latex", "csv"]
Cell = str | float | None

RULES = Box("    \n    \n -- \n    \n -- \n -- \n    \n    \n", ascii=True)  # a line below the head and each section
WIDEST = 13  # value columns side by side, as in the paper's Table 3; more are set in blocks below each other


@dataclass(frozen=True)
class Table:
    """Rows of labels and values under a header; None is an empty cell."""

    caption: str
    """What the values are, of which data; one or more sentences."""
    labels: tuple[str, ...]
    """Headings of the leading label columns."""
    columns: tuple[str, ...]
    """Headings of the value columns."""
    rows: tuple[tuple[Cell, ...], ...]
    """Each has len(labels) + len(columns) cells."""
    groups: tuple[str, ...] = ()
    """A heading above each value column; equal neighbours are joined. () is none."""
    rules: frozenset[int] = frozenset()
    """Rows that have a rule above them."""
    notes: tuple[str, ...] = ()
    """Sentences below the table, such as why a value is undefined."""

    def blocks(self) -> list["Table"]:
        """Return this table, or its value columns in blocks of at most `WIDEST`, breaking no group that fits."""
        keep = len(self.labels)
        blocks = []
        for first, last in self._cuts():
            rows = tuple((*row[:keep], *row[keep + first : keep + last]) for row in self.rows)
            columns, groups = self.columns[first:last], self.groups[first:last]
            blocks.append(replace(self, columns=columns, groups=groups, rows=rows))
        return blocks

    def _cuts(self) -> list[tuple[int, int]]:
        """Return first and last column of each block, the blocks of a group being of nearly equal width."""
        if len(self.columns) <= WIDEST:
            return [(0, len(self.columns))]
        cuts, start = [], 0
        for _, members in groupby(self.groups or [""] * len(self.columns)):
            size = len(list(members))
            parts = -(-size // WIDEST)
            width = -(-size // parts)
            cuts += [(start + at, min(start + at + width, start + size)) for at in range(0, size, width)]
            start += size
        return cuts

    def spans(self) -> list[tuple[str, int]]:
        """Return each group heading with the number of value columns below it."""
        return [(name, len(list(members))) for name, members in groupby(self.groups)]

    def shown_rows(self) -> list[list[str]]:
        """Return the cells as printed: three decimals, and a first label that repeats left out."""
        shown = [[shown_cell(cell) for cell in row] for row in self.rows]
        for row, above in zip(shown[:0:-1], self.rows[-2::-1], strict=False):
            if len(self.labels) > 1 and row[0] == above[0]:
                row[0] = ""
        return shown


@dataclass(frozen=True)
class Provenance:
    """Where results come from; a caption states all of it that is known."""

    dataset: str
    """Name of the data set, as "LIVE" or "TID2013-R"."""
    proxy: bool
    """True when the scores were computed and not given by people."""
    seed: int | None = None
    machine: str = ""
    """Processor, cores, GPU."""
    commit: str = ""
    others: tuple[tuple[str, bool], ...] = ()
    """Dataset and proxy of further rows that come from elsewhere."""

    @property
    def sets(self) -> tuple[tuple[str, bool], ...]:
        """Name and proxy of each data set."""
        return ((self.dataset, self.proxy), *self.others)

    def describe(self) -> str:
        """Return the sentences of a caption."""
        computed = "proxy scores, computed and not given by people"
        named = [f"{name}; {computed if proxy else 'human scores'}." for name, proxy in self.sets]
        first, *others = dict.fromkeys(named)
        sentences = [f"Data: {first}", *(f"Other rows: {other}" for other in others)]
        if any(name.startswith("TID2013-R") for name, _ in self.sets):
            sentences.append(
                "TID2013-R re-simulates TID2013 from crops of the Kodak images and is not TID2013 itself; for most "
                "references a human score belongs to a slightly different crop."
            )
        known = {"seed": self.seed, "machine": self.machine, "commit": self.commit}
        stated = "; ".join(f"{name} {value}" for name, value in known.items() if value not in (None, ""))
        return " ".join([*sentences, stated[:1].upper() + stated[1:] + "."] if stated else sentences)


def shown_cell(cell: Cell) -> str:
    """Return a number with three decimals, a text as it is, nothing for None."""
    return f"{cell:.3f}" if isinstance(cell, float) else cell or ""


def render(table: Table, format: Format = "text") -> str:  # noqa: A002 - the option's name on the command line
    """Write a table.

    Args:
        table: what to write.
        format: "text" for a terminal, "markdown", "latex" (needs booktabs) or "csv" (six digits, no caption, never
            in blocks).

    Raises:
        ValueError: for another format.
    """
    match format:
        case "text":
            blocks = "\n\n".join(_text(block) for block in table.blocks())
            below = [textwrap.fill(sentence, 100) for sentence in (table.caption, *table.notes)]
            return "\n".join([blocks, "", *below, ""])
        case "markdown":
            blocks = "\n\n".join(_markdown(block) for block in table.blocks())
            return "\n\n".join([f"**{_markdown_cell(table.caption)}**", blocks, *table.notes]) + "\n"
        case "latex":
            return _latex(table)
        case "csv":
            return _csv(table)
    raise ValueError(f"format is {format!r}; it must be text, markdown, latex or csv")


def _text(table: Table) -> str:
    grid = RichTable(box=RULES, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for name in table.labels:
        grid.add_column(name)
    groups = table.groups or ("",) * len(table.columns)
    for place, (group, name) in enumerate(zip(groups, table.columns, strict=True)):
        first = place == 0 or group != groups[place - 1]  # a heading stands once, above the first of its columns
        grid.add_column(f"{group if first else ''}\n{name}" if any(groups) else name, justify="right")
    for number, row in enumerate(table.shown_rows(), 1):
        grid.add_row(*row, end_section=number in table.rules)
    written = io.StringIO()
    Console(file=written, width=10_000, color_system=None, markup=False, highlight=False).print(grid)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines())


def _markdown(table: Table) -> str:
    groups = table.groups or ("",) * len(table.columns)
    columns = [f"{group} {name}".strip() for group, name in zip(groups, table.columns, strict=True)]
    lines = [[*table.labels, *columns], [":--"] * len(table.labels) + ["--:"] * len(columns), *table.shown_rows()]
    return "\n".join("| " + " | ".join(_markdown_cell(cell) for cell in line) + " |" for line in lines)


def _markdown_cell(text: str) -> str:
    for character in "\\|*_<`":
        text = text.replace(character, "\\" + character)
    return text


def _latex(table: Table) -> str:
    lines = ["\\begin{table}", f"\\caption{{{_latex_cell(' '.join([table.caption, *table.notes]))}}}", "\\centering"]
    for block in table.blocks():
        lines.append(f"\\begin{{tabular}}{{{'l' * len(block.labels)}{'r' * len(block.columns)}}}\n\\toprule")
        if any(block.groups):
            spans = [f"\\multicolumn{{{size}}}{{c}}{{{_latex_cell(name)}}}" for name, size in block.spans()]
            lines.append(" & ".join([""] * len(block.labels) + spans) + " \\\\")
        header = " & ".join(_latex_cell(name) for name in (*block.labels, *block.columns))
        lines.append(f"{header} \\\\\n\\midrule")
        for number, row in enumerate(block.shown_rows()):
            rule = "\\midrule\n" if number in block.rules else ""
            lines.append(rule + " & ".join(_latex_cell(cell) for cell in row) + " \\\\")
        lines.append("\\bottomrule\n\\end{tabular}\\par\\smallskip")
    return "\n".join([*lines, "\\end{table}", ""])


def _latex_cell(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {character: "\\" + character for character in "&%$#_{}"}
    return "".join(special.get(character, character) for character in text)


def _csv(table: Table) -> str:
    groups = table.groups or ("",) * len(table.columns)
    columns = [f"{group} {name}".strip() for group, name in zip(groups, table.columns, strict=True)]
    rows = ([f"{cell:.6f}" if isinstance(cell, float) else cell or "" for cell in row] for row in table.rows)
    return as_csv([[*table.labels, *columns], *rows])

"""`gada table`: print result files again, by distortion or in the paper's layouts."""

from pathlib import Path
from typing import Literal

Layout = Literal["distortions", "table1", "table2", "table3", "summary", "differences", "databases"]


def table(
    paths: list[str],
    layout: Layout = "distortions",
    format: Literal["text", "markdown", "latex", "csv"] = "text",  # noqa: A002
    published: bool = False,
    test_fraction: float = 0.2,
    into: Path | None = None,
) -> None:
    """Print result files by distortion, in the layout of the paper's Table 1, 2 or 3, or over several splits.

    Args:
        paths: Files of result rows (results.jsonl), or folders of runs; several splits give their median.
        layout: `distortions` has a row for each distortion, as `gada fit` prints it; `table1` to `table3` are the
            paper's; `summary` is median, mean and std over splits, `differences` the paired differences of phase 3 and
            baseline; `databases` has a row for each evaluator and database of `gada evaluate --results`.
        format: How to write it.
        published: Add the published results (Table 1; Tables 2 and 3 always have them).
        test_fraction: Fraction of the references that each split tested, for the corrected interval of `differences`.
        into: Markdown file whose block "gada table PATHS" (with --layout LAYOUT if not distortions) is to be replaced.
    """
    from gada.errors import ConfigError
    from gada.io.records import check_single, read_results
    from gada.io.results import read_result_files
    from gada.metrics.statistics import stage_differences
    from gada.reports.layout import render
    from gada.reports.markdown import replace_block
    from gada.reports.over_splits import differences_table, summary_table
    from gada.reports.tables import by_distortion_table, databases_table, stages_table, systems_table
    from gada.runs.report import provenance_of
    from gada.usage import ended

    if published and not layout.startswith("table"):
        raise ConfigError(f"--published is for --layout table1, table2 or table3, not {layout}.")
    found = read_result_files(paths)
    rows, origin = [row.as_plain() for row in found], provenance_of(row.origin for row in found)
    if layout == "databases":
        rows = read_results(paths, "evaluate")
        check_single(rows, ("seed",), ("model", "dataset"))
    else:
        alike = ("dataset", "upper_bound", "validated", "scored", "proxy", "seed")
        check_single(rows, alike, ("stage", "split", "distortion"))
    match layout:
        case "databases":
            chosen = databases_table(rows, origin)
        case "distortions":
            chosen = by_distortion_table(rows, origin, metrics=("srocc", "lcc"))
        case "table1":
            chosen = stages_table(rows, origin, published=published)
        case "table2":
            chosen = systems_table(rows, "LIVE", ("lcc", "srocc"), origin)
        case "table3":
            chosen = systems_table(rows, "TID2013", ("srocc",), origin)
        case "summary":
            chosen = summary_table(rows, origin)
        case "differences":
            chosen = differences_table(stage_differences(rows, origin.seed or 0, test_fraction), origin)
    text = render(chosen, "markdown" if into else format)
    if into:
        options = [] if layout == "distortions" else ["--layout", layout]
        replace_block(into, " ".join(["gada table", *options, *paths]), text)
        ended(str(into))
    else:
        print(text)

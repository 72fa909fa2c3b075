"""`gada study`: the same splits trained with one thing changed at a time."""

from pathlib import Path
from typing import Any, Literal

from gada.settings import Settings, Variant


def study(
    run: Path = Path("runs/study"),
    variants: list[Variant] = [],  # noqa: B006 - never changed
    splits: int = 1,
    results: Path | None = None,
    into: Path | None = None,
    judge: str = "",
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    **settings: Any,
) -> None:
    """Train each variant of the settings on one split or several, or print a finished study again.

    Args:
        run: Folder that receives a run for each variant; a stopped study goes on there.
        variants: What is changed, one thing at a time; none given prints `results` again.
        splits: How many splits, from `split.number` on; of several, differences from the first variant are reported.
        results: JSON lines file that also keeps the rows.
        into: Markdown file whose block "gada study RESULTS" is to be replaced instead of printing.
        judge: An evaluator trained on real crops alone, which examines the generators that variants train.
        device: Where to train.
        settings: As `Settings` has them: `--preset`, `--seed`, and groups of which the help names the keys.
    """
    from gada.experiments.study import run_study
    from gada.experiments.study_table import study_table
    from gada.io.records import read_results, write_rows
    from gada.reports.layout import render
    from gada.reports.markdown import around_block, replace_block

    block = f"gada study {results or run}"
    if variants and into:
        around_block(into, block)
    if variants:
        chosen = Settings(**settings)
        rows = run_study(chosen, variants, run, device, judge, splits)
        if results:
            write_rows(results, rows)
    else:
        rows = read_results([results or run / "study.jsonl"], "study")
    if into:
        replace_block(into, block, render(study_table(rows), "markdown"))
    else:
        print(render(study_table(rows), "text"))

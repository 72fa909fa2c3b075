"""`gada study`: the same splits trained with one thing changed at a time."""

from pathlib import Path
from typing import Any, Literal

from gada.settings import Settings, Variant, takes


@takes(Settings)
def study(
    run: Path = Path("runs/study"),
    variants: list[Variant] = [],  # noqa: B006 - never changed
    splits: int = 1,
    scored: list[int] = [],  # noqa: B006 - never changed
    out: Path | None = None,
    results: Path | None = None,
    into: Path | None = None,
    figure: Path | None = None,
    evaluator: str = "",
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    wandb: Literal["auto", "offline", "online", "off"] = "auto",
    **settings: Any,
) -> None:
    """Train each variant of the settings on one split or several, or print a finished study again.

    Args:
        run: Folder that receives a run for each variant; a stopped study resumes.
        variants: What is changed, one thing at a time; none given prints `results` again.
        splits: How many splits, from `split.number` on.
        scored: Numbers of scored references, taken in turn, such as 1,3,15.
        out: Also write the result rows to this .jsonl file.
        results: Result rows to show again; by default those of the run.
        into: Markdown file whose block "gada study RESULTS" is to be replaced instead of printing.
        figure: PNG file for SROCC against these numbers.
        evaluator: One trained on real crops alone, which evaluates the generators that variants train.
        device: Where to train.
        wandb: Weights & Biases; `auto` is online only where a key is set up. It never asks.
        settings: As `Settings` has them: `--preset`, `--seed`, and groups of which the help names the keys.
    """
    from gada.errors import ConfigError
    from gada.experiments.study.few_scores import counts_of, few_scores_curve, few_scores_table
    from gada.experiments.study.rows import StudyRow
    from gada.experiments.study.study import run_study
    from gada.experiments.study.table import study_table
    from gada.io.files import write_bytes
    from gada.io.records import read_rows, write_rows
    from gada.reports.canvas import png
    from gada.reports.layout import render
    from gada.reports.markdown import around_block, replace_block
    from gada.runs.hardware import Hardware
    from gada.usage import ended

    if results and variants:
        raise ConfigError(f"--results {results} is shown again without a training; --out writes what is trained.")
    if out and not variants:
        raise ConfigError(f"--out {out} is written by a study; give --variants, or leave it out.")
    if figure and variants and len(scored) < 2:
        raise ConfigError(f"--figure {figure} is SROCC against the number of scored references; give several --scored.")
    block = f"gada study {out or results or run}"
    if variants and into:
        around_block(into, block)
    if variants:
        whole = Settings(**settings)
        rows = run_study(whole, variants, run, Hardware(device), evaluator, splits, wandb, scored)
        if out:
            write_rows(out, [row.as_plain() for row in rows])
    else:
        file = results or run / "study.jsonl"
        rows = [StudyRow.from_plain(row, str(file)) for row in read_rows(file, missing="refuse")]
    curve = len(counts_of(rows)) > 1
    if figure and not curve:
        raise ConfigError(f"--figure {figure} is SROCC against the number of scored references; give several --scored.")
    if figure:
        write_bytes(figure, png(few_scores_curve(rows)))
    table = few_scores_table(rows) if curve else study_table(rows)
    if into:
        replace_block(into, block, render(table, "markdown"))
    else:
        print(render(table, "text"))
    if variants:
        ended(
            f"{run}: report.html, study.jsonl, and a folder for each variant", f"gada study --run {run} --into PAGE.md"
        )

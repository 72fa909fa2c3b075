"""`gada generate`: look at what a generator makes."""

from pathlib import Path
from typing import Literal

from gada.settings import DataSettings, SplitSettings


def generate(
    model: str = "bundled",
    out: Path = Path("generated.png"),
    side: Literal["test", "validation", "train", "all"] = "test",
    crop_size: int = 0,
    judge: bool = False,
    judge_model: str = "",
    results: Path | None = None,
    into: Path | None = None,
    data: DataSettings = DataSettings(),
    split: SplitSettings = SplitSettings(),
) -> None:
    """Draw a contact sheet of references x classes x qualities beside true distortions, and let a judge examine it.

    Args:
        model: A .safetensors generator, phase 1's or a run's folder, or the name of a bundled one.
        out: PNG file to write.
        side: Which side of the split the references come from.
        crop_size: Side of the crops in pixels, a multiple of 8; 0 is the size the generator was trained at.
        judge: Also let an evaluator that was trained on real crops alone say how good the generator is.
        judge_model: That evaluator; by default the baseline of the run's folder.
        results: JSON lines file that keeps what the judge says.
        into: Markdown file whose block "gada generate --judge" is to be replaced by the judge's table.
        data: Which scored images to read.
        split: How the references are divided.
    """
    from gada.errors import ConfigError
    from gada.experiments.judge import judge_generator, judge_table
    from gada.experiments.samples import write_contact_sheet
    from gada.io.records import write_rows
    from gada.reports.layout import render
    from gada.reports.markdown import around_block, replace_block

    for name, value in (("judge_model", judge_model), ("results", results), ("into", into)):
        if value and not judge:
            raise ConfigError(f"--{name} {value} is for what the judge says; add --judge, or leave it out.")
    chosen = judge_model or f"{model}/baseline"
    if judge and not judge_model and not Path(chosen).is_dir():
        raise ConfigError(f"{model} is no run with a baseline, which would judge; give --judge_model an evaluator.")
    block = "gada generate --judge"
    if judge and into:
        around_block(into, block)
    write_contact_sheet(model, out, side, crop_size, data, split)
    print(f"wrote {out}")
    if judge:
        rows = judge_generator(model, chosen, side, data, split)
        if results:
            write_rows(results, rows)
        print(render(judge_table(rows), "text"))
        if into:
            replace_block(into, block, render(judge_table(rows), "markdown"))

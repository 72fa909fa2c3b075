"""`gada generate`: look at what a generator makes."""

from pathlib import Path
from typing import Literal

from gada.settings import DataSettings, SplitSettings


def generate(
    model: str = "bundled",
    out: Path = Path("generated.png"),
    side: Literal["test", "validation", "train", "all"] = "test",
    beside: list[str] = [],  # noqa: B006  # never changed
    crop_size: int = 0,
    evaluator: str = "",
    results: Path | None = None,
    into: Path | None = None,
    data: DataSettings = DataSettings(),
    split: SplitSettings = SplitSettings(),
) -> None:
    """Draw a sheet of references x classes x qualities beside true distortions, and evaluate the generator.

    Args:
        model: A .safetensors generator, phase 1's or a run's folder, or the name of a bundled one.
        out: PNG file to write.
        side: Which side of the split the references come from.
        beside: Further generators: draw what each makes of the same class and quality, as in the paper's Figure 1.
        crop_size: Side of the crops in pixels, a multiple of 8; 0 is the size the generator was trained at.
        evaluator: One trained on real crops alone, as RUN/baseline: also measure with it how good the generator is.
        results: JSON lines file that keeps the metrics.
        into: Markdown file whose block "gada generate --evaluator" is to be replaced by their table.
        data: Which scored images to read.
        split: How the references are divided.
    """
    from gada.errors import ConfigError
    from gada.experiments.generated_sheet import write_generated_sheet
    from gada.experiments.generator_evaluation import evaluate_generator, generator_table
    from gada.io.checkpoints import find_checkpoint
    from gada.io.records import write_rows
    from gada.reports.layout import render
    from gada.reports.markdown import around_block, replace_block
    from gada.usage import ended, listed_files

    for name, value in (("results", results), ("into", into)):
        if value and not evaluator:
            raise ConfigError(f"--{name} {value} is for the generator's metrics; add --evaluator, or leave it out.")
    block = "gada generate --evaluator"
    if evaluator:
        find_checkpoint(evaluator, "evaluator")  # before a sheet is drawn
        if into:
            around_block(into, block)
    write_generated_sheet(model, out, side, crop_size, data, split, beside)
    if evaluator:
        rows = evaluate_generator(model, evaluator, side, data, split)
        if results:
            write_rows(results, rows)
        print(render(generator_table(rows), "text"))
        if into:
            replace_block(into, block, render(generator_table(rows), "markdown"))
    ended(listed_files(out, results, into))

"""`gada classify fit | evaluate | table`: classifiers whose labels follow image quality (IQA-LS)."""

from pathlib import Path
from typing import Literal

from gada.settings import ClassifierSettings, ClassifyDataSettings, TestDataSettings

Device = Literal["auto", "cpu", "cuda", "mps"]


def fit(
    strategies: list[int | str] = [1, 8, 9],  # noqa: B006  # never changed
    seeds: list[int] = [0],  # noqa: B006
    run: Path = Path("runs/classify"),
    device: Device = "auto",
    wandb: Literal["auto", "offline", "online", "off"] = "auto",
    data: ClassifyDataSettings = ClassifyDataSettings(),
    training: ClassifierSettings = ClassifierSettings(),
) -> None:
    """Train classifiers by strategies of IQA-LS, and test each on pristine and distorted images.

    Args:
        strategies: 1 to 9 (Table 2), 10 to 12 and 11-evaluator (a GADA generator distorts), smoothing, mollification.
        seeds: Of weights and of what is drawn; each strategy is trained with each.
        run: Run directory; a stopped run is resumed, and finished trainings are kept.
        device: Where to train.
        wandb: Weights & Biases; `auto` is online only where a key is set up. It never asks.
        data: Labelled images.
        training: Network, loss, schedule, labels.
    """
    from gada.experiments.iqa_ls.evaluation import check_alike
    from gada.experiments.iqa_ls.fit import Fit
    from gada.reports.iqa_ls import table_2
    from gada.reports.layout import render
    from gada.usage import ended

    rows = Fit([str(name) for name in strategies], seeds, run, data, training, device).rows(wandb)
    check_alike(rows)
    print(render(table_2(rows), "text"))
    ended(f"{run}: results.jsonl, and a folder for each strategy and seed", f"gada classify table {run}")


def evaluate(
    paths: list[str],
    corruptions: Path | None = None,
    out: Path | None = None,
    samples: int = 0,
    figure: Path | None = None,
    device: Device = "auto",
    network: str = "table1",
    data: TestDataSettings = TestDataSettings(),
) -> None:
    """Test trained classifiers: accuracy, calibration error and confidence on each test set.

    Args:
        paths: Classifiers (.safetensors), or folders that hold some.
        corruptions: Folder of CIFAR-10-C, which takes the place of the ten test sets.
        out: File for the result rows (JSON lines).
        samples: Number of single test images to test along the blur levels instead, as in Figure 4.
        figure: PNG file for them.
        device: Where to run them.
        network: For a network of your own, the function that makes it, as in training.
        data: Test images that take the place of the run's own.
    """
    from gada.errors import ConfigError
    from gada.experiments.iqa_ls.evaluation import evaluate_classifiers, evaluate_samples
    from gada.io.records import write_rows
    from gada.reports.iqa_ls import corruption_table, samples_table, table_2
    from gada.reports.layout import render
    from gada.usage import ended

    if samples < 0:
        raise ConfigError(f"--samples is {samples} but must be at least 0.")
    if samples and corruptions:
        raise ConfigError("--samples are single test images and --corruptions a set of its own; give one of the two.")
    if figure and not samples:
        raise ConfigError(f"--figure {figure} is of single test images; say how many with --samples, or leave it out.")
    files = [Path(path) for path in paths]
    if samples:
        rows, layout = evaluate_samples(files, data, network, samples, device, figure), samples_table
    else:
        rows = evaluate_classifiers(files, data, network, device, corruptions)
        layout = corruption_table if corruptions else table_2
    if out:
        write_rows(out, rows)
    print(render(layout(rows), "text"))
    ended(" and ".join(str(file) for file in (out, figure) if file), f"gada classify table {out}" if out else "")


def table(
    paths: list[str],
    format: Literal["text", "markdown", "latex", "csv"] = "text",  # noqa: A002
    into: Path | None = None,
    figure: Path | None = None,
) -> None:
    """Print results in the layouts of the paper: Table 2 beside the published numbers, gains, calibration, baselines.

    Args:
        paths: Files of result rows (JSON lines), or run directories.
        format: How to write them.
        into: Markdown file whose block "gada classify table PATHS" is replaced instead of printing.
        figure: PNG file for the curves of Figure 3.
    """
    from gada.experiments.iqa_ls.evaluation import check_alike
    from gada.io.files import write_bytes
    from gada.io.records import read_results
    from gada.reports.iqa_ls import all_tables
    from gada.reports.iqa_ls_figures import figure_3
    from gada.reports.layout import render
    from gada.reports.markdown import replace_block

    rows = read_results(paths, "classify")
    check_alike(rows)
    text = "\n".join(render(one, "markdown" if into else format) for one in all_tables(rows))
    if figure:
        write_bytes(figure, figure_3([row for row in rows if "sample" not in row]))
    if into:
        replace_block(into, "gada classify table " + " ".join(paths), text)
    else:
        print(text)

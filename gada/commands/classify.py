"""`gada classify fit | evaluate | table | figures`: classifiers whose labels follow image quality (IQA-LS)."""

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
    from gada.reports.iqa_ls import table_2, tested
    from gada.reports.layout import render
    from gada.usage import ended

    rows = Fit([str(name) for name in strategies], seeds, run, data, training, device).rows(wandb)
    check_alike(rows)
    print(render(table_2(tested(rows)), "text"))
    ended(f"{run}: report.html, results.jsonl, and a folder for each strategy and seed", f"gada classify table {run}")


def evaluate(
    paths: list[str],
    corruptions: Path | None = None,
    out: Path | None = None,
    device: Device = "auto",
    network: str = "table1",
    data: TestDataSettings = TestDataSettings(),
) -> None:
    """Test trained classifiers: accuracy, calibration error and confidence on each test set.

    Args:
        paths: Classifiers (.safetensors), or folders that hold some.
        corruptions: Folder of CIFAR-10-C, which takes the place of the ten test sets.
        out: File for the result rows (JSON lines).
        device: Where to run them.
        network: For a network of your own, the function that makes it, as in training.
        data: Test images that take the place of the run's own.
    """
    from gada.experiments.iqa_ls.evaluation import evaluate_classifiers
    from gada.io.records import write_rows
    from gada.reports.iqa_ls import table_2, tested
    from gada.reports.iqa_ls_tables import corruption_table
    from gada.reports.layout import render
    from gada.usage import ended

    rows = evaluate_classifiers([Path(path) for path in paths], data, network, device, corruptions)
    if out:
        write_rows(out, rows)
    print(render(corruption_table(rows) if corruptions else table_2(tested(rows)), "text"))
    ended(str(out or ""), f"gada classify table {out}" if out else "")


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
    from gada.reports.canvas import png
    from gada.reports.iqa_ls import tested, variants
    from gada.reports.iqa_ls_figures import figure_3
    from gada.reports.iqa_ls_tables import all_tables
    from gada.reports.layout import render
    from gada.reports.markdown import replace_block
    from gada.usage import ended, listed_files

    rows = variants(read_results(paths, "classify"))
    check_alike(rows)
    text = "\n".join(render(one, "markdown" if into else format) for one in all_tables(rows))
    if figure:
        write_bytes(figure, png(figure_3(tested(rows))))
    if into:
        replace_block(into, "gada classify table " + " ".join(paths), text)
    else:
        print(text)
    if into or figure:
        ended(listed_files(into, figure), f"gada classify figures {' '.join(paths)}")


def figures(
    paths: list[str],
    out: Path = Path("figures"),
    data: TestDataSettings = TestDataSettings(),
) -> None:
    """Draw Figures 1, 3 and 4 of the paper, calibration curves and confidence histograms as PNG files.

    Args:
        paths: Files of result rows (JSON lines), or run directories.
        out: Folder for them.
        data: The test images of the results, which Figures 1 and 4 show.
    """
    from gada.experiments.iqa_ls.evaluation import check_alike
    from gada.experiments.iqa_ls.report import draw_figures, tests_of
    from gada.io.files import write_bytes
    from gada.io.records import read_results
    from gada.reports.iqa_ls import variants
    from gada.usage import ended

    rows = variants(read_results(paths, "classify"))
    check_alike(rows)
    for name, figure in draw_figures(rows, tests_of(rows, data)).items():
        write_bytes(out / f"{name}.png", figure.file)
        print(out / f"{name}.png")
    ended(str(out), f"gada classify table {' '.join(paths)}")

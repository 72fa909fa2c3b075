"""`gada metrify`: predict the error that a classifier will make on an image, from the image alone."""

from pathlib import Path
from typing import Any, Literal

from gada.settings import MetrifierSettings, takes

Device = Literal["auto", "cpu", "cuda", "mps"]


@takes(MetrifierSettings)
def fit(
    run: Path = Path("runs/metrifier"),
    jobs: int | None = None,
    device: Device = "auto",
    wandb: Literal["auto", "offline", "online", "off"] = "auto",
    **settings: Any,
) -> None:
    """Test a classifier on distorted images, and train a network on its errors, split by source image.

    Args:
        run: Run directory; a stopped run is resumed.
        jobs: Processes that distort; by default one for each core.
        device: Where to run classifier and training.
        wandb: Weights & Biases; `auto` is online only where a key is set up. It never asks.
        settings: As `MetrifierSettings` has them.
    """
    from gada.experiments.metrifier.fit import fit_metrifier
    from gada.usage import ended

    chosen = MetrifierSettings(**settings)
    errors = fit_metrifier(chosen, run, device, jobs, wandb)
    ended(
        f"{run}/best.safetensors, which predicts the error of {errors.classifier.name}",
        f"gada metrify evaluate --run {run}",
    )


def evaluate(
    run: Path = Path("runs/metrifier"),
    evaluator: str = "bundled",
    out: Path | None = None,
    results: Path | None = None,
    into: Path | None = None,
    json: bool = False,
    jobs: int | None = None,
    device: Device = "auto",
) -> None:
    """Compare predicted and true error on the test sources, beside max softmax, entropy, SSIM, quality and known level.

    Args:
        run: Run directory of a finished `gada metrify fit`.
        evaluator: The evaluator of quality that it is compared with.
        out: Also write the result rows to this .jsonl file.
        results: Result rows to put into a page, instead of evaluating; needs --into.
        into: Markdown file whose block "gada metrify evaluate RESULTS" (OUT) is replaced.
        json: Print one JSON object instead of a table.
        jobs: Processes that distort; by default one for each core.
        device: Where to run networks.
    """
    from json import dumps

    from gada.errors import ConfigError
    from gada.experiments.metrifier.evaluation import block_of, evaluate_metrifier, put_results
    from gada.io.records import RESULTS, write_rows
    from gada.reports.layout import render
    from gada.reports.markdown import around_block
    from gada.reports.predictors import predictors_table
    from gada.usage import ended

    if results and not into:
        raise ConfigError("results are put into a page: name it with --into")
    kept = results or out or run / RESULTS
    if not results:
        if into:
            around_block(into, block_of(kept))
        rows = evaluate_metrifier(run, evaluator, device, jobs)
        if out:
            write_rows(out, rows)
        print(dumps({"results": rows}, allow_nan=False) if json else render(predictors_table(rows), "text"))
    if into:
        put_results(kept, into)
    ended(" and ".join(str(file) for file in (out, into) if file), f"gada metrify predict --model {run} photos/")


def predict(
    paths: list[str],
    model: str = "runs/metrifier",
    out: Path | None = None,
    json: bool = False,
    jobs: int | None = None,
    device: Device = "auto",
) -> int:
    """Predict the expected error, 0 to 1, of the classifier on each image, in the classifier's view.

    Args:
        paths: Images, folders of images, patterns such as 'photos/**/*.jpg'; - reads them from standard input.
        model: A run directory, its .safetensors file, or what `gada export` made of it.
        out: Write rows to this .csv, .jsonl or .parquet file; a stopped job is resumed.
        json: Print one JSON object instead of lines.
        jobs: Threads that decode; by default one for each processor.
        device: Where to run the metrifier.
    """
    from gada.scoring.bulk import BulkJob
    from gada.scoring.metrifier import load_metrifier

    job = BulkJob(paths, out, json, jobs)
    return job.run(load_metrifier(model, device))

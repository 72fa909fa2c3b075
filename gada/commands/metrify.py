"""`gada metrify`: predict the error that a classifier will make on an image, from the image alone."""

from pathlib import Path
from typing import Any, Literal

from gada.settings import ClassifierSettings, ClassifyDataSettings, MetrifierSettings, takes

Device = Literal["auto", "cpu", "cuda", "mps"]


@takes(MetrifierSettings)
def fit(
    run: Path = Path("runs/metrifier"),
    jobs: int | None = None,
    device: Device = "auto",
    wandb: Literal["auto", "offline", "online", "off"] = "auto",
    **settings: Any,
) -> None:
    """Test classifiers on distorted images, and train a network on its errors, split by source image.

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
        f"{run}/best.safetensors, which predicts the error of {errors.name}",
        f"gada metrify evaluate --run {run}",
    )


def evaluate(
    run: Path = Path("runs/metrifier"),
    evaluators: list[str] = ["bundled"],  # noqa: B006  # never changed
    out: Path | None = None,
    results: Path | None = None,
    into: Path | None = None,
    figure: Path | None = None,
    json: bool = False,
    jobs: int | None = None,
    device: Device = "auto",
    wandb: Literal["auto", "offline", "online", "off"] = "auto",
) -> None:
    """Compare predicted and true error on the test sources, beside softmax, SSIM, VIF, features, quality, known level.

    Args:
        run: Run directory of a finished `gada metrify fit`.
        evaluators: The evaluators of quality that it is compared with.
        out: Also write the result rows to this .jsonl file.
        results: Result rows to put into a page, instead of evaluating; needs --into or --figure.
        into: Markdown file whose block "gada metrify evaluate RESULTS" (OUT) is replaced.
        figure: PNG file for true and predicted error against level.
        json: Print one JSON object instead of a table.
        jobs: Processes that distort; by default one for each core.
        device: Where to run networks.
        wandb: Weights & Biases; `auto` is online only where a key is set up. It never asks.
    """
    from json import dumps

    from gada.errors import ConfigError
    from gada.experiments.metrifier.evaluation import evaluate_metrifier
    from gada.experiments.metrifier.report import FIGURES, block_of, put_results
    from gada.io.records import RESULTS, read_rows, write_rows
    from gada.reports.layout import render
    from gada.reports.markdown import around_block
    from gada.reports.predictors import predictors_table
    from gada.training.loggers import log_results
    from gada.usage import ended, listed_files

    if results and out:
        raise ConfigError(f"--results {results} is shown again without an evaluation; leave --out {out} out.")
    if results and not (into or figure):
        raise ConfigError("results are put into a page: name it with --into, or an image with --figure")
    kept = results or out or run / RESULTS
    if not results:
        if into:
            around_block(into, block_of(kept))
        before = read_rows(run / RESULTS)
        rows = evaluate_metrifier(run, evaluators, device, jobs)
        figures = [run / f"{name}.png" for name in FIGURES]
        log_results(run / "evaluation", wandb, {"evaluators": evaluators}, rows, figures, before=before)
        if out:
            write_rows(out, rows)
        print(dumps({"results": rows}, allow_nan=False) if json else render(predictors_table(rows), "text"))
    put_results(kept, into, figure)
    if results:
        ended(listed_files(into, figure))
    elif not json or out:
        ended(f"{run}: report.html, results.jsonl and figures", f"gada metrify predict --model {run} photos/")


def learn(
    run: Path = Path("runs/learn"),
    model: Path = Path("runs/metrifier"),
    distortions: list[str] = ["dodge-karam"],  # noqa: B006  # never changed
    flawed: float = 0.5,
    discarded: float = 0.2,
    seeds: list[int] = [0, 1, 2, 3, 4, 5],  # noqa: B006
    out: Path | None = None,
    results: Path | None = None,
    into: Path | None = None,
    device: Device = "auto",
    wandb: Literal["auto", "offline", "online", "off"] = "auto",
    data: ClassifyDataSettings = ClassifyDataSettings(),
    training: ClassifierSettings = ClassifierSettings(),
) -> None:
    """Train a classifier without the images of worst predicted error, and without as many drawn at random.

    Args:
        run: Run directory; a stopped run is resumed.
        model: Run directory of a metrifier; its own images are left out of the test.
        distortions: What flawed images suffer, each a random level: families, or sets of them.
        flawed: Fraction of the images that are distorted.
        discarded: Fraction of the training images that is left out.
        seeds: Of the trainings; from six on their difference has an interval.
        out: Also write the result rows to this .jsonl file.
        results: Result rows to put into a page, instead of training; needs --into.
        into: Markdown file whose block "gada metrify learn RESULTS" (OUT) is replaced.
        device: Where to run networks.
        wandb: Weights & Biases; `auto` is online only where a key is set up. It never asks.
        data: Training and test images.
        training: Network, loss, schedule.
    """
    from gada.errors import ConfigError
    from gada.experiments.metrifier.learning import learn as train_all
    from gada.experiments.metrifier.learning import put_learning
    from gada.io.records import RESULTS, write_rows
    from gada.reports.layout import render
    from gada.reports.learning import learning_table
    from gada.reports.markdown import around_block
    from gada.usage import ended

    if results and out:
        raise ConfigError(f"--results {results} is shown again without a training; leave --out {out} out.")
    if results and not into:
        raise ConfigError("results are put into a page: name it with --into")
    if not results:
        if into:
            around_block(into, f"gada metrify learn {(out or run / RESULTS).as_posix()}")
        rows = train_all(run, model, distortions, flawed, discarded, seeds, data, training, device, wandb)
        if out:
            write_rows(out, rows)
        print(render(learning_table(rows), "text"))
    if into:
        put_learning(results or out or run / RESULTS, into)
    ended(str(into) if results else f"{run}: report.html, results.jsonl, and a folder for each training")


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

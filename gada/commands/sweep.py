"""`gada sweep`: how much quality distortions cost a classifier."""

from pathlib import Path
from typing import Literal

from gada.settings import ImageSettings, InputSettings


def sweep(
    classifiers: list[str] = [],  # noqa: B006  # never changed
    distortions: list[str] = ["dodge-karam"],  # noqa: B006
    run: Path = Path("runs/sweep"),
    baseline: str | None = None,
    distorted: Literal["crop", "image"] = "crop",
    example: Path | None = None,
    seed: int = 0,
    jobs: int | None = None,
    keep: bool = True,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    wandb: Literal["auto", "offline", "online", "off"] = "auto",
    out: Path | None = None,
    results: Path | None = None,
    into: Path | None = None,
    figure: Path | None = None,
    json: bool = False,
    images: ImageSettings = ImageSettings(),
    input: InputSettings = InputSettings(),  # noqa: A002  # its name on the command line
) -> int:
    """Test classifiers at every level of distortion ladders: accuracy, confidence, calibration, corruption error.

    Args:
        classifiers: Networks: efficientnet-lite0 (1, 2), torchvision:NAME, timm:NAME, package.module:function, or files
            (.onnx, .pt, .pt2, .safetensors); NAME=... names one. Without any, earlier results are shown.
        distortions: Families, or sets of them: dodge-karam, iqa-ls, tid2013, live, web.
        run: Run directory; a started sweep is resumed.
        baseline: Network that the others' corruption errors are divided by; by default the first.
        distorted: Distort what the network sees, after resizing and centre crop, or the whole image before.
        example: Image of the example sheet and of the filter responses; by default the set's first.
        seed: Of the noise.
        jobs: Processes that distort; by default one for each core.
        keep: Keep the distorted images in the cache, for other networks.
        device: Where to run networks.
        out: Also write the result rows to this .jsonl file.
        results: Result rows to show again; by default those of the run.
        into: Markdown file whose block "gada sweep RESULTS" (OUT) is replaced instead of printing.
        figure: PNG file for accuracy along the ladders.
        json: Print one JSON object instead of tables.
        wandb: Weights & Biases; `auto` is online only where a key is set up. It never asks.
        images: Labelled images.
        input: Overrides the networks' own input.
    """
    from gada.errors import ConfigError
    from gada.experiments.robustness.report import baseline_of, block_of, show, write_report
    from gada.io.records import RESULTS, read_rows, write_rows
    from gada.reports.markdown import around_block

    if json and figure:
        raise ConfigError("--json prints and --figure draws; give one of the two.")
    if results and classifiers:
        raise ConfigError(f"--results {results} is shown again without a sweep; leave it out, or --classifiers.")
    if out and not classifiers:
        raise ConfigError(f"--out {out} is written by a sweep; name --classifiers, or leave it out.")
    if not classifiers:
        show(results or run / RESULTS, baseline, into, figure, json)
        return 0
    if figure and figure.suffix != ".png":
        raise ConfigError(f"--figure is {figure} but must be a .png file.")
    kept = out or run / RESULTS
    if into:
        around_block(into, block_of(kept))  # a missing block is an error before the sweep
    from gada.data.labelled import load_labelled
    from gada.experiments.robustness.sweep import run_sweep
    from gada.scoring.classifier_sources import load_classifier
    from gada.scoring.classifiers import common_classes
    from gada.training.loggers import log_results
    from gada.usage import ended

    loaded = [load_classifier(one, input, device) for one in classifiers]
    first = baseline_of([one.name for one in loaded], baseline)
    labelled = load_labelled(images, common_classes(loaded))
    before = read_rows(run / RESULTS)
    found = run_sweep(loaded, labelled, distortions, run, distorted, seed, jobs, keep)
    write_report(run, loaded, labelled, found, first, example)
    rows = read_rows(run / RESULTS)
    config = {"classifiers": classifiers, "distortions": distortions, "distorted": distorted, "seed": seed}
    log_results(run, wandb, config, rows, sorted(run.glob("*.png")), [run / "report.html", run / RESULTS], before)
    if out:
        write_rows(out, rows)
    show(kept, baseline, into, figure, json)
    ended(f"{run}: report.html, results.jsonl and results.csv", f"gada sweep --run {run} --figure sweep.png")
    return 4 if found.failed else 0

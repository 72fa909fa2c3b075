"""`gada layers`: how far distortions change the output of each layer of a classifier."""

from pathlib import Path
from typing import Literal

from gada.settings import ImageSettings, InputSettings


def layers(
    classifier: str = "",
    distortions: list[str] = ["dodge-karam"],  # noqa: B006  # never changed
    run: Path = Path("runs/layers"),
    distorted: Literal["crop", "image"] = "crop",
    seed: int = 0,
    jobs: int | None = None,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    out: Path | None = None,
    results: Path | None = None,
    into: Path | None = None,
    figure: Path | None = None,
    wandb: Literal["auto", "offline", "online", "off"] = "auto",
    images: ImageSettings = ImageSettings(),
    input: InputSettings = InputSettings(),  # noqa: A002  # its name on the command line
) -> None:
    """Send images and their distorted versions through a network; tell how far each layer's output changes.

    Args:
        classifier: A network that torch runs, as `gada sweep` takes it. Without one, earlier results are shown.
        distortions: Families, or sets of them: dodge-karam, iqa-ls, tid2013, live, web.
        run: Run directory.
        distorted: Distort what the network sees, after resizing and centre crop, or the whole image before.
        seed: Of the noise.
        jobs: Processes that distort; by default one for each core.
        device: Where to run the network.
        out: Also write the result rows to this .jsonl file.
        results: Result rows to show again; by default those of the run.
        into: Markdown file whose block "gada layers RESULTS" (OUT) is replaced instead of printing.
        figure: PNG file for the changes by depth.
        wandb: Weights & Biases; `auto` is online only where a key is set up. It never asks.
        images: Images; their labels are not used.
        input: Overrides the network's own input.
    """
    from gada.errors import ConfigError
    from gada.experiments.robustness.layers import run_layers, show
    from gada.io.records import RESULTS, read_rows, write_rows
    from gada.reports.markdown import around_block
    from gada.usage import ended, listed_files

    if classifier and results:
        raise ConfigError(f"--results {results} is shown again without a network; leave it out, or --classifier.")
    if figure and figure.suffix != ".png":
        raise ConfigError(f"--figure is {figure} but must be a .png file.")
    if out and not classifier:
        raise ConfigError(f"--out {out} is written by a measurement; name --classifier, or leave it out.")
    if classifier:
        if into:
            around_block(into, f"gada layers {(out or run / RESULTS).as_posix()}")
        from gada.data.labelled import load_labelled
        from gada.scoring.classifier_sources import load_classifier
        from gada.training.loggers import log_results

        loaded = load_classifier(classifier, input, device)
        before = read_rows(run / RESULTS)
        rows = run_layers(loaded, load_labelled(images, loaded.classes), distortions, run, distorted, seed, jobs)
        config = {"classifier": classifier, "distortions": distortions, "distorted": distorted, "seed": seed}
        log_results(run, wandb, config, rows, [run / "layers.png"], before=before)
        if out:
            write_rows(out, rows)
    kept = results or out or run / RESULTS
    print(show(kept, into, figure), end="")
    if classifier:
        ended(f"{run}: results.jsonl and layers.png", f"gada layers --run {run} --into PAGE.md")
    elif into or figure:
        ended(listed_files(into, figure))

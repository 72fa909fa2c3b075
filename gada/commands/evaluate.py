"""`gada evaluate`: a trained evaluator against the scores of a database."""

from pathlib import Path
from typing import Literal

from gada.settings import DataSettings, EvaluationSettings, SplitSettings


def evaluate(
    model: str = "bundled",
    side: Literal["test", "validation", "train", "all"] = "all",
    out: Path | None = None,
    results: Path | None = None,
    keep_shared: bool = False,
    json: bool = False,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    data: DataSettings = DataSettings(),
    split: SplitSettings = SplitSettings(),
    evaluation: EvaluationSettings = EvaluationSettings(),
) -> None:
    """Report LCC, SROCC and more, for ALL images and for each distortion.

    Args:
        model: A .safetensors evaluator, a stage's or a run's folder, or the name of a bundled one.
        side: Which side of the split; `all` for a database the model never saw.
        out: CSV file for the score of every image.
        results: JSON lines file to which the row over all images is added, for `gada table --layout databases`.
        keep_shared: Keep scenes that the model was trained on; with side `all` they are left out and listed, and sides
            of another split than the model's are refused.
        json: Print one JSON object instead of a table.
        device: Where to run the evaluator.
        data: Which scored images to read.
        split: How the references are divided.
        evaluation: Scoring by crops.
    """
    from json import dumps

    from gada.experiments.evaluation import evaluate_model
    from gada.io.files import check_writable
    from gada.io.records import read_rows
    from gada.metrics.correlation import METRICS
    from gada.reports.layout import render
    from gada.reports.tables import by_distortion_table
    from gada.runs.report import provenance_of
    from gada.usage import ended, listed_files

    if results:
        check_writable(results)
        read_rows(results)  # a file of something else is an error before the evaluation
    found = evaluate_model(model, side, data, split, evaluation, device, out, keep_shared)
    if results:
        found.keep(results, model)
    rows, origin = [row.as_plain() for row in found.rows], provenance_of(row.origin for row in found.rows)
    if json:
        described = {"model": model, "evaluator": found.model, "sha256": found.sha256, "data": origin.describe()}
        print(dumps({**described, "left_out": found.left_out, "interval": found.interval, "results": rows}))
        if out or results:
            ended(listed_files(out, results), f"gada trust --model {model}")
        return
    print(render(by_distortion_table(rows, origin, metrics=METRICS)))
    print(f"Evaluator: {found.model}.")
    if found.interval:
        print(f"95 % interval of SROCC over all images: {found.interval[0]:.3f} to {found.interval[1]:.3f}.")
    if found.left_out is None and side == "all":
        print("Its checkpoint does not say on which scenes it was trained, so none could be left out.")
    for name, known in (found.left_out or {}).items():
        print(f"left out: {name} shows the scene of {known}, which the evaluator was trained on")
    ended(listed_files(out, results), f"gada trust --model {model}")

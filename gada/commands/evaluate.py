"""`gada evaluate`: a trained evaluator against the scores of a database."""

from pathlib import Path
from typing import Literal

from gada.settings import DataSettings, EvaluationSettings, SplitSettings


def evaluate(
    model: str = "bundled",
    side: Literal["test", "validation", "train", "all"] = "all",
    out: Path | None = None,
    json: bool = False,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    data: DataSettings = DataSettings(),
    split: SplitSettings = SplitSettings(),
    evaluation: EvaluationSettings = EvaluationSettings(),
) -> None:
    """Report LCC, SROCC and more, for ALL images and for each distortion.

    Args:
        model: A .safetensors evaluator, a stage's or a run's folder, or `bundled`.
        side: Which side of the split; `all` for a database the model never saw.
        out: CSV file for the score of every image.
        json: Print one JSON object instead of a table.
        device: Where to run the evaluator.
        data: Which scored images to read.
        split: How the references are divided.
        evaluation: Scoring by crops.
    """
    from json import dumps

    from gada.experiments.evaluation import evaluate_model
    from gada.metrics.correlation import FIGURES
    from gada.reports.tables import table1

    rows, provenance = evaluate_model(model, side, data, split, evaluation, device, out)
    if json:
        print(dumps({"model": model, "data": provenance.describe(), "results": rows}))
    else:
        print(table1(rows, provenance=provenance, figures=FIGURES))

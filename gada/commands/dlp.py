"""`gada dlp`: the Waterloo Exploration protocol, which needs no human scores."""

from pathlib import Path
from typing import Literal

from gada.settings import EvaluationSettings


def dlp(
    model: str = "bundled",
    photos: Path = Path("data/photos"),
    gap: float = 40.0,
    out: Path | None = None,
    json: bool = False,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    evaluation: EvaluationSettings = EvaluationSettings(),
) -> None:
    """Test an evaluator on pristine photos and their distortions: D-test, L-test and P-test.

    Args:
        model: A .safetensors evaluator, a stage's or a run's folder, or the name of a bundled one.
        photos: Folder of pristine photos that the model was not trained on.
        gap: P-test: percentiles by which full-reference measures must agree that an image is better.
        out: CSV file for the measures of every image.
        json: Print one JSON object instead of a table.
        device: Where to run the evaluator.
        evaluation: Scoring by crops.
    """
    from json import dumps

    from gada.experiments.dlp import dlp_table, run_dlp
    from gada.reports.layout import render
    from gada.scoring.loading import load_scorer
    from gada.usage import ended

    scorer = load_scorer(model, "crops", evaluation.crops, evaluation.seed, device)
    found = run_dlp(scorer, photos, evaluation, gap, out)
    if json:
        consistency = {name: one._asdict() for name, one in found.consistency.items()}
        tests = {"d": found.discriminability._asdict(), "l": consistency, "p": found.preference._asdict()}
        print(
            dumps(
                {"model": model, "evaluator": found.model, "sha256": found.sha256, "photographs": found.photos, **tests}
            )
        )
    else:
        print(render(dlp_table(found), "text"))
        ended(str(out or ""), f"gada trust --model {model} --photos {photos}")

"""`gada trust`: what a sceptic would show a quality model."""

from pathlib import Path
from typing import Literal


def trust(
    model: str = "bundled",
    photos: Path = Path("data/photos"),
    mode: Literal["crops", "grid", "dense"] = "grid",
    out: Path | None = None,
    json: bool = False,
    seed: int = 0,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
) -> None:
    """Show a model distorted, empty and camera-size images, and say whether its score can be trusted.

    Args:
        model: A .safetensors evaluator, an exported file (.onnx, .xml, .pt2), a run's folder, or a bundled name.
        photos: Folder of undistorted photos that the model was not trained on.
        mode: Which crops of an image are scored, as for `gada score`.
        out: Folder that receives trust.jsonl and trust.png, a plot of score against level for each distortion.
        json: Print one JSON object instead of a table.
        seed: Seed of the noise in distorted versions.
        device: Where to run the model.
    """
    from json import dumps

    from gada.experiments.trust.checks import check_trust
    from gada.experiments.trust.report import trust_rows, trust_table, write_trust
    from gada.reports.layout import render
    from gada.scoring.loading import load_scorer

    found = check_trust(load_scorer(model, mode, device=device), model, photos, seed)
    if out:
        write_trust(out, found, seed)
    if json:
        print(dumps(trust_rows(found, seed)))
    else:
        print(render(trust_table(found.checks, found.model, found.photos), "text"))

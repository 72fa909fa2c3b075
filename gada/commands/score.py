"""`gada score`: predict the quality of pictures."""

from pathlib import Path
from typing import Literal


def score(
    paths: list[Path],
    model: str = "bundled",
    crops: int = 30,
    json: bool = False,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
) -> int:
    """Print one line for each picture: its score, the spread over crops, the likeliest distortion, the file.

    Args:
        paths: Pictures and folders of pictures.
        model: A .safetensors evaluator, a stage's or a run's folder, or `bundled`.
        crops: Random crops an image, whose mean is the score.
        json: Print one JSON object instead of lines.
        device: Where to run the evaluator.
    """
    import sys
    from dataclasses import asdict
    from json import dumps

    from gada.errors import DataError
    from gada.io.checkpoints import find_checkpoint
    from gada.io.folders import pictures_of
    from gada.io.images import read_image, shown
    from gada.scoring.torch_backend import load_scorer

    scorer = load_scorer(find_checkpoint(model, "evaluator"), device, crops)
    if not json:
        print(f"# {scorer.describe()}")
    results, failed = [], 0
    for path in pictures_of(paths):
        try:
            prediction = scorer(read_image(path))
        except DataError as error:
            failed += 1
            sys.stderr.write(f"gada: {error}\n")
            results.append({"path": str(path), "error": str(error)})
            continue
        results.append({"path": str(path), **asdict(prediction)})
        if not json:
            kind = f"{prediction.distortion} {prediction.probability:.2f}" if prediction.distortion else ""
            print(f"{prediction.score:9.4f} +- {prediction.spread:7.4f}  {kind:20} {shown(path)}")
    if json:
        print(dumps({"model": scorer.card["name"], "scale": scorer.card["scale"], "results": results}))
    return 4 if failed else 0

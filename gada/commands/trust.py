"""`gada trust`: what a sceptic would show a quality model."""

from pathlib import Path
from typing import Literal

BLOCK = "gada trust"


def trust(
    model: str = "bundled",
    photos: Path = Path("data/photos"),
    mode: Literal["crops", "grid", "dense"] = "grid",
    out: Path | None = None,
    results: Path | None = None,
    into: Path | None = None,
    require: bool = False,
    json: bool = False,
    seed: int = 0,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
) -> int:
    """Show a model distorted, empty and camera-size images, and say whether its score can be trusted.

    Args:
        model: A .safetensors evaluator, an exported file (.onnx, .xml, .pt2), a run's folder, or a bundled name.
        photos: Folder of undistorted photos that the model was not trained on.
        mode: Which crops of an image are scored, as for `gada score`.
        out: Folder that receives trust.jsonl and trust.png, a plot of score against level for each distortion.
        results: A trust.jsonl whose table is shown again, instead of checking.
        into: Markdown file whose block "gada trust" is to be replaced instead of printing.
        require: Exit with code 4 if a check that could be made, other than speed, does not reach its limit.
        json: Print one JSON object instead of a table.
        seed: Seed of the noise in distorted versions.
        device: Where to run the model.
    """
    from json import dumps

    from gada.errors import ConfigError
    from gada.experiments.trust.checks import check_trust
    from gada.experiments.trust.report import trust_rows, trust_table, write_trust
    from gada.io.files import check_writable
    from gada.io.records import read_results
    from gada.reports.layout import render
    from gada.reports.markdown import around_block, replace_block
    from gada.scoring.loading import load_scorer
    from gada.usage import ended

    if results and out:
        raise ConfigError(f"--results {results} is shown again without a check; leave --out {out} out.")
    if into:
        around_block(into, BLOCK)
    if out:
        check_writable(out / "trust.jsonl")
    if results:
        rows = read_results([results], "trust")
    else:
        found = check_trust(load_scorer(model, mode, device=device), photos, seed)
        rows = trust_rows(found, seed)
        if out:
            write_trust(out, found, seed)
        ended(f"{out}: trust.jsonl and trust.png" if out else "", f"gada score --model {model} photos/")
    if into:
        replace_block(into, BLOCK, render(trust_table(rows), "markdown"))
    elif json:
        print(dumps(rows))
    else:
        print(render(trust_table(rows), "text"))
    return 4 if require and any(row["passed"] is False and row["test"] != "speed" for row in rows) else 0

"""`gada score`: predict the quality of images."""

from pathlib import Path
from typing import Literal


def score(
    paths: list[str],
    model: str = "bundled",
    mode: Literal["grid", "crops", "dense"] = "grid",
    crops: int | None = None,
    seed: int = 0,
    out: Path | None = None,
    json: bool = False,
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto",
    engine: Literal["local", "ray"] = "local",
    jobs: int | None = None,
    max_pixels: int = 50_000_000,
    float_range: tuple[float, float] | None = None,
    white: int | None = None,
) -> int:
    """Score images: score, spread over the crops, likeliest distortion and file, a line each.

    Args:
        paths: Images, folders of images, patterns such as 'photos/**/*.jpg', or text files with one of these a line;
            - reads the lines of standard input.
        model: A .safetensors evaluator, what `gada export` wrote, a run's folder, or the name of a bundled one.
        mode: Few fixed crops (fast), 30 random ones (the paper's), or the whole image.
        crops: Crops an image, for `grid` and `crops`; by default the mode's.
        seed: Of the positions of mode `crops`.
        out: Write rows to this .csv, .jsonl or .parquet file (a folder of Parquet files with --engine ray); a stopped
            job is resumed.
        json: Print one JSON object instead of lines.
        device: Where to run the evaluator; Ray's workers take processors.
        engine: `ray` spreads the job over a Ray cluster.
        jobs: Threads that decode, or Ray workers; by default one for each core.
        max_pixels: Greatest height x width of an image.
        float_range: Black and white value of images of floats, as in '[0, 1]'.
        white: White of 16-bit samples, such as 4095 where a camera's 12 bits are stored in 16; by default 65535.
    """
    from gada.errors import ConfigError
    from gada.io.pixels import Decoding
    from gada.scoring.bulk import BulkJob, say

    if crops is not None and crops < 1:
        raise ConfigError(f"--crops is {crops} but must be at least 1.")
    if engine == "ray" and (json or device not in ("auto", "cpu")):
        given = "--json" if json else f"--device {device}"
        raise ConfigError(f"--engine ray scores on processors and writes files; leave out {given}.")
    job = BulkJob(paths, out, json, jobs, Decoding(max_pixels, float_range, white))
    if engine == "ray":
        from gada.scoring.ray_engine import score_with_ray

        return score_with_ray(job, model, mode, crops, seed)
    from gada.scoring.loading import load_scorer
    from gada.usage import ended

    scorer = load_scorer(model, mode, crops, seed, device)
    if scorer.card.whole_view and (mode != "grid" or crops is not None):
        say(f"{scorer.card.name} sees images whole; --mode and --crops change nothing.")
    code = job.run(scorer)
    if code == 0 and not out and not json:
        ended(following="the same command with --out scores.csv keeps the scores")
    return code

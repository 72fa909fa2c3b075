"""`gada score`: predict the quality of pictures."""

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
) -> int:
    """Score pictures: score, spread over the crops, likeliest distortion and file, a line each.

    Args:
        paths: Pictures, folders of pictures, patterns such as 'photos/**/*.jpg'; - reads them from standard input.
        model: A .safetensors evaluator, what `gada export` wrote, a run's folder, or the name of a bundled one.
        mode: Few fixed crops (fast), 30 random ones (the paper's), or the whole picture.
        crops: Crops a picture, for `grid` and `crops`; by default the mode's.
        seed: Of the positions of mode `crops`.
        out: Write rows to this .csv, .jsonl or .parquet file (a folder of Parquet files with --engine ray); a stopped
            job goes on where it was.
        json: Print one JSON object instead of lines.
        device: Where to run the evaluator; Ray's workers take processors.
        engine: `ray` spreads the job over a Ray cluster.
        jobs: Threads that decode, or Ray workers; by default one for each processor.
        max_pixels: Greatest height x width of a picture.
        float_range: Black and white value of pictures of floats, as in '[0, 1]'.
    """
    from gada.errors import ConfigError
    from gada.io.folders import check_arguments, pictures_of
    from gada.io.images import check_range
    from gada.scoring.bulk import arguments_of, print_scores, score_to_file
    from gada.scoring.streaming import score_files

    for name, value in (("crops", crops), ("jobs", jobs), ("max-pixels", max_pixels)):
        if value is not None and value < 1:
            raise ConfigError(f"--{name} is {value} but must be at least 1.")
    if engine == "ray" and device not in ("auto", "cpu"):
        raise ConfigError(f"--engine ray scores on processors; leave out --device {device}.")
    if json and (out or engine == "ray"):
        raise ConfigError("--json prints the scores and --out writes them to a file; give one of the two.")
    check_range(float_range)
    check_arguments(path for path in paths if path != "-")
    pictures = pictures_of(arguments_of(paths))
    if engine == "ray":
        from gada.scoring.ray_engine import score_with_ray

        failed = score_with_ray(pictures, out, model, mode, crops, seed, jobs, max_pixels, float_range)
        return 4 if failed else 0
    from gada.scoring.loading import load_scorer

    scorer = load_scorer(model, mode, crops, seed, device)
    if out:
        failed = score_to_file(scorer, paths, out, jobs, max_pixels, float_range)
    else:
        failed = print_scores(scorer, score_files(scorer, pictures, jobs, max_pixels, float_range), json)
    return 4 if failed else 0

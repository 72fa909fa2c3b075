"""The same job on Ray Data, for those who outgrow a machine. The scheduling is Ray's."""

import logging
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

from gada.errors import ConfigError, DataError
from gada.io.folders import described
from gada.io.images import shown
from gada.io.pixels import Decoding
from gada.io.records import Row
from gada.scoring.bulk import BulkJob, say
from gada.scoring.loading import load_scorer
from gada.scoring.rows import as_table, import_pyarrow, row_of
from gada.scoring.scorer import Scorer
from gada.scoring.streaming import score_files
from gada.scoring.views import Mode

BATCH = 64  # images a task takes at a time
PART = 1000  # rows in a Parquet file, at least: what a stopped job can lose
NEEDED = ["image", "model", "mode", "error"]
NAME = re.compile(r"[0-9a-f]{32}_\d{6}[0-9_-]*\.parquet")  # how Ray calls what it writes


class Worker:
    """One of Ray's workers: a scorer on one processor.

    Args:
        options: of `load_scorer`.
        decoding: limit of pixels, and range and white of the samples.
    """

    def __init__(self, options: dict[str, Any], decoding: Decoding) -> None:
        self.scorer = load_scorer(**options)
        self.decoding = decoding

    def __call__(self, batch: Any) -> Any:
        """Return the rows of a batch of paths, an Arrow table."""
        paths = [Path(os.fsdecode(name)) for name in batch["path"].to_pylist()]
        outcomes = score_files(self.scorer, paths, 1, self.decoding)
        return as_table([row_of(path, outcome, self.scorer) for path, outcome in outcomes])


def score_with_ray(job: BulkJob, model: str, mode: Mode, crops: int | None, seed: int) -> int:
    """Write the scores of files as Parquet files into the folder `job.out`; a stopped job is resumed.

    Files and model must lie where every machine of the cluster sees them under the same path.

    Args:
        job: the images and the folder; `jobs` are workers, by default as many as there are processors.
        model: as for `load_scorer`, as are `mode`, `crops` and `seed`.
        mode: which crops.
        crops: crops an image.
        seed: of the positions of mode `crops`.

    Returns:
        The exit code: 0, or 4 if some files failed, those of the stopped job included.

    Raises:
        ConfigError: if Ray is not installed, `out` is not a folder, or it holds another job's scores or other tables.
        DataError: if a Parquet file in it is damaged.
    """
    out, passed_over = job.out, Counter[str]()
    if out is None or out.suffix:
        raise ConfigError(f"--engine ray writes a folder of Parquet files; give one with --out, not {out}.")
    import_pyarrow()
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ConfigError('--engine ray needs Ray: pip install "gada-iqa[ray]".') from error
    options: dict[str, Any] = {"model": model, "mode": mode, "crops": crops, "seed": seed, "device": "cpu"}
    before = finished_rows(out, load_scorer(**options))
    done = {row["image"] for row in before}
    left = [{"path": os.fsencode(path)} for path in job.images(passed_over) if shown(path) not in done]
    if left:
        logging.getLogger("ray.data").setLevel(logging.WARNING)
        ray.init(ignore_reinit_error=True, include_dashboard=False, log_to_driver=False, logging_level=logging.WARNING)
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call, unused-ignore]
        workers = job.jobs or int(resources.get("CPU", 1)) - 1  # one processor is left to what writes
        rows = ray.data.from_items(left).map_batches(
            Worker,
            fn_constructor_args=(options, job.decoding),
            batch_size=BATCH,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=max(1, workers)),
        )
        rows.write_parquet(str(out.resolve()), mode=ray.data.SaveMode.APPEND, min_rows_per_file=PART)
    if passed_over:
        say(described(passed_over))
    return 4 if any(row["error"] is not None for row in finished_rows(out, None)) else 0


def finished_rows(folder: Path, scorer: Scorer | None) -> list[Row]:
    """Return the rows of the files that are done; a file of Ray's that was cut off is removed.

    Raises:
        ConfigError: if the folder holds Parquet files of something else, or the rows are not of this scorer.
        DataError: if a file is damaged.
    """
    rows: list[Row] = []
    for path in sorted(folder.glob("*.parquet")):
        rows += rows_of(path)
    for row in rows if scorer else []:
        if scorer and (row["model"], row["mode"]) != (scorer.model, scorer.protocol()):
            raise ConfigError(f"{folder} holds scores of {row['model']} ({row['mode']}); give another --out.")
    return rows


def rows_of(path: Path) -> list[Row]:
    """Return the rows of a Parquet file; only one that Ray began and did not finish is removed, and has none."""
    import pyarrow
    from pyarrow import parquet

    try:
        names = parquet.read_schema(path).names
    except pyarrow.ArrowInvalid as error:  # no footer, which is written last
        if not NAME.fullmatch(path.name):
            raise ConfigError(f"{path} is not a Parquet file of this job; move it, or give another --out.") from error
        path.unlink()
        return []
    if not set(NEEDED) <= set(names):
        raise ConfigError(f"{path} holds another table and no scores; give another --out.")
    try:
        return list(parquet.read_table(path, columns=NEEDED).to_pylist())
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is damaged; delete it to score its images anew.") from error

"""Make a scored set of distorted images from reference images: seeded, in parallel, resumable."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from hashlib import sha256
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

import gada
from gada.data.making import Task, run_tasks
from gada.data.proxy import MS_SSIM_SMALLEST_SIDE, Metric, metric_for, proxy_scale
from gada.data.recipes import HUMAN_SCALES, Cell, Recipe, Source, cells_of, find_sources, human_scores
from gada.distortions import FAMILIES
from gada.distortions.pixels import SMALLEST_SIDE
from gada.errors import ConfigError, DataError
from gada.io.files import TEMPORARY, remove_temporaries, sha256_of, unwritable, write_json, write_text
from gada.io.images import write_png

JOURNAL = "finished.jsonl"
"""What is made so far, one line for each image, in the folder of a set that is not complete."""


def synthesize(
    references: Path,
    out: Path,
    recipe: Recipe = "live",
    scores: str = "proxy",
    crops: Path | None = None,
    levels: int | None = None,
    seed: int = 0,
    jobs: int | None = None,
) -> bool:
    """Distort every reference by every family of a recipe and write the set to a folder.

    The folder gets `references/`, `images/` (PNG), `scores.csv` (columns image, score, reference, distortion, level;
    paths relative to the folder) and `manifest.json`. Table and final manifest come last, so a folder with a table is
    complete. Started again, it makes only what is missing or damaged; all, if the table is, with its scores.

    Args:
        references: Folder of undistorted images, with its subfolders.
        out: Folder to write; new, empty, or begun by the same call.
        recipe: Whose distortions.
        scores: "proxy", or a table of human scores (see `human_scores`).
        crops: Table of crops to take from the images (see `find_sources`).
        levels: Number of strengths (see `cells_of`).
        seed: All noise is a function of this, the reference's name, the class and the level.
        jobs: Processes; by default one for each core.

    Returns:
        False if the set was complete, and nothing was left to do.

    Raises:
        ConfigError: if an option is wrong.
        DataError: if a reference, a table or the folder is wrong; nothing is written then.
    """
    if seed < 0 or (jobs is not None and jobs < 1):
        raise ConfigError(f"seed is {seed} and jobs {jobs}; seed must be 0 or more, jobs 1 or more")
    sources, cells = find_sources(references, crops, out), cells_of(recipe, levels)
    human = None if scores == "proxy" else human_scores(Path(scores), recipe, sources, cells)
    digests, metric = _digests(sources, human is not None)
    plan = _plan(recipe, digests, cells, human, metric, seed)
    finished = _finished(out, plan)
    remove_temporaries(out, older_than=0.0)
    tasks = [Task(out, source.name, cell.family, cell.level, seed, metric) for source in sources for cell in cells]
    if _is_complete(out, tasks, finished):
        sys.stderr.write(f"gada: {out} is complete, with {len(tasks)} images; nothing is left to do\n")
        return False
    if finished:  # before the manifest forgets that the set was complete: what is known of its images would go with it
        write_text(out / JOURNAL, "".join(_line(image, *entry) for image, entry in finished.items()))
    write_json(out / "manifest.json", plan | {"complete": False})  # first, so that the folder says whose it is
    _write_references(out, sources)
    todo = [task for task in tasks if task.image not in finished]
    made = track(run_tasks(todo, jobs), "synthesize", total=len(todo), console=Console(stderr=True))
    try:
        with (out / JOURNAL).open("a", encoding="utf-8") as journal:
            for image, digest, proxy in made:
                finished[image] = (digest, proxy)
                journal.write(_line(image, digest, proxy))
                journal.flush()
    except OSError as error:
        raise unwritable(out / JOURNAL, error) from error
    if human is not None:
        finished = {task.image: (finished[task.image][0], human[task.key]) for task in tasks}
    _write_table(out, plan, tasks, finished)
    return True


def _digests(sources: Iterable[Source], human: bool) -> tuple[dict[str, str], Metric | None]:
    """Decode and check every reference; return their SHA-256 by name, and the metric of the proxy scores."""
    digests, smallest = dict[str, str](), MS_SSIM_SMALLEST_SIDE
    for source in sources:
        pixels = source.pixels()
        height, width = pixels.shape[:2]
        if min(height, width) < SMALLEST_SIDE:
            raise DataError(
                f"{source.path} has {width} x {height} pixels; every recipe needs sides of {SMALLEST_SIDE} or more"
            )
        if not human and min(height, width) < smallest == MS_SSIM_SMALLEST_SIDE:
            needed = f"MS-SSIM needs sides of {MS_SSIM_SMALLEST_SIDE}"
            proxy = f"{needed}: the proxy scores of this set are of SSIM"
            sys.stderr.write(f"gada: {source.path} has {width} x {height} pixels, and {proxy}\n")
        smallest = min(smallest, height, width)
        digests[source.name] = sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
    return digests, None if human else metric_for(smallest)


def _plan(
    recipe: Recipe,
    digests: dict[str, str],
    cells: tuple[Cell, ...],
    human: dict[tuple[str, str, float], float] | None,
    metric: Metric | None,
    seed: int,
) -> dict[str, Any]:
    """Describe the set: what makes it the same set as another."""
    scale = HUMAN_SCALES[recipe] if metric is None else proxy_scale(metric)
    name = f"{recipe}-like" if human is None else f"{recipe.upper()}-R"
    return {
        "name": name,
        "recipe": recipe,
        "seed": seed,
        "proxy": human is None,
        "scale": asdict(scale),
        "scores_sha256": None if human is None else sha256(repr(sorted(human.items())).encode()).hexdigest(),
        "strengths": {
            family: {
                f"{cell.level:g}": FAMILIES[family].strength(cell.level) for cell in cells if cell.family == family
            }
            for family in dict.fromkeys(cell.family for cell in cells)
        },
        "references": digests,
        "gada": gada.__version__,
    }


def _finished(out: Path, plan: dict[str, Any]) -> dict[str, tuple[str, float | None]]:
    """Return what an earlier run of the same plan has made and what is still whole: image to (SHA-256, score).

    Raises:
        DataError: if the folder holds anything else.
    """
    if not out.exists() or (out.is_dir() and all(path.name.startswith(TEMPORARY) for path in out.iterdir())):
        return {}
    try:
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        differing = [key for key in plan if manifest.get(key) != plan[key]]
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{out} is not empty and does not hold a set of this command; give a new folder") from error
    if differing:
        raise DataError(
            f"{out} holds another set ({manifest.get('name')}, seed {manifest.get('seed')}; differing: "
            f"{', '.join(differing)}); give a new folder"
        )
    entries = _journal(out / JOURNAL), _table(out / "scores.csv", manifest)
    return {
        image: (digest, score)
        for image, digest, score in chain(*entries)
        if (out / image).is_file() and sha256_of(out / image) == digest
    }


def _is_complete(out: Path, tasks: Iterable[Task], finished: Mapping[str, tuple[str, float | None]]) -> bool:
    """Return whether the table, the references and every image of a set are there and whole."""
    try:
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        others = {name: digest for name, digest in manifest.get("files", {}).items() if name not in finished}
        whole = all(sha256_of(out / name) == digest for name, digest in others.items())
    except (OSError, ValueError):
        return False
    return manifest["complete"] is True and whole and all(task.image in finished for task in tasks)


def _journal(path: Path) -> Iterator[tuple[str, str, float | None]]:
    """Read the lines of an interrupted run; the last may be torn."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else ():
        try:
            image, digest, score = json.loads(line)
        except (ValueError, TypeError):
            continue
        yield image, digest, score


def _line(image: str, digest: str, score: float | None) -> str:
    return json.dumps([image, digest, score]) + "\n"


def _table(path: Path, manifest: dict[str, Any]) -> Iterator[tuple[str, str, float | None]]:
    """Read the table of a complete set; of one that is lost or damaged nothing is taken."""
    files = manifest.get("files")
    if isinstance(files, dict) and path.is_file() and sha256_of(path) == files.get(path.name):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield row["image"], files.get(row["image"], ""), float(row["score"])


def _write_references(out: Path, sources: Iterable[Source]) -> None:
    for source in sources:
        write_png(out / "references" / f"{source.name}.png", source.pixels())


def _write_table(
    out: Path, plan: dict[str, Any], tasks: Iterable[Task], finished: dict[str, tuple[str, float | None]]
) -> None:
    """Write the table and the final manifest, then drop the journal."""
    table = StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["image", "score", "reference", "distortion", "level"])
    files = dict[str, str]()
    for task in tasks:
        reference = f"references/{task.reference}.png"
        files[reference] = files.get(reference) or sha256_of(out / reference)
        files[task.image], score = finished[task.image]
        writer.writerow([task.image, score, reference, task.distortion, f"{task.level:g}"])
    write_text(out / "scores.csv", table.getvalue())
    files["scores.csv"] = sha256_of(out / "scores.csv")
    write_json(out / "manifest.json", plan | {"complete": True, "files": files})
    (out / JOURNAL).unlink()

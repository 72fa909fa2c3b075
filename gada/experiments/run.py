"""A training run: the stages of the paper one after another, each evaluated on the test references."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from gada.data.cache import PackedImages
from gada.data.checks import check_crops, check_sizes
from gada.data.databases import load_database
from gada.data.perceptual_hash import PerceptualHash
from gada.data.records import ScoredSet
from gada.data.scenes import scene_hashes
from gada.data.splits import Split, check_apart, split_by_reference
from gada.errors import ConfigError, DataError
from gada.experiments.evaluation import UPPER_BOUND_NAME
from gada.experiments.report import write_report
from gada.experiments.sources import asked_of, pack_sources
from gada.experiments.stages import (
    Run,
    check_beginning,
    check_scenes,
    check_start,
    check_unseen,
    evaluate_stage,
    finished_stages,
    model_of,
    starting_kinds,
    train_stage,
)
from gada.io.files import remove_temporaries, write_text
from gada.io.records import RESULTS, Row, read_rows, write_environment, write_rows
from gada.metrics.correlation import ALL
from gada.scoring.torch_backend import check_devices, choose_device
from gada.settings import STAGES, Settings, Stage, as_plain
from gada.training.dashboard import Dashboard, Mode

SHOWN = ("srocc", "lcc")  # figures that stand for a run on the dashboard


def run_stages(
    settings: Settings,
    stages: Sequence[Stage],
    folder: Path,
    start: str | None = None,
    device: str = "auto",
    wandb: Mode = "off",
    devices: int = 1,
    workers: int = 0,
    group: str = "",
) -> list[Row]:
    """Train and evaluate stages, in the paper's order; finished ones are not trained again.

    Args:
        settings: of the run.
        stages: which stages.
        folder: the run's folder.
        start: a checkpoint to start from instead of the phase before; with one stage only.
        device: `auto`, `cpu`, `cuda` or `mps`.
        wandb: how to log to Weights & Biases.
        devices: how many devices train side by side.
        workers: processes that cut training batches; 0 cuts them in this one. The weights are the same.
        group: of the dashboard's runs that this one belongs to.

    Returns:
        The result rows of all the run's finished stages.

    Raises:
        ConfigError: if the folder holds another run, a phase lacks what it starts from or began from another, or a
            checkpoint or an unlabelled photograph shows what a test reference shows.
        DataError: if the data are missing or invalid.
        DivergedError: if losses stay not finite, also at lower rates.
    """
    if start and len(stages) > 1:
        raise ConfigError("--from names where one phase starts; give --phase 1, 2, 3 or baseline with it.")
    if (folder / "split-00").exists():
        raise ConfigError(f"{folder} holds a benchmark of several splits; choose another --run.")
    if start:
        settings = replace(settings, model=model_of(start, settings.model))
    chosen = choose_device(device)
    check_devices(chosen, devices, settings.training.batch_size)
    check_folder(folder, settings)
    images = load_database(settings.data)
    if settings.split.upper_bound:  # whatever comes of it says so
        images = replace(images, name=images.name + UPPER_BOUND_NAME)
    check_start(stages, settings, images, folder, start)
    split = draw_split(images, settings)
    check_split(folder, split)
    check_scores(folder, images)
    packed, hashes = pack(images, settings)
    check_apart(split, hashes)
    generates = "phase2" in stages and "phase2" not in finished_stages(folder)
    sources = pack_sources(settings) if generates else None
    if sources and sources.rival:
        asked_of(sources.rival, images.select(split.train))  # what it lacks is told before a training
    if not settings.split.upper_bound:
        if sources:
            check_scenes(sources.name, sources.hashes, split, hashes)
        if start:
            check_unseen(start, starting_kinds(stages, settings), images, split, hashes)
    remove_temporaries(folder, older_than=0.0)
    write_text(folder / "config.yaml", as_yaml(settings))
    write_environment(folder / "env.json", packed.fingerprint, images.scores_hash)
    split.write(folder / "split.json")
    dashboard = Dashboard(folder, wandb, as_plain(settings), group, f"{group}/{folder.name}" if group else folder.name)
    try:
        run = Run(folder, settings, images, packed, split, chosen, start, dashboard, devices, workers, hashes, sources)
        forget_deleted(folder)
        for stage in sorted(stages, key=STAGES.index):
            check_beginning(run, stage)
            if stage not in finished_stages(folder):
                train_stage(run, stage)
                evaluate_stage(run, stage)
        rows = read_rows(run.results)
        write_report(folder, images, split)
        dashboard.table("results", rows)
        dashboard.figures(
            {f"{row['stage']}/test_{name}": row[name] for row in rows if row["distortion"] == ALL for name in SHOWN}
        )
    finally:
        dashboard.close()
    return rows


def forget_deleted(folder: Path) -> None:
    """Drop the rows of stages whose folders were deleted: they mark them as finished, and a report would need them."""
    rows, finished = read_rows(folder / RESULTS), finished_stages(folder)
    kept = [row for row in rows if row["stage"] in finished]
    if len(kept) < len(rows):
        write_rows(folder / RESULTS, kept)


def draw_split(images: ScoredSet, settings: Settings) -> Split:
    """Return the split that the settings ask for; every distortion class is among its training references."""
    chosen = settings.split
    split = split_by_reference(images.reference_ids, chosen.seed, chosen.number, chosen.test, chosen.validation)
    check_classes(images, split)
    return split


def pack(images: ScoredSet, settings: Settings) -> tuple[PackedImages, dict[str, PerceptualHash]]:
    """Return the decoded images, into which crops fit, and the perceptual hash of each reference by its id.

    A set without references has no hashes: its pictures stand for themselves, and those of one series look alike.
    """
    packed = PackedImages.open(images.files, images.root, settings.data.cache)
    check_sizes(images, packed)
    check_crops(images.files, packed, settings.training.crop_size)
    paths = {record.reference_id: record.reference for record in images.images if record.reference}
    hashes = scene_hashes(packed, list(paths.values()))
    return packed, {name: hashes[path] for name, path in paths.items()}


def as_yaml(settings: Settings) -> str:
    """Return settings as the text of a config file."""
    return yaml.safe_dump(as_plain(settings), sort_keys=False)


def check_folder(folder: Path, settings: Any) -> None:
    """Refuse a folder that holds a run with other settings (of any kind), naming the first that differs."""
    config = folder / "config.yaml"
    if not config.is_file():
        return
    try:
        before = flat(yaml.safe_load(config.read_text(encoding="utf-8")))
    except (yaml.YAMLError, OSError, AttributeError) as error:
        raise ConfigError(f"{config} cannot be read; restore it or choose another --run.") from error
    now = flat(as_plain(settings))
    different = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    if different:
        key = different[0]
        raise ConfigError(
            f"{folder} holds a run with {key}={before.get(key)}, not {now.get(key)}; "
            "choose another --run, or delete the folder to start anew."
        )


def check_split(folder: Path, split: Split) -> None:
    """Refuse a folder that holds a run on another split, drawn before the data changed: trained might become tested."""
    file = folder / "split.json"
    if file.is_file() and Split.read(file) != split:
        raise ConfigError(
            f"{folder} holds a run on another split, for its data had other references; restore them, choose another "
            "--run, or delete the folder to start anew."
        )


def check_scores(folder: Path, images: ScoredSet) -> None:
    """Refuse a folder that holds a run on other scores or classes of these images: its stages could not be compared."""
    file = folder / "env.json"
    before = json.loads(file.read_text(encoding="utf-8")).get("scores") if file.is_file() else None
    if before not in (None, images.scores_hash):
        raise ConfigError(
            f"{folder} holds a run on other scores or classes of {images.name}; restore them, choose another --run, or "
            "delete the folder to start anew."
        )


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings as one level with dotted keys."""
    items: dict[str, Any] = {}
    for key, value in values.items():
        items.update(flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return items


def check_classes(images: ScoredSet, split: Split) -> None:
    """Refuse a distortion class that the training references lack: nothing could be learnt of it."""
    trained = {record.distortion for record in images.select(split.train).images}
    for name in images.classes:
        if name not in trained:
            raise DataError(
                f"{images.name}: no training reference has the distortion class '{name}'; "
                "give it more images, or leave it out with data.classes."
            )

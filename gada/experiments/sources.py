"""What phase 2 takes in place of the training references: photographs without scores, or a rival of the generator."""

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from gada.data.cache import PackedImages
from gada.data.checks import check_crops
from gada.data.databases import load_database
from gada.data.perceptual_hash import PerceptualHash
from gada.data.records import ScoredSet
from gada.data.scenes import scene_hashes
from gada.errors import ConfigError
from gada.io.folders import images_in
from gada.io.images import shown
from gada.settings import DataSettings, Settings


@dataclass(frozen=True)
class Sources:
    """Photographs from which phase 2 generates, or a rival set whose images it takes instead of generated crops."""

    name: str
    """The setting that names them, and their folder."""
    files: list[Path]
    packed: PackedImages
    hashes: dict[str, PerceptualHash]
    """Of the photographs, by file name inside their folder; of a rival set's references, by their ids."""
    rival: ScoredSet | None = None
    """The set whose distorted images take the place of generated crops."""


def pack_sources(settings: Settings) -> Sources | None:
    """Return the photographs or the rival set that the settings name, into which crops fit; None where they name none.

    Raises:
        ConfigError: if one is smaller than a crop.
        DataError: if the folder is missing or holds no picture or no such set, or a picture cannot be read.
    """
    folder, rival = settings.training.unlabelled, settings.training.distorted
    if rival is not None:
        return pack_rival(rival, settings)
    if folder is None:
        return None
    files = images_in(folder)
    packed = PackedImages.open(files, folder, settings.data.cache)
    check_crops(files, packed, settings.training.crop_size)
    hashes = {path.relative_to(folder).as_posix(): one for path, one in scene_hashes(packed, files).items()}
    return Sources(f"training.unlabelled {folder}", files, packed, hashes)


def pack_rival(folder: Path, settings: Settings) -> Sources:
    """Return a set of `gada synthesize`, whose distorted images are to take the place of generated crops."""
    rival = load_database(DataSettings(root=folder, format="synthetic"))
    packed = PackedImages.open(rival.files, rival.root, settings.data.cache)
    files = [record.image for record in rival.images]
    check_crops(files, packed, settings.training.crop_size)
    references = {record.reference_id: record.reference for record in rival.images if record.reference}
    hashes = scene_hashes(packed, list(references.values()))
    named = {name: hashes[path] for name, path in references.items()}
    return Sources(f"training.distorted {folder}", files, packed, named, rival)


def asked_of(rival: ScoredSet, train: ScoredSet) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return label and quality of each image of a rival set, (N,): the mean that its class and level have in training.

    Raises:
        ConfigError: if a class or level is not among the training images.
    """
    found: dict[tuple[str, float | None], list[float]] = {}
    for record in train.images:
        found.setdefault((record.distortion, record.level), []).append(record.quality)
    for record in rival.images:
        if record.level is None or (record.distortion, record.level) not in found:
            raise ConfigError(
                f"training.distorted {rival.root} has {shown(record.image)}, of class {record.distortion!r} and level "
                f"{record.level}, of which {train.name} has no training image; give a set of its classes and levels."
            )
    means = {key: fmean(values) for key, values in found.items()}
    labels = [train.classes.index(record.distortion) for record in rival.images]
    return np.array(labels), np.array([means[record.distortion, record.level] for record in rival.images])

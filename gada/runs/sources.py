"""What phase 2 takes in place of the training references: images without scores, or a set that is already distorted."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from gada.data.cache import PackedImages
from gada.data.databases import load_database
from gada.data.perceptual_hash import PerceptualHash
from gada.data.records import ScoredSet
from gada.data.scenes import scene_hashes, set_hashes
from gada.errors import ConfigError
from gada.io.folders import images_in
from gada.io.images import shown
from gada.settings import DataSettings, TrainingSettings


@dataclass(frozen=True)
class Sources:
    """Images from which phase 2 generates, or the images of a distorted set that it takes as they are."""

    name: str
    """The setting that names them, and their folder."""
    files: list[Path]
    packed: PackedImages
    hashes: dict[str, PerceptualHash]
    """Of the images, by path inside their folder; of a distorted set's references, by their ids."""
    distorted: ScoredSet | None = None
    """The set whose images take the place of generated ones: a baseline for the generator."""

    @classmethod
    def load(cls, training: TrainingSettings, cache: Path | None) -> "Sources | None":
        """Return what the settings name, decoded; None where they name nothing.

        Raises:
            ConfigError: if an image is smaller than a crop.
            DataError: if the folder is missing or holds no image or no such set, or an image cannot be read.
        """
        if training.distorted:
            baseline = load_database(DataSettings(root=training.distorted, format="synthetic"))
            packed = PackedImages.of(baseline, cache, training.crop_size)
            files = [record.image for record in baseline.images]
            name = f"training.distorted {training.distorted}"
            return cls(name, files, packed, set_hashes(baseline, packed), baseline)
        if training.unlabelled is None:
            return None
        folder = training.unlabelled
        files = images_in(folder)
        packed = PackedImages.open(files, folder, cache, training.crop_size)
        hashes = {path.relative_to(folder).as_posix(): one for path, one in scene_hashes(packed, files).items()}
        return cls(f"training.unlabelled {folder}", files, packed, hashes)

    @property
    def identity(self) -> str:
        """SHA-256 of what the images show and are called, wherever they lie."""
        return sha256(json.dumps(sorted((name, one.text()) for name, one in self.hashes.items())).encode()).hexdigest()

    def targets(self, train: ScoredSet) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Return target class and quality of each image of a distorted set, (N,); None for images to generate from.

        The quality is the mean that the image's class and level have in training.

        Raises:
            ConfigError: if a class or level is not among the training images.
        """
        if self.distorted is None:
            return None
        found: dict[tuple[str, float | None], list[float]] = {}
        for record in train.images:
            found.setdefault((record.distortion, record.level), []).append(record.quality)
        for record in self.distorted.images:
            if record.level is None or (record.distortion, record.level) not in found:
                raise ConfigError(
                    f"training.distorted {self.distorted.root} has {shown(record.image)}, of class "
                    f"{record.distortion!r} and level {record.level}, of which {train.name} has no training image; "
                    "give a set of its classes and levels."
                )
        means = {key: fmean(values) for key, values in found.items()}
        labels = [train.classes.index(record.distortion) for record in self.distorted.images]
        return np.array(labels), np.array([means[one.distortion, one.level] for one in self.distorted.images])

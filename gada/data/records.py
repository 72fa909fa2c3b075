"""One typed record for every database: image, reference, distortion class, quality and the database's own score."""

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.errors import DataError
from gada.metrics.scale import Scale as Scale  # which every loader gives its set


@dataclass(frozen=True, slots=True)
class ScoredImage:
    """A distorted image and the score people (or a proxy) gave it."""

    image: Path
    """The distorted image's file, absolute."""
    reference: Path | None
    """Its pristine reference of the same size, absolute; None where the database has none."""
    reference_id: str
    """Names the scene, which never stands on both sides of a split. Without references: the image itself."""
    distortion: str
    """Distortion class; "" when unknown."""
    quality: float
    """In [0, 1], 1 is best."""
    score: float
    """The database's own number, on the set's `Scale`."""
    level: float | None = None
    """Strength of the distortion in the database's own steps, where it is known."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.quality <= 1.0:
            raise DataError(f"{self.image}: the quality is {self.quality}; it must lie in [0, 1]")
        if not isfinite(self.score):
            raise DataError(f"{self.image}: the score is {self.score}; it must be a finite number")
        if not self.reference_id:
            raise DataError(f"{self.image}: the reference id is empty; every image belongs to a scene")


@dataclass(frozen=True)
class ScoredSet:
    """The images of a database or of a part of one, on one scale."""

    name: str
    """What the set is called in reports."""
    root: Path
    """Folder that holds all its files."""
    images: tuple[ScoredImage, ...]
    """In the order of the database."""
    scale: Scale
    """The scale of every `score`."""
    proxy: bool = False
    """True when scores were computed and not given by people."""
    classes: tuple[str, ...] = ()
    """Distortion classes in the order of the database; () when unknown. A part of a set keeps the classes of the whole,
    so that label 3 always means the same distortion."""

    def __post_init__(self) -> None:
        found = tuple(dict.fromkeys(record.distortion for record in self.images if record.distortion))
        if found and len({bool(record.distortion) for record in self.images}) > 1:
            raise DataError(
                f"{self.name}: some images have a distortion class and some have none; give it for all or none"
            )
        if "ALL" in found:
            raise DataError(
                f"{self.name}: a distortion class is called 'ALL', which results call all of them; name it otherwise"
            )
        if not self.classes:
            object.__setattr__(self, "classes", found)
        unknown = [name for name in found if name not in self.classes]
        if unknown:
            raise DataError(f"{self.name}: the distortion class {unknown[0]!r} is not among {', '.join(self.classes)}")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def has_references(self) -> bool:
        """True when every image has its reference."""
        return bool(self.images) and all(record.reference is not None for record in self.images)

    def name_of(self, record: ScoredImage) -> str:
        """Return what an image is called: its path inside the root."""
        return record.image.relative_to(self.root).as_posix()

    @cached_property
    def reference_ids(self) -> tuple[str, ...]:
        """The scenes, sorted."""
        return tuple(sorted({record.reference_id for record in self.images}))

    @cached_property
    def scores_hash(self) -> str:
        """SHA-256 of what each image, named from the root, is said to be: its reference, class, level and score."""
        said = sorted(
            (self.name_of(one), one.reference_id, one.distortion, str(one.level), one.score) for one in self.images
        )
        return sha256(json.dumps(said).encode()).hexdigest()

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """Every image file of the set once: the references first, then the distorted images."""
        references = (record.reference for record in self.images if record.reference is not None)
        return tuple(dict.fromkeys([*references, *(record.image for record in self.images)]))

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The index of each image's class in `classes`, (N,); -1 where classes are unknown."""
        index = {name: label for label, name in enumerate(self.classes)}
        return np.array([index.get(record.distortion, -1) for record in self.images], dtype=np.int64)

    @cached_property
    def qualities(self) -> NDArray[np.float64]:
        """The quality of each image, (N,) in [0, 1]."""
        return np.array([record.quality for record in self.images], dtype=np.float64)

    def select(self, reference_ids: Collection[str]) -> "ScoredSet":
        """Return the images of the given scenes, in the same order and with the same classes."""
        chosen = frozenset(reference_ids)
        unknown = sorted(chosen.difference(self.reference_ids))
        if unknown:
            raise DataError(
                f"{self.name} has no reference named {unknown[0]!r}; it has {', '.join(self.reference_ids[:5])} ..."
            )
        return replace(self, images=tuple(record for record in self.images if record.reference_id in chosen))

"""Features of a set's images; those of the pretrained trunk are the same for each split, so that they are kept."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gada.data.records import ScoredImage
from gada.data.whole_view import SMALLEST, whole_view
from gada.errors import DataError
from gada.io.files import atomic_path
from gada.io.progress import with_progress
from gada.models.evaluator import Evaluator
from gada.runs.prepared import PreparedData
from gada.training.whole_image import as_view, features_of


def views_of(data: PreparedData, records: Iterable[ScoredImage], longer_side: int) -> Iterator[NDArray[np.uint8]]:
    """Yield images of a set as they are seen whole."""
    for record in records:
        yield whole_view(data.packed.array(record.image), longer_side)


@torch.no_grad()
def pooled_features(evaluator: Evaluator, views: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Return the pooled features of views before their scale, (N, F)."""
    return features_of(evaluator, map(as_view, with_progress(views, "features", len(views))))


def pretrained_features(evaluator: Evaluator, data: PreparedData, side: str, longer_side: int) -> NDArray[np.float32]:
    """Return the pooled features before their scale, (N, F), of the images of one side of a split.

    The file beside the packed images is only a cache: it is done without if it cannot be written.

    Args:
        evaluator: its trunk has not moved yet.
        data: the set; the features of all its images are computed at once.
        side: of the split.
        longer_side: of the views, in pixels.
    """
    packed = data.packed
    weights = b"".join(weight.numpy().tobytes() for weight in evaluator.trunk.state_dict().values())
    name = sha256(weights + f"{longer_side} {SMALLEST} {evaluator.settings.pooling}".encode()).hexdigest()[:16]
    file = packed.file.with_suffix(f".{name}.npy")
    scored = list(dict.fromkeys(record.image for record in data.images.images))
    found = _read(file, len(scored))
    if found is None:
        views = (as_view(whole_view(packed.array(path), longer_side)) for path in scored)
        found = features_of(evaluator, with_progress(views, f"features of {data.images.name}", len(scored))).numpy()
        with suppress(DataError), atomic_path(file) as temporary:
            np.save(temporary, found)
    places = {path: number for number, path in enumerate(scored)}
    return found[[places[record.image] for record in data.side(side).images]]


def _read(file: Path, count: int) -> NDArray[np.float32] | None:
    """Return the features of a file; None if it is missing, damaged or of another number of images."""
    try:
        found: NDArray[np.float32] = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.ndim == 2 and len(found) == count and np.isfinite(found).all() else None

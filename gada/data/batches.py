"""Training batches as a pure function of (seed, step): the same on every machine, in any order, after any resume."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from gada.data.cache import PackedImages
from gada.data.crops import below, crop_at, raw_bits, unit
from gada.data.records import ScoredSet
from gada.errors import ConfigError
from gada.io.images import shown

Cut = Callable[[PackedImages, Sequence[Path], NDArray[np.int64], NDArray[np.bool_]], Tensor]
"""Makes of images, top left corners (N, 2) and mirror flags (N,) what a batch holds: crops, or where they lie."""
DRAWN = 5  # random numbers an image and epoch; two are spare, for with fewer every sequence would be another


class Batch(NamedTuple):
    """One training step. Tensors without content have N = 0: no references, or nothing to generate from."""

    distorted: Tensor
    """Crops of distorted images, (N, 3, H, W) uint8."""
    reference: Tensor
    """The same crops of their references, (N, 3, H, W) uint8."""
    label: Tensor
    """Distortion class, (N,) int64; -1 where classes are unknown."""
    quality: Tensor
    """(N,) float32 in [0, 1], 1 is best."""
    target_label: Tensor
    """Target class of the generator, (N,) int64."""
    target_quality: Tensor
    """Target quality of the generator, (N,) float32 in [0, 1]."""
    source: Tensor
    """Crops of pristine images from which it generates, (N, 3, H, W) uint8."""


class CropBatches(Dataset[Batch]):
    """Batches over an endless sequence of epochs; `batches[step]` may be read in any order and by any worker.

    Step t takes positions t N to t N + N - 1 of the sequence. Each epoch is a permutation of the images keyed by
    (seed, epoch); an image's crop and flip are keyed by (seed, epoch, image); the targets of the
    generator are keyed by (seed, step). Use it with `DataLoader(batches, batch_size=None, shuffle=False)`.

    Args:
        images: the training part of a set.
        packed: its decoded images.
        batch_size: N, crops a step.
        crop: H = W, in pixels.
        steps: length of the data set.
        seed: of everything random here.
        flip: whether half of the crops are mirrored, both images alike.
        grid: crops start at multiples of it; 8 keeps them on JPEG's blocks.
        sources: pristine images to generate from; by default the references of `images`.
        packed_sources: the decoded `sources`, if they are not in `packed`.
        given: label and quality of each of the `sources`, (S,) both, which are then its targets.
        uniform: whether target qualities are drawn from all of [0, 1] alike, and not from those of their class.

    Raises:
        ConfigError: if an image is smaller than a crop, or there are no images.
    """

    def __init__(
        self,
        images: ScoredSet,
        packed: PackedImages,
        *,
        batch_size: int,
        crop: int,
        steps: int,
        seed: int,
        flip: bool = True,
        grid: int = 1,
        sources: Sequence[Path] | None = None,
        packed_sources: PackedImages | None = None,
        given: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None,
        uniform: bool = False,
    ) -> None:
        if not len(images):
            raise ConfigError(f"{images.name} has no images to train on")
        self.batch_size, self.crop, self.steps, self.seed = batch_size, crop, steps, seed
        self.flip, self.grid, self.given = flip, grid, given
        self.packed, self.packed_sources = packed, packed_sources or packed
        self.distorted = [record.image for record in images.images]
        references = [record.reference for record in images.images if record.reference is not None]
        self.references = references if images.has_references else []
        self.sources = list(dict.fromkeys(self.references if sources is None else sources))
        self.labels = np.maximum(images.labels, 0)  # without classes every image is of class 0
        self.qualities = images.qualities
        self.targets = _Targets(self.labels, self.qualities, uniform)
        self.image_steps = _grid_steps(self.packed, self.distorted, crop, grid)
        self.source_steps = _grid_steps(self.packed_sources, self.sources, crop, grid)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        return self._batch(step, self._crops)

    def places(self, step: int) -> Batch:
        """Return a step's batch with the places of its crops (`places_of`), for whoever holds the images themselves."""
        return self._batch(step, places_of)

    def _batch(self, step: int, cut: Cut) -> Batch:
        if not 0 <= step < self.steps:
            raise IndexError(f"step {step} of {self.steps}")
        index, bits = self._sequence(step)
        corners = below(bits[:, :2], self.image_steps[index]) * self.grid
        mirror = (bits[:, 2] >> np.uint64(63)).astype(bool) & self.flip
        references = [self.references[i] for i in index] if self.references else []
        return Batch(
            distorted=cut(self.packed, [self.distorted[i] for i in index], corners, mirror),
            reference=cut(self.packed, references, corners, mirror),
            label=torch.from_numpy(self.labels[index]),
            quality=torch.from_numpy(self.qualities[index].astype(np.float32)),
            **self._drawn_targets(step, cut),
        )

    def files_of(self, step: int) -> list[str]:
        """Return the distorted images that a step is trained on, (N,), as one-line names."""
        return [shown(self.distorted[i]) for i in self._sequence(step)[0]]

    def _sequence(self, step: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Return which images step `step` takes, (N,), and the random bits of each, (N, DRAWN)."""
        count = len(self.distorted)
        positions = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epochs, places = positions // count, positions % count
        index = np.empty(self.batch_size, dtype=np.int64)
        bits = np.empty((self.batch_size, DRAWN), dtype=np.uint64)
        for epoch in range(epochs[0], epochs[-1] + 1):
            order, draws = _epoch(self.seed, epoch, count)
            here = epochs == epoch
            index[here] = order[places[here]]
            bits[here] = draws[index[here]]
        return index, bits

    def _drawn_targets(self, step: int, cut: Cut) -> dict[str, Tensor]:
        """Draw target classes, target qualities and source crops; nothing where there is nothing to generate from."""
        count = self.batch_size if self.sources else 0
        bits = raw_bits(count * 6, "asked", self.seed, step).reshape(count, 6)
        label, quality = self.targets.draw(bits[:, 0], bits[:, 1])
        source = below(bits[:, 2], max(len(self.sources), 1))
        if self.given:
            label, quality = self.given[0][source], self.given[1][source]
        corners = below(bits[:, 3:5], self.source_steps[source]) * self.grid
        mirror = (bits[:, 5] >> np.uint64(63)).astype(bool) & self.flip
        return {
            "target_label": torch.from_numpy(label),
            "target_quality": torch.from_numpy(quality.astype(np.float32)),
            "source": cut(self.packed_sources, [self.sources[i] for i in source], corners, mirror),
        }

    def _crops(
        self, packed: PackedImages, paths: Sequence[Path], corners: NDArray[np.int64], mirror: NDArray[np.bool_]
    ) -> Tensor:
        """Cut one crop from each image, (N, 3, crop, crop) uint8."""
        crops = np.empty((len(paths), self.crop, self.crop, 3), dtype=np.uint8)
        for target, path, (top, left) in zip(crops, paths, corners.tolist(), strict=False):
            target[:] = crop_at(packed.array(path), top, left, self.crop)
        planes = torch.from_numpy(crops).permute(0, 3, 1, 2).contiguous()
        for row in np.flatnonzero(mirror[: len(paths)]).tolist():
            planes[row] = planes[row].flip(-1)
        return planes


class _Targets:
    """The distribution of target classes and qualities: classes evenly, then a quality of that class.

    Qualities are interpolated linearly between neighbouring ones, so that values between the levels occur too; or they
    are `uniform`.
    """

    def __init__(self, labels: NDArray[np.int64], qualities: NDArray[np.float64], uniform: bool) -> None:
        self.uniform = uniform
        self.labels = np.unique(labels)
        self.counts = np.array([np.count_nonzero(labels == label) for label in self.labels])
        self.starts = np.cumsum(self.counts) - self.counts
        self.ordered = np.concatenate([np.sort(qualities[labels == label]) for label in self.labels])

    def draw(
        self, label_bits: NDArray[np.uint64], quality_bits: NDArray[np.uint64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return labels and qualities, (N,) each."""
        which = below(label_bits, len(self.labels))
        if self.uniform:
            return self.labels[which], unit(quality_bits)
        start, last = self.starts[which], self.counts[which] - 1
        place = unit(quality_bits) * last
        below_place = place.astype(np.int64)
        low, high = self.ordered[start + below_place], self.ordered[start + np.minimum(below_place + 1, last)]
        return self.labels[which], low + (place - below_place) * (high - low)


@lru_cache(maxsize=4)
def _epoch(seed: int, epoch: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return the order of an epoch's images, (count,), and each image's random bits in it, (count, DRAWN)."""
    order = np.argsort(raw_bits(count, "order", seed, epoch), kind="stable")
    return order, raw_bits(count * DRAWN, "crop", seed, epoch).reshape(count, DRAWN)


def _grid_steps(packed: PackedImages, paths: Sequence[Path], crop: int, grid: int) -> NDArray[np.int64]:
    """Return how many crop positions each image has vertically and horizontally, (N, 2)."""
    for path in paths:
        height, width = packed.size(path)
        if crop > min(height, width):
            raise ConfigError(
                f"a crop of {crop} pixels does not fit into {shown(path)}, which has {height} x {width} (height x "
                f"width); choose one of at most {min(height, width)}"
            )
    sizes = np.array([packed.size(path) for path in paths], dtype=np.int64).reshape(len(paths), 2)
    return (sizes - crop) // grid + 1


def places_of(
    packed: PackedImages, paths: Sequence[Path], corners: NDArray[np.int64], mirror: NDArray[np.bool_]
) -> Tensor:
    """Return where in the packed file each image's crop lies, (N, 3) int64.

    They are the number of its first byte, the bytes from one of its rows to the next, and 1 if it is mirrored.
    """
    places = np.empty((len(paths), 3), dtype=np.int64)
    for target, path, (top, left), flipped in zip(places, paths, corners.tolist(), mirror.tolist(), strict=False):
        offset, _, width = packed.entries[path]
        target[:] = offset + 3 * (top * width + left), 3 * width, flipped
    return torch.from_numpy(places)

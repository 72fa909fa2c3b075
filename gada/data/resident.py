"""The packed images in the memory of a device, which cuts the crops of a batch by itself."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from gada.data.batches import Batch, CropBatches
from gada.data.cache import PackedImages

SHARE = 0.25  # of a device's free memory that images may take: networks need the rest, and other jobs may come
PART = 2**26  # bytes that are copied at a time


class PlacedBatches(Dataset[Batch]):
    """The batches of `CropBatches` with places instead of crops: some kilobytes a step on their way to the device."""

    def __init__(self, batches: CropBatches) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, step: int) -> Batch:
        return self.batches.places(step)


class ResidentImages:
    """All images that `CropBatches` cuts from, as bytes on a device.

    Args:
        batches: whose images.
        device: where they are to lie.
    """

    def __init__(self, batches: CropBatches, device: torch.device) -> None:
        self.crop = batches.crop
        self.packed = on_device(batches.packed, device)
        own = batches.packed_sources is batches.packed
        self.packed_sources = self.packed if own else on_device(batches.packed_sources, device)

    def cut(self, batch: Batch) -> Batch:
        """Return a batch of `PlacedBatches`, on the device, with its crops."""
        crops = {
            "distorted": cut(self.packed, batch.distorted, self.crop),
            "reference": cut(self.packed, batch.reference, self.crop),
            "source": cut(self.packed_sources, batch.source, self.crop),
        }
        return batch._replace(**crops)


def on_device(packed: PackedImages, device: torch.device) -> Tensor:
    """Return a packed file as bytes on a device; part by part, for the host may have less memory than that."""
    there = torch.empty(sum(map(len, packed.parts())), dtype=torch.uint8, device=device)
    end = 0
    for memory in packed.parts():
        for start in range(0, len(memory), PART):
            part = np.array(memory[start : start + PART])
            there[end : end + len(part)] = torch.from_numpy(part)
            end += len(part)
    return there


def cut(memory: Tensor, places: Tensor, crop: int) -> Tensor:
    """Return the crops at some places of packed images, (N, 3, crop, crop) uint8.

    Args:
        memory: a packed file, its bytes.
        places: (N, 3), as `gada.data.batches.places_of` gives them.
        crop: height and width, in pixels.
    """
    start, stride, mirrored = (part[:, None, None, None] for part in places.unbind(1))
    along: dict[str, Any] = {"device": memory.device}
    colour = torch.arange(3, **along)[:, None, None]
    row, column = torch.arange(crop, **along)[:, None], torch.arange(crop, **along)
    column = torch.where(mirrored > 0, crop - 1 - column, column)
    return memory[start + stride * row + 3 * column + colour]


def fits(batches: CropBatches, device: str) -> bool:
    """Return whether the images may lie on a device: a GPU of CUDA with room for them."""
    if not device.startswith("cuda"):
        return False
    free, _ = torch.cuda.mem_get_info(torch.device(device))
    packed = {id(images): sum(map(len, images.parts())) for images in (batches.packed, batches.packed_sources)}
    return sum(packed.values()) <= SHARE * free

"""What a training reads: its batches by their number, its validation images, and where their pixels lie."""

from collections.abc import Iterator
from typing import Any

import torch
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from gada.data.batches import Batch, CropBatches
from gada.data.cache import PackedImages
from gada.data.crops import evaluation_crops
from gada.data.records import ScoredSet
from gada.data.resident import PlacedBatches, ResidentImages, fits
from gada.data.whole_batches import WholeBatches
from gada.settings import Settings
from gada.training.quiet import quiet_lightning

IMAGES_AT_ONCE = 8  # images scored together during validation


class Steps(Sampler[int]):
    """The training steps of each Lightning epoch, which is the stretch between two validations.

    A step is known by its number in the whole stage, so that a resumed run reads exactly the batches still to come;
    Lightning would read those of an epoch that is stopped in its middle from the epoch's first batch again.
    """

    def __init__(self, steps: int, every: int) -> None:
        self.steps = steps
        self.every = every
        self.epochs = -(-steps // every)
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the stretch; Lightning calls this, also behind the last one, where it then takes no step."""
        self.epoch = min(epoch, self.epochs - 1)

    def __iter__(self) -> Iterator[int]:
        """Yield the numbers of the stretch's steps."""
        return iter(range(self.epoch * self.every, self.epoch * self.every + len(self)))

    def __len__(self) -> int:
        """Return the length of the stretch; the last may be shorter."""
        return min(self.every, self.steps - self.epoch * self.every)


class ValidationCrops(Dataset[tuple[Tensor, Tensor]]):
    """For each image its evaluation crops, (crops, 3, H, W) uint8, and its quality, () in [0, 1]."""

    def __init__(self, images: ScoredSet, packed: PackedImages, settings: Settings) -> None:
        self.images = images
        self.packed = packed
        self.training = settings.training
        self.evaluation = settings.evaluation

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return one image's crops and quality."""
        record = self.images.images[index]
        image = self.packed.array(record.image)
        seed, count = self.evaluation.seed, self.evaluation.validation_crops
        crops = evaluation_crops(image, seed, count, self.training.crop_size, self.training.grid)
        return torch.from_numpy(crops), torch.tensor(record.quality, dtype=torch.float32)


class TrainingData(LightningDataModule):
    """The data of one stage. Where the images fit into the memory of a GPU, it cuts the crops itself.

    Args:
        batches: the training batches, one for each step.
        validation: the images that choose the checkpoint.
        every: steps between two validations.
        device: where the training runs, as in `cuda:1`.
        workers: processes that make batches; 0 makes them in this one. The batches are the same.
        at_once: validation images that are scored together; 1 where their sizes differ.
    """

    def __init__(
        self,
        batches: CropBatches | WholeBatches,
        validation: Dataset[Any],
        every: int,
        device: str = "cpu",
        workers: int = 0,
        at_once: int = IMAGES_AT_ONCE,
    ) -> None:
        super().__init__()
        self.batches, self.validation, self.at_once = batches, validation, at_once
        self.steps = Steps(len(batches), every)
        self.loaded: Dataset[Any] = (
            PlacedBatches(batches) if isinstance(batches, CropBatches) and fits(batches, device) else batches
        )
        self.workers = workers
        self.resident: ResidentImages | None = None

    def setup(self, stage: str) -> None:
        """Copy the images to the device, if they are to lie there; one of several devices is a process of its own."""
        quiet_lightning()
        self.resident = None  # those of a try that diverged
        if isinstance(self.loaded, PlacedBatches) and self.trainer:
            self.resident = ResidentImages(self.loaded.batches, self.trainer.strategy.root_device)

    def teardown(self, stage: str) -> None:
        """Free the images."""
        self.resident = None

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the batches of the steps."""
        return DataLoader(
            self.loaded,
            batch_size=None,
            sampler=self.steps,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
        )

    def val_dataloader(self) -> DataLoader[Any]:
        """Return the validation images, in order."""
        return DataLoader(self.validation, batch_size=self.at_once)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Leave each of several devices its part of a training batch; all of them validate on all images."""
        if not isinstance(batch, Batch) or self.trainer is None:
            return batch
        if self.trainer.world_size > 1:
            batch = Batch(*(part[self.trainer.global_rank :: self.trainer.world_size] for part in batch))
        return self.resident.cut(batch) if self.resident else batch

import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import layouts
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from gada.data.batches import Batch, CropBatches
from gada.data.cache import PackedImages
from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.data.resident import PlacedBatches, ResidentImages, fits
from gada.errors import ConfigError

SCALE = Scale("MOS", 0.0, 1.0, True)
CROP = 16


class World:
    """Six references and three images of each; a picture's pixels say which it is and where in it they lie."""

    def __init__(self, folder: Path, with_references: bool = True, classes: bool = True) -> None:
        self.root = folder
        references = [self.write(number, number) for number in range(6)]
        records = []
        for number in range(6, 24):
            reference = references[number % 6]
            quality = (number - 5) / 20
            records.append(
                ScoredImage(
                    self.write(number, number % 6),
                    reference if with_references else None,
                    reference.name,
                    ("blur", "jpeg", "noise")[number // 6 - 1] if classes else "",
                    quality,
                    quality,
                )
            )
        self.set = ScoredSet("world", folder, tuple(records), SCALE)
        self.files = (*references, *self.set.files)
        self.packed = PackedImages.open(self.files, folder, folder / "cache")

    def write(self, number: int, size: int) -> Path:
        """Channel 0 holds the number, channel 1 the row and channel 2 the column."""
        from PIL import Image

        height, width = 24 + size, 40 - size
        rows, columns = np.mgrid[:height, :width].astype(np.uint8)
        path = self.root / f"{number:02d}.png"
        Image.fromarray(np.stack([np.full_like(rows, number), rows, columns], axis=2)).save(path)
        return path

    def batches(self, **options: Any) -> CropBatches:
        given: dict[str, Any] = {"batch_size": 4, "crop": CROP, "steps": 50, "seed": 3} | options
        return CropBatches(self.set, self.packed, **given)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


def numbers(batch: Batch) -> list[int]:
    return batch.distorted[:, 0, 0, 0].tolist()


def same(first: Batch, second: Batch) -> bool:
    return all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_shapes_and_types(world: World) -> None:
    batch = world.batches()[0]
    for crops in (batch.distorted, batch.reference, batch.source):
        assert crops.shape == (4, 3, CROP, CROP)
        assert crops.dtype == torch.uint8
        assert crops.is_contiguous()
    assert batch.label.dtype == batch.target_label.dtype == torch.int64
    assert batch.quality.dtype == batch.target_quality.dtype == torch.float32
    assert len({len(tensor) for tensor in batch}) == 1


def test_labels_and_qualities_belong_to_the_images(world: World) -> None:
    for step in range(6):
        batch = world.batches()[step]
        for number, label, quality in zip(numbers(batch), batch.label.tolist(), batch.quality.tolist(), strict=True):
            assert label == number // 6 - 1
            assert quality == pytest.approx((number - 5) / 20)


def test_reference_and_distorted_show_the_same_place(world: World) -> None:
    batches = world.batches()
    for step in range(20):
        batch = batches[step]
        assert torch.equal(batch.reference[:, 1:], batch.distorted[:, 1:])
        assert batch.reference[:, 0, 0, 0].tolist() == [number % 6 for number in numbers(batch)]


@pytest.mark.parametrize("name", ["distorted", "source"])
def test_crops_are_whole_pieces_mirrored_or_not(world: World, name: str) -> None:
    mirrored = 0
    for step in range(20):
        for crop in getattr(world.batches()[step], name).int():
            assert (crop[1].diff(dim=0) == 1).all()
            direction = crop[2].diff(dim=1)
            assert (direction == direction[0, 0]).all()
            mirrored += int(direction[0, 0] == -1)
    assert 20 < mirrored < 60  # of 80


def test_without_flip_nothing_is_mirrored(world: World) -> None:
    batches = world.batches(flip=False)
    assert all((batches[step].distorted[:, 2].int().diff(dim=2) == 1).all() for step in range(10))


@pytest.mark.parametrize("name", ["distorted", "source"])
def test_on_the_grid_crops_start_at_multiples_of_eight(world: World, name: str) -> None:
    batches = world.batches(flip=False, grid=8)
    drawn = torch.cat([getattr(batches[step], name)[:, :, 0, 0] for step in range(50)]).tolist()
    assert {(top, left) for _, top, left in drawn} == {(top, left) for top in (0, 8) for left in (0, 8, 16, 24)}
    assert all({top for picture, top, _ in drawn if picture == number} == {0, 8} for number, _, _ in drawn)


def test_positions_vary_over_the_image(world: World) -> None:
    batches = world.batches(flip=False)
    starts = torch.cat([batches[step].distorted[:, 1:, 0, 0] for step in range(50)])
    assert set(starts[:, 0].tolist()) >= set(range(9))
    assert set(starts[:, 1].tolist()) >= set(range(20))


def test_every_epoch_is_a_permutation_and_no_two_are_alike(world: World) -> None:
    batches = world.batches(batch_size=5)
    sequence = [number for step in range(18) for number in numbers(batches[step])]
    epochs = [sequence[start : start + 18] for start in range(0, 90, 18)]
    assert all(sorted(epoch) == list(range(6, 24)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 5


def test_a_batch_may_be_longer_than_an_epoch(world: World) -> None:
    assert Counter(Counter(numbers(world.batches(batch_size=40)[0])).values()) == {2: 14, 3: 4}


def test_a_step_is_a_pure_function_of_seed_and_step(world: World) -> None:
    batches = world.batches()
    forward = [batches[step] for step in range(50)]
    again = world.batches()
    assert all(same(forward[step], again[step]) for step in reversed(range(50)))
    assert not same(forward[0], world.batches(seed=4)[0])


def test_the_sequence_does_not_depend_on_the_batch_size(world: World) -> None:
    small, large = world.batches(batch_size=3), world.batches(batch_size=12)
    joined = torch.cat([small[step].distorted for step in range(4, 8)])
    assert torch.equal(joined, large[1].distorted)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # Python 3.12 and later, under threads
@pytest.mark.filterwarnings("ignore:.*suggested max number of worker")  # on a machine of one core
@pytest.mark.parametrize("workers", [0, 2])
def test_workers_change_nothing(world: World, workers: int) -> None:
    batches = world.batches(steps=6)
    loader = DataLoader(batches, batch_size=None, shuffle=False, num_workers=workers)
    assert all(same(Batch(*batch), batches[step]) for step, batch in enumerate(loader))


def test_a_pickle_is_small_and_gives_the_same_batches(world: World) -> None:
    batches = world.batches()
    first = batches[7]
    data = pickle.dumps(batches)
    assert len(data) < 20_000
    assert same(pickle.loads(data)[7], first)  # noqa: S301


def test_steps_end(world: World) -> None:
    batches = world.batches(steps=2)
    assert len(batches) == 2
    with pytest.raises(IndexError):
        batches[2]


def all_targets(batches: CropBatches) -> tuple[torch.Tensor, torch.Tensor]:
    drawn = [batches[step] for step in range(len(batches))]
    return torch.cat([batch.target_label for batch in drawn]), torch.cat([batch.target_quality for batch in drawn])


def test_target_classes_are_drawn_evenly_and_qualities_within_their_range(world: World) -> None:
    label, quality = all_targets(world.batches(batch_size=40))
    counts = torch.bincount(label)
    assert len(counts) == 3
    assert (abs(counts - 2000 / 3) < 4 * (2000 * 2 / 9) ** 0.5).all()
    for number in range(3):
        low, high = (6 * number + 1) / 20, (6 * number + 6) / 20
        asked = quality[label == number]
        assert low <= asked.min() < low + 0.01
        assert high - 0.01 < asked.max() <= high + 1e-6


def test_observed_qualities_follow_the_data_with_values_between(world: World) -> None:
    """Three of four images have quality 0.1: between order statistics, 2/3 of the draws stay there."""
    records = [
        ScoredImage(record.image, record.reference, record.reference_id, "blur", quality, quality)
        for record, quality in zip(world.set.images, (0.1, 0.1, 0.1, 0.9), strict=False)
    ]
    small = ScoredSet("small", world.root, tuple(records), SCALE)
    batches = CropBatches(small, world.packed, batch_size=50, crop=CROP, steps=60, seed=0)
    _, quality = all_targets(batches)
    low = (quality < 0.1001).float().mean().item()
    assert low == pytest.approx(2 / 3, abs=0.04)
    rest = quality[quality > 0.1001]
    assert rest.mean().item() == pytest.approx(0.5, abs=0.05)


def test_target_qualities_may_be_uniform(world: World) -> None:
    label, quality = all_targets(world.batches(batch_size=50, uniform=True))
    for number in set(label.tolist()):
        found = np.sort(quality[label == number].numpy())
        assert np.abs(found - np.linspace(0, 1, len(found))).max() < 0.06


def test_sources_are_crops_of_the_training_references(world: World) -> None:
    batches = world.batches()
    names = torch.cat([batches[step].source[:, 0, 0, 0] for step in range(50)])
    assert set(names.tolist()) == set(range(6))


def test_sources_may_be_other_photographs(world: World, tmp_path: Path) -> None:
    photographs = [layouts.picture(tmp_path / f"{number}.png", number) for number in range(2)]
    packed = PackedImages.open(photographs, tmp_path, tmp_path / "cache")
    batch = world.batches(sources=photographs, packed_sources=packed, flip=False)[0]
    whole = torch.from_numpy(np.stack([layouts.pixels(number) for number in range(2)])).permute(0, 3, 1, 2)
    pieces = whole.unfold(2, CROP, 1).unfold(3, CROP, 1)  # (2, 3, rows, columns, CROP, CROP)
    for crop in batch.source:
        assert (pieces == crop[None, :, None, None]).all(dim=(1, 4, 5)).any()


def test_without_references_there_is_nothing_to_generate_from(tmp_path: Path) -> None:
    batch = World(tmp_path, with_references=False, classes=False).batches()[0]
    assert batch.distorted.shape == (4, 3, CROP, CROP)
    assert batch.reference.shape == batch.source.shape == (0, 3, CROP, CROP)
    assert len(batch.target_label) == len(batch.target_quality) == 0
    assert batch.label.tolist() == [0] * 4


def test_a_crop_larger_than_an_image_is_refused(world: World) -> None:
    with pytest.raises(ConfigError, match=r"a crop of 25 pixels does not fit into .*\.png, which has 24 x 40"):
        world.batches(crop=25)


def test_a_crop_as_large_as_the_smallest_image_fits(world: World) -> None:
    assert world.batches(crop=24)[0].distorted.shape == (4, 3, 24, 24)


def test_a_crop_larger_than_a_source_is_refused(world: World, tmp_path: Path) -> None:
    tiny = layouts.picture(tmp_path / "tiny.png", height=8)
    packed = PackedImages.open([tiny], tmp_path, tmp_path / "cache")
    with pytest.raises(ConfigError, match=r"tiny\.png, which has 8 x 48"):
        world.batches(sources=[tiny], packed_sources=packed)


def test_an_empty_set_is_refused(world: World) -> None:
    with pytest.raises(ConfigError, match="world has no images"):
        CropBatches(ScoredSet("world", world.root, (), SCALE), world.packed, batch_size=1, crop=8, steps=1, seed=0)


def test_the_data_path_is_frozen(world: World) -> None:
    """Golden: order and corners of the first batch, drawn once; a change breaks every committed result."""
    batch = world.batches(flip=False)[0]
    assert (numbers(batch), batch.distorted[:, 1:, 0, 0].tolist()) == GOLDEN


GOLDEN = ([15, 11, 18, 17], [[3, 15], [12, 3], [8, 0], [7, 2]])


@pytest.mark.parametrize("with_references", [True, False])
def test_a_device_that_holds_the_images_cuts_the_same_batches(tmp_path: Path, with_references: bool) -> None:
    world = World(tmp_path, with_references)
    others = [world.write(number, number % 6) for number in (30, 31)]
    packed = PackedImages.open(others, tmp_path, tmp_path / "cache")
    for options in ({}, {"sources": others, "packed_sources": packed}):
        batches = world.batches(grid=4, **options)
        resident = ResidentImages(batches, torch.device("cpu"))
        placed = PlacedBatches(batches)
        assert len(placed) == len(batches)
        for step in range(0, 50, 7):
            assert all(map(torch.equal, resident.cut(placed[step]), batches[step]))


def test_given_targets_come_with_their_source(world: World) -> None:
    images = world.set.images
    labels, qualities = np.arange(len(images)) % 3, np.linspace(0, 1, len(images))
    batches = world.batches(sources=[record.image for record in images], given=(labels, qualities))
    for step in range(0, 50, 7):
        batch = batches[step]
        numbers = batch.source[:, 0, 0, 0].numpy().astype(int) - 6  # which image a pixel is of
        assert batch.target_label.tolist() == labels[numbers].tolist()
        assert batch.target_quality.numpy() == pytest.approx(qualities[numbers])


def test_images_lie_on_no_device_but_a_gpu_with_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = world.batches()
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (4 * len(batches.packed.memory), 2**40))
    assert [fits(batches, device) for device in ("cpu", "mps", "cuda", "cuda:1")] == [False, False, True, True]
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (4 * len(batches.packed.memory) - 4, 2**40))
    assert not fits(batches, "cuda")

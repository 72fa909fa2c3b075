"""Copies of a photograph are found, also recompressed, resized or cropped; other photographs are not."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gada.data.perceptual_hash import PerceptualHash, lookalikes, perceptual_hash
from gada.data.scenes import on_two_sides
from gada.data.splits import SIDES, split_by_reference
from gada.io.images import read_image

PHOTOS = Path(__file__).parents[3] / "data" / "photos"
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def photos() -> dict[str, Pixels]:
    return {path.stem: read_image(path) for path in sorted(PHOTOS.glob("*.png"))[:8]}


@pytest.fixture(scope="module")
def known(photos: dict[str, Pixels]) -> dict[str, PerceptualHash]:
    return {name: perceptual_hash(image) for name, image in photos.items()}


def compressed(image: Pixels) -> Pixels:
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=40)
    return np.asarray(Image.open(file))


def smaller(image: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(image).resize((image.shape[1] * 3 // 5, image.shape[0] // 2)))


def cropped(image: Pixels) -> Pixels:
    """Two thirds of the width and three quarters of the height, as TID2013 cut its references from Kodak's pictures."""
    height, width = image.shape[:2]
    return np.ascontiguousarray(image[height // 5 : height // 5 + height * 3 // 4, : width * 2 // 3])


@pytest.mark.parametrize("change", [compressed, smaller, cropped])
def test_a_changed_copy_is_found_under_its_name(
    change: object, photos: dict[str, Pixels], known: dict[str, PerceptualHash]
) -> None:
    assert callable(change)
    found = lookalikes({name: perceptual_hash(change(image)) for name, image in photos.items()}, known)
    assert found == {name: name for name in photos}


def test_crops_count_only_when_asked(photos: dict[str, Pixels], known: dict[str, PerceptualHash]) -> None:
    crops = {name: perceptual_hash(cropped(image)) for name, image in photos.items()}
    assert lookalikes(crops, known, crops=False) == {}
    without = {name: perceptual_hash(cropped(image), landmarks=False) for name, image in photos.items()}
    assert lookalikes(without, known) == {}


def test_other_photographs_and_noise_are_not_alike(known: dict[str, PerceptualHash]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (384, 512, 3), dtype=np.uint8)
    for name, one in known.items():
        assert lookalikes({name: one}, {other: two for other, two in known.items() if other != name}) == {}
    assert lookalikes({"noise": perceptual_hash(noise)}, known) == {}


def test_a_hash_is_one_word_and_back(known: dict[str, PerceptualHash]) -> None:
    for one in [*known.values(), perceptual_hash(np.zeros((40, 40, 3), dtype=np.uint8))]:
        assert one.text().isalnum()
        assert PerceptualHash.read(one.text()) == one
    with pytest.raises(ValueError, match="not a perceptual hash"):
        PerceptualHash.read("abc")


@pytest.mark.parametrize(("first", "second"), [("train", "validation"), ("train", "test"), ("validation", "test")])
def test_one_scene_on_two_sides_of_a_split_is_found(
    photos: dict[str, Pixels], known: dict[str, PerceptualHash], first: str, second: str
) -> None:
    split = split_by_reference(known, seed=0, number=0)

    def sides(hashes: dict[str, PerceptualHash]) -> dict[str, dict[str, PerceptualHash]]:
        return {side: {name: hashes[name] for name in getattr(split, side)} for side in SIDES}

    assert list(on_two_sides(sides(known))) == []
    original, copy = getattr(split, first)[0], getattr(split, second)[0]
    doubled = {**known, copy: perceptual_hash(compressed(photos[original]))}
    assert list(on_two_sides(sides(doubled))) == [(first, second, {copy: original})]

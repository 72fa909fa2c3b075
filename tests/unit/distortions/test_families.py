"""Laws that hold for every distortion family."""

import subprocess
import sys
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gada.distortions import FAMILIES, distort
from gada.distortions.pixels import Pixels
from gada.errors import ConfigError, DataError
from gada.metrics.psnr import luminance, psnr

PHOTOS = Path(__file__).parents[3] / "data" / "photos"
NAMES = list(FAMILIES)

RANDOM = {f"tid2013/{number:02d}" for number in (1, 2, 3, 4, 5, 6, 9, 12, 13, 14, 15, 19, 20, 21)}
RANDOM |= {"live/wn", "live/fastfading", "dodge-karam/noise", "dodge-karam-variant/noise", "iqa-ls/noise"}

UNORDERED = {"tid2013/14", "tid2013/15", "tid2013/18"}
"""Types whose published PSNR does not fall with level."""


def photo(name: str, top: int, left: int, height: int, width: int) -> Pixels:
    with Image.open(PHOTOS / f"{name}.png") as image:
        return np.asarray(image.convert("RGB"))[top : top + height, left : left + width].copy()


@pytest.fixture(scope="module")
def small() -> Pixels:
    return photo("coffee", 150, 200, 64, 80)


@pytest.mark.parametrize("name", NAMES)
def test_level_0_is_the_identity(name: str, small: Pixels) -> None:
    same = distort(small, name, 0, seed=3)
    assert np.array_equal(same, small)
    assert same is not small


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_changes_noise_and_nothing_else(name: str, small: Pixels) -> None:
    before = small.copy()
    level = len(FAMILIES[name].strengths) - 0.5
    first, again, other = (distort(small, name, level, seed) for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert np.array_equal(first, other) != (name in RANDOM)
    assert not np.array_equal(first, small)
    assert np.array_equal(small, before), "the picture given must not change"


@pytest.mark.parametrize("shape", [(32, 32), (33, 47), (61, 40)])
@pytest.mark.parametrize("name", NAMES)
def test_any_size_keeps_its_shape(name: str, shape: tuple[int, int]) -> None:
    for level in (1, len(FAMILIES[name].strengths)):
        result = distort(photo("china", 100, 100, *shape), name, level, seed=1)
        assert result.shape == (*shape, 3)
        assert result.dtype == np.uint8


@pytest.mark.parametrize("name", NAMES)
def test_grey_stays_grey(name: str, small: Pixels) -> None:
    grey = np.repeat(luminance(small)[..., None], 3, axis=-1)
    result = distort(grey, name, 2, seed=5)
    assert np.array_equal(result[..., 0], result[..., 1])
    assert np.array_equal(result[..., 1], result[..., 2])


@pytest.mark.parametrize("name", [name for name in NAMES if name not in UNORDERED])
def test_psnr_falls_with_level(name: str) -> None:
    picture = photo("picosdeeuropa", 100, 120, 176, 208)
    last = len(FAMILIES[name].strengths)
    levels = [1, 1.5, (1 + last) / 2, last - 0.5, last]
    figures = [psnr(distort(picture, name, level, seed=2), picture) for level in sorted(set(levels))]
    assert all(earlier > later for earlier, later in pairwise(figures)), figures


@pytest.mark.parametrize("name", ["tid2013/01", "tid2013/08", "live/fastfading"])
def test_a_list_or_a_batch_is_as_good_as_one_by_one(name: str, small: Pixels) -> None:
    pictures = [small, small[::-1].copy(), 255 - small]
    one_by_one = [distort(picture, name, 3, seed) for picture, seed in zip(pictures, (1, 2, 3), strict=True)]
    as_list = distort(pictures, name, 3, [1, 2, 3])
    assert isinstance(as_list, list)
    backwards = distort(pictures[::-1], name, 3, [3, 2, 1])[::-1]
    batch = distort(np.stack(pictures), name, 3, [1, 2, 3])
    for results in (as_list, backwards, batch):
        assert all(np.array_equal(result, alone) for result, alone in zip(results, one_by_one, strict=True))
    shared = distort(pictures, name, 3, 1)
    assert np.array_equal(shared[0], one_by_one[0])
    assert distort([], name, 3) == []


def test_lists_may_mix_sizes(small: Pixels) -> None:
    results = distort([small, small[:40, :50].copy()], "live/gblur", 2)
    assert [result.shape for result in results] == [(64, 80, 3), (40, 50, 3)]


DIGEST = """
import sys
from hashlib import sha256
import numpy as np
from gada.distortions import FAMILIES, distort
picture = np.load(sys.argv[1])
results = [distort(picture, name, 2.5, 11).tobytes() for name in sorted(FAMILIES, reverse=True)]
print(sha256(b"".join(results)).hexdigest())
"""


def test_same_bytes_in_another_process_with_other_threads_and_order(small: Pixels, tmp_path: Path) -> None:
    np.save(tmp_path / "picture.npy", small)
    results = {name: distort(small, name, 2.5, 11).tobytes() for name in FAMILIES}
    here = b"".join(results[name] for name in sorted(NAMES, reverse=True))
    for threads in ("1", "3"):
        done = subprocess.run(
            [sys.executable, "-c", DIGEST, str(tmp_path / "picture.npy")],
            env={"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PYTHONPATH": str(PHOTOS.parents[1])},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == sha256(here).hexdigest()


def test_every_family_is_described() -> None:
    assert len(NAMES) == 24 + 5 + 5 + 2 + 3 + 2
    for name, family in FAMILIES.items():
        assert family.name == name
        assert family.title
        assert family.parameter
        assert family.unit
        assert family.source


def test_levels_between_two_are_between_their_strengths() -> None:
    for family in FAMILIES.values():
        assert [family.strength(level) for level in range(1, len(family.strengths) + 1)] == list(family.strengths)
        sizes = [abs(strength) for strength in family.strengths]
        for below, (first, second) in enumerate(pairwise(sizes), start=1):
            assert min(first, second) <= abs(family.strength(below + 0.3)) <= max(first, second)
    contrast = FAMILIES["tid2013/17"]
    assert contrast.strength(1.4) < 0 < contrast.strength(1.6), "the direction is the nearest level's"


@pytest.mark.parametrize(
    ("family", "level", "seed", "words"),
    [
        ("tid2013/25", 1, 0, ["'tid2013/25'", "unknown", "tid2013/24"]),
        ("tid2013/08", 5.01, 0, ["5.01", "tid2013/08", "1 to 5"]),
        ("tid2013/08", 0.5, 0, ["0.5", "1 to 5"]),
        ("tid2013/08", -1, 0, ["-1", "1 to 5"]),
        ("tid2013/08", float("nan"), 0, ["nan", "1 to 5"]),
        ("iqa-ls/blur", 4, 0, ["4", "1 to 3"]),
        ("tid2013/01", 3, -1, ["-1", "whole number"]),
        ("tid2013/01", 3, 1.5, ["1.5", "whole number"]),
        ("tid2013/01", 3, [1, 2], ["[1, 2]", "whole number"]),
    ],
)
def test_wrong_calls_are_told_in_one_sentence(
    family: str, level: float, seed: int, words: list[str], small: Pixels
) -> None:
    with pytest.raises(ConfigError) as caught:
        distort(small, family, level, seed)
    assert all(word in str(caught.value) for word in words), caught.value
    assert "\n" not in str(caught.value)


def test_seeds_and_pictures_must_be_as_many(small: Pixels) -> None:
    with pytest.raises(ConfigError, match="3 seeds were given for 2 images"):
        distort([small, small], "live/wn", 1, [1, 2, 3])


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.zeros((64, 64, 3), np.float32), "float32"),
        (np.zeros((64, 64, 3), np.int64), "int64"),
        (np.zeros((64, 64), np.uint8), "(64, 64)"),
        (np.zeros((64, 64, 4), np.uint8), "(64, 64, 4)"),
        (np.zeros((31, 64, 3), np.uint8), "64 x 31"),
        ([np.zeros((64, 64), np.uint8)], "(64, 64)"),
        ([3.0], "float"),
    ],
)
def test_wrong_pictures_are_told_in_one_sentence(picture: object, words: str) -> None:
    with pytest.raises(DataError) as caught:
        distort(picture, "live/wn", 1)  # type: ignore[call-overload]
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)

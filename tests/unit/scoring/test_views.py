import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gada.data.crops import cut, reflect_up
from gada.errors import ConfigError, DataError
from gada.scoring.views import Mode, cover, covering_starts, flat_fraction, positions, stratified_positions

SIDES = st.integers(64, 3000)


@given(SIDES, st.sampled_from([8, 32, 64]), st.sampled_from([1, 8]))
def test_covering_parts_reach_both_ends_without_a_gap(side: int, size: int, grid: int) -> None:
    starts = covering_starts(side, size, grid)
    assert starts[0] == 0
    assert starts[-1] == side - size
    assert (np.diff(starts) <= size).all()
    assert (starts[:-1] % grid == 0).all()
    assert len(starts) <= -(-side // size) + 1


@settings(max_examples=50)
@given(SIDES, SIDES, st.integers(1, 40))
def test_stratified_crops_lie_inside_with_one_in_each_part(height: int, width: int, count: int) -> None:
    corners = stratified_positions(height, width, 64, count)
    assert (corners >= 0).all()
    assert (corners <= [height - 64, width - 64]).all()
    long, room = (0, height - 63) if height > width else (1, width - 63)
    middles = (np.arange(count) + 0.5) * room / count
    assert (np.abs(corners[:, long] - middles) <= 1).all()


def test_stratified_crops_are_frozen() -> None:
    # computed by hand: even = (2i + 1) x 449 / 8; fractions of i x 0.618... + 1/2 of 321
    assert stratified_positions(384, 512, 64, 4).tolist() == [[160, 56], [37, 168], [236, 280], [113, 392]]


def test_stratified_crops_turn_with_the_picture() -> None:
    assert (stratified_positions(300, 500, 64, 7) == stratified_positions(500, 300, 64, 7)[:, ::-1]).all()


def test_a_grid_keeps_crops_on_the_blocks_of_jpeg() -> None:
    modes: list[Mode] = ["crops", "grid"]
    for mode in modes:
        assert not (positions(mode, 333, 517, 64, 9, 0, 8) % 8).any()


def test_a_small_picture_is_reflected() -> None:
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    large = reflect_up(image, 7)
    assert large.shape == (7, 7, 3)
    assert (large[:2, :3] == image).all()
    assert (large[2:4, :3] == image[::-1]).all()
    assert (large[:, 3:6] == large[:, :3][:, ::-1]).all()
    assert reflect_up(large, 7) is large


def test_cut_takes_what_lies_there() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    crops = cut(image, np.array([[3, 5], [8, 18]]), 32)
    assert (crops[0] == image[3:35, 5:37]).all()
    assert (crops[1] == image[8:, 18:]).all()


@pytest.mark.parametrize("mode", ["crops", "grid", "dense"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 3), (20, 31), (40, 90)])
def test_crops_of_a_small_picture_are_those_of_the_reflected_one(mode: Mode, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    whole = reflect_up(image, 32)
    corners = positions(mode, *shape, 32)
    assert (corners == positions(mode, whole.shape[0], whole.shape[1], 32)).all()
    assert (cut(image, corners, 32) == [whole[top : top + 32, left : left + 32] for top, left in corners]).all()


def test_a_thin_picture_takes_no_memory_but_its_own() -> None:
    thin = np.broadcast_to(np.uint8(7), (1, 45_000_000, 3))  # half a terabyte, were it reflected up to a crop of 4096
    modes: list[Mode] = ["crops", "grid"]
    for mode in modes:
        assert (cut(thin, positions(mode, 1, 45_000_000, 4096, 2), 4096) == 7).all()
    with pytest.raises(DataError, match="45000000 x 1 pixels are too thin"):
        positions("dense", 1, 45_000_000, 128)


@pytest.mark.parametrize("sides", [(1, 45_000_000), (45_000_000, 1), (3000, 2000)])
def test_a_cover_can_be_bounded(sides: tuple[int, int]) -> None:
    tops, lefts = cover(*sides, 128, most=400)
    assert 300 < len(tops) * len(lefts) <= 400


@pytest.mark.parametrize(
    ("mode", "count", "word"), [("grid", 0, "--crops"), ("crops", -1, "--crops"), ("all", 3, "--mode")]
)
def test_wrong_modes_and_counts_are_refused(mode: str, count: int, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        positions(mode, 100, 100, 64, count)  # type: ignore[arg-type]


def test_a_pixel_is_flat_where_neither_neighbour_differs_in_any_channel() -> None:
    image = np.full((1, 5, 5, 3), 90, np.uint8)
    assert flat_fraction(image) == 1.0
    image[0, 2, 2, 1] = 91  # seen from itself, from its left and from above
    assert flat_fraction(image) == pytest.approx(13 / 16)
    assert flat_fraction(np.random.default_rng(0).integers(0, 256, (2, 30, 40, 3), dtype=np.uint8)) < 0.01

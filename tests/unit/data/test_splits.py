import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gada.data.splits import Split, split_by_reference
from gada.errors import DataError

IDS = [f"I{number:02d}" for number in range(1, 26)]
scenes = st.sets(st.text(min_size=1), min_size=3, max_size=40)


@given(scenes, st.integers(), st.integers(0, 9))
def test_no_reference_is_shared_and_none_is_lost(ids: set[str], seed: int, number: int) -> None:
    split = split_by_reference(ids, seed, number)
    assert len(split.train) + len(split.validation) + len(split.test) == len(ids)
    assert {*split.train, *split.validation, *split.test} == ids
    assert min(len(split.train), len(split.validation), len(split.test)) >= 1


@given(scenes)
def test_the_order_of_the_ids_does_not_matter(ids: set[str]) -> None:
    assert split_by_reference(sorted(ids), 0, 0) == split_by_reference(sorted(ids, reverse=True) * 2, 0, 0)


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (25, (16, 4, 5)),
        (29, (18, 5, 6)),
        (30, (19, 5, 6)),
        (81, (52, 13, 16)),
        (19, (12, 3, 4)),
        (3, (1, 1, 1)),
        (4, (2, 1, 1)),
    ],
)
def test_80_20_rounds_halves_up(count: int, sizes: tuple[int, int, int]) -> None:
    split = split_by_reference([str(number) for number in range(count)], 0, 0)
    assert (len(split.train), len(split.validation), len(split.test)) == sizes


@given(scenes, st.integers(1, 40), st.integers(1, 40))
def test_of_fewer_scored_references_the_test_stays_and_the_training_is_a_part(
    ids: set[str], few: int, more: int
) -> None:
    every = split_by_reference(ids, 0, 0, 0.2, 0)
    few, more = (min(count, len(every.train)) for count in sorted((few, more)))
    some, one = (split_by_reference(ids, 0, 0, 0.2, 0, scored=count) for count in (more, few))
    assert every.test == some.test == one.test
    assert set(one.train) <= set(some.train) <= set(every.train)
    assert (len(one.train), len(some.train)) == (few, more)


def test_scored_images_are_counted_and_scenes_stay_together() -> None:
    alike = {name: f"scene {number // 4}" for number, name in enumerate(IDS)}
    split = split_by_reference(IDS, 0, 0, 0.2, 0.5, alike, scored=10)
    assert len(split.train) + len(split.validation) == 10
    sides = [{alike[name] for name in side} for side in (split.train, split.validation, split.test)]
    assert sum(map(len, sides)) == len(set.union(*sides))


def test_the_split_is_frozen() -> None:
    """Golden: SHA-256 of ["seed", "number", id] orders the ids, so no release of anything may change it."""
    assert split_by_reference(IDS, 7, 1).test == GOLDEN


def test_the_hash_is_frozen() -> None:
    """Golden: a run's split.json must stay readable."""
    assert split_by_reference(IDS, 7, 1).hash == "2d0bcda4f8842a4188e83e1ca783da3aceaa5322c6556817f290d017b387f1e1"


def test_the_greatest_shares_leave_one_reference_for_training() -> None:
    split = split_by_reference(IDS, 0, 0, test_fraction=0.99, validation_fraction=0.99)
    assert (len(split.train), len(split.validation), len(split.test)) == (1, 1, 23)


GOLDEN = ("I08", "I09", "I11", "I21", "I25")


def test_numbers_and_seeds_give_different_splits() -> None:
    assert len({split_by_reference(IDS, seed, number).test for seed in range(3) for number in range(3)}) == 9


def test_over_many_splits_every_reference_is_tested_about_as_often() -> None:
    tests = [name for number in range(500) for name in split_by_reference(IDS, 0, number).test]
    assert all(60 < tests.count(name) < 140 for name in IDS)  # 100 expected, deviation 9


def test_what_is_written_is_read(tmp_path: Path) -> None:
    split = split_by_reference(IDS, 3, 4)
    split.write(tmp_path / "split.json")
    assert Split.read(tmp_path / "split.json") == split


def test_a_split_changed_by_hand_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "split.json"
    split_by_reference(IDS, 3, 4).write(path)
    content = json.loads(path.read_text())
    content["train"].append(content["test"].pop())
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"split\.json does not match its own hash"):
        Split.read(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "JSONDecodeError"),
        ("[]", "TypeError"),
        ("{}", "KeyError"),
        ('{"train": 3}', "TypeError"),
        ("\u0000", "JSONDecodeError"),
    ],
)
def test_a_file_that_is_no_split_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(DataError, match=rf"split\.json cannot be read as a split \({reason}: .*\); delete it"):
        Split.read(tmp_path / "split.json")


def test_a_missing_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"split\.json cannot be read as a split \(No such file or directory\)"):
        Split.read(tmp_path / "split.json")


def test_too_few_references_are_refused() -> None:
    with pytest.raises(DataError, match=r"at least 3 references .*found 2"):
        split_by_reference(["a", "b", "a"], 0, 0)


def test_overlapping_sides_are_refused() -> None:
    with pytest.raises(DataError, match="'a' stands on two sides"):
        Split(("b", "a"), ("c",), ("a",), 0, 0)


def test_without_validation_the_test_stays_the_same() -> None:
    """The paper's protocol: 80 % are trained on."""
    ours, paper = split_by_reference(IDS, 0, 3), split_by_reference(IDS, 0, 3, validation_fraction=0)
    assert paper.test == ours.test
    assert paper.train == tuple(sorted(ours.train + ours.validation))
    assert paper.validation == ()
    assert split_by_reference(["a", "b"], 0, 0, validation_fraction=0).validation == ()
    with pytest.raises(DataError, match=r"at least 2 references .*found 1"):
        split_by_reference(["a"], 0, 0, validation_fraction=0)


@pytest.mark.parametrize("side", ["train", "test"])
def test_an_empty_side_is_refused(side: str) -> None:
    sides: dict[str, tuple[str, ...]] = {"train": ("a",), "validation": ("b",), "test": ("c",), side: ()}
    with pytest.raises(DataError, match=f"the {side} part of split 2 is empty"):
        Split(**sides, seed=0, number=2)

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.errors import DataError

MOS = Scale("MOS", 0.0, 9.0, True)
DMOS = Scale("DMOS", 0.0, 100.0, False)


def image(name: str, scene: str, distortion: str = "jpeg", quality: float = 0.5) -> ScoredImage:
    return ScoredImage(Path(name), None, scene, distortion, quality, MOS.score(quality))


def scored(*images: ScoredImage) -> ScoredSet:
    return ScoredSet("small", Path(), images, MOS)


def test_the_good_end_of_either_direction_is_quality_one() -> None:
    assert MOS.quality(9.0) == 1.0
    assert MOS.quality(0.0) == 0.0
    assert DMOS.quality(0.0) == 1.0
    assert DMOS.quality(100.0) == 0.0


@given(st.floats(0, 1), st.floats(-50, 50), st.floats(0.1, 200), st.booleans())
def test_score_is_the_inverse_of_quality(quality: float, low: float, span: float, higher: bool) -> None:
    scale = Scale("S", low, low + span, higher)
    assert scale.quality(scale.score(quality)) == pytest.approx(quality, abs=1e-11)


def test_a_scale_maps_arrays() -> None:
    np.testing.assert_allclose(DMOS.score(np.array([0.0, 0.25, 1.0])), [100.0, 75.0, 0.0])


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0), (0.0, float("inf"))])
def test_a_scale_without_width_is_refused(low: float, high: float) -> None:
    with pytest.raises(DataError, match="low must be a number below high"):
        Scale("MOS", low, high, True)


def test_a_scale_describes_itself() -> None:
    assert DMOS.describe() == "DMOS, 0 to 100, lower is better"


@pytest.mark.parametrize("quality", [-0.01, 1.01, float("nan")])
def test_quality_outside_the_unit_interval_is_refused(quality: float) -> None:
    with pytest.raises(DataError, match=r"a\.png: the quality is .* \[0, 1\]"):
        ScoredImage(Path("a.png"), None, "a", "", quality, 1.0)


@pytest.mark.parametrize(
    ("scene", "score", "match"), [("", 1.0, "reference id is empty"), ("a", float("nan"), "the score is nan")]
)
def test_a_record_without_scene_or_score_is_refused(scene: str, score: float, match: str) -> None:
    with pytest.raises(DataError, match=match):
        ScoredImage(Path("a.png"), None, scene, "", 0.5, score)


def test_a_class_outside_the_given_ones_is_refused() -> None:
    with pytest.raises(DataError, match="'jpeg' is not among blur, noise"):
        ScoredSet("small", Path(), (image("a", "s1"),), MOS, classes=("blur", "noise"))


def test_a_part_keeps_the_classes_of_the_whole() -> None:
    whole = scored(image("a", "s1", "jpeg"), image("b", "s2", "blur"), image("c", "s2", "jpeg"))
    part = whole.select(["s2"])
    assert whole.classes == part.classes == ("jpeg", "blur")
    assert [str(record.image) for record in part.images] == ["b", "c"]
    assert part.labels.tolist() == [1, 0]


def test_selecting_an_unknown_scene_is_refused() -> None:
    with pytest.raises(DataError, match="no reference named 's9'"):
        scored(image("a", "s1")).select(["s9"])


def test_classes_for_some_images_only_are_refused() -> None:
    with pytest.raises(DataError, match="for all or none"):
        scored(image("a", "s1", "jpeg"), image("b", "s2", ""))


def test_a_set_without_classes_has_label_minus_one() -> None:
    without = scored(image("a", "s1", ""), image("b", "s2", ""))
    assert without.classes == ()
    assert without.labels.tolist() == [-1, -1]


def test_files_are_listed_once() -> None:
    reference = Path("r.png")
    records = [ScoredImage(Path(name), reference, "r", "blur", 0.5, 4.5) for name in ("a.png", "b.png")]
    assert scored(*records).files == (reference, Path("a.png"), Path("b.png"))
    assert scored(*records).has_references

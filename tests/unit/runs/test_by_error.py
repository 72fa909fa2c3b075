"""Images by error: from every quarter of the scores, and each image once."""

from pathlib import Path

import pytest

from gada.errors import DataError
from gada.runs.by_error import Scored, chosen_by_error, scores_of


def scored(image: str, score: float, error: float) -> Scored:
    return Scored(error, image, "", score, score + error)


def test_each_quarter_of_the_scores_gives_its_least_median_and_greatest_error() -> None:
    images = [
        scored(f"{quarter}-{error}", 10.0 * quarter + error, error) for quarter in range(4) for error in (1, 2, 3)
    ]
    chosen = chosen_by_error(images)
    assert list(chosen) == ["Smallest error", "Typical error", "Largest error"]
    for error, row in enumerate(chosen.values(), start=1):
        assert [one.image for one in row] == [f"{quarter}-{error}" for quarter in range(4)]


def test_an_image_of_several_splits_counts_with_its_least_error_and_few_images_are_enough() -> None:
    chosen = chosen_by_error([scored("a", 5.0, 3.0), scored("a", 5.0, 1.0)])
    assert [[one.error for one in row] for row in chosen.values()] == [[1.0]] * 3


@pytest.mark.parametrize("text", ["image,score\na,1\n", "image,reference,distortion,score,predicted\na,r,d,1,x\n", ""])
def test_damaged_scores_are_told(tmp_path: Path, text: str) -> None:
    if text:
        (tmp_path / "scores.csv").write_text(text)
    with pytest.raises(DataError, match=r"scores.csv cannot be read; delete .* to train it anew"):
        scores_of(tmp_path)

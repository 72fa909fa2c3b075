"""Images by error: from every quarter of the scores, and each image once."""

from gada.runs.by_error import Scored, chosen_by_error


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

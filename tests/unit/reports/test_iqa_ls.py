"""The tables of IQA-LS from rows made by hand, and the published figures."""

from base64 import b64encode

import numpy as np
import pytest

from gada.data.mixtures import STRATEGIES
from gada.io.records import Row
from gada.metrics.classification import crossed_interval
from gada.reports.canvas import png, svg
from gada.reports.iqa_ls import ORDER, SETS, published, strategies_of, table_2, variants
from gada.reports.iqa_ls_figures import figure_3
from gada.reports.iqa_ls_tables import all_tables, baselines_table, differences, generated_gains, scaling_table
from gada.reports.layout import render


def rows(*strategies: str, seeds: tuple[int, ...] = (0, 1)) -> list[Row]:
    """Accuracy is 0.1 for each strategy, 0.01 for each seed."""
    labels = {"9": "iqa-ls", "smoothing": "smoothing"}
    common = {"dataset": "CIFAR-10", "train_images": 10, "n": 5, "epochs": 2, "loss": "squared", "precision": "f32"}
    return [
        {
            **common,
            "strategy": strategy,
            "title": f"mix {strategy}",
            "labels": labels.get(strategy, "hard"),
            "seed": seed,
            "set": name,
            "ece_scaled": 0.1,
            "temperature": 1.5,
            "accuracy": 0.1 * (place + 1) + 0.01 * seed,
            "ece": 0.2,
            "confidence": 0.5,
            "network": "table1",
            "machine": "m",
            "commit": "c",
        }
        for place, strategy in enumerate(strategies)
        for seed in seeds
        for name in SETS
    ]


def test_published_gains_on_pristine_images() -> None:
    """Section 4.4 of the paper, Table 2: strategies 3, 5, 7, 9 minus 2, 4, 6, 8."""
    gains = [
        published()[smoothed]["pristine"] - published()[hard]["pristine"] for hard, smoothed in ("23", "45", "67", "89")
    ]
    assert gains == pytest.approx([0.017, 0.013, 0.038, 0.023])
    assert all(set(sets) == set(SETS) for sets in published().values())
    assert len(published()) == 9


def test_means_and_stds_over_seeds() -> None:
    text = render(table_2(rows("1", "9")), "csv")
    assert "1 mix 1,hard,0.105 ± 0.007" in text
    assert ",published,0.794," in text
    assert "±" not in render(table_2(rows("1", seeds=(0,))), "csv")


def test_images_of_one_s_own_stand_beside_no_published_rows() -> None:
    own = [{**row, "dataset": "my-photos"} for row in rows("8", "9")]
    for table in (table_2(own), differences(own)):
        assert "ublished" not in render(table, "text")
    assert svg(figure_3(own)) != svg(figure_3(rows("8", "9")))


def test_differences_are_paired_by_seed() -> None:
    table = differences(rows("8", "9"))
    assert table.rows[0][:3] == ("9 - 8, mix 9", "ours", "+0.100 ± 0.000")
    assert table.rows[1][1:3] == ("published", "+0.023")
    lacking = [row for row in rows("8", "9") if (row["strategy"], row["seed"]) != ("9", 1)]
    assert differences(lacking).rows[0][2] == "+0.100"


def test_differences_know_each_image() -> None:
    """Of 8 images the first seed of 9 is right on two more than 8, the second on one more."""
    right = {("8", 0): [0, 0, 1, 1, 1, 1, 1, 1], ("9", 0): [1] * 8, ("8", 1): [0] + [1] * 7, ("9", 1): [1] * 8}
    known = [
        {**row, "n": 8, "correct": b64encode(np.packbits(right[row["strategy"], row["seed"]]).tobytes()).decode()}
        for row in rows("8", "9")
    ]
    each = np.array([[1, 1, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]], float)
    low, high = crossed_interval(each)
    assert differences(known).rows[0][2] == f"+0.188 ({low:+.3f} to {high:+.3f})"
    assert low < 0 < high


def test_temperature_scaling_stands_beside_what_was_before() -> None:
    (row,) = scaling_table(rows("9")).rows
    assert row[2:] == ("0.200 ± 0.000",) * 4 + ("0.100 ± 0.000",) * 4 + ("1.500 ± 0.000",)


def test_another_measure_is_a_row_of_its_own() -> None:
    other = [{**row, "quality": "gmsd"} for row in rows("9")]
    assert strategies_of(variants([*rows("9"), *other])) == ["9", "9, s = gmsd"]
    assert variants(rows("8")) == rows("8")


def test_gains_of_generated_samples_are_paired_by_seed() -> None:
    table = generated_gains(rows("1", "11", "9", "12"))
    assert [row[0] for row in table.rows] == ["11 - 1", "12 - 9"]
    assert table.rows[0][2:] == ("+0.100 ± 0.000",) * 4


def test_baselines_stand_beside_strategies_8_and_9() -> None:
    names = [row[0] for row in baselines_table(rows("1", "8", "9", "smoothing")).rows]
    assert names == ["8", "9", "smoothing"]


def test_samples_are_of_each_strategy_s_first_seed() -> None:
    shown = [{**row, "sample": "cat", "class": "cat", "confidences": [row["seed"]] * 10} for row in rows("1", "8")]
    (table,) = all_tables(
        [row for row in shown if row["set"] == SETS[0] and (row["strategy"], row["seed"]) != ("8", 0)]
    )
    assert [row[1:3] for row in table.rows] == [("1 (hard)", 0), ("8 (hard)", 1)]


def test_an_empty_table_is_left_out() -> None:
    assert len(all_tables(rows("1"))) == 4  # accuracy, calibration, before and after scaling, confidence


def test_strategies_are_in_the_paper_s_order() -> None:
    names = ["smoothing", "12", "2", "11-evaluator", "11"]
    ordered = ["2", "11", "11-evaluator", "12", "smoothing"]
    assert strategies_of([{"strategy": name} for name in names]) == ordered
    assert set(ORDER) == set(STRATEGIES)


def test_figure_3_is_drawn_also_without_a_pair() -> None:
    assert png(figure_3(rows("1", "8", "9"))).startswith(b"\x89PNG")
    assert png(figure_3(rows("1"))).startswith(b"\x89PNG")

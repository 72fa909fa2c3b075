"""Label distributions of IQA-LS (Chen et al., 2017): laws, and equation 1 and 2 by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss, one_hot

from gada.errors import ConfigError, DataError
from gada.losses.label_distribution import confidence_of, iqa_label_distribution, label_loss

LABELS = torch.tensor([2, 0, 1])


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3), st.integers(3, 20), st.sampled_from(["identity", "square"]))
def test_a_label_distribution_sums_to_1_and_the_true_class_is_never_the_least(
    quality: list[float], classes: int, transform: str
) -> None:
    found = iqa_label_distribution(LABELS, torch.tensor(quality, dtype=torch.float64), classes, transform)
    assert found.sum(dim=1) == pytest.approx([1.0] * 3)
    true = found.gather(1, LABELS[:, None]).squeeze(1)
    assert bool((true >= found.min(dim=1).values - 1e-12).all())
    assert float(found.min()) >= 0


def test_equation_2_by_hand() -> None:
    found = iqa_label_distribution(torch.tensor([1]), torch.tensor([0.7]), 4)
    assert found.tolist()[0] == pytest.approx([0.1, 0.7, 0.1, 0.1])


def test_a_pristine_image_has_a_0_1_label() -> None:
    assert torch.equal(iqa_label_distribution(LABELS, torch.ones(3), 5), one_hot(LABELS, 5).float())


def test_a_quality_beyond_pristine_counts_as_pristine() -> None:
    assert torch.equal(iqa_label_distribution(LABELS, torch.full((3,), 1.2), 5), one_hot(LABELS, 5).float())


def test_the_confidence_is_the_quality_itself_by_default() -> None:
    quality = torch.tensor([[0.3, 0.9], [0.5, 1.0]])
    assert torch.equal(confidence_of(quality, 4), quality)


def test_the_worst_image_has_a_uniform_label() -> None:
    assert iqa_label_distribution(LABELS, torch.full((3,), -0.5), 4).tolist() == [[0.25] * 4] * 3


@pytest.mark.parametrize(("transform", "expected"), [("identity", 0.64), ("square", 0.4096), ("root", 0.8)])
def test_transforms(transform: str, expected: float) -> None:
    found = iqa_label_distribution(torch.tensor([0]), torch.tensor([0.64]), 10, transform)
    assert float(found[0, 0]) == pytest.approx(expected)


def halved(quality: Tensor) -> Tensor:
    return quality / 2


def certain(quality: Tensor) -> Tensor:
    return torch.ones_like(quality)


def beyond(quality: Tensor) -> Tensor:
    return quality + 1


def zero(quality: Tensor) -> Tensor:
    return torch.zeros_like(quality)


@pytest.mark.parametrize(("name", "expected"), [("halved", 0.4), ("certain", 1.0)])
def test_a_transform_of_the_user(name: str, expected: float) -> None:
    found = iqa_label_distribution(torch.tensor([0]), torch.tensor([0.8]), 10, f"{__name__}:{name}")
    assert float(found[0, 0]) == pytest.approx(expected)


def test_an_unknown_transform_is_answered_with_the_known_ones() -> None:
    known = r"'cube' is unknown; give identity, square, root or package\.module:function\."
    with pytest.raises(ConfigError, match=known):
        confidence_of(torch.tensor([0.8]), 10, "cube")


@pytest.mark.parametrize("transform", ["cube", *(f"{__name__}:{name}" for name in ("nothing", "beyond", "zero"))])
def test_a_wrong_transform_is_named(transform: str) -> None:
    with pytest.raises(ConfigError, match=transform.split(":")[-1]):
        iqa_label_distribution(torch.tensor([0]), torch.tensor([0.8]), 10, transform)


@pytest.mark.parametrize(
    ("labels", "quality", "classes", "words"),
    [
        ([0, 3], [1.0, 1.0], 3, "labels range from 0 to 3 but must lie in 0 to 2"),
        ([-1, 0], [1.0, 1.0], 3, "labels range from -1 to 0"),
        ([0.0, 1.0], [1.0, 1.0], 3, "must be integers"),
        ([0, 1], [1.0], 3, "a number for each"),
        ([0, 1], [1.0, float("nan")], 3, "quality holds NaN"),
        ([0, 0], [1.0, 1.0], 1, "num_classes is 1"),
    ],
)
def test_wrong_labels_are_one_sentence(labels: list[float], quality: list[float], classes: int, words: str) -> None:
    with pytest.raises(DataError, match=words):
        iqa_label_distribution(torch.tensor(labels), torch.tensor(quality), classes)
    assert iqa_label_distribution(torch.tensor([], dtype=torch.int64), torch.tensor([]), 3).shape == (0, 3)


def test_squared_error_is_summed_over_classes() -> None:
    logits = torch.tensor([[0.3, -1.0, 2.0], [0.0, 0.0, 0.0]])
    wanted = iqa_label_distribution(torch.tensor([2, 1]), torch.tensor([1.0, 0.5]), 3)
    expected = 3 * mse_loss(logits.softmax(1), wanted, reduction="none").mean(1)
    assert label_loss(logits, wanted).tolist() == pytest.approx(expected.tolist())


def test_a_better_prediction_costs_less() -> None:
    """Equation 1 is printed with a minus sign; then the best prediction would cost the most."""
    wanted = one_hot(torch.tensor([0]), 3).float()
    good, bad = (label_loss(torch.tensor([logits]), wanted) for logits in ([5.0, 0, 0], [0, 5.0, 0]))
    assert float(good) < float(bad)
    assert float(good) >= 0
    assert float(bad) <= 2


def test_with_s_of_1_it_is_plain_cross_entropy() -> None:
    logits = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    smoothed = label_loss(logits, iqa_label_distribution(LABELS, torch.ones(3), 5), "cross-entropy")
    assert torch.allclose(smoothed, cross_entropy(logits, LABELS, reduction="none"))

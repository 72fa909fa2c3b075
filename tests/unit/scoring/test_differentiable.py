from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from evaluators import picture, save_evaluator

import gada
from gada.data.crops import reflect_up as reflect_up_pixels
from gada.errors import ConfigError, DataError
from gada.scoring.differentiable import reflect_up
from gada.scoring.views import Mode


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_evaluator(tmp_path_factory.mktemp("model") / "evaluator.safetensors")


def as_tensor(*pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


@pytest.mark.parametrize("mode", ["crops", "grid", "dense"])
def test_it_gives_what_the_scorer_gives(checkpoint: Path, mode: Mode) -> None:
    pictures = [picture(seed) for seed in range(3)]
    quality = gada.DifferentiableScorer(checkpoint, mode)(as_tensor(*pictures))
    expected = [prediction.quality for prediction in gada.load_scorer(checkpoint, mode, device="cpu")(pictures)]
    assert quality.detach().numpy() == pytest.approx(np.array(expected), abs=1e-5)


def test_the_gradient_is_right(checkpoint: Path) -> None:
    torch.manual_seed(0)
    scorer = gada.DifferentiableScorer(checkpoint, crops=2).double()
    images = (as_tensor(picture(0, 36, 40)).double() * 0.9 + 0.05).requires_grad_()  # a step from 0 or 1 is clamped
    direction = torch.rand_like(images)
    (gradient,) = torch.autograd.grad(scorer(images).sum(), images)
    step = 1e-6
    with torch.no_grad():
        change = scorer(images + step * direction) - scorer(images - step * direction)
    assert (gradient * direction).sum().item() == pytest.approx(change.item() / (2 * step), rel=1e-4)


def test_gradient_ascent_raises_quality_and_leaves_the_weights(checkpoint: Path) -> None:
    scorer = gada.DifferentiableScorer(checkpoint).train()
    before = {name: value.clone() for name, value in scorer.state_dict().items()}
    images = as_tensor(picture(5)).requires_grad_()
    first = scorer(images)
    first.sum().backward()
    assert images.grad is not None
    second = scorer((images + 0.02 * images.grad.sign()).clamp(0, 1))
    assert second.item() > first.item()
    assert all((value == before[name]).all() for name, value in scorer.state_dict().items())
    assert not any(parameter.requires_grad for parameter in scorer.parameters())


@pytest.mark.parametrize("shape", [(5, 9), (32, 7), (1, 1), (40, 20)])
def test_reflection_is_the_same_in_both_forms(shape: tuple[int, int]) -> None:
    image = picture(1, *shape)
    reflected = reflect_up(torch.from_numpy(image).permute(2, 0, 1)[None], 32)
    assert (reflected[0].permute(1, 2, 0).numpy() == reflect_up_pixels(image, 32)).all()


def test_metric_is_the_mean_over_batches(checkpoint: Path) -> None:
    pictures = [picture(seed) for seed in range(5)]
    metric = gada.QualityScore(checkpoint)
    metric.update(as_tensor(*pictures[:2]))
    metric.update((as_tensor(*pictures[2:]) * 255).round().byte())
    expected = np.mean([prediction.score for prediction in gada.load_scorer(checkpoint, device="cpu")(pictures)])
    assert metric.compute().item() == pytest.approx(expected, abs=1e-3)
    assert metric.higher_is_better is False
    metric.reset()
    metric.update(as_tensor(pictures[0]))
    assert metric.compute().item() != pytest.approx(expected, abs=1)


def test_metric_knows_a_scale_where_more_is_better(tmp_path: Path) -> None:
    mos = {"name": "MOS", "low": 0.0, "high": 9.0, "higher_is_better": True}
    metric = gada.QualityScore(save_evaluator(tmp_path / "mos.safetensors", scale=mos))
    metric.update(as_tensor(picture(0)))
    assert metric.higher_is_better is True
    assert 0 < metric.compute().item() < 9


@pytest.mark.parametrize(
    "images", [torch.zeros(3, 40, 40), torch.zeros(1, 1, 40, 40), torch.zeros(1, 3, 40, 40).byte()]
)
def test_other_shapes_are_refused(checkpoint: Path, images: torch.Tensor) -> None:
    with pytest.raises(DataError, match="cannot be scored"):
        gada.DifferentiableScorer(checkpoint)(images)


def test_every_entrance_takes_the_same_range(checkpoint: Path) -> None:
    images = as_tensor(picture(0))
    scorer = gada.load_scorer(checkpoint, device="cpu")
    entrances: list[Callable[[torch.Tensor], object]] = [
        gada.DifferentiableScorer(checkpoint),
        gada.QualityScore(checkpoint).update,
        scorer,
        lambda tensor: scorer(tensor[0].permute(1, 2, 0).numpy(), float_range=(0, 1)),
    ]
    broken = images.clone()
    broken[0, 1, 2, 3] = float("nan")
    for entrance in entrances:
        for right in (images, images * (1 + 1.2e-7), images * 1.0008, images - 0.0008):
            entrance(right)
        for wrong, found in (
            (images * 255, "255"),
            (images * 2 - 1, "-1 to"),
            (images * 1.002, "1.002"),
            (broken, "NaN"),
            (images / 0, "infinity"),
        ):
            with pytest.raises(DataError, match=rf"{found}.* must lie in \[0, 1\]"):
                entrance(wrong)


def test_what_rounding_added_is_clamped(checkpoint: Path) -> None:
    images = as_tensor(picture(0))
    for scorer in (gada.DifferentiableScorer(checkpoint), gada.load_scorer(checkpoint, device="cpu")):
        above, exact = scorer(images.where(images < 1, 1.0009)), scorer(images)
        assert (above == exact).all() if isinstance(above, torch.Tensor) else above == exact


@pytest.mark.parametrize("suffix", [".onnx", ".xml", ".pt2"])
def test_an_exported_model_gives_no_gradients(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"model{suffix}").write_bytes(b"")
    with pytest.raises(ConfigError, match=rf"model{suffix} is an exported model.*safetensors"):
        gada.DifferentiableScorer(tmp_path / f"model{suffix}")


def test_wrong_images_and_settings_are_refused(checkpoint: Path) -> None:
    scorer = gada.DifferentiableScorer(checkpoint)
    with pytest.raises(DataError, match="cannot be scored"):
        scorer(torch.rand(1, 3, 0, 200))
    images = as_tensor(picture(0))
    assert scorer(images.double()).item() == pytest.approx(scorer(images).item(), abs=1e-5)
    with pytest.raises(ConfigError, match="--crops is 0"):
        gada.DifferentiableScorer(checkpoint, crops=0)

"""Shapes, sizes and laws of the networks."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from evaluators import picture
from torch.nn.functional import leaky_relu

from gada.errors import ConfigError, DataError
from gada.io.cards import Card
from gada.io.checkpoints import find_checkpoint, save_checkpoint
from gada.io.images import read_image
from gada.metrics.scale import Scale
from gada.models.detail import Detail
from gada.models.discriminator import Discriminator
from gada.models.evaluator import LEAK, Evaluator, Leaky, moments, predict_crops
from gada.models.files import load_evaluator, load_generator, save_network
from gada.models.generator import Generator, distort_crops
from gada.models.pyramid import Band, GreyLevels, Impulses, Knob, Pyramid, enlarged, laplacian
from gada.settings import ModelSettings, Preset, preset_settings

PRESETS: tuple[Preset, ...] = ("paper", "gada")
WHEN_COMPILED = pytest.mark.filterwarnings("ignore:.*should not be instantiated")  # by torch, of a Function


def model(preset: Preset, **sizes: Any) -> ModelSettings:
    small: dict[str, Any] = {
        "widths": (8, 8, 8),
        "decoder_widths": (8, 8, 4),
        "maps": 16,
        "hidden": 8,
        "noise": 2,
        "embedding": 4,
    }
    return replace(preset_settings(preset).model, **{**small, **sizes})


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_paper_s_discriminator_has_the_paper_s_layers() -> None:
    settings = preset_settings("paper").model
    discriminator = Discriminator(Evaluator(settings, classes=5))
    convolutions = [m for m in discriminator.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [conv.out_channels for conv in convolutions] == [64, 128, 128, 1024]
    assert convolutions[-1].kernel_size == (1, 1)
    linear = [(m.in_features, m.out_features) for m in discriminator.modules() if isinstance(m, torch.nn.Linear)]
    assert linear == [(1024, 128), (128, 5), (1024, 128), (128, 1), (1024, 1)]


def test_the_paper_s_encoder_sees_class_and_quality() -> None:
    reference = torch.rand(2, 3, 32, 32)

    def maps(generator: Generator, label: int, quality: float) -> list[torch.Tensor]:
        labels, qualities = torch.full((2,), label), torch.full((2,), quality)
        _, *encoded = generator.encode(reference * 2 - 1, labels, qualities, generator.condition(labels, qualities))
        return encoded

    paper = Generator(preset_settings("paper").model, classes=3)
    assert [one.shape[1] for one in maps(paper, 0, 0.5)] == [64, 128, 128]
    first = next(part for part in paper.encoder.modules() if isinstance(part, torch.nn.Conv2d))
    assert first.in_channels == 3 + 3 + 1
    for label, quality in ((1, 0.5), (0, 0.1)):
        for one, other in zip(maps(paper, 0, 0.5), maps(paper, label, quality), strict=True):
            assert not torch.allclose(one, other)
    without = Generator(model("paper", planes=False), classes=3)
    assert all(map(torch.equal, maps(without, 0, 0.5), maps(without, 1, 0.1)))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("depth", [1, 2])
def test_a_shallower_network_has_fewer_layers(preset: Preset, depth: int) -> None:
    whole = model(preset)
    cut = {name: getattr(whole, name)[:depth] for name in ("widths", "strides", "decoder_widths")}
    settings = replace(whole, **cut, normalization="batch")
    evaluator, generator = Evaluator(settings, classes=2), Generator(settings, classes=2)
    assert sum(isinstance(one, torch.nn.Conv2d) for one in evaluator.modules()) == depth + 1
    reference = torch.rand(2, 3, 24, 40)
    made = generator(reference, torch.tensor([0, 1]), torch.tensor([0.1, 0.9]), generator.draw(reference))
    assert made.shape == reference.shape
    assert evaluator(made).quality.shape == (2,)


def test_a_stride_of_1_keeps_the_size() -> None:
    evaluator = Evaluator(model("paper", strides=(2, 1, 1)), classes=2)
    assert [maps.shape[2:] for maps in evaluator.maps(torch.rand(1, 3, 32, 48))] == [(16, 24)] * 4


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("size", [(32, 32), (40, 72), (33, 57), (8, 8)])
def test_any_size_can_be_scored(preset: Preset, size: tuple[int, int]) -> None:
    evaluator = Evaluator(model(preset), classes=3).eval()
    predicted = evaluator(torch.rand(2, 3, *size))
    assert predicted.class_logits.shape == (2, 3)
    assert predicted.quality.shape == (2,)
    assert ((predicted.quality > 0) & (predicted.quality < 1)).all()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_prediction_does_not_depend_on_the_batch(preset: Preset) -> None:
    evaluator = Evaluator(model(preset), classes=3).eval()
    crops = torch.rand(5, 3, 32, 32)
    alone = torch.cat([evaluator(crop[None]).quality for crop in crops])
    torch.testing.assert_close(evaluator(crops).quality, alone, atol=1e-6, rtol=0)


def test_moments_are_mean_and_log_deviation() -> None:
    maps = torch.randn(2, 3, 16, 16, dtype=torch.float64) * 5 + 1
    expected = np.concatenate([maps.mean((2, 3)), np.log(maps.numpy().std((2, 3)))], axis=1)
    np.testing.assert_allclose(moments(maps).numpy(), expected, atol=1e-4)
    assert torch.isfinite(moments(torch.zeros(1, 2, 4, 4))).all()


def test_a_flat_picture_has_no_detail() -> None:
    assert Detail()(torch.full((1, 3, 16, 16), 0.7)).abs().max() < 1e-3  # float32 rounding, over a floor of 1 / 255
    step = torch.zeros(1, 3, 16, 16)
    step[..., 8:] = 1
    strength, relative = Detail()(step)[0, 0], Detail()(step)[0, 3]
    assert strength[8, 8].item() == pytest.approx(8 * 0.25)  # a quarter of the kernel lies on the dark side
    assert relative[8, 8].item() > 0.5


@pytest.mark.parametrize("name", ["authentic", "live-like", "tid2013-r"])
def test_rounding_does_not_show_even_where_a_picture_is_flat(name: str) -> None:
    evaluator, card = load_evaluator(find_checkpoint(name, "evaluator"))
    side = card.crop_size
    photograph = read_image(Path(__file__).parents[3] / "data" / "photos" / "coffee.png")
    flat = np.full_like(photograph[:side, :side], 201)
    flat[: side // 2] = 200
    crops = torch.from_numpy(np.stack([photograph[:side, :side], photograph[-side:, -side:], flat])).permute(0, 3, 1, 2)
    single = evaluator.eval()(crops / 255).quality
    double = evaluator.double()(crops.double() / 255).quality
    torch.testing.assert_close(single.double(), double, atol=1e-6, rtol=0)


def test_relative_detail_is_the_same_at_any_contrast() -> None:
    image = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    faint = 0.3 + 0.4 * image
    torch.testing.assert_close(Detail()(faint)[:, 3:], Detail()(image)[:, 3:], atol=0, rtol=0.05)
    torch.testing.assert_close(Detail()(faint)[:, :3], 0.4 * Detail()(image)[:, :3], atol=1e-5, rtol=0)


@WHEN_COMPILED
def test_the_gradient_of_detail_is_that_of_its_formula() -> None:
    images = torch.rand(2, 3, 10, 14, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.autograd.gradcheck(Detail(), (images.requires_grad_(),))
    (expected,) = torch.autograd.grad(Detail()(images).square().sum(), images)
    single = images.detach().float().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):  # as in training, where only convolutions may be inexact
        compiled = torch.compile(Detail(), backend="aot_eager")(single)
        (grad,) = torch.autograd.grad(compiled.square().sum(), single)
    torch.testing.assert_close(grad.double(), expected, rtol=1e-4, atol=1e-4)


@WHEN_COMPILED
def test_detail_and_rectifier_are_the_same_when_compiled() -> None:
    images = torch.rand(2, 3, 17, 24, generator=torch.Generator().manual_seed(0))
    for view in (images, images.to(memory_format=torch.channels_last)):
        torch.testing.assert_close(torch.compile(Detail(), backend="aot_eager")(view), Detail()(view))
    maps = (images - 0.5).requires_grad_()
    for rectify in (Leaky(), torch.compile(Leaky(), backend="aot_eager")):
        (grad,) = torch.autograd.grad(rectify(maps).square().sum(), maps)
        (expected,) = torch.autograd.grad(leaky_relu(maps, LEAK).square().sum(), maps)
        torch.testing.assert_close(grad, expected)
        assert torch.equal(rectify(maps), leaky_relu(maps, LEAK))


@WHEN_COMPILED
@pytest.mark.parametrize("preset", PRESETS)
def test_a_generator_is_compiled_whole(preset: Preset) -> None:
    generator = Generator(model(preset), classes=2)
    reference, asked = torch.rand(2, 3, 32, 32), (torch.tensor([0, 1]), torch.tensor([0.2, 0.8]))
    whole = torch.compile(generator, backend="aot_eager", fullgraph=True)
    noise = generator.draw(reference, torch.Generator().manual_seed(0))
    torch.testing.assert_close(whole(reference, *asked, noise), generator(reference, *asked, noise))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_generator_keeps_size_and_range(preset: Preset) -> None:
    generator = Generator(model(preset), classes=3)
    reference = torch.rand(2, 3, 40, 64)
    made = generator(reference, torch.tensor([0, 2]), torch.tensor([0.1, 0.9]), generator.draw(reference))
    assert made.shape == (2, 3, 40, 64)
    assert made.min() >= 0
    assert made.max() <= 1


@pytest.mark.parametrize("preset", PRESETS)
def test_class_quality_and_noise_reach_the_picture(preset: Preset) -> None:
    torch.manual_seed(0)
    generator = Generator(model(preset), classes=2)
    for weights in generator.output.parameters():  # a generator of bands begins at the reference
        torch.nn.init.normal_(weights)
    reference = torch.rand(1, 3, 32, 32)

    def made(label: int, quality: float, noise: int) -> torch.Tensor:
        drawn = generator.draw(reference, torch.Generator().manual_seed(noise))
        result: torch.Tensor = generator(reference, torch.tensor([label]), torch.tensor([quality]), drawn)
        return result

    same = made(0, 0.5, 1)
    assert torch.equal(same, made(0, 0.5, 1))
    for other in (made(1, 0.5, 1), made(0, 0.1, 1), made(0, 0.5, 2)):
        assert not torch.equal(same, other)


def test_a_generator_of_bands_starts_from_the_reference() -> None:
    generator = Generator(model("gada"), classes=2)
    reference = picture(0, 32, 40)
    (made,) = distort_crops(generator, [reference], [1], [0.3])
    far = np.abs(made.astype(int) - reference) > 4
    assert np.mean(far) < 0.01  # a trace of noise, and the few impulses that learning begins with


def only_biases(layer: torch.nn.Module, *values: float) -> None:
    """Let a layer give `values`, in groups of three channels for a convolution, whatever it sees."""
    assert isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)
    torch.nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    with torch.no_grad():
        speed = layer.SPEED if isinstance(layer, Knob) else 1
        layer.bias.copy_(torch.tensor(values).repeat_interleave(len(layer.bias) // len(values)) / speed)


def test_steps_in_place_of_bands_are_the_means_of_jpeg_s_blocks() -> None:
    generator = Generator(model("gada"), classes=2)
    assert isinstance(generator.output, Pyramid)
    for band in list(generator.output.bands)[1:]:
        assert isinstance(band, Band)
        only_biases(band.change, 0, -1, 1)  # nothing added, no band, all steps
    for band in generator.output.bands:
        assert isinstance(band, Band)
        only_biases(band.loudness, -100)
    generator.output.grey_levels.NONE, generator.output.impulses.RARE = 100, -100
    reference = torch.rand(1, 3, 32, 40)
    made = generator(reference, torch.tensor([0]), torch.tensor([0.5]), generator.draw(reference))
    means = torch.nn.functional.avg_pool2d(reference, 8).repeat_interleave(8, 2).repeat_interleave(8, 3)
    assert torch.allclose(made, means, atol=1e-5)


def test_noise_is_as_loud_as_class_and_quality_say() -> None:
    generator = Generator(model("gada"), classes=2)
    assert isinstance(generator.output, Pyramid)
    finest = generator.output.bands[-1]
    assert isinstance(finest, Band)
    only_biases(finest.loudness, math.log(20), 0, 0)  # twenty times half a grey level, in red
    grey = torch.full((2, 3, 64, 64), 0.5)
    made = generator(grey, torch.tensor([0, 1]), torch.tensor([0.2, 0.8]), generator.draw(grey)) * 255
    red, green, _ = (made[:, colour].std().item() for colour in range(3))
    assert red == pytest.approx(10, rel=0.1)
    assert green < 5  # traces, and impulses


def test_grey_levels_and_impulses() -> None:
    image, condition = torch.rand(4, 3, 64, 64), torch.zeros(4, 8)
    coarse, impulses = GreyLevels(8), Impulses(8)
    assert torch.allclose(coarse(image, condition), image, atol=1 / 255)
    only_biases(coarse.logits, 0, 0, 0, 0, 30)
    rounded = coarse(image, condition) * 255 / 81
    assert torch.allclose(rounded, rounded.round(), atol=1e-4)
    only_biases(impulses.log_odds, 6 + math.log(0.2 / 0.8))
    struck = impulses(torch.zeros_like(image), condition, *torch.rand(2, *image.shape))
    assert struck.mean().item() == pytest.approx(0.2 / 2, abs=0.01)  # values are 0.5 in the mean


def test_the_bands_of_a_picture_add_up_to_it() -> None:
    crops = torch.rand(2, 3, 32, 48)
    image, *finer = laplacian(crops, 4)
    assert image.shape == (2, 3, 4, 6)
    for band in finer:
        image = enlarged(image) + band
    assert torch.allclose(image, crops, atol=1e-6)


def test_crops_are_scored_alike_in_any_batch() -> None:
    evaluator = Evaluator(model("gada"), classes=3).eval()
    crops = [picture(seed, 32, 32) for seed in range(5)]
    whole, parts = predict_crops(evaluator, crops), predict_crops(evaluator, crops, batch=2)
    assert whole.label.shape == whole.quality.shape == (5,)
    assert whole.features.shape == (5, evaluator.features)
    assert np.allclose(whole.quality, parts.quality, atol=1e-6)


def test_a_folder_of_photos_hides_no_bundled_evaluator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "mine"):
        (tmp_path / name).mkdir()
    assert find_checkpoint("photos", "evaluator").name == "photos-evaluator.safetensors"
    with pytest.raises(ConfigError, match="mine holds no finished evaluator"):
        find_checkpoint("mine", "evaluator")


def test_a_network_survives_its_file(tmp_path: Path) -> None:
    card = Card("evaluator", "toy", "toy images", ("blur", "noise"), Scale("MOS", 0.0, 1.0, True), crop_size=32)
    evaluator = Evaluator(model("gada"), classes=2).eval()
    save_network(tmp_path / "best.safetensors", evaluator, card)
    loaded, found = load_evaluator(tmp_path / "best.safetensors")
    crops = torch.rand(3, 3, 32, 32)
    assert torch.equal(evaluator(crops).quality, loaded(crops).quality)
    assert found.classes == ("blur", "noise")
    assert found.kind == "evaluator"
    assert find_checkpoint(str(tmp_path), "evaluator") == tmp_path / "best.safetensors"
    with pytest.raises(DataError, match="does not hold a gada generator but evaluator"):
        load_generator(tmp_path / "best.safetensors")


def test_a_checkpoint_never_holds_nan(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not finite"):
        save_checkpoint(tmp_path / "x.safetensors", {"w": np.array([1.0, np.nan])}, {"kind": "evaluator"})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x00" * 100])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"damaged\.safetensors"):
        load_evaluator(path)

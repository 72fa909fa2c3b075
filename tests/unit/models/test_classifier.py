"""The network of IQA-LS's Table 1, its parts against other implementations, and its files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad

from gada.errors import ConfigError, DataError
from gada.models.classifier import (
    ClassifierNetwork,
    ResponseNormalisation,
    Table1,
    build_classifier,
    load_network,
    overlapping_pool,
    prepared,
    save_classifier,
)

CARD = {"network": "table1", "classes": ["a", "b", "c"], "size": 32}


def tiny(classes: int) -> nn.Module:
    return nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(48, 8), nn.ReLU(), nn.Linear(8, classes))


def no_module(classes: int) -> int:
    return classes


def test_sizes_of_table_1() -> None:
    network, seen = Table1(10), dict[str, tuple[int, ...]]()
    for name, layer in network.named_children():

        def keep(_module: nn.Module, _inputs: object, maps: Tensor, name: str = name) -> None:
            seen[name] = tuple(maps.shape[1:])

        layer.register_forward_hook(keep)
    network(torch.zeros(1, 3, 32, 32))
    sizes = {"conv1": (64, 32, 32), "conv2": (64, 16, 16), "fc1": (384,), "fc2": (192,), "softmax": (10,)}
    assert {name: seen[name] for name in sizes} == sizes
    assert network.fc1.in_features == 4096


def test_response_normalisation_is_that_of_torch() -> None:
    maps = 30 * torch.randn(2, 64, 5, 5, generator=torch.Generator().manual_seed(1))
    theirs = nn.LocalResponseNorm(size=9, alpha=0.001, beta=0.75, k=1.0)  # divides alpha by size
    assert torch.allclose(ResponseNormalisation(64)(maps), theirs(maps), rtol=1e-5)


def test_the_gradient_of_response_normalisation_is_that_of_its_formula() -> None:
    ours = ResponseNormalisation(12).double()
    ours.band *= 1000  # or the sum of squares would hardly matter
    torch.manual_seed(0)
    maps = torch.randn(2, 12, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(ours, (maps,))


def test_pooling_is_tensorflow_s_same_padding() -> None:
    """3 x 3 windows, two pixels apart, on an even side: one pixel is missing, below and to the right."""
    maps = torch.randn(1, 2, 8, 8, generator=torch.Generator().manual_seed(2))
    padded = max_pool2d(pad(maps, (0, 1, 0, 1), value=-1e9), kernel_size=3, stride=2)
    assert torch.equal(overlapping_pool(maps), padded)


def test_prepared_images() -> None:
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    standard = prepared(images, "standardised")
    assert standard.mean(dim=(1, 2, 3)).tolist() == pytest.approx([0.0] * 3, abs=1e-5)
    assert standard.std(dim=(1, 2, 3), correction=0).tolist() == pytest.approx([1.0] * 3, abs=1e-4)
    assert torch.equal(prepared(images, "unit"), images)
    assert torch.equal(prepared(images, "centred"), images - 0.5)
    assert torch.isfinite(prepared(torch.full((1, 3, 32, 32), 0.4), "standardised")).all()


@pytest.mark.parametrize("network", ["table1", f"{__name__}:tiny"])
def test_a_saved_classifier_is_the_same(tmp_path: Path, network: str) -> None:
    classifier = build_classifier(network, 3).eval()
    images = torch.rand(2, 3, 32, 32)
    save_classifier(tmp_path / "c.safetensors", classifier, {**CARD, "network": network})
    again, card = load_network(tmp_path / "c.safetensors", network)
    assert card["classes"] == ["a", "b", "c"]
    assert not again.training
    assert np.array_equal(again(images).detach().numpy(), classifier(images).detach().numpy())


def test_a_file_never_says_what_code_to_run(tmp_path: Path) -> None:
    network = f"{__name__}:tiny"
    save_classifier(tmp_path / "c.safetensors", build_classifier(network, 3), {**CARD, "network": network})
    with pytest.raises(ConfigError, match=r"--input\.network"):
        load_network(tmp_path / "c.safetensors")


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    save_classifier(tmp_path / "c.safetensors", ClassifierNetwork(tiny(3)), CARD)
    with pytest.raises(DataError, match=r"c\.safetensors"):
        load_network(tmp_path / "c.safetensors")


@pytest.mark.parametrize("network", ["table2", "nowhere:net", f"{__name__}:absent", f"{__name__}:no_module"])
def test_a_wrong_factory_is_named(network: str) -> None:
    with pytest.raises(ConfigError, match=network):
        build_classifier(network, 3)

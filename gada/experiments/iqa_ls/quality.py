"""s of IQA-LS: the quality of distorted images, measured with or without the pristine ones (section 3)."""

from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from inspect import Parameter, getfile, signature
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.data.crops import reflect_up
from gada.data.whole_view import SMALLEST, reduced
from gada.errors import ConfigError
from gada.io.files import sha256_of
from gada.metrics.gmsd import gmsd
from gada.metrics.psnr import luminance, psnr
from gada.metrics.ssim import ms_ssim_each, ssim_each
from gada.metrics.vif import SCALES, smallest_side, vif
from gada.scoring.loading import load_scorer
from gada.scoring.scorer import Scorer

BEST_PSNR = 50.0  # dB; from here on an image counts as pristine
EVALUATOR = "evaluator"
Pixels = NDArray[np.uint8]


def psnr_quality(image: Pixels, pristine: Pixels) -> float:
    """Return the PSNR of an image (S, S, 3) over 50 dB, in (0, 1]."""
    return float(np.clip(psnr(image, pristine) / BEST_PSNR, 1e-6, 1))


def gmsd_quality(image: Pixels, pristine: Pixels) -> float:
    """Return 1 - GMSD of luminance, in (0, 1]."""
    return 1 - gmsd(luminance(image), luminance(pristine))


def vif_quality(image: Pixels, pristine: Pixels) -> float:
    """Return VIFp of luminance, at most 1; a small image, as CIFAR's, has room for two of the four scales."""
    planes = luminance(image), luminance(pristine)
    scales = next(n for n in range(SCALES, 0, -1) if min(image.shape[:2]) >= smallest_side(n))
    return min(1.0, vif(*planes, scales=scales))


TOGETHER: dict[str, Callable[[Pixels, Pixels], NDArray[Any]]] = {"ssim": ssim_each, "ms-ssim": ms_ssim_each}
EACH: dict[str, Callable[..., Any]] = {"psnr": psnr_quality, "gmsd": gmsd_quality, "vif": vif_quality}


class Quality:
    """s of every image of a version.

    Args:
        name: `ssim`, `ms-ssim`, `psnr`, `gmsd`, `vif`, `evaluator`, or `package.module:function` of (distorted,
            pristine) or of the distorted image alone, each (S, S, 3) uint8, into [0, 1].
        evaluator: what `evaluator` loads.

    Raises:
        ConfigError: if it is unknown or cannot be imported.
    """

    def __init__(self, name: str, evaluator: str) -> None:
        self.name, self.model = name, evaluator
        self.function = EACH.get(name)
        if self.function is None and name not in (*TOGETHER, EVALUATOR):
            self.function = load_function(name)

    @cached_property
    def evaluator(self) -> Scorer:
        """The evaluator that predicts quality."""
        return load_scorer(self.model, device="cpu")

    @property
    def key(self) -> str:
        """What the file of the values is called: another evaluator or a changed function gives another file."""
        if self.name == EVALUATOR:
            return f"{EVALUATOR}-{self.evaluator.digest[:12]}"
        if self.name in (*TOGETHER, *EACH) or self.function is None:
            return self.name
        return f"{self.name.replace(':', '-')}-{sha256_of(Path(getfile(self.function)))[:12]}"

    def __call__(self, images: Pixels, pristine: Pixels) -> NDArray[np.float32]:
        """Return s of images (N, S, S, 3), (N,).

        Raises:
            ConfigError: if a function returns something outside [0, 1].
        """
        if self.name in TOGETHER:
            return TOGETHER[self.name](images, pristine).astype(np.float32)
        if self.function is None:
            return self.predicted(images)
        given = (images,) if takes(self.function) == 1 else (images, pristine)
        found = np.array([self.function(*one) for one in zip(*given, strict=True)], np.float32)
        if found.ndim != 1 or not ((found >= 0) & (found <= 1)).all():
            raise ConfigError(f"training.quality {self.name} must return one number in [0, 1] for each image.")
        return found

    def predicted(self, images: Pixels) -> NDArray[np.float32]:
        """Return the evaluator's prediction; it sees an image as it is, not enlarged, and without its reference."""
        if side := self.evaluator.card.whole_view:
            images = np.stack([reflect_up(reduced(image, side), SMALLEST) for image in images])
        return self.evaluator.predict(images).quality.astype(np.float32)


def load_function(name: str) -> Callable[..., Any]:
    """Return the user's measure.

    Raises:
        ConfigError: if it cannot be imported, or takes neither one image nor two.
    """
    module, _, attribute = name.partition(":")
    try:
        function: Callable[..., Any] = getattr(import_module(module), attribute)
        getfile(function)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        known = ", ".join((*TOGETHER, *EACH, EVALUATOR))
        raise ConfigError(
            f"training.quality {name!r} is unknown ({error}); give {known}, or package.module:function."
        ) from error
    if takes(function) not in (1, 2):
        raise ConfigError(f"training.quality {name} must take the distorted image, or it and the pristine one.")
    return function


def takes(function: Callable[..., Any]) -> int:
    """Return how many arguments a function needs."""
    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return sum(one.kind in positional and one.default is one.empty for one in signature(function).parameters.values())

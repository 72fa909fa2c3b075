"""One training of a metrifier."""

from dataclasses import dataclass, field
from typing import Literal

from gada.errors import ConfigError
from gada.settings.checks import check, check_seed
from gada.settings.classifiers import ImageSettings, InputSettings
from gada.settings.data import SplitSettings
from gada.settings.networks import ModelSettings


@dataclass(frozen=True)
class MetrifierSettings:
    """One training of a metrifier (Cheraaqee, 2022, section 3.1), as its run's `config.yaml` keeps it."""

    classifiers: tuple[str, ...] = ("efficientnet-lite0",)
    """Whose error is predicted, as `gada sweep` takes them; of several the mean error, each in its own view."""
    distortions: tuple[str, ...] = ("dodge-karam",)
    """Distortion families at all their levels, or sets of them."""
    error: str = "confidence"
    """`confidence`: 1 - probability of the true class; `decision`: 1 for a wrong decision, 0 for a right one; or
    `package.module:function` for another task: takes the networks' outputs (N, ...) and the labels (N,), gives each
    image's error in [0, 1], (N,)."""
    distorted: Literal["crop", "image"] = "crop"
    """Distort what the classifier sees, after resizing and centre crop, or the whole image before."""
    crop_size: int | None = None
    """Side of a training crop, in pixels; unset means what the classifier sees, at most 128."""
    batch_size: int = 64
    """Crops in a batch."""
    steps: int = 3000
    """Training steps."""
    validate_every: int = 250
    """Steps between two validations."""
    validation_images: int = 2000
    """Images that choose the checkpoint, drawn from D' of the validation sources."""
    lr: float = 5e-4
    """Learning rate."""
    seed: int = 0
    """Seed of weights, batches and noise."""
    images: ImageSettings = field(default_factory=ImageSettings)
    input: InputSettings = field(default_factory=InputSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    model: ModelSettings = field(default_factory=ModelSettings)

    def __post_init__(self) -> None:
        """Check counts, learning rate and split."""
        check_seed(self.seed)
        if not self.classifiers or len(set(self.classifiers)) < len(self.classifiers):
            raise ConfigError(f"classifiers is {list(self.classifiers)}; name one or more, each once.")
        if self.error not in ("confidence", "decision") and ":" not in self.error:
            raise ConfigError(f"error is {self.error!r} but must be confidence, decision or package.module:function.")
        check("metrifier", self, ("batch_size",), 2)
        check("metrifier", self, ("steps", "validate_every", "validation_images"), 1)
        check("metrifier", self, ("crop_size",), 8)
        check("metrifier", self, ("lr",), 0)
        if not self.split.validation:
            raise ConfigError("split.validation is 0, but validation images choose a metrifier; give more.")

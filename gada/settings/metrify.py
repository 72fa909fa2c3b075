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

    classifier: str = "efficientnet-lite0"
    """Whose error is predicted; as `gada sweep` takes it."""
    distortions: tuple[str, ...] = ("dodge-karam",)
    """Distortion families at all their levels, or sets of them."""
    error: Literal["confidence", "decision"] = "confidence"
    """`confidence`: 1 - probability of the true class; `decision`: 1 for a wrong decision, 0 for a right one."""
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
        check("metrifier", self, ("batch_size",), 2)
        check("metrifier", self, ("steps", "validate_every", "validation_images"), 1)
        check("metrifier", self, ("crop_size",), 8)
        check("metrifier", self, ("lr",), 0)
        if not self.split.validation:
            raise ConfigError("split.validation is 0, but validation images choose a metrifier; give more.")

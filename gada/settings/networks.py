"""The networks of GADA and their losses."""

from dataclasses import dataclass
from typing import Literal

from gada.errors import ConfigError
from gada.settings.checks import check


@dataclass(frozen=True)
class ModelSettings:
    """The networks (paper, section 3.3) and what the paper leaves open."""

    trunk: Literal["gada", "efficientnet-lite0"] = "gada"
    """The evaluator's trunk: the paper's three convolutions (`gada`), or one that starts from ImageNet weights; the
    latter has widths of its own, and serves evaluators without a generator."""
    widths: tuple[int, ...] = (64, 128, 128)
    """Feature maps of the three convolutions of trunk and encoder."""
    decoder_widths: tuple[int, ...] = (64, 32, 16)
    """Feature maps of the generator's three up-sampling levels, which the paper does not give."""
    maps: int = 1024
    """Feature maps of the trunk's 1x1 convolution."""
    hidden: int = 128
    """Units of the first layer of the class and quality heads."""
    usual: int = 0
    """Directions in which training photos vary that the evaluator keeps, to tell what is unlike them; 0 keeps none."""
    pooling: Literal["mean", "moments"] = "moments"
    """Spatial reduction: mean of the last maps (paper), or mean and log std of every layer's maps."""
    detail: bool = True
    """Whether the trunk also sees the image minus its local mean, where small distortions show (paper: false)."""
    pyramid: bool = True
    """Whether the generator changes the reference's frequency bands; else it paints the image (paper: false)."""
    pixel_noise: bool = True
    """Whether the decoder also receives noise at every resolution (paper: false)."""
    modulation: bool = True
    """Whether class and quality also scale and shift the maps of every layer (paper: false)."""
    noise: int = 16
    """Channels of the noise vector z."""
    embedding: int = 32
    """Channels of the embedding of class and quality."""

    def __post_init__(self) -> None:
        """Check the widths."""
        for name in ("widths", "decoder_widths"):
            if len(widths := getattr(self, name)) != 3 or min(widths) < 1:
                raise ConfigError(f"model.{name} is {list(widths)} but must be three positive counts.")
        check("model", self, ("usual",), 0)
        check("model", self, ("maps", "hidden", "noise", "embedding"), 1)


@dataclass(frozen=True)
class LossSettings:
    """The losses (paper, section 3.2) and their weights, which the paper does not give."""

    adversarial: Literal["logistic", "hinge"] = "hinge"
    """Source loss (paper: logistic, equation 1)."""
    heads_on_generated: bool = False
    """Whether class and quality losses of phase 1 also train the discriminator on generated crops (paper: true); needs
    `source_trains_trunk`."""
    source_trains_trunk: bool = False
    """Whether the source loss also trains the trunk (paper: true), which holds the evaluator back."""
    source_weight: float = 0.2
    """Weight of the source loss."""
    reconstruction_weight: float = 20.0
    """Weight of the L1 term, on images in [0, 1]."""
    feature_weight: float = 4.0
    """Weight of the distance between pooled features of generated and true distorted crops (paper: 0)."""
    class_weight: float = 0.05
    """Weight of the class loss towards discriminator and evaluator."""
    quality_weight: float = 5.0
    """Weight of the quality loss, the squared error (equation 3), towards all players."""
    generator_class_weight: float = 0.25
    """Weight of the class loss towards the generator."""

    def __post_init__(self) -> None:
        """Check the weights, and that the heads can learn from generated crops."""
        check("loss", self, tuple(name for name in vars(self) if name.endswith("_weight")), 0)
        if self.heads_on_generated and not self.source_trains_trunk:
            raise ConfigError(
                "loss.heads_on_generated is true but loss.source_trains_trunk is false; set both to true, or the first "
                "to false."
            )

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
    """Feature maps of each convolution of trunk and encoder. The paper has three, its Table 1 fewer: two or one."""
    strides: tuple[int, ...] = (2, 2, 2)
    """Stride of each convolution of the trunk, which the paper does not give; 2 is pix2pix's. The encoder's is 2."""
    normalization: Literal["none", "batch"] = "none"
    """What follows each convolution of trunk, encoder and decoder; the paper names nothing. Batch statistics would tie
    a crop's score to those beside it in training, and dividing by a crop's own would hide contrast and noise."""
    decoder_widths: tuple[int, ...] = (64, 32, 16)
    """Feature maps of the generator's up-sampling levels, as many as `widths`, which the paper does not give."""
    maps: int = 1024
    """Feature maps of the trunk's 1x1 convolution."""
    hidden: int = 128
    """Units of the first layer of the class and quality heads."""
    usual: int = 0
    """Directions in which training photos vary that the evaluator keeps, to tell what is unlike them; 0 keeps none."""
    pooling: Literal["mean", "moments"] = "moments"
    """Spatial reduction: mean of the last maps, or mean and log std of every layer's maps. Without one, the paper's
    "fully connected" layers on maps would fix the size of an image; its authors' code takes a mean."""
    detail: bool = True
    """Whether the trunk also sees the image minus its local mean, where small distortions show (paper: false)."""
    pyramid: bool = True
    """Whether the generator changes the reference's frequency bands; else it paints the image (paper: false)."""
    pixel_noise: bool = True
    """Whether the decoder also receives noise at every resolution (paper: false)."""
    modulation: bool = True
    """Whether class and quality also scale and shift the maps of every layer (paper: false)."""
    planes: bool = False
    """Whether class and quality join the reference at the encoder's input, as constant maps (paper: true)."""
    noise: int = 16
    """Channels of the noise vector z."""
    embedding: int = 32
    """Channels of the embedding of class and quality."""

    def __post_init__(self) -> None:
        """Check the layers."""
        if not 1 <= len(self.widths) <= 3:  # crops are multiples of 8
            raise ConfigError(f"model.widths is {list(self.widths)} but must be one to three positive counts.")
        for name in ("widths", "strides", "decoder_widths"):
            if len(values := getattr(self, name)) != len(self.widths) or min(values) < 1:
                raise ConfigError(
                    f"model.{name} is {list(values)} but must be {len(self.widths)} positive counts, as model.widths."
                )
        if not set(self.strides) <= {1, 2}:
            raise ConfigError(f"model.strides is {list(self.strides)} but each must be 1 or 2.")
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
    projected: bool = False
    """Whether source head and distance of features also look through EfficientNet-Lite0 with ImageNet weights, frozen
    (Projected GAN; not in the paper); needs the extra `pretrained`."""
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

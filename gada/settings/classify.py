"""Classifier training on distorted images (IQA-LS)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gada.errors import ConfigError
from gada.settings.checks import check

ClassLayout = Literal["cifar10", "folders"]


@dataclass(frozen=True)
class ClassifyDataSettings:
    """Labelled images that a classifier is trained and tested on."""

    root: Path = Path("data/cifar-10-batches-bin")
    """Folder of CIFAR-10's binary version, or a folder with `train/CLASS/...` and `test/CLASS/...`."""
    layout: ClassLayout = "cifar10"
    """Which of the two."""
    size: int = 32
    """Side of the square that the network sees, in pixels; larger images are resized and cropped (layout `folders`)."""
    per_class: int | None = None
    """Draw this many training images of each class; unset means all."""
    test_per_class: int | None = None
    """Draw this many test images of each class; unset means all."""
    seed: int = 0
    """Seed of both draws and of the noise in distorted versions; fixed, so that trainings differ only in theirs."""

    def __post_init__(self) -> None:
        """Check size and counts."""
        if self.size < 32 or self.size % 8:
            raise ConfigError(f"data.size is {self.size} but must be a multiple of 8 from 32 (SSIM and the generator).")
        check("data", self, ("per_class", "test_per_class"), 1)


@dataclass(frozen=True)
class TestDataSettings:
    """Test images that take the place of a run's own; what is unset is as in the run."""

    __test__ = False  # not a test case, whatever its name

    root: Path | None = None
    """Folder, as in training."""
    layout: ClassLayout | None = None
    """`cifar10` or `folders`."""
    test_per_class: int | None = None
    """Draw this many test images of each class."""
    seed: int | None = None
    """Seed of that draw and of the noise in distorted versions."""

    def __post_init__(self) -> None:
        """Check the count."""
        check("data", self, ("test_per_class",), 1)


@dataclass(frozen=True)
class ClassifierSettings:
    """Training of a classifier (Chen et al., 2017, sections 3, 4.2 and 4.3)."""

    network: str = "table1"
    """The paper's network, or `package.module:function`: takes the number of classes, gives an `nn.Module`."""
    inputs: Literal["standardised", "centred", "unit"] = "standardised"
    """How images are prepared: each to mean 0 and std 1 (TensorFlow's model), minus 0.5, or as they are."""
    loss: Literal["squared", "cross-entropy"] = "squared"
    """Loss against the label distribution (paper: squared, equation 1)."""
    epochs: int = 2000
    """Passes over the training images."""
    batch_size: int = 100
    """Images in a batch."""
    lr: float = 0.1
    """Learning rate of stochastic gradient descent: the initial one, or the highest of a `one-cycle` schedule."""
    momentum: float = 0.0
    """Nesterov momentum (paper: none)."""
    schedule: Literal["steps", "one-cycle"] = "steps"
    """Of the learning rate: decays as in the paper, or rises for 30 % of the steps and falls to 0 (Smith, 2018)."""
    lr_decay: float = 0.1
    """Factor of the learning rate at each decay of the schedule `steps`."""
    decay_fraction: float = 0.175
    """Fraction of the epochs between two decays (paper: 350 of 2,000)."""
    average: float = 0.0
    """Decay of a moving average of the weights, which is kept at the end; 0 keeps the weights themselves."""
    weight_decay: float = 0.004
    """Factor of the L2 loss on the fully connected layers but the last."""
    fractions: tuple[float, ...] = (0.6, 0.15, 0.15, 0.1)
    """Fractions of pristine images and of levels 1, 2, 3 in each epoch of a mixture."""
    quality: str = "ssim"
    """s of IQA-LS: `ssim` (11 x 11 window), `ms-ssim`, `psnr` (over 50 dB), `gmsd`, `vif`; `evaluator`, a gada
    evaluator's score, without reference; or `package.module:function` of (distorted, pristine) or of the distorted."""
    transform: str = "identity"
    """T of IQA-LS: `identity`, `square`, `root`, or `package.module:function`."""
    smoothing: float = 0.1
    """Fraction of the label that plain label smoothing makes uniform."""
    generator: str = "bundled"
    """The generator of strategies 10 to 12: a checkpoint, a run directory or the name of a bundled one."""
    evaluator: str = "bundled"
    """The evaluator that predicts quality, where one does: a checkpoint, a run directory or a bundled one's name."""
    generated_classes: tuple[str, ...] = ()
    """Target classes of the generator; none given means all that it knows."""
    target_qualities: tuple[float, ...] = (0.8, 0.6, 0.4)
    """Target qualities of the generator at levels 1, 2, 3."""
    precision: Literal["f32", "bf16"] = "f32"
    """Of the arithmetic in training; bf16 halves the time on processors that have it. Weights stay f32."""

    def __post_init__(self) -> None:
        """Check counts, rates and fractions."""
        check("training", self, ("epochs", "batch_size"), 1)
        check("training", self, ("lr", "lr_decay", "weight_decay"), 0)
        if not self.decay_fraction > 0:
            raise ConfigError(f"training.decay_fraction is {self.decay_fraction:g} but must be above 0.")
        if min(self.fractions) < 0 or abs(sum(self.fractions) - 1) > 1e-6:
            raise ConfigError(f"training.fractions is {list(self.fractions)} but must be fractions that sum to 1.")
        for name in ("momentum", "average", "smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"training.{name} is {getattr(self, name):g} but must lie in [0, 1).")
        targets = self.target_qualities
        if len(targets) != len(self.fractions) - 1 or not all(0 <= quality <= 1 for quality in targets):
            raise ConfigError(f"training.target_qualities is {list(targets)} but must be one in [0, 1] for each level.")

    def decay(self, epoch: int) -> float:
        """Return what multiplies the initial learning rate in an epoch, counted from 0."""
        return float(self.lr_decay) ** (epoch // max(1, round(self.epochs * self.decay_fraction)))

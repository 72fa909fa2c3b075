"""Classifier training on distorted images (IQA-LS)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gada.errors import ConfigError
from gada.settings.checks import check


@dataclass(frozen=True)
class ClassifyDataSettings:
    """Labelled images that a classifier is trained and judged on."""

    root: Path = Path("data/cifar-10-batches-bin")
    """Folder of CIFAR-10's binary version, or a folder with `train/CLASS/...` and `test/CLASS/...`."""
    layout: Literal["cifar10", "folders"] = "cifar10"
    """Which of the two."""
    size: int = 32
    """Side of the square that the network sees; larger pictures are resized and cut (layout `folders`)."""
    per_class: int | None = None
    """Draw so many training images of each class; none given means all."""
    test_per_class: int | None = None
    """Draw so many test images of each class; none given means all."""
    seed: int = 0
    """Seed of both draws and of the noise in distorted versions; fixed, so that trainings differ in theirs alone."""

    def __post_init__(self) -> None:
        """Check size and counts."""
        if self.size < 32 or self.size % 8:
            raise ConfigError(f"data.size is {self.size} but must be a multiple of 8 from 32 (SSIM and the generator).")
        check("data", self, ("per_class", "test_per_class"), 1)


@dataclass(frozen=True)
class ClassifierSettings:
    """Training of a classifier (Chen et al., 2017, sections 3, 4.2 and 4.3)."""

    network: str = "table1"
    """The paper's network, or `package.module:function`: takes the number of classes, gives an `nn.Module`."""
    inputs: Literal["standardised", "centred", "unit"] = "standardised"
    """How images are prepared: each to mean 0 and deviation 1 (TensorFlow's model), less 0.5, or as they are."""
    loss: Literal["squared", "cross-entropy"] = "squared"
    """Loss against the label distribution (paper: squared, equation 1)."""
    epochs: int = 2000
    """Passes over the training images."""
    batch_size: int = 100
    """Images in a batch."""
    rate: float = 0.1
    """Initial learning rate of stochastic gradient descent, without momentum."""
    rate_decay: float = 0.1
    """What the rate is multiplied with, again and again."""
    decay_every: int | None = None
    """Epochs between two decays; by default 350 of 2,000, and as great a part of a shorter training."""
    weight_decay: float = 0.004
    """Factor of the L2 loss on the fully connected layers but the last."""
    shares: tuple[float, ...] = (0.6, 0.15, 0.15, 0.1)
    """Shares of pristine images and of levels 1, 2, 3 in each epoch of a mixture."""
    quality: Literal["ssim", "psnr", "evaluator"] = "ssim"
    """s of IQA-LS: SSIM (11 x 11 window), PSNR over 50 dB, or the score of a gada evaluator, without reference."""
    transform: str = "identity"
    """T of IQA-LS: `identity`, `square`, `root`, or `package.module:function`."""
    smoothing: float = 0.1
    """Of plain label smoothing."""
    generator: str = "bundled"
    """The generator of strategies 10 to 12: a checkpoint, a run's folder or the name of a bundled one."""
    evaluator: str = "bundled"
    """The evaluator, where one judges: a checkpoint, a run's folder or the name of a bundled one."""
    generated_classes: tuple[str, ...] = ()
    """Distortion classes asked of the generator; none given means all that it knows."""
    asked: tuple[float, ...] = (0.8, 0.6, 0.4)
    """Qualities asked of the generator at levels 1, 2, 3."""
    precision: Literal["f32", "bf16"] = "f32"
    """Of the arithmetic in training; bf16 halves the time on processors that know it. Weights stay f32."""

    def __post_init__(self) -> None:
        """Check counts, rates and shares."""
        check("training", self, ("epochs", "batch_size", "decay_every"), 1)
        check("training", self, ("rate", "rate_decay", "weight_decay"), 0)
        if min(self.shares) < 0 or abs(sum(self.shares) - 1) > 1e-6:
            raise ConfigError(f"training.shares is {list(self.shares)} but must be shares that sum to 1.")
        if len(self.asked) != len(self.shares) - 1 or not all(0 <= quality <= 1 for quality in self.asked):
            raise ConfigError(f"training.asked is {list(self.asked)} but must be a quality in [0, 1] for each level.")
        if not 0 <= self.smoothing < 1:
            raise ConfigError(f"training.smoothing is {self.smoothing:g} but must lie in [0, 1).")

    def rate_at(self, epoch: int) -> float:
        """Return the learning rate in an epoch, counted from 0."""
        every = self.decay_every or max(1, round(self.epochs * 350 / 2000))
        return self.rate * float(self.rate_decay) ** (epoch // every)

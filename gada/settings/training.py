"""One training run of GADA."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gada.errors import ConfigError
from gada.settings.checks import check, check_seed
from gada.settings.data import DataSettings, SplitSettings
from gada.settings.networks import LossSettings, ModelSettings
from gada.settings.whole_image import WholeImageSettings

Preset = Literal["paper", "gada", "photos"]

Stage = Literal["baseline", "phase1", "phase2", "phase3"]

Span = tuple[int, int]
"""Evaluator steps before a stage, and those after which learning rates have fallen to zero."""

STAGES: tuple[Stage, ...] = ("baseline", "phase1", "phase2", "phase3")


@dataclass(frozen=True)
class TrainingSettings:
    """Optimisation (paper, section 4.2)."""

    batch_size: int = 64
    """Crops in a batch."""
    crop_size: int = 128
    """Side of a square crop, in pixels."""
    jpeg_grid: bool = True
    """Whether all crops, also those of a score, lie on JPEG's 8-pixel blocks (paper: false)."""
    flip: bool = True
    """Whether crops are mirrored at random, both images alike (paper: false)."""
    generator_batch: int | None = None
    """Crops of a batch that the generator distorts in phases 1 and 2; none given means all."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of training; `auto` is bfloat16 where the processor has it, but float32 in phase 1, whose
    generator needs it. Finished evaluators score in float32."""
    compile: bool = False
    """Whether to compile the networks, which takes minutes and a C++ compiler and makes long trainings faster."""
    phase1_steps: int = 3000
    """Evaluator steps of phase 1."""
    phase2_steps: int = 2000
    """Evaluator steps of phase 2."""
    phase3_steps: int = 1000
    """Evaluator steps of phase 3."""
    validate_every: int = 250
    """Steps between two validations."""
    keep: Literal["best", "last"] = "best"
    """Which evaluator a stage leaves: the best of its validations, or the last one."""
    trunk_lr: float = 2e-3
    """Learning rate of trunk and source head in phase 1 and baseline (paper: 1e-4)."""
    head_lr: float = 2e-3
    """Learning rate of class and quality heads in phase 1 and baseline (paper: 5e-4)."""
    generator_lr: float = 5e-4
    """Learning rate of the generator (paper: 5e-4)."""
    later_lr_factor: float = 1.0
    """What phases 2 and 3 multiply the learning rates with (paper: 0.1)."""
    anneal: bool = True
    """Whether learning rates rise over a stage's first steps and fall to zero as a cosine, the evaluator's over all
    phases, the generator's over phase 1 (paper: false)."""
    betas: tuple[float, float] = (0.5, 0.99)
    """Adam's decay rates."""
    generated_fraction: float = 0.5
    """Fraction of generated crops in the loss of phase 2."""
    target_quality: Literal["labelled", "uniform"] = "labelled"
    """What phase 2 draws target qualities from, which the paper does not say: from the lowest to the highest of the
    class in training, as they are distributed there, or from all of [0, 1] alike, as its authors' code does."""
    unlabelled: Path | None = None
    """Folder of images without scores, from which phase 2 generates instead of from the training references."""
    distorted: Path | None = None
    """Folder of a set of `gada synthesize` whose images phase 2 takes instead of generated crops, each with the mean
    quality of its class and level in training: a baseline for the generator, and what a perfect one could bring."""

    def __post_init__(self) -> None:
        """Check counts, learning rates and fractions."""
        check("training", self, ("batch_size",), 2)  # pooled moments are scaled over a batch
        check("training", self, ("crop_size", "phase1_steps", "phase2_steps", "phase3_steps", "validate_every"), 1)
        check("training", self, ("generator_batch",), 1)
        check("training", self, ("trunk_lr", "head_lr", "generator_lr", "later_lr_factor"), 0)
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(f"training.betas is {list(self.betas)} but both must lie in [0, 1).")
        if self.crop_size % 8:
            raise ConfigError(
                f"training.crop_size is {self.crop_size} but must be a multiple of 8 (the generator halves it thrice)."
            )
        if self.unlabelled and self.distorted:
            raise ConfigError("training.unlabelled and training.distorted exclude each other; give one of them.")
        if not 0 < self.generated_fraction < 1:
            raise ConfigError(
                f"training.generated_fraction is {self.generated_fraction:g} but must lie between 0 and 1."
            )

    @property
    def grid(self) -> int:
        """What the positions of crops are multiples of, in training and in every evaluation of what was trained."""
        return 8 if self.jpeg_grid else 1

    def steps(self, stage: Stage) -> int:
        """Return the evaluator steps of a stage; the baseline gets as many as the three phases together."""
        phases = {"phase1": self.phase1_steps, "phase2": self.phase2_steps, "phase3": self.phase3_steps}
        return phases.get(stage, sum(phases.values()))

    def span(self, stage: Stage, alone: bool = False) -> Span:
        """Return the span of a stage's learning rates: all phases, or the stage where it is trained alone."""
        if alone:
            return 0, self.steps(stage)
        return sum(self.steps(phase) for phase in STAGES[1 : STAGES.index(stage)]), self.steps("baseline")

    def lr_factor(self, stage: Stage) -> float:
        """Return what multiplies the evaluator's learning rates in a stage."""
        return self.later_lr_factor if stage in ("phase2", "phase3") else 1.0


@dataclass(frozen=True)
class EvaluationSettings:
    """Scoring by crops (paper, section 4.2, testing protocol)."""

    crops: int = 30
    """Crops an image on the test set."""
    validation_crops: int = 8
    """Crops an image while training."""
    seed: int = 0
    """Seed of the crop positions; fixed, so that a score can be got twice."""
    shorter_side: int | None = None
    """`gada evaluate` first reduces larger images to this shorter side, in pixels; none given leaves them alone."""

    def __post_init__(self) -> None:
        """Check counts and side."""
        check("evaluation", self, ("crops", "validation_crops"), 1)
        check("evaluation", self, ("shorter_side",), 8)


@dataclass(frozen=True)
class Settings:
    """One training run, as `gada fit` takes it and `config.yaml` of the run keeps it.

    The defaults are those of the preset gada. `preset_settings` gives those of another: its name alone changes nothing.
    """

    preset: Preset = "gada"
    """Which values stand where nothing else is said: `paper` is true to the text, `gada` is ours, and `photos` is an
    evaluator of whole images."""
    seed: int = 0
    """Seed of weights, batches and noise."""
    data: DataSettings = field(default_factory=DataSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    whole: WholeImageSettings = field(default_factory=WholeImageSettings)

    @property
    def whole_images(self) -> bool:
        """Whether the evaluator sees whole images, and not crops."""
        return self.model.trunk != "gada"

    @property
    def validated(self) -> bool:
        """Whether validation references choose which evaluator a stage leaves; else it is the last one."""
        return self.split.validation > 0 and self.training.keep == "best"

    @property
    def sets(self) -> tuple[DataSettings, ...]:
        """The sets that train beside `data`; an evaluator of crops has none."""
        return self.whole.sets if self.whole_images else ()

    @property
    def least_side(self) -> int:
        """What the sides of images must hold, in pixels: a crop; a window of a whole image is reflected up."""
        return 0 if self.whole_images else self.training.crop_size

    def __post_init__(self) -> None:
        """Check the seed, and that what is given is of use to the kind of evaluator."""
        check_seed(self.seed)
        if self.whole.sets and not self.whole_images:
            raise ConfigError(
                "whole.sets trains an evaluator of whole images, but this one sees crops; give preset: photos, or "
                "leave it out."
            )
        if self.whole_images and (self.training.unlabelled or self.training.distorted):
            key = "unlabelled" if self.training.unlabelled else "distorted"
            raise ConfigError(
                f"training.{key} is of phase 2, which an evaluator of whole images does not have; give whole.photos."
            )

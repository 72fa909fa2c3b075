"""One training run of GADA, and its presets."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from gada.errors import ConfigError
from gada.settings.checks import check, check_seed
from gada.settings.data import DataSettings, SplitSettings
from gada.settings.networks import LossSettings, ModelSettings

Preset = Literal["paper", "gada"]

Stage = Literal["baseline", "phase1", "phase2", "phase3"]

STAGES: tuple[Stage, ...] = ("baseline", "phase1", "phase2", "phase3")


@dataclass(frozen=True)
class TrainingSettings:
    """Optimisation (paper, section 4.2)."""

    batch_size: int = 64
    """Crops in a batch."""
    crop_size: int = 128
    """Side of a square crop, in pixels."""
    jpeg_grid: bool | None = None
    """Whether all crops, also those of a score, lie on JPEG's 8-pixel blocks (paper: false; gada: true)."""
    flip: bool | None = None
    """Whether crops are mirrored at random, both images alike (paper: false; gada: true)."""
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
    trunk_lr: float | None = None
    """Learning rate of trunk and source head in phase 1 and baseline (paper: 1e-4)."""
    head_lr: float | None = None
    """Learning rate of class and quality heads in phase 1 and baseline (paper: 5e-4)."""
    generator_lr: float = 5e-4
    """Learning rate of the generator (paper: 5e-4)."""
    later_lr_factor: float | None = None
    """What phases 2 and 3 multiply the rates with (paper: 0.1)."""
    anneal: bool | None = None
    """Whether rates rise over a stage's first steps and fall to zero as a cosine, the evaluator's over all phases, the
    generator's over phase 1 (gada: true)."""
    betas: tuple[float, float] = (0.5, 0.99)
    """Adam's decay rates."""
    generated_fraction: float = 0.5
    """Share of generated crops in the loss of phase 2."""
    unlabelled: Path | None = None
    """Folder of photographs without scores, from which phase 2 generates in place of the training references."""
    distorted: Path | None = None
    """Folder of a set of `gada synthesize` whose images phase 2 takes in place of generated crops, each with the mean
    quality of its class and level in training: the generator's rival, and what a perfect one could bring."""

    def __post_init__(self) -> None:
        """Check counts, rates and shares."""
        check("training", self, ("batch_size",), 2)  # pooled moments are scaled over a batch
        check("training", self, ("crop_size", "phase1_steps", "phase2_steps", "phase3_steps", "validate_every"), 1)
        check("training", self, ("generator_batch",), 1)
        check("training", self, ("trunk_lr", "head_lr", "generator_lr", "later_lr_factor"), 0)
        if not all(0 <= rate < 1 for rate in self.betas):
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

    def steps_before(self, stage: Stage) -> int:
        """Return the evaluator steps of the phases before a stage."""
        return sum(self.steps(phase) for phase in STAGES[1 : STAGES.index(stage)])

    def steps(self, stage: Stage) -> int:
        """Return the evaluator steps of a stage; the baseline gets as many as the three phases together."""
        phases = {"phase1": self.phase1_steps, "phase2": self.phase2_steps, "phase3": self.phase3_steps}
        return phases.get(stage, sum(phases.values()))


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
    """One training run, as `gada fit` takes it and `config.yaml` of the run keeps it."""

    preset: Preset = "gada"
    """Where unset choices come from: `paper` is true to the text, `gada` is ours."""
    seed: int = 0
    """Seed of weights, batches and noise."""
    data: DataSettings = field(default_factory=DataSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    loss: LossSettings = field(default_factory=LossSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)

    def __post_init__(self) -> None:
        """Check the seed."""
        check_seed(self.seed)


PRESETS: dict[Preset, dict[str, dict[str, Any]]] = {
    # True to the text. What it leaves open: the L1 weight is that of pix2pix, which it cites for its skips (100 on
    # images in [-1, 1]); the other losses are summed as printed.
    "paper": {
        "model": {
            "pooling": "mean",
            "detail": False,
            "pyramid": False,
            "pixel_noise": False,
            "modulation": False,
        },
        "loss": {
            "adversarial": "logistic",
            "quality": "squared",
            "heads_on_generated": True,
            "source_trains_trunk": True,
            "source_weight": 1.0,
            "reconstruction_weight": 200.0,
            "feature_weight": 0.0,
            "class_weight": 1.0,
            "quality_weight": 1.0,
            "generator_class_weight": 1.0,
        },
        "training": {
            "jpeg_grid": False,
            "flip": False,
            "trunk_lr": 1e-4,
            "head_lr": 5e-4,
            "later_lr_factor": 0.1,
            "anneal": False,
        },
    },
    # Ours; the reason for each choice stands at its field.
    "gada": {
        "model": {
            "pooling": "moments",
            "detail": True,
            "pyramid": True,
            "pixel_noise": True,
            "modulation": True,
        },
        "loss": {
            "adversarial": "hinge",
            "quality": "squared",
            "heads_on_generated": False,
            "source_trains_trunk": False,
            "source_weight": 0.2,
            "reconstruction_weight": 20.0,
            "feature_weight": 4.0,
            "class_weight": 0.05,
            "quality_weight": 5.0,
            "generator_class_weight": 0.25,
        },
        "training": {
            "jpeg_grid": True,
            "flip": True,
            "trunk_lr": 2e-3,
            "head_lr": 2e-3,
            "later_lr_factor": 1.0,
            "anneal": True,
        },
    },
}


def resolve(settings: Settings) -> Settings:
    """Return `settings` with every unset choice taken from its preset."""
    groups = {}
    for name, choices in PRESETS[settings.preset].items():
        group = getattr(settings, name)
        groups[name] = replace(group, **{key: value for key, value in choices.items() if getattr(group, key) is None})
    return replace(settings, **groups)

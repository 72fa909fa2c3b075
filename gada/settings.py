"""Every setting of the program, as frozen dataclasses; imports nothing heavy.

A field that is `None` takes the value of the chosen preset (`paper` or `gada`, see `PRESETS`), so that a config
file states only what it changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from gada.errors import ConfigError

Format = Literal["live", "tid2013", "csiq", "kadid10k", "live-itw", "table", "synthetic"]
Preset = Literal["paper", "gada"]
Layout = Literal["folders", "names", "table", "imagenet", "cifar10"]
Stage = Literal["baseline", "phase1", "phase2", "phase3"]
STAGES: tuple[Stage, ...] = ("baseline", "phase1", "phase2", "phase3")
T = TypeVar("T")


def check(group: str, settings: Any, names: tuple[str, ...], least: int) -> None:
    """Refuse a number below the least allowed; None is unset."""
    for name in names:
        if (value := getattr(settings, name)) is not None and not value >= least:  # NaN neither
            raise ConfigError(f"{group}.{name} is {value} but must be at least {least}.")


def check_seed(seed: int) -> None:
    """Refuse a seed that the sources of noise do not take."""
    if not 0 <= seed < 2**32:
        raise ConfigError(f"seed is {seed} but must be at least 0 and below 2^32.")


@dataclass(frozen=True)
class DataSettings:
    """Which scored images to read, and how their table is to be understood."""

    root: Path = Path("data/live-like")
    """Folder of the database."""
    format: Format = "synthetic"
    """Layout of the folder; `table` is any CSV file, `synthetic` is what `gada synthesize` writes."""
    name: str | None = None
    """What the set is called in reports; by default as its table (format `table`)."""
    table: str = "scores.csv"
    """CSV file inside `root` (format `table`)."""
    image_column: str = "image"
    """Column with the path of each image, relative to `root` (format `table`)."""
    image_folder: str | None = None
    """Folder inside `root` to which these paths are relative instead (format `table`)."""
    score_column: str = "score"
    """Column with each image's score (format `table`)."""
    reference_column: str = "reference"
    """Column with the path of the undistorted image; may be absent (format `table`)."""
    distortion_column: str = "distortion"
    """Column with the distortion class; may be absent (format `table`)."""
    scale_name: str = "MOS"
    """What the scores are called (format `table`)."""
    scale_low: float | None = None
    """Lowest score of the scale (format `table`)."""
    scale_high: float | None = None
    """Highest score of the scale (format `table`)."""
    higher_is_better: bool | None = None
    """Whether a higher score is a better image (format `table`)."""
    proxy: bool = False
    """Whether the scores were computed and not given by people; reports then say so (format `table`)."""
    realigned: bool = True
    """LIVE: read dmos_realigned.mat rather than dmos.mat."""
    classes: tuple[str, ...] = ()
    """Only these distortion classes; none given means all."""
    partial: bool = False
    """Accept a part of a database whose image count is known."""
    cache: Path | None = None
    """Folder of the packed cache; by default $GADA_CACHE or ~/.cache/gada."""

    def __post_init__(self) -> None:
        """Check the score scale."""
        if self.scale_low is not None and self.scale_high is not None and self.scale_low >= self.scale_high:
            raise ConfigError(
                f"data.scale_low is {self.scale_low:g} but must lie below scale_high={self.scale_high:g}."
            )


@dataclass(frozen=True)
class SplitSettings:
    """How the references are divided."""

    number: int = 0
    """Which of the seeded splits (0 to 9 in the paper's protocol)."""
    seed: int = 0
    """Seed of the family of splits."""
    test: float = 0.2
    """Share of the references kept for the test (paper, section 4.2)."""
    validation: float = 0.2
    """Share of the remaining references that choose the checkpoint."""
    ceiling: bool = False
    """Train on all references, those of the test too: no result, but what the networks could reach at most."""

    def __post_init__(self) -> None:
        """Check the shares."""
        for name in ("test", "validation"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"split.{name} is {getattr(self, name):g} but must lie between 0 and 1.")


@dataclass(frozen=True)
class ModelSettings:
    """The networks (paper, section 3.3) and what the paper leaves open."""

    widths: tuple[int, ...] = (64, 128, 128)
    """Feature maps of the three convolutions of trunk and encoder."""
    decoder_widths: tuple[int, ...] = (64, 32, 16)
    """Feature maps of the generator's three up-sampling levels, which the paper does not give."""
    maps: int = 1024
    """Feature maps of the trunk's 1x1 convolution."""
    hidden: int = 128
    """Units of the first layer of the class and quality heads."""
    pooling: Literal["mean", "moments"] | None = None
    """Spatial reduction (paper: mean of the last maps; gada: mean and log deviation of every layer's maps)."""
    detail: bool | None = None
    """Whether the trunk also sees the image less its local mean (paper: false; gada: true; distortions are small)."""
    pyramid: bool | None = None
    """Whether the generator changes the reference's frequency bands (paper: false, it paints the image; gada: true)."""
    pixel_noise: bool | None = None
    """Whether the decoder also receives noise at every resolution (paper: false; gada: true)."""
    modulation: bool | None = None
    """Whether class and quality also scale and shift the maps of every layer (paper: false; gada: true)."""
    noise: int = 16
    """Channels of the noise vector z."""
    embedding: int = 32
    """Channels of the embedding of class and quality."""

    def __post_init__(self) -> None:
        """Check the widths."""
        for name in ("widths", "decoder_widths"):
            if len(widths := getattr(self, name)) != 3 or min(widths) < 1:
                raise ConfigError(f"model.{name} is {list(widths)} but must be three positive counts.")
        check("model", self, ("maps", "hidden", "noise", "embedding"), 1)


@dataclass(frozen=True)
class LossSettings:
    """The losses (paper, section 3.2) and their weights, which the paper does not give."""

    adversarial: Literal["logistic", "hinge"] | None = None
    """Source loss (paper: logistic, equation 1; gada: hinge)."""
    quality: Literal["squared", "absolute"] | None = None
    """Evaluator loss (paper: squared, equation 3; gada: squared)."""
    heads_on_generated: bool | None = None
    """Whether class and quality losses of phase 1 also train the discriminator on generated crops (paper: true); needs
    `source_trains_trunk`."""
    source_trains_trunk: bool | None = None
    """Whether the source loss also trains the trunk (paper: true; gada: false, for it holds the evaluator back)."""
    source_weight: float | None = None
    """Weight of the source loss."""
    reconstruction_weight: float | None = None
    """Weight of the L1 term, on images in [0, 1]."""
    feature_weight: float | None = None
    """Weight of the distance between pooled features of generated and true distorted crops (paper: 0)."""
    class_weight: float | None = None
    """Weight of the class loss towards discriminator and evaluator."""
    quality_weight: float | None = None
    """Weight of the quality loss, towards all players."""
    generator_class_weight: float | None = None
    """Weight of the class loss towards the generator."""

    def __post_init__(self) -> None:
        """Check the weights, and that the heads can do what is asked."""
        check("loss", self, tuple(name for name in vars(self) if name.endswith("_weight")), 0)
        if self.heads_on_generated and self.source_trains_trunk is False:
            raise ConfigError(
                "loss.heads_on_generated is true but loss.source_trains_trunk is false; set both to true, or the first "
                "to false."
            )


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
    trunk_rate: float | None = None
    """Learning rate of trunk and source head in phase 1 and baseline (paper: 1e-4)."""
    head_rate: float | None = None
    """Learning rate of class and quality heads in phase 1 and baseline (paper: 5e-4)."""
    generator_rate: float = 5e-4
    """Learning rate of the generator (paper: 5e-4)."""
    later_rate: float | None = None
    """What phases 2 and 3 multiply the rates with (paper: 0.1)."""
    anneal: bool | None = None
    """Whether rates rise over a stage's first steps and fall to zero as a cosine, the evaluator's over all phases, the
    generator's over phase 1 (gada: true)."""
    betas: tuple[float, float] = (0.5, 0.99)
    """Adam's decay rates."""
    generated_share: float = 0.5
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
        check("training", self, ("trunk_rate", "head_rate", "generator_rate", "later_rate"), 0)
        if not all(0 <= rate < 1 for rate in self.betas):
            raise ConfigError(f"training.betas is {list(self.betas)} but both must lie in [0, 1).")
        if self.crop_size % 8:
            raise ConfigError(
                f"training.crop_size is {self.crop_size} but must be a multiple of 8 (the generator halves it thrice)."
            )
        if self.unlabelled and self.distorted:
            raise ConfigError("training.unlabelled and training.distorted exclude each other; give one of them.")
        if not 0 < self.generated_share < 1:
            raise ConfigError(f"training.generated_share is {self.generated_share:g} but must lie between 0 and 1.")

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
class ImageSettings:
    """Which labelled images a classifier is asked about."""

    root: Path = Path("data/cifar-10-batches-bin")
    """Folder of the images."""
    layout: Layout = "folders"
    """`folders`: the folder is the class; `names`: the file's name begins with it (n01440764_tench.jpg); `table`: a CSV
    file; `imagenet`: its validation set, with val.txt or LOC_val_solution.csv, or in folders; `cifar10`: the binary
    version's test images."""
    table: str = "labels.csv"
    """CSV file, or ImageNet's label file, inside `root` (layouts `table` and `imagenet`)."""
    image_column: str = "image"
    """Column with the path of each image, relative to `root` (layout `table`)."""
    label_column: str = "label"
    """Column with the class of each, a name or an index (layout `table`)."""
    classes: Path | None = None
    """File with the classifier's classes in order, one in each line; WordNet ids of ImageNet need none."""
    per_class: int | None = None
    """Draw so many images of each class (Dodge and Karam: 10); none given means all."""
    seed: int = 0
    """Seed of that draw."""

    def __post_init__(self) -> None:
        """Check the count."""
        check("images", self, ("per_class",), 1)


@dataclass(frozen=True)
class InputSettings:
    """What classifiers take and give, where their source does not say or should be overruled."""

    size: int | None = None
    """Side of the square that the network sees, in pixels."""
    resize: int | None = None
    """Shorter side to which a photograph is resized before the square is cut from its middle; 0 is not at all."""
    filter: Literal["bilinear", "bicubic"] | None = None
    """Interpolation of the resizing."""
    mean: tuple[float, float, float] | None = None
    """Subtracted from R, G, B in [0, 1]."""
    deviation: tuple[float, float, float] | None = None
    """What the difference is divided by."""
    outputs: Literal["logits", "probabilities"] | None = None
    """What the network gives for each class."""
    network: str | None = None
    """For a classifier of `gada classify` with a network of your own, the function that makes it, as in training."""

    def __post_init__(self) -> None:
        """Check sizes and deviations."""
        check("input", self, ("size",), 1)
        check("input", self, ("resize",), 0)
        if self.deviation and not min(self.deviation) > 0:
            raise ConfigError(f"input.deviation is {list(self.deviation)} but all three must be above 0.")


@dataclass(frozen=True)
class MetrifierSettings:
    """One training of a metrifier (Cheraaqee, 2022, section 3.1), as its run's `config.yaml` keeps it."""

    classifier: str = "efficientnet-lite0"
    """Whose error is predicted; as `gada sweep` takes it."""
    distortions: tuple[str, ...] = ("dodge-karam",)
    """The artefacts A and their levels L: families, or sets of them."""
    error: Literal["confidence", "decision"] = "confidence"
    """`confidence`: 1 - probability of the true class = 1 - exp(-cross-entropy); `decision`: 1 where it is wrong."""
    distorted: Literal["crop", "photograph"] = "crop"
    """Distort what the classifier sees, after resizing and centre crop, or the photograph before."""
    crop_size: int | None = None
    """Side of a training crop, in pixels; by default what the classifier sees, at most 128."""
    batch_size: int = 64
    """Crops in a batch."""
    steps: int = 3000
    """Training steps."""
    validate_every: int = 250
    """Steps between two validations."""
    validation_pairs: int = 2000
    """Images that choose the checkpoint, drawn from D' of the validation sources."""
    rate: float = 5e-4
    """Learning rate."""
    class_weight: float = 0.1
    """Weight of naming the distortion, beside the error."""
    seed: int = 0
    """Seed of weights, batches and noise."""
    images: ImageSettings = field(default_factory=ImageSettings)
    input: InputSettings = field(default_factory=InputSettings)
    split: SplitSettings = field(default_factory=SplitSettings)
    model: ModelSettings = field(default_factory=ModelSettings)

    def __post_init__(self) -> None:
        """Check counts, rate and weight."""
        check_seed(self.seed)
        check("metrifier", self, ("batch_size",), 2)
        check("metrifier", self, ("steps", "validate_every", "validation_pairs"), 1)
        check("metrifier", self, ("crop_size",), 8)
        check("metrifier", self, ("rate", "class_weight"), 0)


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


@dataclass(frozen=True)
class Variant:
    """One row of a study: what differs from the base settings, and which stages are trained."""

    name: str
    """What stands in the table."""
    stages: tuple[Stage, ...] = ("baseline",)
    """Which stages are trained; the last one's figures are shown."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Settings that differ, by dotted keys as `training.crop_size`."""
    after: str = ""
    """Name of the variant whose last stage this one starts from; by default from its own, or from new weights."""


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
            "trunk_rate": 1e-4,
            "head_rate": 5e-4,
            "later_rate": 0.1,
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
            "trunk_rate": 2e-3,
            "head_rate": 2e-3,
            "later_rate": 1.0,
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


def as_plain(settings: Any) -> Any:
    """Return a settings object as plain dictionaries, lists, numbers and strings, as config files hold them."""
    if is_dataclass(settings):
        return {field.name: as_plain(getattr(settings, field.name)) for field in fields(settings)}
    if isinstance(settings, tuple):
        return [as_plain(value) for value in settings]
    return settings.as_posix() if isinstance(settings, Path) else settings


def from_plain(kind: type[T], plain: Mapping[str, Any]) -> T:
    """Return settings of plain values, as `as_plain` gives them and config files hold them.

    Raises:
        ConfigError: if a key is unknown, or a value is of another type or out of its range.
    """
    from jsonargparse import ArgumentParser

    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind, "settings", sub_configs=True)
    try:
        made: T = parser.instantiate(parser.parse_object({"settings": dict(plain)})).settings
    except ConfigError:
        raise
    except Exception as error:  # jsonargparse has errors of its own
        first, *others = str(error).replace("settings.", "").splitlines() or [type(error).__name__]
        wanted = [line.strip(" -") for line in others if "Expected" in line and "NoneType" not in line]
        raise ConfigError(" ".join([first.removeprefix("Parser key "), *wanted[:1]])) from error
    return made


def changed(settings: T, changes: Mapping[str, Any]) -> T:
    """Return settings with some values replaced, given by dotted keys as `training.crop_size`.

    Raises:
        ConfigError: if there is no such key, or a value does not fit it.
    """
    plain = as_plain(settings)
    for key, value in changes.items():
        *groups, name = key.split(".")
        inner = plain
        for group in groups:
            inner = inner.get(group) if isinstance(inner, dict) else None
        if not isinstance(inner, dict) or name not in inner or isinstance(inner[name], dict):
            known = inner if isinstance(inner, dict) else plain
            shown = known[name] if isinstance(known.get(name), dict) else known
            raise ConfigError(f"{key} is no setting; known here are {', '.join(shown)}.")
        inner[name] = value
    return from_plain(type(settings), plain)

"""Which scored images, and how they are split."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gada.errors import ConfigError
from gada.settings.checks import check

Format = Literal["live", "tid2013", "csiq", "kadid10k", "live-itw", "table", "synthetic"]


@dataclass(frozen=True)
class DataSettings:
    """Which scored images to read, and how to read their table."""

    root: Path = Path("data/live-like")
    """Folder of the database."""
    format: Format = "synthetic"
    """Layout of the folder; `table` is any CSV or .xlsx file, `synthetic` is what `gada synthesize` writes."""
    name: str | None = None
    """What the set is called in reports; by default as its table (format `table`)."""
    table: str = "scores.csv"
    """CSV or .xlsx file inside `root` (format `table`)."""
    separator: str | None = None
    """Between the cells of a CSV file, such as ";" or "tab"; found by default (format `table`)."""
    decimal: Literal[".", ","] | None = None
    """Decimal sign of the scores; found by default (format `table`)."""
    image_column: str = "image"
    """Column with the path of each image, relative to `root` (format `table`)."""
    image_folder: str | None = None
    """Folder inside `root` to which these paths are relative instead (format `table`)."""
    score_column: str = "score"
    """Column with each image's score (format `table`)."""
    reference_column: str = "reference"
    """Column with the path of the undistorted image; may be absent (format `table`)."""
    group_column: str | None = None
    """Column that names the scene of an image without a reference, such as the photo it was made from; images of one
    scene stay on one side of a split (format `table`)."""
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
    weight: float = 1.0
    """Part of a batch beside the sets of `whole.sets`, for an evaluator of whole images; 2 is twice as much as 1."""
    cache: Path | None = None
    """Folder of the packed cache; by default $GADA_CACHE or ~/.cache/gada."""

    def __post_init__(self) -> None:
        """Check weight, score scale and separator."""
        if not self.weight > 0:
            raise ConfigError(f"data.weight is {self.weight:g} but must be above 0.")
        if self.separator is not None and len(self.separator) != 1 and self.separator not in ("tab", r"\t"):
            raise ConfigError(f"data.separator is {self.separator!r} but must be one character, or tab.")
        if self.scale_low is not None and self.scale_high is not None and self.scale_low >= self.scale_high:
            raise ConfigError(
                f"data.scale_low is {self.scale_low:g} but must lie below scale_high={self.scale_high:g}."
            )


@dataclass(frozen=True)
class SplitSettings:
    """How the references are split."""

    number: int = 0
    """Which of the seeded splits (0 to 9 in the paper's protocol)."""
    seed: int = 0
    """Seed of the family of splits."""
    test: float = 0.2
    """Fraction of the references kept for the test (paper, section 4.2)."""
    validation: float = 0.2
    """Fraction of the remaining references that choose the checkpoint; 0 leaves the last one (the paper's protocol)."""
    scored: int = 0
    """How many references of `data` keep their scores for training and validation, of a set without references how
    many images; 0 is all. The test stays the same: what few scores cost (`gada study --scored`)."""
    by_scene: bool = True
    """Keep images without references on one side where they look alike."""
    upper_bound: bool = False
    """Train on all references, those of the test too: not a result, but what the networks could reach at most."""

    def __post_init__(self) -> None:
        """Check the fractions."""
        if not 0 < self.test < 1:
            raise ConfigError(f"split.test is {self.test:g} but must lie between 0 and 1.")
        if not 0 <= self.validation < 1:
            raise ConfigError(f"split.validation is {self.validation:g} but must be 0, or lie between 0 and 1.")
        check("split", self, ("scored",), 0)
        if self.scored and self.upper_bound:
            raise ConfigError("split.scored and split.upper_bound exclude each other; give one of them.")

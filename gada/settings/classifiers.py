"""Labelled images and the input of classifiers: `gada sweep` and `gada metrify`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gada.errors import ConfigError
from gada.settings.checks import check

Layout = Literal["folders", "names", "table", "imagenet", "cifar10"]


@dataclass(frozen=True)
class ImageSettings:
    """Labelled images that a classifier is tested on."""

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
    """Draw this many images of each class (Dodge and Karam: 10); unset means all."""
    seed: int = 0
    """Seed of that draw."""

    def __post_init__(self) -> None:
        """Check the count."""
        check("images", self, ("per_class",), 1)


@dataclass(frozen=True)
class InputSettings:
    """What classifiers take and give; what is unset is as the classifier's own source says."""

    size: int | None = None
    """Side of the square that the network sees, in pixels."""
    resize: int | None = None
    """Shorter side to which an image is resized before the centre crop, in pixels; 0 is not at all."""
    filter: Literal["bilinear", "bicubic"] | None = None
    """Interpolation of the resizing."""
    mean: tuple[float, float, float] | None = None
    """Subtracted from R, G, B in [0, 1]."""
    std: tuple[float, float, float] | None = None
    """Divides the difference, in [0, 1]."""
    outputs: Literal["logits", "probabilities"] | None = None
    """What the network gives for each class."""
    network: str | None = None
    """For a classifier of `gada classify` with a network of your own, the function that makes it, as in training."""

    def __post_init__(self) -> None:
        """Check sizes and std."""
        check("input", self, ("size",), 1)
        check("input", self, ("resize",), 0)
        if self.std and not min(self.std) > 0:
            raise ConfigError(f"input.std is {list(self.std)} but all three must be above 0.")

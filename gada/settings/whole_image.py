"""An evaluator of whole images, and what it learns beside human scores."""

from dataclasses import dataclass
from pathlib import Path

from gada.errors import ConfigError
from gada.settings.checks import check
from gada.settings.data import DataSettings


@dataclass(frozen=True)
class WholeImageSettings:
    """Training on whole images, with a trunk that starts from ImageNet weights (`model.trunk: efficientnet-lite0`)."""

    longer_side: int = 384
    """Longer side to which an image is reduced before it is seen whole, in pixels."""
    sets: tuple[DataSettings, ...] = ()
    """Further scored sets that train beside `data`, each on its own scale; `weight` is its part of a batch."""
    photos: Path | None = None
    """Folder of undistorted photos without scores, of which orders are made too; none given means the scored ones."""
    orders: int = 3
    """Photos of a batch that are seen themselves and distorted twice, to learn their order; 0 is none."""
    generator: str = ""
    """Generator that distorts photos to two target qualities, to learn their order too; as `--model` names one."""
    generated_orders: int = 0
    """Photos of a batch that the generator has distorted twice; 0 is none."""
    generated_weight: float = 0.0
    """Part of a batch of generated images that are regressed on their target quality, beside the sets' `weight`."""
    blanks: int = 2
    """Images without content in a batch, which must not score well; 0 is none."""
    order_weight: float = 0.9
    """Weight of order and blank images beside the human scores."""
    frozen_stages: int = 3
    """First stages of the trunk that keep their ImageNet weights."""
    head_steps: int = 1000
    """Steps in which the head alone is fitted to the training features, before the trunk begins to move."""
    dropout: float = 0.5
    """Fraction of features, and of the head's hidden units, that are dropped in training."""
    weight_decay: float = 0.05
    """AdamW's."""
    average: float = 0.997
    """What the moving average of the weights keeps of itself in a step; it is what scores."""
    start_part: float = 0.0
    """Part of the weights that score that stays as it was before the trunk began to move."""

    def __post_init__(self) -> None:
        """Check sizes, counts and fractions."""
        if not 32 <= self.longer_side <= 4096:
            raise ConfigError(f"whole.longer_side is {self.longer_side} but must lie between 32 and 4096.")
        counted = ("orders", "generated_orders", "generated_weight", "blanks", "order_weight", "frozen_stages")
        check("whole", self, (*counted, "head_steps", "weight_decay"), 0)
        if self.generates and not self.generator:
            wants = "orders" if self.generated_orders else "weight"
            raise ConfigError(f"whole.generated_{wants} needs whole.generator; name a generator, such as tid2013-r.")
        for name in ("dropout", "average", "start_part"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"whole.{name} is {getattr(self, name):g} but must lie in [0, 1).")

    @property
    def generates(self) -> bool:
        """Whether a batch holds anything of the generator's."""
        return bool(self.generated_orders or self.generated_weight)

"""The card of a checkpoint: what its tensors are, how its scores are meant, and what it was trained on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import isfinite, log
from pathlib import Path
from typing import Any, Literal

from gada.errors import DataError
from gada.io.origin import title_of
from gada.metrics.scale import Scale

Kind = Literal["evaluator", "generator", "metrifier"]
LARGEST_CROP = 4096  # pixels of a side
FILTERS = ("bilinear", "bicubic")


@dataclass(frozen=True)
class SetScale:
    """How people scored one of the sets that an evaluator was trained on: a rising line from its quality's logit."""

    name: str
    """Of the set."""
    scale: Scale
    """Of its scores."""
    slope: float
    """Above 0."""
    shift: float

    def __post_init__(self) -> None:
        """Raise ValueError for a line that does not rise."""
        numbers = all(isinstance(value, float) and isfinite(value) for value in (self.slope, self.shift))
        if not isinstance(self.name, str) or not numbers or self.slope <= 0:
            raise ValueError("sets")

    def quality(self, quality: float) -> float:
        """Map an evaluator's quality in [0, 1] to the quality, in [0, 1], that this set's viewers give."""
        inside = min(max(quality, 1e-6), 1 - 1e-6)
        return min(max(self.shift + self.slope * log(inside / (1 - inside)), 0.0), 1.0)


@dataclass(frozen=True)
class Card:
    """What a checkpoint, or what was exported from it, says of itself."""

    kind: Kind
    """`metrifier` is an evaluator's network that predicts a classifier's error."""
    name: str
    """What the model is called, as "TID2013-R phase3"."""
    data: str
    """Name of the set that it was fitted to."""
    classes: tuple[str, ...]
    """Distortion classes in the order of the network's outputs; () when unknown."""
    scale: Scale
    """Of the predicted scores."""
    crop_size: int
    """Side of a crop, in pixels."""
    crop_grid: int = 1
    """What the positions of crops are multiples of."""
    whole_view: int | None = None
    """Longer side of the one view by which an image is scored whole, in pixels; None where it is scored by crops."""
    quantiles: tuple[float, ...] = ()
    """Quality, in [0, 1], at evenly spaced percentiles of the training photos, 0 and 100 included; () when unknown."""
    sets: tuple[SetScale, ...] = ()
    """Of an evaluator of several sets: how its quality stands on the scale of each further one."""
    usual_distance: float | None = None
    """Distance from the training photos above which an image is unusual."""
    proxy: bool = False
    """Whether the scores were computed and not given by people."""
    upper_bound: bool = False
    """Whether it was trained on the test references too."""
    validated: bool = True
    """Whether validation references chose it among the checkpoints of its training; else it is the last one."""
    scored: int = 0
    """How many references, or images of a set without them, kept their scores for the training; 0 is all."""
    stage: str = ""
    seed: int | None = None
    split: str = ""
    """Hash of the split; "" where unknown."""
    references: Mapping[str, str] | None = None
    """Perceptual hashes, by name, of what it was trained and chosen on; None where unknown."""
    commit: str | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    """The network's settings, as a config file holds them."""
    view: Mapping[str, Any] | None = None
    """Of a metrifier: how its classifier sees an image ("size", "resize", "filter")."""
    precision: str = ""
    """Of an exported evaluator: "float32", "float16", "bfloat16" or "int8"."""
    sha256: str = ""
    """Of the tensors, in hexadecimal."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Entries that nothing here reads, such as the checkpoint that an export is of."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the entry, for a card that no model can have."""
        of_text = isinstance(self.classes, tuple) and all(isinstance(name, str) for name in self.classes)
        right = {
            "kind": self.kind in ("evaluator", "generator", "metrifier"),
            "name": isinstance(self.name, str),
            "data": isinstance(self.data, str),
            "classes": of_text,
            "crop_size": is_side(self.crop_size) and self.crop_size >= 8,
            "crop_grid": is_side(self.crop_grid),
            "whole_view": self.whole_view is None or is_side(self.whole_view),
            "quantiles": is_rising(self.quantiles),
            "usual_distance": self.usual_distance is None or isinstance(self.usual_distance, float),
            "view": self.view is None or is_view(self.view),
            "precision": isinstance(self.precision, str),
        }
        for entry, is_right in right.items():
            if not is_right:
                raise ValueError(entry)

    @property
    def title(self) -> str:
        """Name of the set for captions, with what is unusual about the training."""
        return title_of(self.data, self.upper_bound, self.validated, self.scored)

    def as_plain(self) -> dict[str, Any]:
        """Return the card as JSON holds it; entries of `more` stand beside the others."""
        plain = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "more"}
        plain |= {
            "classes": list(self.classes),
            "quantiles": list(self.quantiles) or None,
            "scale": asdict(self.scale),
            "sets": [asdict(one) for one in self.sets] or None,
            "model": dict(self.model),
        }
        return {**{key: value for key, value in plain.items() if value not in (None, "")}, **self.more}

    @classmethod
    def from_plain(cls, plain: Any, path: Path) -> "Card":
        """Return the card that a file holds.

        Args:
            plain: what `as_plain` gave.
            path: of the file, for messages.

        Raises:
            DataError: if an entry is missing or not valid; the message names it.
        """
        try:
            known = {one.name for one in fields(cls)} - {"more"}
            lacking = {"kind", "name", "data", "classes", "scale", "crop_size"} - set(plain)
            if lacking:
                raise ValueError(min(lacking))
            values = {key: value for key, value in plain.items() if key in known}
            values["classes"] = tuple(plain["classes"]) if isinstance(plain["classes"], list) else None
            values["quantiles"] = tuple(plain.get("quantiles") or ())
            values["scale"] = scale_of(plain["scale"])
            values["sets"] = tuple(
                SetScale(**{**one, "scale": scale_of(one["scale"])}) for one in plain.get("sets") or ()
            )
            return cls(**values, more={key: value for key, value in plain.items() if key not in known})
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(
                f"the card of {path} has no valid {error}; get the file again, or export it anew."
            ) from error


def scale_of(plain: Any) -> Scale:
    """Return the scale in a card."""
    kinds = {"name": str, "low": int | float, "high": int | float, "higher_is_better": bool}
    if not isinstance(plain, dict) or set(plain) != set(kinds):
        raise ValueError("scale")
    for name, kind in kinds.items():
        if not isinstance(plain[name], kind) or (kind is not bool and isinstance(plain[name], bool)):
            raise ValueError(f"scale.{name}")
    return Scale(**plain)


def is_side(value: Any) -> bool:
    """Tell whether this is a number of pixels that a side may have."""
    return isinstance(value, int) and 0 < value <= LARGEST_CROP


def is_rising(values: Any) -> bool:
    """Tell whether these are two or more numbers in [0, 1] that do not fall, or none."""
    if not isinstance(values, tuple) or not all(isinstance(value, float) for value in values):
        return False
    return not values or (len(values) > 1 and values == tuple(sorted(values)) and values[0] >= 0 and values[-1] <= 1)


def is_view(view: Any) -> bool:
    """Tell whether this says how a classifier sees an image."""
    if not isinstance(view, Mapping) or set(view) != {"size", "resize", "filter"}:
        return False
    return is_side(view["size"]) and (view["resize"] is None or is_side(view["resize"])) and view["filter"] in FILTERS

"""Where the metrics of a row come from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Origin:
    """Which set's scores were predicted, and where and with what code."""

    dataset: str
    proxy: bool
    """Whether the scores were computed and not given by people."""
    seed: int | None
    machine: str
    commit: str
    upper_bound: bool = False
    """Whether the test references were trained on too."""
    validated: bool = True
    """Whether validation references chose the checkpoint; else it is the last one."""
    scored: int = 0
    """How many references, or images of a set without them, kept their scores for the training; 0 is all."""

    def __post_init__(self) -> None:
        """Raise ValueError, naming the entry, for what is none."""
        if not isinstance(self.dataset, str):
            raise ValueError("dataset")
        if not isinstance(self.proxy, bool):
            raise ValueError("proxy")

    @property
    def title(self) -> str:
        """Name of the set for captions, with what is unusual about the training."""
        return title_of(self.dataset, self.upper_bound, self.validated, self.scored)

    def as_plain(self) -> dict[str, Any]:
        """Return the entries of a row as JSON holds them."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Origin":
        """Return what a row says.

        Raises:
            KeyError: if an entry is missing.
            ValueError: if one is not valid; the message is its name.
        """
        entries = {name: plain[name] for name in ("dataset", "proxy", "seed", "machine")}
        upper_bound, validated = bool(plain.get("upper_bound", False)), bool(plain.get("validated", True))
        return cls(
            **entries,
            commit=plain["commit"] or "",
            upper_bound=upper_bound,
            validated=validated,
            scored=int(plain.get("scored", 0)),
        )


def title_of(dataset: str, upper_bound: bool, validated: bool = True, scored: int = 0) -> str:
    """Return a set's name for captions, with what is unusual about the training."""
    unusual = {
        f"trained with {scored} scored": scored > 0,
        "last checkpoint": not validated,
        "upper bound: trained on the test references too": upper_bound,
    }
    return " ".join([dataset, *(f"({told})" for told, holds in unusual.items() if holds)])

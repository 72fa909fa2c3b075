"""What a study changes."""

from dataclasses import dataclass, field
from typing import Any

from gada.settings.training import Stage


@dataclass(frozen=True)
class Variant:
    """One row of a study: what differs from the base settings, and which stages are trained."""

    name: str
    """What stands in the table."""
    stages: tuple[Stage, ...] = ("baseline",)
    """Which stages are trained; the last one's metrics are shown."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Settings that differ, by dotted keys as `training.crop_size`."""
    after: str = ""
    """Name of the variant whose last stage this one starts from; by default from its own, or from new weights."""

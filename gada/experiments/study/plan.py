"""The plan of a study: its variants, each checked against the ones before it, before anything is trained."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gada.errors import ConfigError
from gada.experiments.study.table import changes_of
from gada.runs.starts import BEFORE, OF_THE_EVALUATOR
from gada.settings import Settings, Variant, as_plain, changed


@dataclass(frozen=True)
class PlannedVariant:
    """A variant with its own settings and the one after which it starts.

    Raises:
        ConfigError: if it has no stages, or a stage without what it starts from; if it starts after one on another
            split or with other networks.
    """

    variant: Variant
    settings: Settings
    after: "PlannedVariant | None" = None

    def __post_init__(self) -> None:
        """Check what each stage starts from."""
        name, stages = self.variant.name, self.variant.stages
        if not stages:
            raise ConfigError(f"'{name}' has no stages; give one or more, as [baseline].")
        for at, stage in enumerate(stages):
            needed = None if self.settings.whole_images else BEFORE.get(stage)  # which starts from ImageNet weights
            if needed is None or needed in stages[:at]:
                continue
            generates = stage == "phase2" and self.settings.training.distorted is None
            if at or self.after is None or (generates and self.after.variant.stages[-1] != needed):
                raise ConfigError(
                    f"'{name}' has {stage} without {needed}, from which it starts; give it {needed} first, or "
                    f"`after` a variant that ends with {needed}."
                )
        if self.after:
            self._check_after(self.after)

    def _check_after(self, before: "PlannedVariant") -> None:
        """Raise ConfigError for another split or other networks than those of the variant before."""
        name, other = self.variant.name, before.variant.name
        if self.settings.split != before.settings.split:
            raise ConfigError(
                f"'{name}' starts after '{other}', which is on another split; what that was trained on would be tested."
            )
        takes_generator = self.variant.stages[0] == "phase2" and self.settings.training.distorted is None
        for key in as_plain(self.settings.model) if takes_generator else OF_THE_EVALUATOR:
            value, there = getattr(self.settings.model, key), getattr(before.settings.model, key)
            if value != there:
                raise ConfigError(
                    f"'{name}' has model.{key} {value}, but starts after '{other}', whose networks have {there}; "
                    "change it in both, or in neither."
                )

    @property
    def folder(self) -> str:
        """The variant's name as that of a folder."""
        return slug(self.variant.name)

    @property
    def steps(self) -> int:
        """Evaluator steps, with those of the variants before it."""
        stages = self.variant.stages
        counted = [stage for stage in stages if (stage == "baseline") == (stages[-1] == "baseline")]
        own = sum(self.settings.training.steps(stage) for stage in counted)
        return own + (self.after.steps if self.after else 0)


def plan_study(
    variants: Sequence[Variant], settings: Settings, splits: int = 1, scored: Sequence[int] = ()
) -> list[PlannedVariant]:
    """Return the plan of a study.

    Args:
        variants: in the order of the table.
        settings: what each of them changes.
        splits: how many splits are trained; of several no variant may choose its own.
        scored: likewise, the numbers of scored references.

    Raises:
        ConfigError: if two names are the same, a variant starts after one that is not before it, or changes are wrong.
    """
    planned: dict[str, PlannedVariant] = {}
    for variant in variants:
        name = variant.name
        if name in planned:
            raise ConfigError(f"the study has two variants of the name '{name}'; give each its own.")
        if not slug(name) or slug(name) in {slug(other) for other in planned}:
            raise ConfigError(f"'{name}' has no folder of its own; give it another name, of letters and digits.")
        if variant.after and variant.after not in planned:
            raise ConfigError(f"'{name}' starts after '{variant.after}', which is not a variant before it.")
        try:
            own = changed(settings, variant.changes)
        except ConfigError as error:
            raise ConfigError(f"'{name}' changes {changes_of(variant.changes)}: {error}") from error
        drawn = [key for key in variant.changes if key.startswith("split.") and key != "split.upper_bound"]
        if drawn and (splits > 1 or scored):
            turns = f"--splits {splits}" if splits > 1 else f"--scored {', '.join(map(str, scored))}"
            raise ConfigError(f"'{name}' changes {drawn[0]}, but {turns} takes the splits in turn.")
        planned[name] = PlannedVariant(variant, own, planned.get(variant.after))
    return list(planned.values())


def slug(name: str) -> str:
    """Return a variant's name as that of a folder."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")

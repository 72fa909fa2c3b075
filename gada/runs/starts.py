"""Which checkpoint each stage starts from (paper, section 3.1): phase 3 starts from phase 2, phase 2 from phase 1."""

from dataclasses import dataclass, replace
from pathlib import Path

from gada.errors import ConfigError
from gada.io.cards import Card
from gada.io.checkpoints import ENDED, find_checkpoint, load_checkpoint
from gada.models.files import model_settings
from gada.settings import ModelSettings, Stage, TrainingSettings

START = "start"  # in results and as a folder, what `--from` named, on the same test images
BEFORE: dict[Stage, Stage] = {"phase2": "phase1", "phase3": "phase2"}
OF_THE_EVALUATOR = (
    "trunk",
    "widths",
    "strides",
    "normalization",
    "maps",
    "hidden",
    "pooling",
    "detail",
    "usual",
)  # model settings that its weights fix


@dataclass(frozen=True)
class Start:
    """The checkpoints that a stage starts from; None where it has new weights."""

    evaluator: Path | None = None
    generator: Path | None = None

    @classmethod
    def of(
        cls, stage: Stage, folder: Path, training: TrainingSettings, given: str | None = None, pretrained: bool = False
    ) -> "Start":
        """Return where a stage of a run starts.

        Args:
            stage: the stage.
            folder: of the run.
            training: its settings; phase 2 takes a generator unless they name a distorted set.
            given: a checkpoint to start from instead of the phase before, as `--from` names it.
            pretrained: whether the trunk has weights of its own to start from.

        Raises:
            ConfigError: if the phase before is not finished, or there is no such checkpoint.
        """
        generates = stage == "phase2" and training.distorted is None
        if given:
            generator = find_checkpoint(given, "generator") if generates else None
            return cls(find_checkpoint(given, "evaluator"), generator)
        before = BEFORE.get(stage)
        if before is None or pretrained:  # an evaluator of whole images starts from ImageNet weights
            return cls()
        if not (folder / before / ENDED).is_file():
            raise ConfigError(
                f"--phase {stage[-1]} starts from phase {before[-1]}, but {folder} has none; "
                f"train --phase {before[-1]} first, or give --from a checkpoint."
            )
        generator = find_checkpoint(str(folder / "phase1"), "generator") if generates else None
        return cls(folder / before / ENDED, generator)

    @property
    def cards(self) -> dict[Path, Card]:
        """The cards of the checkpoints."""
        named = {self.evaluator: "evaluator", self.generator: "generator"}
        return {path: card_of(path, kind) for path, kind in named.items() if path}

    def model(self, chosen: ModelSettings) -> ModelSettings:
        """Return model settings whose evaluator is the one it starts from; the rest holds for a new generator."""
        if self.evaluator is None:
            return chosen
        there = model_settings(card_of(self.evaluator, "evaluator"), self.evaluator)
        fixed = {name: getattr(there, name) for name in OF_THE_EVALUATOR}
        if len(there.widths) != len(chosen.decoder_widths):  # a generator has as many levels as the trunk
            fixed["decoder_widths"] = there.decoder_widths
        return replace(chosen, **fixed)


def card_of(path: Path, kind: str) -> Card:
    """Return the card of a checkpoint.

    Raises:
        DataError: if the file is damaged or of another kind.
    """
    return Card.from_plain(load_checkpoint(path, kind)[1], path)

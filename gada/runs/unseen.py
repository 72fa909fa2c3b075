"""Images of a set on which networks can be evaluated, because they have not seen their scenes."""

from typing import Literal

from gada.data.cache import PackedImages
from gada.data.databases import load_database
from gada.data.perceptual_hash import lookalikes, perceptual_hash
from gada.data.records import ScoredSet
from gada.data.scenes import set_hashes
from gada.errors import ConfigError, DataError
from gada.io.cards import Card
from gada.io.images import read_image
from gada.io.progress import with_progress
from gada.runs.prepared import Hashes, draw_split, read_hashes
from gada.settings import DataSettings, SplitSettings

Side = Literal["test", "validation", "train", "all"]


class UnseenImages:
    """A side of a set's split, or a whole set without the scenes that networks have seen.

    Args:
        data: which set.
        side: which side; with `all`, a cross-database test, scenes that were seen are left out.
        split: how its references are divided.
        cards: of the networks.
        keep_shared: take scenes that were seen too.

    Raises:
        ConfigError: if a network has seen a scene of the side, unless it was trained on this very split, or was
            trained on another split of a set of this name and its card names no scenes.
        DataError: if the data are missing or invalid, or every scene was seen.
    """

    def __init__(
        self, data: DataSettings, side: Side, split: SplitSettings, *cards: Card, keep_shared: bool = False
    ) -> None:
        self.whole = load_database(data)
        self.cache = data.cache
        self.left_out: dict[str, str] | None = {} if any(card.references is not None for card in cards) else None
        """Scenes left out, each with the known one that it shows; None if the cards name none."""
        if side == "all":
            self.images = self.whole if keep_shared else self._without(cards)
            return
        hashes = {} if self.whole.has_references else set_hashes(self.whole, self.packed())
        drawn = draw_split(self.whole, hashes, split)
        if not getattr(drawn, side):
            raise ConfigError(f"split.{side} is 0, so there is no {side} side; choose another --side.")
        self.images = self.whole.select(getattr(drawn, side))
        where = f"{side} side of split {split.number} of seed {split.seed}"
        for card in () if keep_shared else cards:
            same_set = card.data == self.whole.name
            if same_set and not card.upper_bound and card.split in ("", drawn.hash):
                continue
            if same_set and card.references is None:
                raise ConfigError(
                    f"{card.name} was trained on another split of {self.whole.name} than number {split.number} of seed "
                    f"{split.seed}: its {side} side may hold training references; give the split of the run's "
                    "split.json, or --side all."
                )
            for name, one in shared_scenes(self.images, read_hashes(card)).items():
                raise ConfigError(
                    f"{card.name} has seen {one!r}, which shows the same scene as {name!r} on the {where}; give the "
                    "split of its run's split.json, or --side all."
                )

    def packed(self) -> PackedImages:
        """Return the decoded images of the whole set."""
        return PackedImages.of(self.whole, self.cache)

    def _without(self, cards: tuple[Card, ...]) -> ScoredSet:
        """Return the set without known scenes, which are noted."""
        known = {name: one for card in cards for name, one in read_hashes(card).items()}
        if not known:
            return self.whole
        self.left_out = shared_scenes(self.whole, known)
        left = [name for name in self.whole.reference_ids if name not in self.left_out]
        if not left:
            raise DataError(
                f"the evaluator was trained on every scene of {self.whole.name}; give another database, --side test "
                "with the split it was trained on, or --keep-shared"
            )
        return self.whole.select(left)


def shared_scenes(images: ScoredSet, known: Hashes) -> dict[str, str]:
    """Return the references that show a known scene, each with its name among the known."""
    paths = {record.reference_id: record.reference or record.image for record in images.images}
    bar = with_progress(paths.items(), "look for known scenes", len(paths))
    return lookalikes({name: perceptual_hash(read_image(path)) for name, path in bar}, known) if known else {}

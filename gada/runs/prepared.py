"""A scored set made ready for a run: loaded, decoded, split by scene. Whoever holds one knows that nothing leaks."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path

from gada.data.cache import PackedImages
from gada.data.databases import load_database
from gada.data.perceptual_hash import PerceptualHash, lookalikes
from gada.data.records import ScoredSet
from gada.data.scenes import on_two_sides, scenes_of, set_hashes
from gada.data.splits import SIDES, Split, split_by_reference
from gada.errors import ConfigError, DataError
from gada.io.cards import Card
from gada.runs.sources import Sources
from gada.settings import DataSettings, SplitSettings

UPPER_BOUND = "With split.upper_bound the run may see its test, and its results say so."
Hashes = dict[str, PerceptualHash]


@dataclass(frozen=True)
class PreparedData:
    """A set and a split of it; the constructor makes every check that its test is one.

    Raises:
        ConfigError: if sources or a starting checkpoint show what a test image shows.
        DataError: if two sides show one scene, or no training image has a distortion class.
    """

    images: ScoredSet
    packed: PackedImages
    hashes: Hashes
    """Of each reference by its id; without references of each image by its name."""
    split: Split
    upper_bound: bool = False
    """Whether the test is trained on too."""
    scored: int = 0
    """How many references keep their scores for training and validation; 0 is all."""
    sources: Sources | None = None
    """What phase 2 takes in place of the training references."""
    others: tuple["PreparedData", ...] = ()
    """Further sets that train beside this one."""
    starts: Mapping[Path, Card] = field(default_factory=dict)
    """Cards of the checkpoints that the run starts from, by their files."""

    @classmethod
    def load(
        cls, data: DataSettings, split: SplitSettings, crop: int, others: Sequence[DataSettings] = ()
    ) -> "PreparedData":
        """Load a set, decode its images and draw the split.

        Args:
            data: which set.
            split: how its references are divided.
            crop: side of a training crop, in pixels.
            others: further sets that train beside it.

        Raises:
            ConfigError: if a crop does not fit into an image.
            DataError: if the data are missing or invalid.
        """
        images = load_database(data)
        packed = PackedImages.of(images, data.cache, crop)
        hashes = set_hashes(images, packed)
        beside = tuple(cls.load(one, replace(split, scored=0), 0) for one in others)
        drawn = draw_split(images, hashes, split)
        return cls(images, packed, hashes, drawn, split.upper_bound, split.scored, others=beside)

    def on(self, split: SplitSettings) -> "PreparedData":
        """Return the same set, and those beside it, on another split."""
        drawn = draw_split(self.images, self.hashes, split)
        others = tuple(one.on(replace(split, scored=0)) for one in self.others)
        return replace(self, split=drawn, upper_bound=split.upper_bound, scored=split.scored, others=others)

    def __post_init__(self) -> None:
        """Make the checks."""
        trained = {record.distortion for record in self.images.select(self.split.train).images}
        for name in self.images.classes:
            if name not in trained:
                raise DataError(
                    f"{self.images.name}: no training reference has the distortion class '{name}'; "
                    "give it more images, or leave it out with data.classes."
                )
        self._check_sides()
        if self.upper_bound:
            return
        if self.sources:
            self.check_unseen(self.sources.name, self.sources.hashes)
        for tested, other in permutations((self, *self.others), 2):
            tested.check_unseen(other.images.name, other.trained)
        for path, card in self.starts.items():
            for tested in (self, *self.others):
                tested.check_start(path, card)

    def check_start(self, path: Path, card: Card) -> None:
        """Raise ConfigError if a checkpoint that a run starts from has seen what a test image shows."""
        another = card.upper_bound or card.split not in ("", self.split.hash)
        if not self.images.has_references and card.data == self.images.name and another:
            raise ConfigError(
                f"{path} was trained on another split of {self.images.name} than number {self.split.number}, which "
                f"may test what it has seen; give the split of that run's split.json. {UPPER_BOUND}"
            )
        if self.scored and card.data == self.images.name:
            left_out = self.hashes.keys() - self.trained.keys()
            if more := sorted(left_out & read_hashes(card).keys()):
                raise ConfigError(
                    f"{path} was trained on more of {self.images.name} than the scores that split.scored {self.scored} "
                    f"leaves, such as {more[0]!r}; start from one of the same split.scored."
                )
        self.check_unseen(str(path), read_hashes(card))

    def _check_sides(self) -> None:
        """Let no scene stand on two sides; without references, where one image may hide another, only warn."""
        sides = {name: self.shown_on(name) for name in SIDES}
        for first, second, shared in on_two_sides(sides, crops=self.images.has_references):
            one, other = next(iter(shared.items()))
            told = f"{other!r} ({first}) and {one!r} ({second}) of split {self.split.number} show the same scene"
            if self.images.has_references:
                raise DataError(
                    f"the references {told}; give both one name, so that they stand on one side, or leave one out"
                )
            sys.stderr.write(
                f"gada: {told}, as {len(shared)} of {len(sides[second])} {second} images do; leave split.by_scene "
                "true, or its metrics flatter.\n"
            )

    def check_unseen(self, where: str, known: Mapping[str, PerceptualHash]) -> None:
        """Raise ConfigError if a test image shows one of the known scenes."""
        tested = self.shown_on("test")
        shared = lookalikes(tested, known)
        for test, one in shared.items():
            what = "reference" if self.images.has_references else "image"
            raise ConfigError(
                f"{where} has seen {one!r}, which shows the same scene as {test!r}, a test {what} of split "
                f"{self.split.number} ({len(shared)} of {len(tested)} are seen). {UPPER_BOUND}"
            )

    @property
    def trained(self) -> Hashes:
        """The hashes of what trains or chooses an evaluator."""
        return self.shown_on("train") | self.shown_on("validation")

    def shown_on(self, side: str) -> Hashes:
        """Return the hashes of what the images of one side of the split show."""
        ids = set(getattr(self.split, side))
        if self.images.has_references:
            return {name: one for name, one in self.hashes.items() if name in ids}
        names = (self.images.name_of(record) for record in self.images.images if record.reference_id in ids)
        return {name: self.hashes[name] for name in names}

    def side(self, name: str) -> ScoredSet:
        """Return the images of one side of the split; an upper bound is trained on all sides."""
        whole = name == "train" and self.upper_bound
        return self.images if whole else self.images.select(getattr(self.split, name))

    @property
    def watched(self) -> str:
        """The side whose images show how a generator comes on."""
        return "validation" if self.split.validation else "train"

    @property
    def classes(self) -> int:
        """The number of distortion classes; one where the set names none."""
        return len(self.images.classes) or 1


def draw_split(images: ScoredSet, hashes: Hashes, chosen: SplitSettings) -> Split:
    """Return the split that the settings name; without references, images that look alike stay together."""
    scenes = scenes_of(images, hashes) if chosen.by_scene and not images.has_references else None
    sizes = (chosen.test, chosen.validation, scenes, chosen.scored)
    return split_by_reference(images.reference_ids, chosen.seed, chosen.number, *sizes)


def read_hashes(card: Card) -> Hashes:
    """Return the hashes of what a network was trained on, as far as its card names them."""
    return {name: PerceptualHash.read(text) for name, text in (card.references or {}).items()}

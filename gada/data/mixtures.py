"""The training sets of IQA-LS: the version of each image in an epoch (Chen et al., 2017, sections 4.1 and 4.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gada.errors import ConfigError

Pixels = NDArray[np.uint8]
Drawn = tuple[NDArray[np.int64], NDArray[np.int64]]
Labels = Literal["hard", "iqa-ls", "smoothing", "mollification"]
BLUR, NOISE, JPEG = "iqa-ls/blur", "iqa-ls/noise", "iqa-ls/jpeg"
ALL_THREE = (BLUR, NOISE, JPEG)


@dataclass(frozen=True)
class Strategy:
    """One way to train: which distortions the training set holds, and what its labels are made from."""

    name: str
    """What a user calls it; the paper's are numbers."""
    title: str
    """What a table calls it."""
    labels: Labels
    """Hard labels, IQA-LS, plain smoothing, or smoothing by the known level."""
    families: tuple[str, ...] = ()
    """Real distortions in the mix."""
    generated: bool = False
    """Whether the mix holds images that a generator distorted."""
    predicted: bool = False
    """Whether the quality of generated images is the evaluator's prediction, not the target quality."""


STRATEGIES: dict[str, Strategy] = {
    one.name: one
    for one in (
        Strategy("1", "pristine", "hard"),
        Strategy("2", "MIX blur", "hard", (BLUR,)),
        Strategy("3", "MIX blur", "iqa-ls", (BLUR,)),
        Strategy("4", "MIX noise", "hard", (NOISE,)),
        Strategy("5", "MIX noise", "iqa-ls", (NOISE,)),
        Strategy("6", "MIX JPEG", "hard", (JPEG,)),
        Strategy("7", "MIX JPEG", "iqa-ls", (JPEG,)),
        Strategy("8", "MIX all 3", "hard", ALL_THREE),
        Strategy("9", "MIX all 3", "iqa-ls", ALL_THREE),
        Strategy("10", "MIX generated", "hard", generated=True),
        Strategy("11", "MIX generated", "iqa-ls", generated=True),
        Strategy("11-evaluator", "MIX generated, predicted quality", "iqa-ls", generated=True, predicted=True),
        Strategy("12", "MIX all 3 and generated", "iqa-ls", ALL_THREE, generated=True),
        Strategy("smoothing", "MIX all 3", "smoothing", ALL_THREE),
        Strategy("mollification", "MIX all 3", "mollification", ALL_THREE),
    )
}
"""The nine strategies of Table 2, those with GADA in the loop (10 to 12), and two baselines on the mix of 8 and 9."""


LEVELS = 3  # of every distortion in a mixture


class Version(NamedTuple):
    """All training images in one version."""

    family: str
    """A distortion family, a generator's distortion class, or "" for the pristine images."""
    level: int
    """1 to 3; 0 for the pristine images."""
    pixels: Pixels
    """(N, S, S, 3), mapped from a packed file."""
    quality: NDArray[np.float32]
    """s of each image, (N,)."""
    generated: bool = False
    """Whether a generator made it."""


class LabelledBatch(NamedTuple):
    """The images of a training step."""

    pixels: Pixels
    """(B, S, S, 3) uint8."""
    labels: NDArray[np.int64]
    """(B,)."""
    quality: NDArray[np.float32]
    """What the label distributions are made from, (B,)."""


class Mixture:
    """The batches of a training set of pristine and distorted images, drawn anew for each epoch.

    A batch depends on seed and step alone, so that a resumed training sees those still to come.

    Args:
        versions: the pristine images first, then distorted ones: for every family the levels 1, 2, 3.
        labels: true classes, (N,).
        fractions: of the images at levels 0, 1, 2, 3 in each epoch (section 4.3: 60, 15, 15 and 10 %).
        seed: of what is drawn.
        batch_size: images in a batch; the last of an epoch may be smaller.

    Raises:
        ConfigError: if a level has a fraction but no version.
    """

    def __init__(
        self,
        versions: Sequence[Version],
        labels: NDArray[np.int64],
        fractions: Sequence[float],
        seed: int,
        batch_size: int = 100,
    ) -> None:
        self.versions = list(versions)
        self.labels = labels
        self.fractions = fractions
        self.seed = seed
        self.batch_size = batch_size
        self.by_level = [self._choices(level) for level in range(len(fractions))]
        self._drawn: tuple[int, Drawn] | None = None
        if len(self.versions) > 1 and not all(self.by_level):
            raise ConfigError(f"training.fractions names {len(fractions)} levels, but a distortion has fewer.")

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return -(-len(self.labels) // self.batch_size)

    def __getitem__(self, step: int) -> LabelledBatch:
        """Return the batch of a step, counted from the first of the training."""
        epoch, number = divmod(step, len(self))
        if self._drawn is None or self._drawn[0] != epoch:
            self._drawn = epoch, self.draw(epoch)
        chosen = slice(number * self.batch_size, (number + 1) * self.batch_size)
        return self.gather(*(part[chosen] for part in self._drawn[1]))

    def _choices(self, level: int) -> list[list[int]]:
        """Return the versions of a level, in two groups where there are real and generated ones."""
        there = [(number, version.generated) for number, version in enumerate(self.versions) if version.level == level]
        groups = [[number for number, generated in there if generated is kind] for kind in (False, True)]
        return [group for group in groups if group]

    def draw(self, epoch: int) -> Drawn:
        """Return the order of the images in an epoch, (N,), and the version of each image in it, (N,).

        Each level gets its fraction of the images exactly. Within a level, real and generated versions are equally
        likely where there are both, and so are the families of each.
        """
        random = np.random.default_rng([self.seed, epoch])
        order = random.permutation(len(self.labels))
        chosen = np.zeros(len(order), np.int64)
        if len(self.versions) > 1:
            edges = np.rint(np.cumsum([0.0, *self.fractions]) * len(order)).astype(int)
            for groups, start, stop in zip(self.by_level, edges, edges[1:], strict=False):
                group = random.integers(len(groups), size=stop - start)
                within = [random.choice(members, size=stop - start) for members in groups]
                chosen[start:stop] = np.choose(group, within)
        again = random.permutation(len(order))  # or a batch would hold one level only
        return order[again], chosen[again]

    def gather(self, images: NDArray[np.int64], versions: NDArray[np.int64]) -> LabelledBatch:
        """Return images (B,) in versions (B,)."""
        pixels = np.empty((len(images), *self.versions[0].pixels.shape[1:]), np.uint8)
        quality = np.empty(len(images), np.float32)
        for number in np.unique(versions):
            places = versions == number
            pixels[places] = self.versions[number].pixels[images[places]]
            quality[places] = self.versions[number].quality[images[places]]
        return LabelledBatch(pixels, self.labels[images], quality)

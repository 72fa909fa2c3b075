"""Splits by reference: no scene is ever seen in training and in the test."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

from gada.errors import DataError
from gada.io.files import write_json

SIDES = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """One division of a database's references."""

    train: tuple[str, ...]
    """Reference ids that networks learn from, sorted."""
    validation: tuple[str, ...]
    """Reference ids that choose the checkpoint, sorted; none where the last one is taken."""
    test: tuple[str, ...]
    """Reference ids that are looked at once, at the end, sorted."""
    seed: int
    """Seed of the family of splits."""
    number: int
    """Which split of the family."""

    def __post_init__(self) -> None:
        for name, side in {"train": self.train, "test": self.test}.items():
            if not side:
                raise DataError(f"the {name} part of split {self.number} is empty; give it at least one reference")
        everything = [*self.train, *self.validation, *self.test]
        if len(set(everything)) < len(everything):
            twice = next(name for name in everything if everything.count(name) > 1)
            raise DataError(f"the reference {twice!r} stands on two sides of split {self.number}")

    @property
    def hash(self) -> str:
        """SHA-256 of the division, its seed and number, in hexadecimal."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def write(self, path: Path) -> None:
        """Write the split and its hash as JSON, atomically."""
        write_json(path, {**asdict(self), "hash": self.hash})

    @classmethod
    def read(cls, path: Path) -> "Split":
        """Read what `write` wrote.

        Raises:
            DataError: if the file is missing, is not a split, or was changed by hand.
        """
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            sides = {side: tuple(map(str, content[side])) for side in SIDES}
            split = cls(**sides, seed=int(content["seed"]), number=int(content["number"]))
            written = content["hash"]
        except DataError:
            raise
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
            raise DataError(f"{path} cannot be read as a split ({reason}); delete it to draw the split anew") from error
        if written != split.hash:
            raise DataError(f"{path} does not match its own hash; restore it, or delete it to draw the split anew")
        return split


def split_by_reference(
    ids: Iterable[str],
    seed: int,
    number: int,
    test_fraction: float = 0.2,
    validation_fraction: float = 0.2,
    scenes: Mapping[str, str] | None = None,
    scored: int = 0,
) -> Split:
    """Divide references into training, validation and test (paper, section 4.2: 80/20 by reference).

    The references are ordered by SHA-256 of (seed, number, id), so the split is the same on every machine, for every
    order of `ids` and every release of Python and numpy. The first `round(n * test_fraction)` are the test; of the
    rest, as many as `validation_fraction` says are the validation. Halves round up; no side is left empty, but for a
    validation of 0. Of fewer scored references the test is the same, and what trains and validates is a part of that of
    more.

    Args:
        ids: reference ids; repetitions do not count.
        seed: of the family of splits.
        number: which split of the family.
        test_fraction: of all references for the test, in (0, 1).
        validation_fraction: of the training part for validation, in [0, 1).
        scenes: the scene of each id, where several show the same; they stay together and count as one.
        scored: how many ids train and validate; 0 is all that are not tested.

    Raises:
        DataError: if there are too few references for a side.
    """
    members: dict[str, list[str]] = {}
    for name in set(ids):
        members.setdefault((scenes or {}).get(name, name), []).append(name)
    order = sorted(members, key=lambda name: sha256(json.dumps([seed, number, name]).encode()).digest())
    sides = SIDES if validation_fraction else ("train", "test")
    if len(order) < len(sides):
        raise DataError(
            f"a split by reference needs at least {len(sides)} references ({', '.join(sides)}); found {len(order)}"
        )
    tests = _part(len(order), test_fraction, leave=len(sides) - 1)
    test = [name for scene in order[:tests] for name in members[scene]]
    left = _first(scored, {scene: sorted(members[scene]) for scene in order[tests:]})
    most = sum(len(members[scene]) for scene in order[tests:])
    if scored > most:
        raise DataError(f"split.scored is {scored} but must be at most {most}: the others are tested")
    if len(left) < len(sides) - 1:
        raise DataError(
            f"split.scored is {scored}, of one scene; give more to train and validate, or split.validation 0"
        )
    validations = _part(len(left), validation_fraction, leave=1) if validation_fraction else 0
    validation, train = (sorted(chain(*part)) for part in (left[:validations], left[validations:]))
    return Split(tuple(train), tuple(validation), tuple(sorted(test)), seed, number)


def _first(count: int, scenes: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the members of the first scenes, `count` ids in all; 0 is all of them."""
    kept: list[list[str]] = []
    for members in scenes.values():
        room = count - sum(map(len, kept)) if count else len(members)
        kept += [list(members[:room])] if room else []
    return kept


def _part(count: int, fraction: float, leave: int) -> int:
    """Round `count` x `fraction`, halves up, to at least 1 and so that `leave` remain."""
    return min(max(int(count * fraction + 0.5), 1), count - leave)

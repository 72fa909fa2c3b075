"""What every loader demands of a database before anything trains on it; each failure is one sentence."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path, PureWindowsPath

from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.errors import DataError
from gada.io.files import check_not_url, is_file
from gada.io.images import image_size, shown
from gada.io.threads import in_threads


def root_folder(root: Path, name: str) -> Path:
    """Return the real path of a database's folder, or say that it is missing."""
    if not root.is_dir():
        check_not_url(root, "data.root: ")
        raise DataError(f"{shown(root)} is not a folder; data.root must be the folder of {name}")
    return root.resolve()


def score_on(scale: Scale, value: object, where: str) -> float:
    """Return `value` as a score on `scale`; `where` says where it stands, for example "scores.csv, line 7"."""
    if value == "":
        raise DataError(f"{where}: the score is missing")
    try:
        score = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise DataError(f"{where}: the score {value!r} is not a number") from None
    if not isfinite(score):
        raise DataError(f"{where}: the score {value!r} is not finite")
    if score not in scale:
        raise DataError(f"{where}: the score {score:g} lies outside the scale {scale.describe()}")
    return score


def is_absolute(name: str) -> bool:
    """Return whether a path counts from a root or a drive, here or on Windows."""
    return Path(name).is_absolute() or PureWindowsPath(name).is_absolute()


class Files:
    """Finds the files of a database by name; no path may leave `root`, neither by ".." nor by a link.

    Args:
        root: real path of the database's folder.
        any_case: the case of file names does not count, and two names that differ only in case are refused.
    """

    def __init__(self, root: Path, any_case: bool = False) -> None:
        self.root = root
        self.any_case = any_case
        self.listings: dict[Path, dict[str, list[str]]] = {}

    def find(self, name: str, where: str) -> Path:
        """Return the real path of the file `name`, relative to the root.

        Raises:
            DataError: if it is missing, is there twice in different case, or lies outside the root; the message
                begins with `where`.
        """
        relative = self._relative(name, where)
        path = self._in_any_case(self.root / relative, where) if self.any_case else self.root / relative
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(self.root):
            raise DataError(f"{where}: {shown(name)} leads out of {shown(self.root)} to {shown(real)}")
        if not real.is_file():
            raise DataError(f"{where}: the image {shown(path)} does not exist")
        return real

    def _relative(self, name: str, where: str) -> Path:
        """Return a name as a path below the root; an absolute one is taken if it leads into the root."""
        if not name.strip() or "\0" in name:
            raise DataError(f"{where}: the name of an image is missing")
        check_not_url(shown(name), f"{where}: ")
        path = Path(os.path.normpath(name.replace("\\", "/")))
        if path.is_absolute():
            real = Path(os.path.realpath(path))
            path = next((one.relative_to(self.root) for one in (path, real) if one.is_relative_to(self.root)), path)
        if is_absolute(str(path)) or ".." in path.parts:
            ends = (Path(*path.parts[start:]) for start in range(1, len(path.parts)))
            there = next((end for end in ends if ".." not in end.parts and is_file(self.root / end)), None)
            hint = f", as {shown(there)}" if there else ""
            raise DataError(
                f"{where}: '{shown(name)}' lies outside {shown(self.root)}; "
                f"write the path relative to that folder{hint}"
            )
        return path

    def has(self, name: str) -> bool:
        """Return whether something of that name is there, in the case in which `find` would find it."""
        path = self.root / name.replace("\\", "/")
        return any(path.with_name(one).exists() for one in (self._named(path) if self.any_case else [path.name]))

    def _in_any_case(self, path: Path, where: str) -> Path:
        names = self._named(path) or [path.name]
        if len(names) > 1:
            raise DataError(f"{where}: {shown(path)} is there twice, as {' and '.join(map(shown, names))}; remove one")
        return path.with_name(names[0])

    def _named(self, path: Path) -> list[str]:
        """Return the names in the folder of `path` that differ from its name by case at most."""
        folder = path.parent
        if folder not in self.listings:
            listing: dict[str, list[str]] = {}
            for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
                listing.setdefault(entry.name.lower(), []).append(entry.name)
            self.listings[folder] = listing
        return self.listings[folder].get(path.name.lower(), [])


def checked(scored: ScoredSet, places: Sequence[str], expected: int | None = None, partial: bool = False) -> ScoredSet:
    """Check a loaded set as a whole and return it.

    Args:
        scored: the set.
        places: where each image is listed, for the messages.
        expected: how many images the complete database has.
        partial: accept fewer.

    Raises:
        DataError: if the set is empty or incomplete, lists an image twice, has a class with one image, or an image
            is unreadable or of another size than its reference.
    """
    if not scored.images:
        raise DataError(f"{scored.name} in {shown(scored.root)} has no images")
    _check_doubles(scored.images, places)
    if expected is not None and len(scored) != expected and not (partial and len(scored) < expected):
        raise DataError(
            f"{scored.name} in {shown(scored.root)} has {len(scored)} scored images, the complete database has "
            f"{expected}; set data.partial: true to use a part"
        )
    for distortion, count in Counter(record.distortion for record in scored.images).items():
        if count < 2:
            whose = f"the class {distortion!r} of {scored.name}" if distortion else scored.name
            raise DataError(f"{whose} has one image only; it needs at least two")
    check_sizes(scored, dict(in_threads(image_size, scored.files, 8)))  # of every file the header alone
    return scored


def _check_doubles(images: Iterable[ScoredImage], places: Sequence[str]) -> None:
    first: dict[Path, str] = {}
    for record, place in zip(images, places, strict=True):
        if record.image in first:
            raise DataError(f"{place}: {shown(record.image)} is listed twice (first in {first[record.image]})")
        first[record.image] = place


def check_sizes(scored: ScoredSet, sizes: Mapping[Path, tuple[int, int]]) -> None:
    """Raise DataError if an image's (height, width) is not that of its reference."""
    for record in scored.images:
        if record.reference is not None and sizes[record.image] != sizes[record.reference]:
            (height, width), (reference_height, reference_width) = sizes[record.image], sizes[record.reference]
            raise DataError(
                f"{shown(record.image)} has {height} x {width} pixels (height x width) but its reference "
                f"{shown(record.reference)} has {reference_height} x {reference_width}"
            )

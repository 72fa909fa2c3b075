"""What packed images show: their perceptual hashes, computed once and kept beside them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gada.data.cache import PackedImages
from gada.data.perceptual_hash import PerceptualHash, alike, lookalikes, perceptual_hash
from gada.data.records import ScoredSet
from gada.errors import DataError
from gada.io.files import write_json
from gada.io.progress import with_progress

VERSION = 1  # another whenever `perceptual_hash` gives other hashes


def set_hashes(images: ScoredSet, packed: PackedImages) -> dict[str, PerceptualHash]:
    """Return the perceptual hash of each reference by its id; without references of each image, by its name.

    There may be thousands of images, of which no landmarks are looked for: crops of each other are not found.
    """
    if images.has_references:
        paths = {record.reference_id: record.reference for record in images.images if record.reference}
    else:
        paths = {images.name_of(record): record.image for record in images.images}
    hashes = scene_hashes(packed, list(paths.values()), landmarks=images.has_references)
    return {name: hashes[path] for name, path in paths.items()}


def scenes_of(images: ScoredSet, hashes: Mapping[str, PerceptualHash]) -> dict[str, str]:
    """Return the scene of each reference id of a set without references: the first id that it looks like.

    Ids are of one scene if images of them look alike, directly or through others.
    """
    names = [images.name_of(record) for record in images.images]
    ids = list(images.reference_ids)
    places = np.searchsorted(ids, [record.reference_id for record in images.images])
    lows = np.array([hashes[name].low for name in names], dtype=np.uint64)
    near = [(at, at + other) for at in range(len(lows)) for other in np.flatnonzero(alike(lows[at:], lows[at]))]
    first, second = places[np.array(near, dtype=np.int64).reshape(-1, 2)].T
    links = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(len(ids), len(ids)))
    _, labels = connected_components(links, directed=False)
    named: dict[int, str] = {}
    for name, label in zip(ids, labels.tolist(), strict=True):
        named.setdefault(label, name)
    return {name: named[label] for name, label in zip(ids, labels.tolist(), strict=True)}


def on_two_sides(
    sides: Mapping[str, Mapping[str, PerceptualHash]], crops: bool = True
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield two sides of a split that show one scene: their names, and each such image of the second with its twin."""
    for first, second in combinations(sides, 2):
        if shared := lookalikes(sides[second], sides[first], crops):
            yield first, second, shared


def scene_hashes(packed: PackedImages, paths: Sequence[Path], landmarks: bool = True) -> dict[Path, PerceptualHash]:
    """Return the perceptual hash of each of some packed images.

    With landmarks one takes some 40 ms. They are kept in a file beside the packed images, which is only a cache: it is
    made anew if it is damaged or of another version, and done without if it cannot be written.
    """
    file = packed.file.with_suffix(".hashes.json" if landmarks else ".lows.json")
    head = {"version": VERSION, "fingerprint": packed.fingerprint}
    known = _read(file, head)
    places = {path: str(number) for number, path in enumerate(packed.entries)}
    if missing := [path for path in paths if places[path] not in known]:
        shown = with_progress(missing, "Comparing scenes")
        known |= {places[path]: perceptual_hash(packed.array(path), landmarks) for path in shown}
        with suppress(DataError):
            write_json(file, {**head, "hashes": {place: one.text() for place, one in known.items()}})
    return {path: known[places[path]] for path in paths}


def _read(file: Path, head: Mapping[str, object]) -> dict[str, PerceptualHash]:
    """Return the hashes of a file, by the numbers of the images; none if it is not whole or not for these images."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if any(content[name] != value for name, value in head.items()):
            return {}
        return {place: PerceptualHash.read(text) for place, text in content["hashes"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}

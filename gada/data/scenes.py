"""What packed images show: their perceptual hashes, computed once and kept beside them."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from gada.data.cache import PackedImages
from gada.data.perceptual_hash import PerceptualHash, perceptual_hash
from gada.errors import DataError
from gada.io.files import write_json
from gada.io.progress import with_progress

VERSION = 1  # another whenever `perceptual_hash` gives other hashes


def scene_hashes(packed: PackedImages, paths: Sequence[Path]) -> dict[Path, PerceptualHash]:
    """Return the perceptual hash of each of some packed images.

    One takes some 40 ms. They are kept in a file beside the packed images, which is only a cache: it is made anew if it
    is damaged or of another version, and done without if it cannot be written.
    """
    file = packed.file.with_suffix(".hashes.json")
    head = {"version": VERSION, "fingerprint": packed.fingerprint}
    known = _read(file, head)
    places = {path: str(number) for number, path in enumerate(packed.entries)}
    if missing := [path for path in paths if places[path] not in known]:
        known |= {
            places[path]: perceptual_hash(packed.array(path)) for path in with_progress(missing, "Comparing scenes")
        }
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

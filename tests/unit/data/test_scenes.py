"""Perceptual hashes are computed once for each packed image."""

import json
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image

from gada.data import scenes
from gada.data.cache import PackedImages
from gada.data.perceptual_hash import PerceptualHash, perceptual_hash
from gada.data.scenes import scene_hashes


@pytest.fixture
def packed(tmp_path: Path) -> PackedImages:
    draw = np.random.default_rng(0)
    for number in range(3):
        blobs = draw.integers(0, 256, (9, 12, 3), dtype=np.uint8)
        Image.fromarray(blobs).resize((160, 120)).save(tmp_path / f"{number}.png")
    return PackedImages.open(sorted(tmp_path.glob("*.png")), tmp_path, tmp_path / "cache")


def computed(packed: PackedImages, paths: list[Path]) -> tuple[dict[Path, PerceptualHash], int]:
    """Return the hashes and how many were computed for them."""
    with patch.object(scenes, "perceptual_hash", wraps=perceptual_hash) as called:
        return scene_hashes(packed, paths), called.call_count


def test_a_hash_is_computed_once(packed: PackedImages) -> None:
    paths = list(packed.entries)
    expected = {path: perceptual_hash(packed.array(path)) for path in paths}
    assert computed(packed, paths[1:]) == ({path: expected[path] for path in paths[1:]}, 2)
    assert computed(packed, paths) == (expected, 1)
    assert computed(packed, paths) == (expected, 0)
    assert len(set(expected.values())) == 3


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"version": 0, "fingerprint": "", "hashes": {}}'])
def test_a_damaged_file_is_made_anew(packed: PackedImages, damage: str) -> None:
    paths = list(packed.entries)
    before, _ = computed(packed, paths)
    file = packed.file.with_suffix(".hashes.json")
    file.write_text(damage)
    assert computed(packed, paths) == (before, 3)
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "hashes": {"0": "no hash"}}))
    assert computed(packed, paths) == (before, 3)


def test_hashes_that_cannot_be_kept_are_still_given(packed: PackedImages) -> None:
    packed.file.with_suffix(".hashes.json").mkdir()
    assert computed(packed, list(packed.entries))[1] == 3

"""Noise seeds and the proxy score."""

from pathlib import Path

import numpy as np
from PIL import Image

from gada.data.proxy import noise_seed, proxy_dmos
from gada.distortions import distort

PHOTOS = Path(__file__).parents[3] / "data" / "photos"


def test_noise_seeds_differ_and_stay() -> None:
    names = [
        (seed, reference, distortion, level)
        for seed in (0, 1)
        for reference in ("a", "b")
        for distortion in ("wn", "jpeg")
        for level in (1, 2, 2.5)
    ]
    seeds = {noise_seed(*name) for name in names}
    assert len(seeds) == len(names)
    assert noise_seed(0, "a", "wn", 1) == noise_seed(0, "a", "wn", 1.0)
    # Frozen: BLAKE2b of '[0, "I01", "01", 1.0]'. Another value would make every published set another set.
    assert noise_seed(0, "I01", "01", 1) == 17613603361606430959


def test_the_proxy_is_0_for_the_reference_and_grows_with_distortion() -> None:
    with Image.open(PHOTOS / "china.png") as image:
        reference = np.asarray(image.convert("RGB"))[:176, :208].copy()
    assert proxy_dmos(reference, reference) == 0
    for family in ("live/gblur", "live/jp2k", "live/wn"):
        scores = [proxy_dmos(distort(reference, family, level, 1), reference) for level in (1, 3, 5)]
        assert scores == sorted(scores)
        assert 0 < scores[0] < scores[-1] <= 100
    assert 0 <= proxy_dmos(255 - reference, reference) <= 100

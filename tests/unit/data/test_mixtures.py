"""The training sets of IQA-LS: fractions, what is drawn anew, and which version comes with which quality."""

import numpy as np
import pytest

from gada.data.mixtures import ALL_THREE, STRATEGIES, Mixture, Version
from gada.errors import ConfigError

FRACTIONS = (0.6, 0.15, 0.15, 0.1)
N = 200


def versions(families: tuple[str, ...]) -> list[Version]:
    """Every pixel of a version is its number, and so is its quality, in hundredths."""
    kinds = [("", 0), *((family, level) for family in families for level in (1, 2, 3))]
    return [
        Version(family, level, np.full((N, 2, 2, 3), number, np.uint8), np.full(N, number / 100, np.float32), made)
        for number, (family, level) in enumerate(kinds)
        for made in [family not in ("", *ALL_THREE)]
    ]


def mixture(families: tuple[str, ...], seed: int = 0) -> Mixture:
    return Mixture(versions(families), np.arange(N) % 10, FRACTIONS, seed, batch_size=64)


def test_each_epoch_shows_each_image_once_in_the_printed_fractions() -> None:
    mix = mixture(ALL_THREE)
    for epoch in range(3):
        order, chosen = mix.draw(epoch)
        assert sorted(order) == list(range(N))
        levels = np.array([version.level for version in mix.versions])[chosen]
        assert np.bincount(levels).tolist() == [120, 30, 30, 20]


def test_an_epoch_is_drawn_anew_and_can_be_drawn_again() -> None:
    mix = mixture(ALL_THREE)
    assert not np.array_equal(mix.draw(0)[0], mix.draw(1)[0])
    assert not np.array_equal(mix.draw(0)[1], mix.draw(1)[1])
    assert np.array_equal(mix.draw(1)[1], mixture(ALL_THREE).draw(1)[1])
    assert not np.array_equal(mix.draw(0)[0], mixture(ALL_THREE, seed=1).draw(0)[0])


def test_all_families_of_a_mix_occur() -> None:
    mix = mixture(ALL_THREE)
    chosen = np.concatenate([mix.draw(epoch)[1] for epoch in range(20)])
    counts = np.bincount(chosen, minlength=10)[1:].reshape(3, 3).sum(axis=1)
    assert counts.min() > 0.8 * counts.mean()


def test_real_and_generated_distortions_are_equally_likely() -> None:
    mix = mixture((*ALL_THREE, *"abcde"))
    chosen = np.concatenate([mix.draw(epoch)[1] for epoch in range(40)])
    real = ((chosen > 0) & (chosen < 10)).sum() / (chosen > 0).sum()
    assert 0.45 < real < 0.55


def test_pristine_alone() -> None:
    order, chosen = mixture(()).draw(0)
    assert sorted(order) == list(range(N))
    assert not chosen.any()


def test_pixels_labels_and_quality_belong_together() -> None:
    mix = mixture(ALL_THREE)
    seen = [mix[step] for step in range(4, 8)]
    assert [len(batch.labels) for batch in seen] == [64, 64, 64, 8]
    order = mix.draw(1)[0]
    assert np.concatenate([batch.labels for batch in seen]).tolist() == (order % 10).tolist()
    for batch in seen:
        assert np.allclose(batch.pixels[:, 0, 0, 0] / 100, batch.quality)


def test_too_many_levels_are_refused() -> None:
    with pytest.raises(ConfigError, match="5 levels"):
        Mixture(versions(ALL_THREE), np.arange(N), (0.6, 0.1, 0.1, 0.1, 0.1), 0)


def test_the_nine_strategies_alternate_hard_labels_and_iqa_ls() -> None:
    assert [STRATEGIES[str(n)].labels for n in range(1, 10)] == ["hard"] + ["hard", "iqa-ls"] * 4
    assert [len(STRATEGIES[str(n)].families) for n in range(1, 10)] == [0, 1, 1, 1, 1, 1, 1, 3, 3]
    assert all(STRATEGIES[name].generated for name in ("10", "11", "12"))

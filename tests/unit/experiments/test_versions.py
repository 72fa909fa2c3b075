"""What the labels of a strategy are made from: SSIM, PSNR, the known level, the generator's files."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toys import coloured

from gada.data.labelled import LabelledImages
from gada.data.mixtures import STRATEGIES
from gada.distortions import distort
from gada.errors import DataError
from gada.experiments.iqa_ls.images import load_images
from gada.experiments.iqa_ls.versions import Versions, mollification
from gada.metrics.ssim import ssim
from gada.settings import ClassifierSettings, ClassifyDataSettings

N = 6
PIXELS = np.stack([coloured(label % 3, label)[:32, :32] for label in range(N)])
IMAGES = LabelledImages("toys", tuple(map(str, range(N))), np.arange(N) % 3, 3, array=PIXELS)


def test_versions_carry_the_ssim_of_their_images() -> None:
    versions = Versions(IMAGES, 32, ClassifierSettings()).of(STRATEGIES["3"])
    assert [(one.family, one.level) for one in versions] == [("", 0), *(("iqa-ls/blur", n) for n in (1, 2, 3))]
    assert versions[0].quality.tolist() == pytest.approx([1.0] * N)
    expected = [ssim(a, b) for a, b in zip(distort(PIXELS, "iqa-ls/blur", 3), PIXELS, strict=True)]
    assert versions[3].quality == pytest.approx(expected, rel=1e-6)


def test_hard_labels_are_sure_of_every_version() -> None:
    assert all(
        one.quality.tolist() == [1.0] * N for one in Versions(IMAGES, 32, ClassifierSettings()).of(STRATEGIES["8"])
    )


def test_plain_smoothing_leaves_the_same_to_every_version() -> None:
    versions = Versions(IMAGES, 32, ClassifierSettings(smoothing=0.3)).of(STRATEGIES["smoothing"])
    assert {round(float(value), 6) for one in versions for value in one.quality} == {0.8}  # 0.7 + 0.3 / 3


def test_smoothing_by_the_known_level() -> None:
    """Formulas of the authors' code: 1 / (1 + SNR) for noise; for blur the place of sigma on a logarithmic scale."""
    assert mollification("iqa-ls/noise", 1) == pytest.approx(0.005 / (0.005 + 0.25**2))
    assert mollification("iqa-ls/blur", 2) == pytest.approx(np.log(1 / 0.3) / np.log(32 / 0.3))
    assert mollification("", 0) == 0
    for family in ("iqa-ls/noise", "iqa-ls/blur", "iqa-ls/jpeg"):
        fractions = [mollification(family, level) for level in (1, 2, 3)]
        assert 0 < fractions[0] < fractions[1] < fractions[2] < 1


@pytest.mark.parametrize("names", [("1", "2", "3"), ("n01440764", "n02102040", "n02979186"), ("a", "b", "c")])
def test_both_parts_have_the_classes_of_train(names: tuple[str, ...], tmp_path: Path) -> None:
    data = ClassifyDataSettings(tmp_path, "folders")
    for part, chosen in (("train", names), ("test", names[::2])):
        for name in chosen:
            (tmp_path / part / name).mkdir(parents=True)
            Image.fromarray(coloured(0, 0)).save(tmp_path / part / name / "0.png")
    train, test = load_images(data, "train"), load_images(data, "test")
    assert train.class_names == test.class_names == names
    assert (train.labels.tolist(), train.classes) == ([0, 1, 2], 3)
    assert (test.labels.tolist(), test.classes) == ([0, 2], 3)
    (tmp_path / "train" / names[2] / "0.png").unlink()
    with pytest.raises(DataError, match=f"test has the class '{names[2]}', which .*train lacks"):
        load_images(data, "test")

"""Settings are complete when constructed, and a preset holds where nothing else is said."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from gada.__main__ import main
from gada.errors import ConfigError
from gada.runs.identity import flat
from gada.settings import (
    STAGES,
    LossSettings,
    MetrifierSettings,
    ModelSettings,
    Settings,
    TrainingSettings,
    as_plain,
    changed,
    from_plain,
    preset_settings,
)
from gada.settings.names import DROPPED, RENAMED

NONE_IS_A_VALUE = {"generator_batch", "unlabelled", "distorted"}  # all crops; no folder


def printed(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """What `gada fit --print_config` prints."""
    assert main(["fit", *options, "--print_config"]) == 0
    return dict(yaml.safe_load(capsys.readouterr().out))


def test_no_setting_of_a_training_waits_for_a_preset() -> None:
    for group in (ModelSettings(), LossSettings(), TrainingSettings()):
        unset = {field.name for field in fields(group) if getattr(group, field.name) is None}
        assert unset <= NONE_IS_A_VALUE


def test_the_defaults_are_the_preset_gada() -> None:
    assert preset_settings("gada") == Settings()


def test_the_preset_paper_is_that_of_the_text() -> None:
    """Each value with the sentence of the paper that it stands for; docs/paper.md has the others."""
    paper = preset_settings("paper")
    model, loss, training = paper.model, paper.loss, paper.training
    assert model.widths == (64, 128, 128), "one with 64 feature maps, and two with 128"
    assert (model.maps, model.hidden) == (1024, 128), "1024 feature maps; the first layer has 128 units"
    assert model.planes, "it takes as input a reference image, a distortion class, and a target image quality"
    assert not any((model.detail, model.pyramid, model.pixel_noise, model.modulation)), "nothing that is not there"
    assert (model.pooling, model.normalization, model.strides) == ("mean", "none", (2, 2, 2))
    assert loss.adversarial == "logistic", "equation 1"
    assert (loss.heads_on_generated, loss.source_trains_trunk) == (True, True), "equations 1 and 2: X_real and X_fake"
    assert (loss.source_weight, loss.class_weight, loss.generator_class_weight, loss.quality_weight) == (1, 1, 1, 1)
    assert (loss.feature_weight, loss.reconstruction_weight) == (0, 200)
    assert training.batch_size == 64, "a batch size of 64"
    assert training.crop_size == 128, "patches of 128 x 128 pixels"
    assert not training.jpeg_grid, "we randomly crop each image"
    assert not training.flip
    assert training.generator_batch is None
    assert training.precision == "float32"
    assert training.betas == (0.9, 0.999), "Adam"
    assert (training.trunk_lr, training.head_lr, training.generator_lr) == (1e-4, 5e-4, 5e-4)
    assert [training.lr_factor(stage) for stage in STAGES] == [1, 1, 0.1, 0.1], "we divide the learning rate by 10"
    assert not training.anneal
    assert (training.target_quality, training.generated_fraction) == ("uniform", 0.5)
    assert paper.evaluation.crops == 30, "30 patches from each test image"
    assert paper.split == Settings().split, "20 % for testing"


@pytest.mark.parametrize("name", ["live", "tid2013", "table-1"])
def test_a_config_that_carries_a_table_of_the_paper_is_true_to_the_text(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, text = flat(printed(capsys, "--config", f"configs/{name}.yaml")), flat(as_plain(preset_settings("paper")))
    own = {"data.root", "data.format", "split.validation", "training.validate_every"}
    own |= {f"training.phase{number}_steps" for number in (1, 2, 3)}
    if name == "table-1":
        own |= {"training.crop_size", "model.widths", "model.strides", "model.decoder_widths"}
    assert {key for key, value in text.items() if found[key] != value} == own
    assert found["split.validation"] == 0, "80 % used for training and 20 % used for testing"


@pytest.mark.parametrize(
    ("options", "config", "pooling", "lr"),
    [
        ([], {}, "moments", 2e-3),
        (["--preset", "paper"], {}, "mean", 1e-4),
        (["--preset=paper"], {}, "mean", 1e-4),
        ([], {"preset": "paper"}, "mean", 1e-4),
        (["--preset", "paper"], {"preset": "gada"}, "mean", 1e-4),
        (["--preset", "gada"], {"preset": "paper"}, "moments", 2e-3),
        (["--preset", "paper"], {"training": {"trunk_lr": 0.5}}, "mean", 0.5),
        (["--preset", "paper", "--model.pooling", "moments"], {}, "moments", 1e-4),
    ],
)
def test_a_preset_is_read_before_config_and_options(
    options: list[str],
    config: dict[str, Any],
    pooling: str,
    lr: float,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    found = printed(capsys, *(["--config", str(tmp_path / "config.yaml")] if config else []), *options)
    assert found["model"]["pooling"] == pooling
    assert found["training"]["trunk_lr"] == lr
    assert set(found["loss"]) == {field.name for field in fields(LossSettings)}, "whole settings are shown"


def test_settings_are_changed_by_dotted_keys() -> None:
    now = changed(Settings(), {"training.unlabelled": "photos", "model.widths": [1, 2, 3], "preset": "paper"})
    assert now.training.unlabelled == Path("photos")
    assert now.model.widths == (1, 2, 3)
    assert now.preset == "paper"
    assert now.model.pooling == "mean"
    assert changed(now, {}) == now
    assert changed(now, {"model.pooling": "moments", "preset": "paper"}).model.pooling == "moments"
    with pytest.raises(ConfigError, match="known here are"):
        changed(Settings(), {"training.croop": 1})


@pytest.mark.parametrize("whole", [Settings(), preset_settings("paper"), MetrifierSettings()])
def test_settings_survive_their_file(whole: Settings | MetrifierSettings) -> None:
    assert from_plain(type(whole), yaml.safe_load(yaml.safe_dump(as_plain(whole)))) == whole


def sentence_of(name: str) -> str:
    """What is said of a setting that the previous version had."""
    return f"{name} is called {RENAMED[name]} now." if name in RENAMED else f"{name} is gone, it is always"


@pytest.mark.parametrize("name", [*RENAMED, *DROPPED])
def test_an_option_of_the_previous_version_is_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for options in ([f"--{name}", "1"], [f"--{name}=1"]):
        assert main(["fit", *options]) == 2
        assert capsys.readouterr().err.startswith(f"gada: {sentence_of(name)}")


@pytest.mark.parametrize("name", ["training.trunk_rate", "split.ceiling", "loss.quality"])
def test_a_key_of_the_previous_version_is_explained(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    group, key = name.split(".")
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({group: {key: 1}}))
    for options in (["--config", str(config)], [f"--{group}", f'{{"{key}": 1}}']):
        assert main(["fit", *options]) == 2
        assert capsys.readouterr().err.startswith(f"gada: {sentence_of(name)}")
    words = sentence_of(name).replace(".", r"\.")
    with pytest.raises(ConfigError, match=words):
        from_plain(Settings, {group: {key: 1}})
    with pytest.raises(ConfigError, match=words):
        changed(Settings(), {name: 1})

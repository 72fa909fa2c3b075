"""Training of a classifier: what is decayed, when the rate falls, that it learns, and that it can be interrupted."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from toys import coloured

from gada.data.mixtures import Mixture, Version
from gada.errors import ConfigError, DivergedError
from gada.io.checkpoints import load_checkpoint
from gada.models.classifier import Classifier, build_classifier, load_classifier
from gada.settings import ClassifierSettings
from gada.training.classifier import ClassifierTraining, parameter_groups, predict, train_classifier

N = 60
LABELS = np.arange(N) % 3
CARD = {"network": f"{__name__}:small", "classes": ["blue", "green", "red"], "size": 32, "settings": {"a": 1}}
SETTINGS = ClassifierSettings(
    network=f"{__name__}:small", inputs="centred", epochs=20, batch_size=10, rate=0.5, decay_every=15
)


def small(classes: int) -> nn.Module:
    return nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(48, 16), nn.ReLU(), nn.Linear(16, classes))


def mixture() -> Mixture:
    pixels = np.stack([coloured(int(label), seed)[:32, :32] for seed, label in enumerate(LABELS)])
    return Mixture([Version("", 0, pixels, np.ones(N, np.float32))], LABELS, (0.6, 0.15, 0.15, 0.1), seed=0)


def train(folder: Path, settings: ClassifierSettings = SETTINGS) -> Path:
    return train_classifier(mixture(), 3, settings, folder, CARD, say=lambda _: None)


def test_the_schedule_is_the_paper_s() -> None:
    settings = ClassifierSettings()
    assert [settings.rate_at(epoch) for epoch in (0, 349, 350, 700, 1999)] == pytest.approx(
        [0.1, 0.1, 0.01, 1e-3, 1e-6]
    )


def test_a_shorter_schedule_keeps_its_shape() -> None:
    settings = ClassifierSettings(epochs=60)
    assert [settings.rate_at(epoch) for epoch in (0, 9, 10, 20, 59)] == pytest.approx([0.1, 0.1, 0.01, 1e-3, 1e-6])


def test_only_fully_connected_weights_but_the_last_are_decayed() -> None:
    classifier = build_classifier("table1", 10)
    decayed, others = parameter_groups(classifier, 0.004)
    names = {id(parameter): name for name, parameter in classifier.named_parameters()}
    assert [names[id(one)] for one in decayed["params"]] == ["network.fc1.weight", "network.fc2.weight"]
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.004, 0.0)
    assert len(decayed["params"]) + len(others["params"]) == len(names)


def test_decay_is_that_of_an_l2_loss() -> None:
    """The gradient of 0.004 sum(w^2) / 2, TensorFlow's L2Loss, is 0.004 w."""
    classifier = build_classifier("table1", 10)
    training = ClassifierTraining(classifier, ClassifierSettings(rate=1.0), "identity", "cpu")
    network = classifier.network
    before = network.fc2.weight.detach().clone()  # type: ignore[union-attr, operator]
    for parameter in classifier.parameters():
        parameter.grad = torch.zeros_like(parameter)
    training.optimizer.step()
    assert torch.allclose(network.fc2.weight, before * (1 - 0.004))  # type: ignore[union-attr, arg-type]


def test_it_learns(tmp_path: Path) -> None:
    classifier, card = load_classifier(train(tmp_path), SETTINGS.network)
    pixels = np.stack([coloured(int(label), 1000 + seed)[:32, :32] for seed, label in enumerate(LABELS)])
    assert (predict(classifier, pixels).argmax(axis=1) == LABELS).mean() > 0.8
    assert card["train_seconds"] > 0
    assert (tmp_path / "metrics.csv").read_text().startswith("epoch,rate,loss,accuracy,seconds\n1,0.5,")


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_the_network_of_table_1_takes_a_step(precision: str) -> None:
    settings = ClassifierSettings(precision=precision, batch_size=6)  # type: ignore[arg-type]
    training = ClassifierTraining(build_classifier("table1", 3), settings, "identity", "cpu")
    batch = next(mixture().batches(0, 6))
    losses = [float(training.step(batch)[0]) for _ in range(6)]
    assert losses[-1] < losses[0]


def test_an_interrupted_training_ends_as_a_whole_one(tmp_path: Path) -> None:
    whole, _ = load_checkpoint(train(tmp_path / "whole"), "classifier")

    class StopError(Exception):
        pass

    def interrupt(line: str) -> None:
        if "epoch 3" in line:
            raise StopError

    with pytest.raises(StopError):
        train_classifier(mixture(), 3, SETTINGS, tmp_path / "part", CARD, say=interrupt)
    assert not (tmp_path / "part/classifier.safetensors").exists()
    again, _ = load_checkpoint(train(tmp_path / "part"), "classifier")
    assert all(np.array_equal(whole[name], again[name]) for name in whole)
    assert len((tmp_path / "part/metrics.csv").read_text().splitlines()) == 21


def test_another_training_in_the_folder_is_refused(tmp_path: Path) -> None:
    train(tmp_path)
    with pytest.raises(ConfigError, match=r"holds a training with training\.a=1, not 2; choose another --run"):
        train_classifier(mixture(), 3, SETTINGS, tmp_path, {**CARD, "settings": {"a": 2}}, say=lambda _: None)


def test_a_training_that_diverges_says_so(tmp_path: Path) -> None:
    settings = ClassifierSettings(network=SETTINGS.network, epochs=3, rate=1e38, loss="cross-entropy")
    with pytest.raises(DivergedError, match=r"--training\.rate"):
        train(tmp_path, settings)


def test_a_checkpoint_is_a_plain_file(tmp_path: Path) -> None:
    _, card = load_checkpoint(train(tmp_path), "classifier")
    assert json.loads(json.dumps(card))["classes"] == ["blue", "green", "red"]
    assert isinstance(build_classifier(SETTINGS.network, 3), Classifier)


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"epochs": 0}, "epochs"),
        ({"shares": (0.6, 0.6)}, "shares"),
        ({"asked": (0.5,)}, "asked"),
        ({"smoothing": 1.0}, "smoothing"),
        ({"decay_every": 0}, "decay_every"),
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"training\.{key}"):
        ClassifierSettings(**wrong)  # type: ignore[arg-type]

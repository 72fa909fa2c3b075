"""Training of a classifier: what is decayed, when the learning rate falls, that it learns, and that it resumes."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from toys import coloured

from gada.data.mixtures import LabelledBatch, Mixture, Version
from gada.errors import ConfigError, DivergedError
from gada.io.checkpoints import load_checkpoint
from gada.models.classifier import ClassifierNetwork, build_classifier, load_network
from gada.settings import ClassifierSettings
from gada.training.classifier import ClassifierTraining, MovingAverage, as_images, parameter_groups, train_classifier

N = 60
LABELS = np.arange(N) % 3
CARD = {"network": f"{__name__}:small", "classes": ["blue", "green", "red"], "size": 32, "settings": {"a": 1}}
SETTINGS = ClassifierSettings(
    network=f"{__name__}:small", inputs="centred", epochs=20, batch_size=10, lr=0.5, decay_fraction=0.75
)


def small(classes: int) -> nn.Module:
    return nn.Sequential(nn.AvgPool2d(8), nn.Flatten(), nn.Linear(48, 16), nn.ReLU(), nn.Linear(16, classes))


def mixture(batch_size: int = 10) -> Mixture:
    pixels = np.stack([coloured(int(label), seed)[:32, :32] for seed, label in enumerate(LABELS)])
    return Mixture([Version("", 0, pixels, np.ones(N, np.float32))], LABELS, (0.6, 0.15, 0.15, 0.1), 0, batch_size)


def train(folder: Path, settings: ClassifierSettings = SETTINGS) -> Path:
    return train_classifier(mixture(), 3, settings, folder, CARD)


def test_the_schedule_is_the_paper_s() -> None:
    settings = ClassifierSettings()
    assert [settings.lr * settings.decay(epoch) for epoch in (0, 349, 350, 700, 1999)] == pytest.approx(
        [0.1, 0.1, 0.01, 1e-3, 1e-6]
    )


def test_a_shorter_schedule_keeps_its_shape() -> None:
    settings = ClassifierSettings(epochs=60)
    assert [settings.lr * settings.decay(epoch) for epoch in (0, 9, 10, 20, 59)] == pytest.approx(
        [0.1, 0.1, 0.01, 1e-3, 1e-6]
    )


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
    (optimizer,), _ = ClassifierTraining(classifier, ClassifierSettings(lr=1.0)).configure_optimizers()
    network = classifier.network
    before = network.fc2.weight.detach().clone()  # type: ignore[union-attr, operator]
    for parameter in classifier.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert torch.allclose(network.fc2.weight, before * (1 - 0.004))  # type: ignore[union-attr, arg-type]


def test_it_learns(tmp_path: Path) -> None:
    classifier, card = load_network(train(tmp_path), SETTINGS.network)
    pixels = np.stack([coloured(int(label), 1000 + seed)[:32, :32] for seed, label in enumerate(LABELS)])
    predicted = classifier(as_images(torch.from_numpy(pixels))).argmax(dim=1).numpy()
    assert (predicted == LABELS).mean() > 0.8
    assert card["train_seconds"] > 0
    with (tmp_path / "metrics.csv").open() as file:
        metrics = list(csv.DictReader(file))
    assert [float(row["step"]) for row in metrics] == [6 * epoch for epoch in range(1, 21)]
    assert [float(row["lr"]) for row in metrics] == pytest.approx([0.5] * 15 + [0.05] * 5)
    assert float(metrics[-1]["loss"]) < float(metrics[0]["loss"])
    assert 0.8 < float(metrics[-1]["accuracy"]) <= 1


def test_the_norm_of_the_gradient_is_that_of_a_step_by_the_learning_rate(tmp_path: Path) -> None:
    one = replace(SETTINGS, epochs=1, batch_size=N, weight_decay=0.0)
    path = train_classifier(mixture(N), 3, one, tmp_path, CARD)
    torch.manual_seed(0)
    before = build_classifier(one.network, 3, one.inputs)
    after, _ = load_network(path, one.network)
    with (tmp_path / "metrics.csv").open() as file:
        (row,) = csv.DictReader(file)
    moved = [new - old for new, old in zip(after.parameters(), before.parameters(), strict=True)]
    norm = torch.cat([one.flatten() for one in moved]).norm().item() / one.lr
    assert float(row["grad_norm_classifier"]) == pytest.approx(norm, rel=1e-4)


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_the_network_of_table_1_learns(precision: str, tmp_path: Path) -> None:
    settings = ClassifierSettings(precision=precision, epochs=2)  # type: ignore[arg-type]
    train_classifier(mixture(), 3, settings, tmp_path, {**CARD, "network": "table1"})
    with (tmp_path / "metrics.csv").open() as file:
        first, last = (float(row["loss"]) for row in csv.DictReader(file))
    assert last < first


def dropping(classes: int) -> nn.Module:
    """A network that draws: a resumed training has to draw the same."""
    return nn.Sequential(nn.Dropout(0.3), small(classes))


CYCLE = {"schedule": "one-cycle", "momentum": 0.9, "average": 0.999, "lr": 0.2}


@pytest.mark.parametrize(("step", "changed"), [(17, {}), (18, {}), (20, {}), (18, CYCLE), (20, CYCLE)])  # of 6 an epoch
def test_an_interrupted_training_ends_as_a_whole_one(
    step: int, changed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, network=f"{__name__}:dropping", **changed)
    whole, _ = load_checkpoint(train(tmp_path / "whole", settings), "classifier")
    part, trained = tmp_path / "part", ClassifierTraining.training_step

    class StopError(Exception):
        pass

    def interrupted(self: ClassifierTraining, batch: LabelledBatch, batch_idx: int) -> Tensor:
        if self.global_step == step:
            raise StopError
        return trained(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(ClassifierTraining, "training_step", interrupted)
        with pytest.raises(StopError):
            train(part, settings)
    assert not (part / "classifier.safetensors").exists()
    again, _ = load_checkpoint(train(part, settings), "classifier")
    assert all(np.array_equal(whole[name], again[name]) for name in whole)
    assert (part / "metrics.csv").read_text() == (tmp_path / "whole/metrics.csv").read_text()


def test_one_cycle_rises_and_falls_to_nothing(tmp_path: Path) -> None:
    train(tmp_path, replace(SETTINGS, epochs=10, schedule="one-cycle"))
    with (tmp_path / "metrics.csv").open() as file:
        rates = [float(row["lr"]) for row in csv.DictReader(file)]
    assert rates[0] == pytest.approx(0.5 / 25)
    assert max(rates) == pytest.approx(0.5, rel=0.01)  # after 30 % of the steps, which is not an epoch's start
    assert rates == sorted(rates[:4]) + sorted(rates[4:], reverse=True)


def test_the_average_is_that_of_tensorflow() -> None:
    """ExponentialMovingAverage with num_updates: weights w_n at steps n = 1, 2, 3, the first taken as it is."""
    mean = MovingAverage(0.25)._kwargs["avg_fn"]
    averaged = torch.tensor([1.0])
    for n, now in ((1, 2.0), (20, 4.0)):
        averaged = mean(averaged, torch.tensor([now]), torch.tensor(n))
    first = 1 + (1 - 2 / 11)  # decay (1 + 1) / (10 + 1), which is less than 0.25
    assert averaged.item() == pytest.approx(0.25 * first + 0.75 * 4)


@pytest.mark.parametrize("changed", [{}, CYCLE])
def test_a_training_killed_before_its_last_file_is_written_ends_at_once(
    changed: dict[str, Any], tmp_path: Path
) -> None:
    settings = replace(SETTINGS, **changed)
    path = train(tmp_path, settings)
    whole, _ = load_checkpoint(path, "classifier")
    path.unlink()
    again, card = load_checkpoint(train(tmp_path, settings), "classifier")
    assert all(np.array_equal(whole[name], again[name]) for name in whole)
    assert card["train_seconds"] > 0
    assert len((tmp_path / "metrics.csv").read_text().splitlines()) == 21


def test_weights_that_overflow_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def overflow(self: ClassifierTraining) -> None:
        with torch.no_grad():
            next(self.parameters()).fill_(torch.inf)

    monkeypatch.setattr(ClassifierTraining, "on_train_epoch_end", overflow)
    with pytest.raises(DivergedError, match=r"not finite; give a lower --training\.lr"):
        train(tmp_path)
    assert not list(tmp_path.glob("*.ckpt"))


def test_an_older_version_s_unfinished_training_is_refused(tmp_path: Path) -> None:
    (tmp_path / "last.safetensors").write_bytes(b"")
    with pytest.raises(ConfigError, match="an older version has started; delete it"):
        train(tmp_path)


def test_another_training_in_the_folder_is_refused(tmp_path: Path) -> None:
    train(tmp_path)
    with pytest.raises(ConfigError, match=r"holds a training with training\.a=1, not 2; choose another --run"):
        train_classifier(mixture(), 3, SETTINGS, tmp_path, {**CARD, "settings": {"a": 2}})


def test_a_training_that_diverges_says_so(tmp_path: Path) -> None:
    settings = ClassifierSettings(network=SETTINGS.network, epochs=3, lr=1e38, loss="cross-entropy")
    with pytest.raises(DivergedError, match=r"--training\.lr"):
        train(tmp_path, settings)


def test_a_checkpoint_is_a_plain_file(tmp_path: Path) -> None:
    _, card = load_checkpoint(train(tmp_path), "classifier")
    assert json.loads(json.dumps(card))["classes"] == ["blue", "green", "red"]
    assert isinstance(build_classifier(SETTINGS.network, 3), ClassifierNetwork)


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"epochs": 0}, "epochs"),
        ({"fractions": (0.6, 0.6)}, "fractions"),
        ({"target_qualities": (0.5,)}, "target_qualities"),
        ({"smoothing": 1.0}, "smoothing"),
        ({"decay_fraction": 0}, "decay_fraction"),
        ({"momentum": 1.0}, "momentum"),
        ({"average": 1.0}, "average"),
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"training\.{key}"):
        ClassifierSettings(**wrong)  # type: ignore[arg-type]

"""The loggers never ask, never wait and never end a training."""

import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import wandb
from PIL import Image
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn, ones, optim
from torch.utils.data import DataLoader, TensorDataset

from gada.training.callbacks import KeepMetrics
from gada.training.loggers import Mode, RunLogger, has_key, online_or_offline, run_loggers
from gada.training.quiet import quiet_lightning


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Refuse every connection, and tell how long each would have been waited for."""
    waits: list[float] = []

    def refuse(address: object, timeout: float) -> None:
        waits.append(timeout)
        raise TimeoutError("no network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    return waits


class Line(LightningModule):
    """A training that has nothing to do with image quality."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        loss: Tensor = self.layer(batch[0]).square().mean()
        self.log("loss", loss, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> optim.Optimizer:
        return optim.SGD(self.parameters(), lr=0.1)


def fit(loggers: list[RunLogger], metrics: Path) -> None:
    quiet_lightning()
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=2,
        logger=[logger.of("line") for logger in loggers],
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[KeepMetrics(metrics)],
    )
    trainer.fit(Line(), DataLoader(TensorDataset(ones(3, 1))))


def logged(run: Any) -> dict[str, list[float]]:
    """Return the steps at which each name was logged, as `run.log` was told."""
    steps: dict[str, list[float]] = {}
    for values in run.told:
        for name in values:
            steps.setdefault(name, []).append(values.get("trainer/global_step"))
    return steps


class Told:
    """A run of W&B that keeps what it is told, or refuses it."""

    def __init__(self, refuses: bool = False) -> None:
        self.told: list[dict[str, Any]] = []
        self.summary: dict[str, Any] = {}
        self.refuses, self.tried, self.ended, self.id = refuses, 0, False, "told"

    def define_metric(self, *_: Any, **__: Any) -> None:
        pass

    def log(self, values: dict[str, Any]) -> None:
        self.tried += 1
        if self.refuses:
            raise OSError(28, "No space left on device")
        self.told.append(values)

    def finish(self, exit_code: int) -> None:
        self.ended = True


@pytest.mark.parametrize("mode", ["auto", "online"])
def test_without_a_key_it_is_offline_and_does_not_try(mode: Mode, unreachable: list[float]) -> None:
    assert online_or_offline(mode) == "offline"
    assert not unreachable


def test_with_a_key_and_no_network_it_is_offline_within_seconds(
    unreachable: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    assert online_or_offline("auto") == "offline"
    assert sum(unreachable) <= 5
    assert "cannot reach" in capsys.readouterr().err


def test_a_key_in_netrc_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert not has_key("api.wandb.ai")
    (tmp_path / ".netrc").write_text("machine api.wandb.ai login user password " + "0" * 40 + "\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert has_key("api.wandb.ai")


def test_off_is_nothing(tmp_path: Path) -> None:
    with run_loggers(tmp_path / "run", "off", {}) as loggers:
        assert loggers == []
        fit(loggers, tmp_path / "metrics.csv")
    assert not (tmp_path / "run").exists()


def test_offline_any_training_lies_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    Image.new("RGB", (8, 8)).save(tmp_path / "plot.png")
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    start = time.monotonic()
    with run_loggers(tmp_path / "run", "auto", {"seed": 1}) as loggers:
        fit(loggers, tmp_path / "run" / "metrics.csv")
        for logger in loggers:
            logger.log_image("plot", [str(tmp_path / "plot.png")])
            logger.log_rows("results", [{"stage": "phase1", "srocc": 1.0}, {"stage": "phase2", "lcc": 0.5}])
            logger.summarize({"srocc": 1.0})
    assert time.monotonic() - start < 30
    written = {path for path in tmp_path.rglob("*") if path.is_file()} - before
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb"))
    assert all(path.is_relative_to(tmp_path / "run") for path in written)
    assert (tmp_path / "run" / "metrics.csv").read_text().startswith("step,loss\n3,")
    assert wandb.run is None


def test_names_and_steps_are_those_of_lightning(tmp_path: Path) -> None:
    run = Told()
    fit([RunLogger(run)], tmp_path / "metrics.csv")
    assert logged(run)["line/loss"] == [2, 5]  # the last batch of each epoch, counted from 0
    RunLogger(run).summarize({"phase1/test_srocc": 0.9})
    assert run.summary == {"phase1/test_srocc": 0.9}


def test_a_failing_dashboard_does_not_end_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Told(refuses=True)
    monkeypatch.setattr(wandb, "init", lambda **_: run)
    with run_loggers(tmp_path, "offline", {}) as loggers:
        fit(loggers, tmp_path / "metrics.csv")
        loggers[0].log_rows("results", [{"srocc": 1.0}])
    assert run.tried == 1
    assert capsys.readouterr().err.count("No space left on device") == 1
    assert len((tmp_path / "metrics.csv").read_text().splitlines()) == 1 + 2


def test_a_dashboard_that_cannot_start_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gada.training.loggers.online_or_offline", lambda mode: "online")
    modes = []

    def refuse(mode: str, **_: Any) -> None:
        modes.append(mode)
        raise wandb.errors.CommError("no")

    monkeypatch.setattr(wandb, "init", refuse)
    with run_loggers(tmp_path, "online", {}) as loggers:
        assert loggers == []
    assert modes == ["online", "offline"]
    assert "wandb could not go online (CommError)" in capsys.readouterr().err

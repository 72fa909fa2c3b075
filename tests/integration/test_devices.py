"""Several devices train one evaluator: on shares of each batch, with the mean of their gradients."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from safetensors.numpy import load_file

from gada.experiments.run import run_stages
from gada.settings import DataSettings, EvaluationSettings, ModelSettings, Settings, TrainingSettings


@pytest.mark.enable_socket  # of this machine: by them the processes talk
@pytest.mark.slow  # each device is a process that imports torch, once for each stage
def test_two_devices_train_as_one_does(tmp_path: Path) -> None:
    """The networks of the paper have no batch statistics, so that shares of a batch add up to the batch."""
    given = tiny.SETTINGS["model"].items()
    model: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given}
    settings = Settings(
        preset="paper",
        data=DataSettings(root=tiny.scored_set(tmp_path / "set"), cache=tmp_path),
        model=ModelSettings(**model),
        training=TrainingSettings(**tiny.SETTINGS["training"], precision="float32"),
        evaluation=EvaluationSettings(**tiny.SETTINGS["evaluation"]),
    )
    settings = replace(settings, training=replace(settings.training, trunk_rate=1e-3, head_rate=1e-3))
    weights = []
    for devices in (1, 2):
        run = tmp_path / f"run{devices}"
        run_stages(settings, ["baseline"], run, device="cpu", devices=devices)
        metrics = (run / "baseline" / "metrics.csv").read_text().splitlines()
        assert len(metrics) == 1 + 6  # 11 steps, validated every 2
        weights.append(load_file(run / "baseline" / "best.safetensors"))
    one, two = weights
    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, atol=2e-5, err_msg=name)

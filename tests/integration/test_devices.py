"""Devices: several train one evaluator on shares of each batch, and one that holds the images cuts the crops itself."""

from pathlib import Path

import gpu
import numpy as np
import pytest
import tiny
from safetensors.numpy import load_file

from gada.runs.hardware import Hardware
from gada.runs.run import Run
from gada.settings import STAGES, Settings, changed, from_plain


def tiny_settings(folder: Path) -> Settings:
    data = {"format": "synthetic", "root": str(tiny.scored_set(folder / "set")), "cache": str(folder)}
    return from_plain(Settings, tiny.SETTINGS | {"data": data})


@pytest.mark.enable_socket  # of this machine: by them the processes talk
@pytest.mark.slow  # each device is a process that imports torch, once for each stage
def test_two_devices_train_as_one_does(tmp_path: Path) -> None:
    """The networks of the paper have no batch statistics, so that shares of a batch add up to the batch."""
    rates = {"training.precision": "float32", "training.trunk_lr": 1e-3, "training.head_lr": 1e-3}
    settings = changed(tiny_settings(tmp_path), {"preset": "paper", **rates})
    weights = []
    for devices in (1, 2):
        run = tmp_path / f"run{devices}"
        Run(run, settings, ["baseline"], hardware=Hardware("cpu", devices)).train()
        metrics = (run / "baseline" / "metrics.csv").read_text().splitlines()
        assert len(metrics) == 1 + 6  # 11 steps, validated every 2
        weights.append(load_file(run / "baseline" / "best.safetensors"))
    one, two = weights
    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, atol=2e-5, err_msg=name)


def test_images_on_the_device_train_the_same_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tiny_settings(tmp_path)
    folders = [tmp_path / name for name in ("host", "device")]
    for folder in folders:
        Run(folder, settings, STAGES, hardware=Hardware("cpu")).train()
        monkeypatch.setattr("gada.training.data.fits", lambda batches, device: True)
    kept = sorted(path.relative_to(folders[0]) for path in folders[0].rglob("*.safetensors"))
    assert len(kept) == 9  # best and last of four stages, and a generator
    for path in kept:
        one, two = (load_file(folder / path) for folder in folders)
        for name, values in one.items():
            np.testing.assert_array_equal(two[name], values, err_msg=f"{path} {name}")


def test_without_a_gpu_its_measurements_say_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["gpu"])
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    gpu.main()
    assert capsys.readouterr().out.count("\n") == 1


def test_the_steps_that_a_gpu_takes_fit_into_its_time() -> None:
    steps = gpu.phase_steps({"phase 1": 0.02, "phase 2": 0.01, "baseline and phase 3": 0.005}, 100)
    first, second, third = steps.values()
    taken = 0.02 * first + 0.01 * second + 0.005 * (third + first + second + third)
    assert 95 < taken <= 100

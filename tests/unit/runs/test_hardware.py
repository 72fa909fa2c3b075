"""Which devices a run may use."""

import pytest
import torch

from gada.errors import ConfigError
from gada.runs.hardware import Hardware


def test_devices_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for device, devices in (("cuda", 2), ("cpu", 4), ("mps", 1)):
        assert Hardware(device, devices).device == device
    for device, devices, words in (("cuda", 3, "cuda has 2 here"), ("mps", 2, "mps has 1 here"), ("cpu", 0, "is 0")):
        with pytest.raises(ConfigError, match=words):
            Hardware(device, devices)
    with pytest.raises(ConfigError, match="--workers is -1"):
        Hardware("cpu", workers=-1)
    assert [one.device for one in Hardware("auto").each()] == ["cuda:0", "cuda:1"]
    assert [one.device for one in Hardware("cpu").each()] == ["cpu"]

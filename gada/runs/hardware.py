"""Where a run is trained."""

from dataclasses import dataclass, replace

import torch

from gada.errors import ConfigError
from gada.scoring.torch_backend import choose_device


@dataclass(frozen=True)
class Hardware:
    """Devices and processes of a training.

    Raises:
        ConfigError: if a count is wrong, or a device is missing on this machine.
    """

    device: str = "auto"
    """`cpu`, `cuda` or `mps`, or one of several, as `cuda:1`; `auto` is resolved at once."""
    devices: int = 1
    """How many of them train side by side, each on its part of every batch."""
    workers: int = 0
    """Processes that cut training batches; 0 cuts them in this one. The weights are the same."""

    def __post_init__(self) -> None:
        """Choose the device and check the counts."""
        if self.devices < 1:
            raise ConfigError(f"--devices is {self.devices} but must be at least 1.")
        if self.workers < 0:
            raise ConfigError(f"--workers is {self.workers} but must be 0 or more.")
        object.__setattr__(self, "device", choose_device(self.device))
        there = {"cuda": torch.cuda.device_count(), "mps": 1}.get(self.device, self.devices)  # processes share a CPU
        if self.devices > there:
            raise ConfigError(f"--devices is {self.devices}, but {self.device} has {there} here; give at most as many.")

    def each(self) -> list["Hardware"]:
        """Return the devices one by one: with several GPUs `cuda:0`, `cuda:1`, ..."""
        count = torch.cuda.device_count() if self.device == "cuda" else 1
        names = [f"cuda:{number}" for number in range(count)] if count > 1 else [self.device]
        return [replace(self, device=name) for name in names]

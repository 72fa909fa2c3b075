"""What every test shares: no home folder is touched, no dashboard is reached, and examples are the same each time."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Side by side (`make test`) each process computes with one thread, and so do those it starts; before torch is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples each time, so that a failure belongs to a change; `--hypothesis-profile default` draws others.
# No deadline: how long an example takes is the machine's affair.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

pytest_plugins = ["reports_fixtures"]


@pytest.fixture(autouse=True)
def away_from_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep caches in the test's folder and keys out of the test."""
    monkeypatch.setenv("GADA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)

"""What every test shares: no home folder is touched, no dashboard is reached."""

from pathlib import Path

import pytest

pytest_plugins = ["reports_fixtures"]


@pytest.fixture(autouse=True)
def away_from_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep caches in the test's folder and keys out of the test."""
    monkeypatch.setenv("GADA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)

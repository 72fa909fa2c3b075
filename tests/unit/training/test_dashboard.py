"""The dashboard never asks and never waits."""

import socket
from pathlib import Path

import pytest

from gada.training.dashboard import Dashboard, Mode, has_key, online_or_offline


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Refuse every connection, and tell how long each would have been waited for."""
    waits: list[float] = []

    def refuse(address: object, timeout: float) -> None:
        waits.append(timeout)
        raise TimeoutError("no network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    return waits


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
    dashboard = Dashboard(tmp_path, "off", {})
    dashboard.log("phase1", 3, {"loss": 1.0})
    dashboard.table("results", [{"stage": "phase1", "distortion": "ALL", "srocc": 1.0, "lcc": 1.0}])
    dashboard.close()
    assert not list(tmp_path.iterdir())

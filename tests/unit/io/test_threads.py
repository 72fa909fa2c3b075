"""Which cores a process may use, and that its threads do not burn those of others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gada.io import threads
from gada.io.threads import available_cores, quota, share_the_machine


@pytest.fixture(autouse=True)
def limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a quota, and a folder in which one can be written."""
    monkeypatch.setattr(threads, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(threads, "OLD_QUOTA", tmp_path)
    return tmp_path


def test_cores_are_those_that_may_be_used_or_else_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 2, 5}, raising=False)
    assert available_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert available_cores() == os.cpu_count()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "20000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "nonsense"}, None),
        ({"cpu.cfs_quota_us": "200000\n", "cpu.cfs_period_us": "100000\n"}, 2),
        ({"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
)
def test_the_quota_of_a_container_is_read(
    files: dict[str, str], expected: int | None, limits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (limits / name).write_text(text)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    assert quota() == expected
    assert available_cores() == (expected or 64)


@pytest.mark.parametrize("given", [None, "ACTIVE"])
def test_threads_wait_without_spinning_unless_the_user_says_so(
    given: str | None, limits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OMP_WAIT_POLICY", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    if given:
        monkeypatch.setenv("OMP_WAIT_POLICY", given)
    (limits / "cpu.max").write_text("100000 100000\n")
    share_the_machine()
    assert os.environ["OMP_WAIT_POLICY"] == (given or "PASSIVE")
    assert os.environ["OMP_NUM_THREADS"] == "1"


def test_the_command_line_says_so_before_torch_comes() -> None:
    code = (
        "import os, sys, gada.__main__ as command\n"
        "command.run = lambda _: print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules) or 0\n"
        "command.main(['doctor'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert shown.stdout == "PASSIVE False\n"

"""The doctor says in one screen what is wrong, and its exit code says it too."""

import importlib.metadata
import sys
from pathlib import Path

import pytest
import tiny

from gada.__main__ import main
from gada.experiments import doctor
from gada.io import records


def marks(findings: list[doctor.Finding], what: str) -> list[str]:
    return [finding.mark for finding in findings if finding.what == what]


@pytest.fixture
def versions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Pretend that some packages have other versions."""
    pretended: dict[str, str] = {}
    true = importlib.metadata.version
    monkeypatch.setattr(records, "version", lambda name: pretended.get(name) or true(name))
    return pretended


def test_all_is_well_on_one_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny.scored_set(tmp_path / "data" / "tiny")
    monkeypatch.chdir(tmp_path)
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert any("36 images of 6 references" in line for line in lines)
    assert any("torch" in line and "threads" in line for line in lines)


@pytest.mark.parametrize("bad", ["2.6.2", "2.6.3", "2.6.5"])
def test_a_known_bad_lightning_is_named(
    bad: str,
    versions: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    versions["pytorch-lightning"] = bad
    assert main(["doctor"]) == 2
    shown = capsys.readouterr().out
    assert f"FAIL  pytorch-lightning {bad}" in shown
    assert ("malware" if bad != "2.6.5" else "CVE") in shown


def test_extras_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["numpy>=2", 'pillow>=1; extra == "there"', 'nosuch>=1; extra == "absent"', 'nosuch>=1; extra == "dev"']
    monkeypatch.setattr(doctor, "requires", lambda name: needed)
    (finding,) = [finding for finding in doctor.packages() if finding.what == "extras"]
    assert finding.mark == "ok"
    assert finding.words == 'there; missing: absent (lacks nosuch): pip install "gada-iqa[NAME]" adds one'


def test_a_version_out_of_bounds_is_named(versions: dict[str, str]) -> None:
    versions["pillow"] = "11.0"
    (finding,) = [finding for finding in doctor.packages() if finding.mark == "FAIL"]
    assert finding.what == "pillow"
    assert "11.0 is installed; >=12.3" in finding.words


def test_a_torch_that_does_not_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert [finding.mark for finding in doctor.torch_and_devices()] == ["FAIL"]


def test_a_cpu_build_beside_a_gpu_is_worth_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/nvidia-smi")
    assert marks(list(doctor.torch_and_devices()), "devices") == ["warn"]


def test_a_broken_database_is_exit_code_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tiny.scored_set(tmp_path / "set")
    assert main(["doctor", "--data", str(root)]) == 0
    next((root / "images" / "blur").iterdir()).unlink()
    assert main(["doctor", "--data", str(root)]) == 3
    assert "does not exist" in capsys.readouterr().out
    assert main(["doctor", "--data", str(tmp_path)]) == 3


def test_little_space_is_worth_a_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert doctor.disk("here", tmp_path).mark == "ok"
    monkeypatch.setattr(doctor, "LITTLE", 10**18)
    assert doctor.disk("here", tmp_path / "not" / "there").mark == "warn"


def test_a_disk_that_cannot_be_written_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(doctor, "NamedTemporaryFile", full)
    finding = doctor.disk("here", tmp_path)
    assert finding.mark == "FAIL"
    assert "No space left" in finding.words


def test_a_missing_package_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    true = importlib.metadata.version

    def absent(name: str) -> str:
        if name == "pytorch-lightning":
            raise importlib.metadata.PackageNotFoundError(name)
        return true(name)

    monkeypatch.setattr(records, "version", absent)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.chdir(tmp_path)
    assert main(["doctor"]) == 2
    shown = capsys.readouterr().out
    assert "pytorch-lightning" in shown
    assert "safetensors" in shown
    assert "not installed" in shown

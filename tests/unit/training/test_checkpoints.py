"""The newest whole checkpoint always loads, and nothing in it can run."""

import errno
import io
import os
import pickle
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch

from gada.errors import DataError
from gada.training.checkpoints import DIGEST, Checkpoints, NotFiniteError


def state(number: int) -> dict[str, Any]:
    return {"weights": {"a": torch.full((3,), float(number))}, "step": number}


@pytest.fixture
def two(tmp_path: Path) -> Checkpoints:
    """Three checkpoints were written; two are kept."""
    checkpoints = Checkpoints(tmp_path)
    for number in (1, 2, 3):
        checkpoints.save_checkpoint(state(number), checkpoints.last)
    return checkpoints


def newest_step(checkpoints: Checkpoints) -> int:
    path = checkpoints.newest()
    assert path is not None
    return int(checkpoints.load_checkpoint(path)["step"])


def test_the_last_two_are_kept(two: Checkpoints) -> None:
    assert sorted(path.name for path in two.last.parent.iterdir()) == ["last.ckpt", "previous.ckpt"]
    assert newest_step(two) == 3
    assert two.load_checkpoint(two.previous)["step"] == 2


@pytest.mark.parametrize("where", [0, 100, -1])
def test_one_flipped_bit_and_the_one_before_is_taken(
    two: Checkpoints, where: int, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(two.last.read_bytes())
    content[where] ^= 1
    two.last.write_bytes(content)
    assert newest_step(two) == 2
    assert "last.ckpt is damaged" in capsys.readouterr().err


def test_a_kill_between_the_two_renamings_loses_nothing(two: Checkpoints) -> None:
    two.last.replace(two.previous)
    assert newest_step(two) == 3


def test_two_damaged_ones_are_one_sentence(two: Checkpoints) -> None:
    for path in (two.last, two.previous):
        path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"last\.ckpt is damaged and there is no older one; delete it"):
        two.newest()


def test_none_is_none(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path).newest() is None


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_keeps_the_newest(two: Checkpoints, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if call == "fsync":
            patch.setattr(os, "fsync", full)
        else:
            patch.setattr(Path, "replace", full)
        with pytest.raises(DataError, match=r"last\.ckpt cannot be written"):
            two.save_checkpoint(state(4), two.last)
    assert newest_step(two) == 3
    assert not list(two.last.parent.glob(".*"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_not_written(two: Checkpoints, value: float) -> None:
    poisoned = {"optimizer": [{"state": {0: {"exp_avg": torch.tensor([0.0, value])}}}]}
    with pytest.raises(NotFiniteError, match=r"optimizer\.0\.state\.0\.exp_avg"):
        two.save_checkpoint(poisoned, two.last)
    assert newest_step(two) == 3


class Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("executed",))


@pytest.mark.parametrize("writer", ["pickle", "torch"])
def test_code_in_a_checkpoint_with_the_right_hash_does_not_run(
    two: Checkpoints, writer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil"
    if writer == "pickle":
        path.write_bytes(pickle.dumps(Payload(), protocol=2))
    else:
        torch.save({"state_dict": Payload()}, path)
    put(two, path.read_bytes())
    with pytest.raises(DataError, match="is not a checkpoint of a training"):
        two.load_checkpoint(two.last)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x02q\x00.", b"\x80\x02s.", b"\x80\x02cos\nsystem\n."])
def test_any_other_content_with_the_right_hash_is_refused(two: Checkpoints, content: bytes) -> None:
    put(two, content)
    with pytest.raises(DataError, match="is not a checkpoint of a training"):
        two.load_checkpoint(two.last)


def put(two: Checkpoints, content: bytes) -> None:
    two.last.write_bytes(content + sha256(content).hexdigest().encode())
    assert two.newest() == two.last


def test_a_checkpoint_of_a_gpu_goes_on_where_there_is_none(two: Checkpoints) -> None:
    """Where a tensor lay stands in the pickle."""
    content = two.last.read_bytes()[:-DIGEST]
    moved = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(moved, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0"))
    assert b"cuda:0" in moved.getvalue()
    two.last.write_bytes(moved.getvalue() + sha256(moved.getvalue()).hexdigest().encode())
    assert torch.equal(two.load_checkpoint(two.last)["weights"]["a"], state(3)["weights"]["a"])

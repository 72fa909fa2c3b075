"""`gada benchmark` through the real command line, on a tiny set: killed, resumed, and side by side."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
import yaml

from gada.__main__ import main
from gada.errors import ConfigError
from gada.experiments.benchmark.side_by_side import train_side_by_side
from gada.metrics.correlation import METRICS

SHORT = {"phase1_steps": 2, "phase2_steps": 1, "phase3_steps": 1}
Options = Callable[..., list[str]]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Let every process compute with one thread, side by side or not: their number decides the last digits."""
    before, threads = os.environ.get("OMP_NUM_THREADS"), torch.get_num_threads()
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    del os.environ["OMP_NUM_THREADS"]
    if before is not None:
        os.environ["OMP_NUM_THREADS"] = before


class KilledRun:
    """A split whose process the system kills, as it does when memory runs out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def train(self, wandb: str, group: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_is_one_sentence(tmp_path: Path) -> None:
    runs: list[Any] = [KilledRun(tmp_path / name) for name in ("split-00", "split-01")]
    with pytest.raises(ConfigError, match="one of 2 processes was killed"):
        train_side_by_side(runs, 2, "off", "")


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Options:
    """Return the command line of a tiny benchmark."""
    folder = tmp_path_factory.mktemp("benchmark")
    settings: dict[str, Any] = {**tiny.SETTINGS, "training": {**tiny.SETTINGS["training"], **SHORT}}
    settings["data"] = {**settings["data"], "root": str(tiny.scored_set(folder / "set")), "cache": str(folder)}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))

    def call(run: Path, *more: str) -> list[str]:
        config = ["--config", str(folder / "config.yaml")]
        return ["benchmark", *config, "--run", str(run), "--splits", "2", "--wandb", "off", *more]

    return call


@pytest.fixture(scope="module")
def whole(options: Options, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A benchmark that nobody disturbed, its two splits trained side by side."""
    run = tmp_path_factory.mktemp("whole")
    assert main(options(run, "--jobs", "2")) == 0
    assert "phase3" in (run / "split-01" / "log.txt").read_text()
    return run


def comparable(run: Path) -> bytes:
    """The result file without what says where and when."""
    rows = [json.loads(line) for line in (run / "results.jsonl").read_text().splitlines()]
    return "\n".join(json.dumps({k: v for k, v in row.items() if k != "commit"}) for row in rows).encode()


def test_killed_and_resumed_one_after_another_it_leaves_the_same_results(
    options: Options, whole: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "gada", *options(run)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stop, first = time.monotonic() + 100, run / "split-00" / "results.jsonl"
    while not first.exists() and child.poll() is None and time.monotonic() < stop:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL  # it was not finished
    done = {json.loads(line)["stage"] for line in first.read_text().splitlines()}
    assert "baseline" in done
    assert not (run / "results.jsonl").exists()
    kept = (run / "split-00" / "baseline" / "best.safetensors").stat().st_mtime_ns
    assert main(options(run)) == 0
    assert (run / "split-00" / "baseline" / "best.safetensors").stat().st_mtime_ns == kept
    assert comparable(run) == comparable(whole)


def test_the_report_says_everything_and_is_made_anew_without_training(
    options: Options, whole: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [json.loads(line) for line in (whole / "results.jsonl").read_text().splitlines()]
    assert [(row["split"], row["stage"]) for row in rows if row["distortion"] == "ALL"] == [
        (split, stage) for split in (0, 1) for stage in ("baseline", "phase1", "phase2", "phase3")
    ]
    assert all(name in row for row in rows for name in METRICS)
    page = (whole / "report.html").read_text()
    for words in (
        "SROCC by distortion, median over 2 splits",
        "an interval needs 6 splits",
        "cannot tell it from the baseline",
        "Median, mean and standard deviation",
        "Paired differences",
        "2 of at least 6 splits: the differences are listed, no more",
        "By distortion",
        "Learning curves",
        "Generated crops",
        "Images by error",
        "Typical error",
        "training.batch_size",
        "packages.torch",
        "tiny set; proxy scores, computed",
    ):
        assert words in page, words
    assert "proxy proxy" not in page
    monkeypatch.setattr("gada.runs.run.Phase", None)  # a finished split is never trained again
    before = (whole / "results.jsonl").read_bytes()
    assert main(options(whole, "--no-images")) == 0
    assert (whole / "results.jsonl").read_bytes() == before
    page = (whole / "report.html").read_text()
    assert "because it shows images of the database: Images by error, Generated crops." in page
    assert "Typical error" not in page
    assert "Phase 3 minus baseline" in capsys.readouterr().out


def test_other_settings_and_other_runs_are_refused(
    options: Options, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options(whole, "--training.batch_size", "4")) == 2
    assert "training.batch_size=8, not 4" in capsys.readouterr().err
    assert main(options(whole / "split-00")) == 2
    assert "holds a run of one split" in capsys.readouterr().err
    fit = [option for option in options(whole)[1:] if option not in ("--splits", "2")]
    assert main(["fit", *fit]) == 2
    assert "holds a benchmark" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--splits", "0"], "--splits is 0"),
        (["--jobs", "0"], "--jobs is 0"),
        (["--jobs", "2", "--devices", "2"], "exclude each other"),
        (["--split.number", "3"], "leave it out"),
    ],
)
def test_bad_options_are_one_sentence(
    options: Options, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], words: str
) -> None:
    assert main(options(tmp_path / "run", *more)) == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_scene_on_two_sides_ends_the_run_before_it_begins(
    options: Options, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tiny.scored_set(tmp_path / "set")
    (root / "references" / "r1.png").write_bytes((root / "references" / "r0.png").read_bytes())
    splits = ["--splits", "10"]  # in one of ten the two stand apart
    assert main(options(tmp_path / "run", "--data.root", str(root), *splits)) == 3
    assert "show the same scene" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()

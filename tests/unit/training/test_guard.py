"""A bad batch is skipped, counted and undone; a training that diverges resumes, and at last gives up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
import torch
import yaml
from safetensors.numpy import load_file
from stress.training import not_finite

from gada.__main__ import main
from gada.training.evaluator import EvaluatorTraining
from gada.training.guard import RETURNS, DivergingError, SkipBadBatches

Spoil = Callable[[EvaluatorTraining, Any, int], None]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.scored_set(tmp_path_factory.mktemp("set"))


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[[Spoil], None]:
    """Let a function spoil each batch before its step."""

    def set_up(function: Spoil) -> None:
        true = EvaluatorTraining.on_train_batch_start

        def before(self: EvaluatorTraining, batch: Any, batch_idx: int) -> None:
            function(self, batch, self.step_number(batch_idx))
            true(self, batch, batch_idx)

        monkeypatch.setattr(EvaluatorTraining, "on_train_batch_start", before)

    return set_up


def fit(root: Path, folder: Path, phase: str = "baseline") -> int:
    settings = tiny.SETTINGS | {"data": {"format": "synthetic", "root": str(root)}}
    config = folder / "tiny.yaml"
    config.write_text(yaml.safe_dump(settings))
    return main(["fit", "--phase", phase, "--config", str(config), "--run", str(folder / "run"), "--wandb", "off"])


def skipped_steps(stage: Path) -> list[int]:
    lines = (stage / "skipped.csv").read_text().splitlines()[1:]
    return list(dict.fromkeys(int(line.split(",")[0]) for line in lines))


@pytest.mark.parametrize("phase", ["baseline", "1"])
def test_one_bad_batch_is_skipped_and_named(
    root: Path, tmp_path: Path, phase: str, spoil: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def once(module: EvaluatorTraining, batch: Any, step: int) -> None:
        if step == 1:
            batch.quality[0] = float("nan")

    spoil(once)
    assert fit(root, tmp_path, phase) == 0
    stage = tmp_path / "run" / {"baseline": "baseline", "1": "phase1"}[phase]
    assert skipped_steps(stage) == [1]
    lines = (stage / "skipped.csv").read_text().splitlines()
    assert len(lines) == 1 + 8  # one for each image of the batch
    assert all(Path(line.split(",")[1]).is_file() for line in lines[1:])
    assert "step 1 is not finite; the batch is skipped" in capsys.readouterr().err
    assert not not_finite(stage)
    assert "nan" not in (stage / "metrics.csv").read_text()


def test_a_bad_activation_leaves_no_trace_in_the_statistics(root: Path, tmp_path: Path, spoil: Any) -> None:
    used = list[int]()

    def spoil_once(layer: torch.nn.Module, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        used.append(1)
        return output * float("nan") if len(used) == 1 else output

    def once(module: EvaluatorTraining, batch: Any, step: int) -> None:
        if step == 0:
            layer = next(layer for layer in module.modules() if isinstance(layer, torch.nn.Conv2d))
            layer.register_forward_hook(spoil_once)

    spoil(once)
    assert fit(root, tmp_path) == 0
    assert skipped_steps(tmp_path / "run/baseline") == [0]
    assert not not_finite(tmp_path / "run/baseline")


def test_a_spoilt_weight_sends_the_training_back_at_half_the_rate(
    root: Path, tmp_path: Path, spoil: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    rates, done = list[float](), list[int]()

    def once(module: EvaluatorTraining, batch: Any, step: int) -> None:
        rates.append(module.trainer.optimizers[0].param_groups[0]["initial_lr"])
        if step == 4 and not done:
            done.append(step)
            next(module.parameters()).data.view(-1)[0] = float("inf")

    spoil(once)
    assert fit(root, tmp_path) == 0
    error = capsys.readouterr().err
    assert error.count("returning to the last checkpoint, at half the learning rate") == 1
    assert rates[-1] == pytest.approx(rates[0] / 2)
    assert not not_finite(tmp_path / "run/baseline")


def test_what_stays_bad_ends_with_exit_code_5_and_names_the_image(
    root: Path, tmp_path: Path, spoil: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = list[int]()

    def always(module: EvaluatorTraining, batch: Any, step: int) -> None:
        seen.append(step)
        if step >= 4:
            batch.quality[0] = float("nan")

    spoil(always)
    assert fit(root, tmp_path) == 5
    error = capsys.readouterr().err
    assert error.count("returning to") == RETURNS
    assert seen.count(4) == RETURNS + 1, "from the last checkpoint, not from the beginning"
    assert seen.count(0) == 1
    assert "baseline diverged" in error
    assert str(root) in error
    assert "skipped.csv" in error
    stage = tmp_path / "run/baseline"
    assert not not_finite(stage)
    assert all(np.isfinite(values).all() for values in load_file(stage / "best.safetensors").values())
    assert not (tmp_path / "run/results.jsonl").exists()


def test_each_return_to_the_beginning_halves_the_rate(root: Path, tmp_path: Path, spoil: Any) -> None:
    rates = list[float]()

    def always(module: EvaluatorTraining, batch: Any, step: int) -> None:
        if step == 0:
            rates.append(module.trainer.optimizers[0].param_groups[0]["initial_lr"])
        if step == 1 and len(rates) < 4:
            next(module.parameters()).data.view(-1)[0] = float("nan")

    spoil(always)
    assert fit(root, tmp_path) == 0
    assert rates == pytest.approx([rates[0] / 2**tries for tries in range(4)])
    metrics = (tmp_path / "run/baseline/metrics.csv").read_text().splitlines()
    assert len(metrics) == 1 + 6, "of the last try alone"


def test_without_a_checkpoint_it_goes_back_to_its_beginning(root: Path, tmp_path: Path, spoil: Any) -> None:
    first, done = list[torch.Tensor](), list[int]()

    def once(module: EvaluatorTraining, batch: Any, step: int) -> None:
        if step == 0:
            first.append(next(module.parameters()).detach().clone())
        if step == 1 and not done:
            done.append(1)
            next(module.parameters()).data.view(-1)[0] = float("nan")

    spoil(once)
    assert fit(root, tmp_path) == 0
    assert len(first) == 2
    assert torch.equal(*first)


def test_a_gpu_is_asked_later_and_its_bad_batches_count_the_same(tmp_path: Path) -> None:
    guard = SkipBadBatches(tmp_path / "skipped.csv", "phase1", lambda step: [f"{step}.png"])
    good, bad = torch.tensor(0.0), torch.tensor(1.0)
    guard.unseen = [(0, good), (1, bad), (2, bad), (3, good), (4, bad)]
    guard.look()
    assert (guard.skipped, guard.in_a_row, guard.unseen) == ([1, 2, 4], 1, [])
    guard.unseen = [(5, bad), (6, bad), (7, good)]
    with pytest.raises(DivergingError, match=r"\[4, 5, 6\]"):
        guard.look()


def test_names_of_images_are_written_as_text(tmp_path: Path) -> None:
    guard = SkipBadBatches(tmp_path / "skipped.csv", "phase1", lambda step: ["=1+1.png", f"{step}.png"])
    guard.count(4)
    assert guard.path.read_text() == "step,image\n4,'=1+1.png\n4,4.png\n"

"""Trainings that are killed, and trainings that meet NaN."""

import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tiny
import torch
import yaml
from safetensors.numpy import load_file

from gada.__main__ import main
from gada.io.files import atomic_path
from gada.training import checkpoints
from gada.training.evaluator import EvaluatorTraining

PHASES = ("baseline", "1", "2", "3")
STAGES = {"baseline": "baseline", "1": "phase1", "2": "phase2", "3": "phase3"}
EPOCHS = 3
SAID = Path(tempfile.gettempdir()) / f"gada-stress-{os.getpid()}.log"  # what the last process wrote
POINTS = ("before", "half", "renamed", "after")  # of writing a checkpoint, at which a process dies


class World:
    """A tiny set, a finished run from which phases start, and for each phase a run of three epochs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        os.environ["GADA_CACHE"] = str(folder / "cache")
        self.root = tiny.scored_set(folder / "set")
        self.config(folder / "three.yaml", 5, 5, 5)
        self.config(folder / "one.yaml", 2, 2, 1)  # the baseline has as many steps as the phases together
        if not (folder / "start/phase2/best.safetensors").is_file():
            for phase in ("1", "2"):
                assert in_child(lambda phase=phase: self.fit(phase, "start", False)) == 0  # type: ignore[misc]

    def config(self, path: Path, *steps: int) -> None:
        """Write the settings of a run."""
        lengths = {f"phase{number}_steps": count for number, count in enumerate(steps, 1)}
        training = tiny.SETTINGS["training"] | lengths | {"validate_every": 2}
        settings = tiny.SETTINGS | {"data": {"format": "synthetic", "root": str(self.root)}, "training": training}
        path.write_text(yaml.safe_dump(settings))

    def fit(self, phase: str, run: str, from_start: bool = True, workers: int = 0) -> int:
        """Train a phase through the command line."""
        config = self.folder / ("one.yaml" if phase == "baseline" else "three.yaml")
        before = {"2": "phase1", "3": "phase2"}.get(phase)
        start = ["--from", str(self.folder / "start" / before)] if before and from_start else []
        place = ["--config", str(config), "--run", str(self.folder / run), "--wandb", "off", "--device", "cpu"]
        return main(["fit", "--phase", phase, *place, "--workers", str(workers), *start])

    def whole(self, phase: str) -> Path:
        """Return the folder of the phase in an uninterrupted run."""
        run = f"whole-{phase}"
        if not (self.folder / run / "report.html").is_file():
            assert in_child(lambda: self.fit(phase, run)) == 0
        return self.folder / run / STAGES[phase]

    def fresh(self, run: str) -> Path:
        """Return the folder of a run that has not begun."""
        shutil.rmtree(self.folder / run, ignore_errors=True)
        return self.folder / run


def in_child(function: Callable[[], int], kill_after: float | None = None) -> int | None:
    """Run a function in a process of its own; return its exit code, or None if it was killed."""
    process = os.fork()
    if not process:
        code = 1
        with suppress(BaseException):
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            said = os.open(SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for stream in (1, 2):
                os.dup2(said, stream)
            sys.stdout = sys.stderr = os.fdopen(2, "w", buffering=1)  # a test may have put others there
            try:
                code = function()
            except BaseException:
                os.write(said, traceback.format_exc().encode())
                raise
        os._exit(code)
    deadline = time.monotonic() + (kill_after if kill_after is not None else 600)
    while time.monotonic() < deadline:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        time.sleep(0.005)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


def ended(code: int | None) -> str:
    """Return how a process ended, and the last that it said."""
    return f"exit code {code}: {' '.join(SAID.read_text(errors='replace').split())[-300:]}"


def differences(whole: Path, other: Path) -> list[str]:
    """Return in which files of a stage two runs differ, bit by bit."""
    found = []
    for path in sorted(whole.glob("*.safetensors")):
        first, second = load_file(path), load_file(other / path.name)
        if first.keys() != second.keys() or any(not np.array_equal(first[key], second[key]) for key in first):
            found.append(path.name)
    states = [checkpoints.Checkpoints(folder).load_checkpoint(folder / "last.ckpt") for folder in (whole, other)]
    tensors = [dict(checkpoints.tensors_of(state)) for state in states]
    if tensors[0].keys() != tensors[1].keys() or any(not torch.equal(tensors[0][k], tensors[1][k]) for k in tensors[0]):
        found.append("last.ckpt")
    return found + [
        name for name in ("metrics.csv", "scores.csv") if (whole / name).read_bytes() != (other / name).read_bytes()
    ]


def leftovers(run: Path) -> list[str]:
    """Return temporary files that stayed."""
    return [path.name for path in run.rglob(".gada-*")]


def random_kills(count: int, folder: Path, seed: int = 0, workers: tuple[int, ...] = (0, 2)) -> dict[str, Any]:
    """Kill trainings `count` times at random moments, spread over phases and workers, and compare each when done."""
    world, random, start = World(folder), np.random.default_rng(seed), time.monotonic()
    kills, finished, wrong = 0, 0, list[str]()
    cases = [(phase, number) for phase in PHASES for number in workers]
    for index, (phase, number) in enumerate(cases):
        whole = world.whole(phase)
        train = partial(world.fit, phase, "killed", workers=number)
        world.fresh("killed")
        length = timed(train)
        goal = count * (index + 1) // len(cases)
        while kills < goal:
            run = world.fresh("killed")
            while (code := in_child(train, moment(kills, goal, random, length))) is None:
                kills += 1
            finished += 1
            found = [ended(code)] if code else [*differences(whole, run / STAGES[phase]), *leftovers(run)]
            wrong += [f"{STAGES[phase]}, {number} workers: {name}" for name in found]
    return {
        "test": "SIGKILL at random times; the resumed run against the uninterrupted one, bit by bit",
        "count": kills,
        "failures": len(wrong),
        "measured": f"{finished} runs of four phases with {' and '.join(map(str, workers))} workers were finished",
        "limits": "bitwise equal",
        "held": not wrong and kills >= count,
        "seconds": round(time.monotonic() - start),
        "examples": wrong[:5],
    }


def timed(function: Callable[[], int]) -> float:
    """Return how long a function takes in a process of its own."""
    start = time.monotonic()
    assert in_child(function) == 0
    return time.monotonic() - start


def moment(kills: int, goal: int, random: np.random.Generator, length: float) -> float | None:
    """Return after how many seconds to kill; None is not at all."""
    return float(random.uniform(0, length)) if kills < goal else None


def kills_at_checkpoints(count: int, folder: Path, seed: int = 0, workers: tuple[int, ...] = (0, 2)) -> dict[str, Any]:
    """Kill a run of each phase at each point of writing each checkpoint, and compare it when done; at most `count`."""
    world, start = World(folder), time.monotonic()
    places = [(p, n, e, at) for p in PHASES for n in workers for e in range(1, EPOCHS + 1) for at in POINTS]
    wrong, done = list[str](), 0
    for phase, number, epoch, point in spread(places, count):
        run, whole = world.fresh("struck"), world.whole(phase)

        def struck(phase: str = phase, number: int = number, epoch: int = epoch, point: str = point) -> int:
            checkpoints.atomic_path = deadly(epoch, point)  # type: ignore[attr-defined]
            return world.fit(phase, "struck", workers=number)

        died = in_child(struck) is None
        code = in_child(lambda phase=phase, number=number: world.fit(phase, "struck", workers=number))  # type: ignore[misc]
        found = [] if died else ["it was not killed"]
        found += [ended(code)] if code else [*differences(whole, run / STAGES[phase]), *leftovers(run)]
        wrong += [f"{STAGES[phase]}, checkpoint {epoch}, {point}: {name}" for name in found]
        done += 1
    return {
        "test": "SIGKILL before, within and after writing each checkpoint of a run of three epochs, each phase",
        "count": done,
        "failures": len(wrong),
        "measured": f"{len(places)} positions there are; each resumed run was compared with the uninterrupted one",
        "limits": "bitwise equal",
        "held": not wrong,
        "seconds": round(time.monotonic() - start),
        "examples": wrong[:5],
    }


def spread(places: list[Any], count: int) -> list[Any]:
    """Return at most `count` of some places, evenly spread."""
    kept = min(count, len(places))
    return [places[(2 * index + 1) * len(places) // (2 * kept)] for index in range(kept)]


def deadly(epoch: int, point: str) -> Any:
    """Return an `atomic_path` that ends the process at a point of the writing of the `epoch`-th checkpoint."""
    true_path, written = atomic_path, 0

    @contextmanager
    def path_of(path: Path) -> Iterator[Path]:
        nonlocal written
        written += 1
        die_if(written == epoch and point == "before")
        with true_path(path) as temporary:
            yield temporary  # the checkpoint before has its new name already
            if written == epoch and point == "half":
                os.truncate(temporary, temporary.stat().st_size // 2)
                die_if(True)
            die_if(written == epoch and point == "renamed")
        die_if(written == epoch and point == "after")

    return path_of


def die_if(now: bool) -> None:
    """End this process as a power cut would."""
    if now:
        os.kill(os.getpid(), signal.SIGKILL)


def injected_nans(count: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Put NaN at `count` random places of each phase, once each; nothing that is kept may hold it."""
    world, start = World(folder), time.monotonic()
    wrong, kinds, skipped, returned = list[str](), dict[str, int](), 0, 0
    for phase in PHASES:
        for number in range(count):
            run = world.fresh("poisoned")
            random = np.random.default_rng([seed, PHASES.index(phase), number])
            kind = KINDS[int(random.integers(len(KINDS)))]
            kinds[kind] = kinds.get(kind, 0) + 1

            def poisoned(phase: str = phase, kind: str = kind, random: np.random.Generator = random) -> int:
                poison(kind, int(random.integers(5)), random)
                return world.fit(phase, "poisoned")

            code, stage = in_child(poisoned), run / STAGES[phase]
            found = [ended(code)] if code else not_finite(stage)
            wrong += [f"{STAGES[phase]}, place {number} ({kind}): {name}" for name in found]
            if (stage / "skipped.csv").is_file():
                steps = {line.split(",")[0] for line in (stage / "skipped.csv").read_text().splitlines()[1:]}
                skipped, returned = skipped + 1, returned + (len(steps) >= 3)
    return {
        "test": "NaN at random places of each phase: labels, activations, gradients, weights, statistics",
        "count": count * len(PHASES),
        "failures": len(wrong),
        "measured": f"{', '.join(f'{kinds[kind]} {kind}' for kind in sorted(kinds))}; {skipped} runs skipped batches, "
        f"{returned} of them went back to a checkpoint; all finished",
        "limits": "no checkpoint holds a number that is not finite",
        "held": not wrong,
        "seconds": round(time.monotonic() - start),
        "examples": wrong[:5],
    }


def not_finite(stage: Path) -> list[str]:
    """Return which kept files of a stage hold a number that is not finite."""
    found = [
        path.name
        for path in stage.glob("*.safetensors")
        if not all(np.isfinite(v).all() for v in load_file(path).values())
    ]
    for path in stage.glob("*.ckpt"):
        try:
            checkpoints.check_finite(checkpoints.Checkpoints(stage).load_checkpoint(path))
        except checkpoints.NotFiniteError:
            found.append(path.name)
    return found


KINDS = ("label", "activation", "gradient", "weight", "statistic")


def poison(kind: str, step: int, random: np.random.Generator) -> None:
    """Put one NaN into the next training, once, at a step."""
    true_step, used = EvaluatorTraining.on_train_batch_start, False

    def before(self: EvaluatorTraining, batch: Any, batch_idx: int) -> None:
        nonlocal used
        if not used and self.step_number(batch_idx) == step:
            used = True
            put_nan(self, batch, kind, random)
        true_step(self, batch, batch_idx)

    EvaluatorTraining.on_train_batch_start = before  # type: ignore[method-assign]


def put_nan(module: EvaluatorTraining, batch: Any, kind: str, random: np.random.Generator) -> None:
    """Put one NaN into a batch, or into what happens in its step."""
    learning = [weight for weight in module.parameters() if weight.requires_grad]
    hooks: list[Any] = []

    def unhooked(value: torch.Tensor) -> torch.Tensor:
        hooks.pop().remove()
        return value

    match kind:
        case "label":
            spoil(batch.quality, random)
        case "activation":
            layers = [layer for layer in module.modules() if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)]
            layer = layers[random.integers(len(layers))]
            hooks.append(layer.register_forward_hook(lambda _, __, output: unhooked(spoiled(output, random))))
        case "gradient":
            weight = learning[random.integers(len(learning))]
            hooks.append(weight.register_hook(lambda grad: unhooked(spoiled(grad, random))))  # type: ignore[no-untyped-call]
        case "weight":
            spoil(learning[random.integers(len(learning))].data, random)
        case "statistic":
            kept = [buffer for buffer in module.buffers() if buffer.is_floating_point()]
            spoil(kept[random.integers(len(kept))] if kept else learning[0].data, random)


def spoiled(tensor: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """Return a copy of a tensor with one NaN."""
    copy = tensor.clone(memory_format=torch.contiguous_format)  # some gradients are one number seen many times
    spoil(copy.data, random)
    return copy


def spoil(tensor: torch.Tensor, random: np.random.Generator) -> None:
    """Put NaN at one place of a tensor."""
    flat = tensor.reshape(-1)
    flat[int(random.integers(len(flat)))] = float("nan")
    tensor.copy_(flat.reshape(tensor.shape))


def same_seed(count: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Train each phase again, `count` phases at most, with the same seed and with other workers."""
    world, start, wrong = World(folder), time.monotonic(), list[str]()
    for phase in PHASES[:count]:
        run, whole = world.fresh("again"), world.whole(phase)
        code = in_child(lambda phase=phase: world.fit(phase, "again", workers=2))  # type: ignore[misc]
        found = [ended(code)] if code else differences(whole, run / STAGES[phase])
        wrong += [f"{STAGES[phase]}: {name}" for name in found]
    return {
        "test": "the same seed twice, with 0 and with 2 workers",
        "count": min(count, len(PHASES)),
        "failures": len(wrong),
        "measured": "weights, optimisers, metrics and scores of each phase were compared",
        "limits": "bitwise equal",
        "held": not wrong,
        "seconds": round(time.monotonic() - start),
        "examples": wrong[:5],
    }


if __name__ == "__main__":
    sys.exit("run `make stress`")

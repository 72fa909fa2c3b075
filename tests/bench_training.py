"""Crops a second of the data path and of each phase's step, measured side by side; one JSON line for each figure.

A step is measured as training takes it (bfloat16 where the processor has it, compiled, fused Adam, channels last) and
as a plain one: eager, float32, channels first, unfused. Its bound is the time that its operations take at the measured
rate of a matrix product, or its bytes at the measured rate of a copy, whichever is longer. Last comes, for the
paper's networks and crops, the memory that a training takes at most and how much faster a step is for keeping what
tensors leave, each in a process of its own.
"""

import multiprocessing
import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from measure import say, seconds
from torch.utils.flop_counter import FlopCounterMode

from gada.data.batches import Batch, CropBatches
from gada.data.cache import PackedImages
from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.io.folders import images_in
from gada.io.memory import keep_freed_memory
from gada.models.discriminator import Discriminator
from gada.models.evaluator import Evaluator
from gada.models.generator import Generator
from gada.settings import ModelSettings, Settings, TrainingSettings
from gada.training.adversarial import Adversarial
from gada.training.augmentation import Augmentation
from gada.training.baseline import Baseline
from gada.training.evaluator import EvaluatorTraining
from gada.training.stage import in_bfloat16

PHOTOS = Path(__file__).parents[1] / "data" / "photos"
ROUNDS, STEPS = 3, 3
NETWORKS = ModelSettings(widths=(32, 64, 64), decoder_widths=(32, 32, 16), maps=256)  # of configs/tid2013-r.yaml
TRAINING = TrainingSettings(crop_size=64, batch_size=64, generator_batch=32)
CLASSES = 5
SIDE = 1024  # of the matrices that are multiplied
PAPER = Settings()  # networks, crops and batches of configs/tid2013-gada.yaml

Take = Callable[[int], object]


def main() -> None:
    """Print the rate of each step, how much faster than a plain one it is, and its share of the bound."""
    settings = Settings(model=NETWORKS, training=TRAINING)
    with tempfile.TemporaryDirectory() as folder:
        batches = photograph_batches(settings, Path(folder))
        batch = batches[0]
        takes: dict[str, Take] = {"data path": lambda step: batches[step]}
        bounds = {}
        for name, module in modules(settings).items():
            fast = in_bfloat16(settings.training, module.stage, "cpu")
            takes[f"{name}, plain"] = plain(modules(settings)[name], batch)
            bounds[name] = bound(modules(settings)[name], batch, torch.bfloat16 if fast else torch.float32)
            module.compile_networks()
            takes[name] = stepper(module, batch, in_bfloat=fast)
        times = measured(takes)
        spent = {name: shares(takes[name]) for name in bounds}
    size = settings.training.batch_size
    path = times.pop("data path")
    say("data path", crops_per_second=size / path)
    for name, floor in bounds.items():
        ours, other = times[name], times[f"{name}, plain"]
        rate = {"crops_per_second": size / ours, "plain_crops_per_second": size / other, "faster_by": other / ours}
        say(f"{name} step", **rate, share_of_bound=floor / ours, data_path_is_faster_by=ours / path)
        say(f"{name} step, share of its time", **spent[name])
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for name in bounds:
            (returning, least), (keeping, most) = (pool.apply(cost, (name, keep)) for keep in (False, True))
            say(f"{name}, memory with the paper's widths and 128-pixel crops, GB", peak=most, peak_returned=least)
            say(f"{name}, eager step of 128-pixel crops that keeps freed memory", faster_by=returning / keeping)


def cost(name: str, keep: bool) -> tuple[float, float]:
    """Return the seconds of an eager step, and the greatest memory in GB, without the pages of a mapped data set.

    Args:
        name: of the phase.
        keep: whether this process keeps freed memory, as the command line does.
    """
    if keep:
        keep_freed_memory()
    steps = count()
    with tempfile.TemporaryDirectory() as folder:
        batch = photograph_batches(PAPER, Path(folder))[0]
        module = modules(PAPER)[name]
        take = stepper(module, batch, in_bfloat16(PAPER.training, module.stage, "cpu"))
        taken = seconds(lambda: take(next(steps)), ROUNDS)
    return taken, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def photograph_batches(settings: Settings, folder: Path) -> CropBatches:
    """Return batches of the bundled photographs, each as its own distorted version."""
    paths = images_in(PHOTOS)
    records = [
        ScoredImage(path, path, path.stem, f"class {i % CLASSES}", i / 20, float(i)) for i, path in enumerate(paths)
    ]
    images = ScoredSet("photographs", PHOTOS, tuple(records), Scale("MOS", 0.0, 20.0, higher_is_better=True))
    packed = PackedImages.open(images.files, images.root, folder)
    training = settings.training
    return CropBatches(
        images, packed, batch_size=training.batch_size, crop=training.crop_size, steps=1000, seed=0, grid=8
    )


def modules(settings: Settings) -> dict[str, EvaluatorTraining]:
    """Return a module for each kind of step."""

    def evaluator() -> Evaluator:
        return Evaluator(settings.model, CLASSES)

    def generator() -> Generator:
        return Generator(settings.model, CLASSES)

    return {
        "baseline and phase 3": Baseline(evaluator(), settings),
        "phase 2": Augmentation(evaluator(), generator(), settings),
        "phase 1": Adversarial(Discriminator(evaluator()), generator(), settings),
    }


def stepper(module: EvaluatorTraining, batch: Batch, in_bfloat: bool = False) -> Take:
    """Return one training step of a module outside a trainer: losses, gradients, update."""
    optimizers = module.configure_optimizers()

    def take(step: int) -> None:
        losses = module.player_losses(batch, step)
        for optimizer in optimizers:
            for other in optimizers:  # as Lightning toggles the players
                for weight in (weight for group in other.param_groups for weight in group["params"]):
                    weight.requires_grad_(other is optimizer)
            with torch.autocast(module.device.type, torch.bfloat16, enabled=in_bfloat):
                loss = next(losses)
            descend(optimizer, loss)

    return take


def plain(module: EvaluatorTraining, batch: Batch) -> Take:
    """Return the same step without what makes ours fast."""

    def unfused(groups: Any, **options: Any) -> torch.optim.Optimizer:
        return ADAM(groups, **{**options, "fused": False, "foreach": False})

    with patch("torch.optim.Adam", unfused):
        take = stepper(module, batch)

    def slow(step: int) -> None:
        with channels_first():
            take(step)

    return slow


ADAM = torch.optim.Adam


@contextmanager
def channels_first() -> Iterator[None]:
    """Let crops be laid out as torch does by default."""

    def as_images(crops: torch.Tensor) -> torch.Tensor:
        return crops.float() / 255

    rooms = ("evaluator", "augmentation", "adversarial")
    patches = [patch(f"gada.training.{room}.as_images", as_images) for room in rooms]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()


def descend(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """Take one step down a loss."""
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    optimizer.step()


def bound(module: EvaluatorTraining, batch: Batch, kind: torch.dtype) -> float:
    """Return the seconds below which a step cannot get on this machine."""
    kept: list[int] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor.numel() * kind.itemsize)
        return tensor

    take = stepper(module, batch)
    with FlopCounterMode(display=False) as counter, torch.autograd.graph.saved_tensors_hooks(keep, lambda kept: kept):
        take(0)
    weights = sum(weight.numel() * 4 for weight in module.parameters())
    moved = 2 * sum(kept) + 7 * weights  # activations written and read; weights, gradients and Adam's two means
    return max(float(counter.get_total_flops()) / matrix_rate(kind), moved / copy_rate())


def shares(take: Take) -> dict[str, float]:
    """Return what a compiled step spends its time in, as shares of all: what stands between it and its bound."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        take(0)
    spent = {"convolutions": 0.0, "gradients_of_convolutions": 0.0, "compiled_loops": 0.0, "rest": 0.0}
    for event in profile.key_averages():
        match event.key:
            case name if "convolution_backward" in name:
                kind = "gradients_of_convolutions"
            case name if "convolution" in name:
                kind = "convolutions"
            case name if "CompiledFxGraph" in name:
                kind = "compiled_loops"
            case _:
                kind = "rest"
        spent[kind] += event.self_cpu_time_total
    return {kind: time / sum(spent.values()) for kind, time in spent.items()}


def matrix_rate(kind: torch.dtype) -> float:
    """Return the operations a second of a matrix product."""
    left, right = torch.rand(2, SIDE, SIDE).to(kind)
    operations = 2 * SIDE * SIDE * SIDE
    return operations / seconds(lambda: torch.matmul(left, right), STEPS)


def copy_rate() -> float:
    """Return the bytes a second that a copy reads and writes."""
    source, target = torch.rand(2, 2**25)
    return float(2 * source.nbytes / seconds(lambda: target.copy_(source), STEPS))


def measured(takes: dict[str, Take]) -> dict[str, float]:
    """Return the least seconds of each step; interleaved, for a shared machine changes from minute to minute."""
    times = dict.fromkeys(takes, float("inf"))
    for _ in range(ROUNDS):
        for name, take in takes.items():
            number = count()
            times[name] = min(times[name], seconds(lambda: take(next(number)), STEPS))  # noqa: B023  # called at once
    return times


if __name__ == "__main__":
    main()

"""Crops a second of the data path and of each phase's step, measured side by side; one JSON line for each figure."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from gada.data.batches import Batch, CropBatches
from gada.data.cache import PackedImages
from gada.data.records import Scale, ScoredImage, ScoredSet
from gada.io.folders import pictures_in
from gada.models.discriminator import Discriminator
from gada.models.evaluator import Evaluator
from gada.models.generator import Generator
from gada.settings import ModelSettings, Settings, TrainingSettings, resolve
from gada.training.adversarial import Adversarial
from gada.training.augmentation import Augmentation
from gada.training.evaluator import EvaluatorTraining

PHOTOS = Path(__file__).parents[1] / "data" / "photos"
ROUNDS, STEPS = 3, 4
DEMO = ModelSettings(widths=(32, 64, 64), decoder_widths=(32, 32, 16), maps=256)


def main() -> None:
    """Measure the networks of the demo, and say how much faster crops come than training takes them."""
    settings = resolve(Settings(model=DEMO, training=TrainingSettings(crop_size=64, batch_size=32)))
    with tempfile.TemporaryDirectory() as folder:
        batches = photograph_batches(settings, Path(folder))
        steps: dict[str, Callable[[int], object]] = {"data path": lambda step: batches[step]}
        for name, module in modules(settings).items():
            steps[f"{name} step"] = stepper(module, batches[0])
        rates = dict.fromkeys(steps, 0.0)
        for _ in range(ROUNDS):  # interleaved, for a shared machine is not the same from minute to minute
            for name, take in steps.items():
                rates[name] = max(rates[name], STEPS * settings.training.batch_size / seconds(take))
    for name, rate in rates.items():
        show(name, rate, rates["data path"] / rate)


def photograph_batches(settings: Settings, folder: Path) -> CropBatches:
    """Return batches of the bundled photographs, each as its own distorted version."""
    paths = pictures_in(PHOTOS)
    records = [ScoredImage(path, path, path.stem, f"class {i % 5}", i / 20, float(i)) for i, path in enumerate(paths)]
    images = ScoredSet("photographs", PHOTOS, tuple(records), Scale("MOS", 0.0, 20.0, higher_is_better=True))
    packed = PackedImages.open(images.files, images.root, folder)
    training = settings.training
    return CropBatches(
        images, packed, batch_size=training.batch_size, crop=training.crop_size, steps=1000, seed=0, grid=8
    )


def modules(settings: Settings) -> dict[str, EvaluatorTraining]:
    """Return a module for each kind of step."""

    def evaluator() -> Evaluator:
        return Evaluator(settings.model, classes=5)

    def generator() -> Generator:
        return Generator(settings.model, classes=5)

    return {
        "baseline and phase 3": EvaluatorTraining(evaluator(), settings),
        "phase 2": Augmentation(evaluator(), generator(), settings),
        "phase 1": Adversarial(Discriminator(evaluator()), generator(), settings),
    }


def stepper(module: EvaluatorTraining, batch: Batch) -> Callable[[int], object]:
    """Return one training step of a module outside a trainer: losses, gradients, update."""
    module.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
    found = module.configure_optimizers()
    if isinstance(module, Adversarial):
        generator, discriminator = found if isinstance(found, list) else [found, found]

        def adversarial(step: int) -> None:
            generated = module.distort(batch, step)
            descend(generator, module.generator_loss(generated, batch))
            descend(discriminator, module.discriminator_loss(generated.detach(), batch, batch))

        return adversarial

    def supervised(step: int) -> None:
        crops = module.labelled_crops(batch, step)
        descend(found, module.supervised_loss(module.evaluator(crops.images), crops))  # type: ignore[arg-type]

    return supervised


def descend(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """Take one step down a loss."""
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    optimizer.step()


def seconds(take: Callable[[int], object]) -> float:
    """Return the time of `STEPS` steps, after one that is not counted."""
    take(0)
    begin = time.perf_counter()
    for step in range(1, STEPS + 1):
        take(step)
    return time.perf_counter() - begin


def show(name: str, rate: float, ratio: float) -> None:
    """Print one figure."""
    figure = {"figure": name, "crops_per_second": round(rate, 1), "data_path_is_faster_by": round(ratio, 1)}
    sys.stdout.write(json.dumps(figure) + "\n")


if __name__ == "__main__":
    main()

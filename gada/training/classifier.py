"""Training of a classifier against label distributions (Chen et al., 2017, section 4.3)."""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gada.data.mixtures import Batch, Mixture
from gada.errors import ConfigError, DivergedError
from gada.io.checkpoints import load_checkpoint
from gada.io.files import write_text
from gada.io.records import metrics_csv
from gada.losses.label_distribution import iqa_label_distribution, label_loss
from gada.models.classifier import Classifier, build_classifier, save_classifier
from gada.settings import ClassifierSettings

LAST, FINISHED, METRICS = "last.safetensors", "classifier.safetensors", "metrics.csv"
AT_ONCE = 500  # images judged together
Pixels = NDArray[np.uint8]


class ClassifierTraining:
    """A classifier, its loss and its optimiser.

    Args:
        classifier: what to train.
        settings: how.
        transform: T of IQA-LS; `identity` where the mixture's qualities are confidences already.
        device: where.
    """

    def __init__(self, classifier: Classifier, settings: ClassifierSettings, transform: str, device: str) -> None:
        self.classifier = classifier.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.settings = settings
        self.transform = transform
        self.device = device
        self.optimizer = torch.optim.SGD(parameter_groups(classifier, settings.weight_decay), lr=settings.rate)

    def step(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Take one step; return the loss and how many images were classified rightly."""
        logits, labels = self.logits(batch), torch.from_numpy(batch.labels).to(self.device)
        quality = torch.from_numpy(batch.quality).to(self.device)
        wanted = iqa_label_distribution(labels, quality, logits.shape[1], self.transform)
        loss = label_loss(logits, wanted, self.settings.loss).mean()
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        return loss.detach(), (logits.argmax(dim=1) == labels).sum()

    def logits(self, batch: Batch) -> Tensor:
        """Return the logits of a batch, (B, K)."""
        images = as_images(batch.pixels, self.device)
        kind = torch.device(self.device).type
        with torch.autocast(kind, torch.bfloat16, enabled=self.settings.precision == "bf16"):
            logits: Tensor = self.classifier(images)
        return logits.float()

    def epoch(self, mixture: Mixture, number: int) -> dict[str, float]:
        """Train on one epoch of a mixture; return its figures.

        Raises:
            DivergedError: if the loss is not finite.
        """
        begin, rate = time.perf_counter(), self.settings.rate_at(number)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.classifier.train()
        batches = mixture.batches(number, self.settings.batch_size)
        losses, right = zip(*(self.step(batch) for batch in batches), strict=True)
        loss = float(torch.stack(losses).mean())
        if not np.isfinite(loss):
            raise DivergedError(f"the loss of epoch {number + 1} is not finite; give a lower --training.rate.")
        accuracy = float(torch.stack(right).sum()) / len(mixture.labels)
        seconds = time.perf_counter() - begin
        return {"epoch": number + 1, "rate": rate, "loss": loss, "accuracy": accuracy, "seconds": seconds}


def train_classifier(
    mixture: Mixture,
    classes: int,
    settings: ClassifierSettings,
    folder: Path,
    card: Mapping[str, Any],
    seed: int = 0,
    transform: str = "identity",
    device: str = "cpu",
    say: Callable[[str], object] | None = None,
) -> Path:
    """Train a classifier to its end, going on after its last whole epoch where the folder has one.

    The optimiser has no memory and an epoch depends on seed and number alone, so that a resumed training ends as
    an uninterrupted one does.

    Args:
        mixture: the training set.
        classes: K.
        settings: how to train.
        folder: receives `last.safetensors`, `metrics.csv` and at the end `classifier.safetensors`.
        card: what the checkpoint is to say; "settings" decides whether a started training is the same one.
        seed: of the weights.
        transform: T of IQA-LS.
        device: where.
        say: takes a line about each epoch; by default standard error does.

    Returns:
        The checkpoint's path.

    Raises:
        ConfigError: if the folder holds another training.
        DivergedError: if the loss is not finite.
    """
    torch.manual_seed(seed)
    classifier = build_classifier(settings.network, classes, settings.inputs)
    training = ClassifierTraining(classifier, settings, transform, device)
    figures = resume(classifier, folder, card)
    for number in range(len(figures), settings.epochs):
        torch.manual_seed(1_000_003 * (seed + 1) + number)  # for networks with dropout
        figures.append(training.epoch(mixture, number))
        write_text(folder / METRICS, metrics_csv(figures))
        save_classifier(folder / LAST, classifier, {**card, "figures": figures})
        shown = ", ".join(f"{name} {value:.4g}" for name, value in figures[-1].items())
        (say or sys.stderr.write)(f"{folder.parent.name}/{folder.name}: {shown}\n")
    save_classifier(folder / FINISHED, classifier, {**card, "train_seconds": sum(one["seconds"] for one in figures)})
    return folder / FINISHED


def resume(classifier: Classifier, folder: Path, card: Mapping[str, Any]) -> list[dict[str, float]]:
    """Put the weights of the last whole epoch into a classifier; return the figures of the epochs that are done.

    Raises:
        ConfigError: if the folder holds another training.
    """
    check_training(folder, card)
    if not (folder / LAST).is_file():
        return []
    tensors, found = load_checkpoint(folder / LAST, "classifier")
    try:
        classifier.load_state_dict({name: torch.from_numpy(values) for name, values in tensors.items()})
    except RuntimeError as error:
        raise ConfigError(
            f"{folder} holds a training of another network; choose another --run, or delete the folder to start anew."
        ) from error
    return list(found["figures"])


def check_training(folder: Path, card: Mapping[str, Any]) -> None:
    """Refuse a folder whose training, finished or not, has other settings, naming the first that differs.

    What the card of an older version does not say is not compared.
    """
    for file in (folder / FINISHED, folder / LAST):
        if not file.is_file():
            continue
        before, now = load_checkpoint(file, "classifier")[1]["settings"], card["settings"]
        different = [key for key in now if key in before and before[key] != now[key]]
        if different:
            key = different[0]
            name = key if "." in key else f"training.{key}"
            raise ConfigError(
                f"{folder} holds a training with {name}={before[key]}, not {now[key]}; choose another --run, or delete "
                "the folder to start anew."
            )


def parameter_groups(classifier: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return the weights of the fully connected layers but the last, which alone are decayed, and all the others."""
    linear = [layer for layer in classifier.modules() if isinstance(layer, nn.Linear)]
    decayed = [layer.weight for layer in linear[:-1]]
    known = {id(weight) for weight in decayed}
    others = [parameter for parameter in classifier.parameters() if id(parameter) not in known]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def as_images(pixels: Pixels, device: str = "cpu") -> Tensor:
    """Return pixels (N, S, S, 3) uint8 as images (N, 3, S, S) in [0, 1], in memory as they were (channels last)."""
    return torch.from_numpy(pixels).to(device).permute(0, 3, 1, 2).float() / 255


@torch.inference_mode()
def predict(classifier: nn.Module, pixels: Pixels, device: str = "cpu") -> NDArray[np.float64]:
    """Return class probabilities (N, K) of images (N, S, S, 3) uint8."""
    classifier = classifier.to(device).eval()
    parts = [
        classifier(as_images(np.array(pixels[start : start + AT_ONCE]), device)).float().softmax(dim=1).cpu()
        for start in range(0, len(pixels), AT_ONCE)
    ]
    probabilities: NDArray[np.float64] = torch.cat(parts).double().numpy()
    return probabilities

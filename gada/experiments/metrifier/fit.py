"""Training a metrifier on D', split by source image (Cheraaqee, 2022, section 3.1)."""

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import yaml

from gada.data.batches import CropBatches
from gada.data.records import ScoredSet
from gada.errors import ConfigError, DataError
from gada.experiments.metrifier.error_set import EXPECTED_ERROR, ErrorSet, PackedSteps, build_error_set
from gada.io.cards import Card
from gada.io.checkpoints import BEST, ENDED
from gada.io.files import write_json, write_text
from gada.io.records import commit, environment
from gada.models.evaluator import Evaluator
from gada.models.files import save_network
from gada.runs.identity import RunFolder
from gada.scoring.torch_backend import choose_device
from gada.settings import (
    EvaluationSettings,
    LossSettings,
    MetrifierSettings,
    Settings,
    TrainingSettings,
    as_plain,
    from_plain,
)
from gada.training.data import TrainingData, ValidationCrops
from gada.training.loggers import Mode, run_loggers
from gada.training.metrifier import MetrifierTraining
from gada.training.stage import seed_weights, train

LARGEST_CROP = 128
CLASS_WEIGHT = 0.1  # of the loss of the distortion class, beside the error's

CHEAPER = "Cheaper: fewer --steps or images (--images.per_class). Ctrl-C stops; the same command resumes."


def fit_metrifier(
    settings: MetrifierSettings, folder: Path, device: str = "auto", jobs: int | None = None, wandb: Mode = "auto"
) -> ErrorSet:
    """Build D', train on it, and keep the network that ranks the validation images best in `best.safetensors`.

    Args:
        settings: of the run.
        folder: the run directory; a stopped run is resumed with the same settings.
        device: where to run classifier and training.
        jobs: processes that distort.
        wandb: whether and how to log to Weights & Biases.

    Raises:
        ConfigError: if settings do not fit, or the folder holds another run.
        DataError: if images or labels are missing or wrong, or an output is not finite.
        DivergedError: if the training diverges.
    """
    RunFolder(folder, settings)  # of this very run, or new
    device = choose_device(device)
    errors = build_error_set(settings, folder, device, jobs)
    packed, inner = PackedSteps(errors.distorted, errors.steps), training_settings(settings, errors)
    write_text(folder / "config.yaml", yaml.safe_dump(as_plain(settings), sort_keys=False))
    write_json(folder / "env.json", {**environment(), "data": errors.distorted.images.fingerprint})
    errors.split.write(folder / "split.json")
    seed_weights(settings.seed)
    network = Evaluator(inner.model, len(errors.classes))
    crop, batch = inner.training.crop_size, settings.batch_size
    images, chosen = errors.scored(errors.sources("train")), validation_set(errors, settings.validation_images)
    batches = CropBatches(images, packed, batch_size=batch, crop=crop, steps=settings.steps, seed=settings.seed)
    data = TrainingData(batches, ValidationCrops(chosen, packed, inner), settings.validate_every, device)
    card = card_of(settings, errors, crop)
    save = partial(save_network, folder / BEST, network, card)
    finished = (folder / ENDED).is_file()
    with run_loggers(folder, wandb, as_plain(settings), finished=finished) as loggers:
        train(MetrifierTraining(network, inner), data, folder, save, loggers, device=device, cheaper=CHEAPER)
        save_network(folder / ENDED, network, card)
        for logger in loggers:
            logger.keep("metrifier", "model", [folder / BEST, folder / "config.yaml"])
    return errors


def training_settings(settings: MetrifierSettings, errors: ErrorSet) -> Settings:
    """Return the settings of the evaluator's training."""
    size = errors.distorted.view.size
    crop = settings.crop_size or min(size, LARGEST_CROP)
    training = TrainingSettings(
        batch_size=settings.batch_size,
        crop_size=crop // 8 * 8,
        jpeg_grid=False,  # the square is cut anywhere in an image
        validate_every=settings.validate_every,
        trunk_lr=settings.lr,
        head_lr=settings.lr,
    )
    evaluation = EvaluationSettings(validation_crops=1 if crop == size else 4)
    loss = LossSettings(class_weight=CLASS_WEIGHT)
    return Settings(seed=settings.seed, model=settings.model, loss=loss, training=training, evaluation=evaluation)


def validation_set(errors: ErrorSet, count: int) -> ScoredSet:
    """Return the images that choose the checkpoint, evenly drawn from D' of the validation sources."""
    whole = errors.scored(errors.sources("validation"))
    if len(whole) > count:
        drawn = np.random.default_rng(0).permutation(len(whole))[:count]
        whole = replace(whole, images=tuple(whole.images[i] for i in sorted(drawn.tolist())))
    return whole


def card_of(settings: MetrifierSettings, errors: ErrorSet, crop: int) -> Card:
    """Return the card of the checkpoint."""
    images = errors.distorted.images
    return Card(
        kind="metrifier",
        name=f"metrifier of {errors.name}",
        data=f"errors ({settings.error}) of {errors.name} on {images.title} and its distortions",
        classes=errors.classes,
        scale=EXPECTED_ERROR,
        crop_size=crop,
        proxy=True,
        seed=settings.seed,
        split=errors.split.hash,
        commit=commit(),
        view=asdict(errors.distorted.view),
        more={"classifiers": [one.identity for one in errors.classifiers], "error": settings.error},
    )


def read_settings(folder: Path) -> MetrifierSettings:
    """Return the settings of a run.

    Raises:
        DataError: if the folder does not hold a run of a metrifier.
    """
    try:
        return from_plain(MetrifierSettings, yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, yaml.YAMLError, ConfigError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{folder} holds no run of `gada metrify fit` that can be read ({reason}); name another --run."
        ) from error

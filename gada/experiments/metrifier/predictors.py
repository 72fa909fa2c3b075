"""Predictors of a classifier's error on held-out images: the metrifier, and the baselines beside it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.data.crops import reflect_up
from gada.data.distorted import CLEAN
from gada.experiments.metrifier.error_set import ErrorSet
from gada.metrics.ssim import MS_SSIM_SMALLEST_SIDE, ms_ssim, ssim
from gada.scoring.loading import load_scorer
from gada.scoring.metrifier import CROPS, load_metrifier
from gada.scoring.scorer import Scorer

METRIFIER = "metrifier"
ESTIMATES = (METRIFIER, "1 - maximum softmax", "known level")
"""Predictors that are estimates of the error itself, so that their calibration means something; others only rank."""

Table = NDArray[np.float64]


def predictions(errors: ErrorSet, model: Path, evaluator: str, device: str = "auto") -> dict[str, Table]:
    """Return each predictor's output for the test images at every step, (N, T), higher for a greater error.

    Args:
        errors: D'.
        model: the metrifier.
        evaluator: an evaluator of quality, as `gada score` takes it.
        device: where to run metrifier and evaluator.
    """
    sources = errors.sources("test")
    classes = np.log(errors.classifier.probabilities(np.array(errors.distorted.array(CLEAN)[:1])).shape[1])
    similarity = "1 - MS-SSIM" if errors.distorted.view.size >= MS_SSIM_SMALLEST_SIDE else "1 - SSIM"
    quality = load_scorer(evaluator, "grid", crops=CROPS, device=device)
    return {
        METRIFIER: scored(load_metrifier(model, device), errors, sources),
        "1 - maximum softmax": 1 - errors.of("largest")[sources],
        "entropy": errors.of("entropy")[sources] / classes,
        similarity: dissimilarity(errors, sources),
        f"1 - quality ({quality.card.name})": scored(quality, errors, sources),
        "known level": np.tile(errors.errors[errors.sources("train")].mean(axis=0), (len(sources), 1)),
    }


def scored(scorer: Scorer, errors: ErrorSet, sources: NDArray[np.int64]) -> Table:
    """Return 1 - quality of each image by a scorer, (N, T); the images are in the classifier's view already."""

    def cut(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        crops = Scorer.cut(scorer, reflect_up(image, scorer.size))
        return crops if len(image) > scorer.size else crops[:1]  # all crops of an image of their own size are the same

    columns = []
    for step in errors.steps:
        images, column, waiting = errors.distorted.array(step), list[float](), list[NDArray[np.uint8]]()
        for i in sources:
            waiting.append(cut(np.array(images[i])))
            if scorer.is_full(waiting):
                column += [one.quality for one in scorer.predictions(waiting)]
                waiting.clear()
        column += [one.quality for one in scorer.predictions(waiting)]
        columns.append(1 - np.array(column))
    return np.stack(columns, axis=1)


def dissimilarity(errors: ErrorSet, sources: NDArray[np.int64]) -> Table:
    """Return 1 - SSIM of each image with its undistorted source; MS-SSIM where the images are large enough for it."""
    measure = ms_ssim if errors.distorted.view.size >= MS_SSIM_SMALLEST_SIDE else ssim
    clean = errors.distorted.array(CLEAN)

    def column(step_images: NDArray[np.uint8]) -> Iterator[float]:
        for i in sources:
            yield 1 - measure(np.array(step_images[i]), np.array(clean[i]))

    return np.stack([np.fromiter(column(errors.distorted.array(step)), float) for step in errors.steps], axis=1)

"""Predictors of a classifier's error on held-out images: the metrifier, and the baselines beside it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gada.data.crops import reflect_up
from gada.data.distorted import CLEAN
from gada.experiments.metrifier.error_set import ErrorSet
from gada.experiments.robustness.layers import convolutions, early_and_late, measure
from gada.metrics.psnr import luminance
from gada.metrics.ssim import MS_SSIM_SMALLEST_SIDE, ms_ssim, ssim
from gada.metrics.vif import smallest_side, vif
from gada.scoring.loading import load_scorer
from gada.scoring.metrifier import CROPS, load_metrifier
from gada.scoring.responses import Layer
from gada.scoring.scorer import Prediction, Scorer

METRIFIER, SOFTMAX, BOTH = "metrifier", "1 - maximum softmax", "metrifier and maximum softmax"
ESTIMATES = (METRIFIER, SOFTMAX, BOTH, "known level")
"""Predictors that are estimates of the error itself, so that their calibration means something; others only rank."""

Pixels = NDArray[np.uint8]
Table = NDArray[np.float64]
Sources = NDArray[np.int64]


class Predicted(NamedTuple):
    """What is predicted for the test images at every step."""

    tables: dict[str, Table]
    """Of each predictor, (N, T), higher for a greater error."""
    named: NDArray[np.str_]
    """The distortion that the metrifier names, (N, T)."""


def predictions(errors: ErrorSet, model: Path, evaluators: Sequence[str], device: str = "auto") -> Predicted:
    """Return the predictions of the metrifier and of what stands beside it.

    Args:
        errors: D'.
        model: the metrifier.
        evaluators: evaluators of quality, as `gada score` takes them.
        device: where to run metrifier and evaluators.
    """
    sources, metrifier = errors.sources("test"), load_metrifier(model, device)
    mine, named = scored(metrifier, errors, sources)
    tables = {METRIFIER: mine}
    if errors.has_softmax:
        tables |= of_softmax(errors, sources, mine, scored(metrifier, errors, errors.sources("validation"))[0])
    tables |= of_references(errors, sources)
    for name in evaluators:
        scorer = load_scorer(name, "grid", crops=CROPS, device=device)
        tables[f"1 - quality ({scorer.card.name})"] = scored(scorer, errors, sources)[0]
    known = errors.errors[errors.sources("train")].mean(axis=0)
    return Predicted(tables | {"known level": np.tile(known, (len(sources), 1))}, named)


def of_softmax(errors: ErrorSet, sources: Sources, mine: Table, validated: Table) -> dict[str, Table]:
    """Return what the classifiers themselves say, and that joined with the metrifier.

    The two are joined by the line that fits the errors of the validation sources best.

    Args:
        errors: D'.
        sources: of the test.
        mine: the metrifier's predictions for them.
        validated: its predictions for the validation sources.
    """
    unsure, validation = 1 - errors.of("largest"), errors.sources("validation")
    fitted, asked = (
        np.stack([one, two, np.ones_like(one)], axis=-1)
        for one, two in ((validated, unsure[validation]), (mine, unsure[sources]))
    )
    weights = np.linalg.lstsq(fitted.reshape(-1, 3), errors.errors[validation].ravel(), rcond=None)[0]
    both = asked @ weights
    return {SOFTMAX: unsure[sources], "entropy": errors.of("entropy")[sources], BOTH: both}


def scored(scorer: Scorer, errors: ErrorSet, sources: Sources) -> tuple[Table, NDArray[np.str_]]:
    """Return 1 - quality of each image by a scorer, and the distortion that it names, (N, T) both.

    The images are in the classifier's view already.
    """

    def cut(image: Pixels) -> Pixels:
        if scorer.card.whole_view:
            return scorer.cut(image)
        crops = Scorer.cut(scorer, reflect_up(image, scorer.size))
        return crops if len(image) > scorer.size else crops[:1]  # all crops of an image of their own size are the same

    columns, names = [], []
    for step in errors.steps:
        images, found, waiting = errors.distorted.array(step), list[Prediction](), list[Pixels]()
        for i in sources:
            waiting.append(cut(np.array(images[i])))
            if scorer.is_full(waiting):
                found += scorer.predictions(waiting)
                waiting.clear()
        found += scorer.predictions(waiting)
        columns.append(1 - np.array([one.quality for one in found]))
        names.append([one.distortion for one in found])
    return np.stack(columns, axis=1), np.array(names).T


def of_references(errors: ErrorSet, sources: Sources) -> dict[str, Table]:
    """Return the measures that need the undistorted image, those for which the images are large enough.

    The last two are distances in the first classifier's own features: the relative change of its early and of its
    late convolutions (Cheraaqee, 2022, section 3.2).
    """
    side = errors.distorted.view.size
    measures: dict[str, Callable[[Pixels, Pixels], float]] = {"1 - SSIM": ssim}
    measures |= {"1 - MS-SSIM": ms_ssim} if side >= MS_SSIM_SMALLEST_SIDE else {}
    measures |= {"1 - VIF": lambda one, two: vif(luminance(one), luminance(two))} if side >= smallest_side() else {}
    tables = {name: 1 - compared(errors, sources, measure) for name, measure in measures.items()}
    layers, changes = list[Layer](), np.empty(0, np.float32)
    if errors.classifiers[0].network is not None:
        layers, changes = measure(errors.classifiers[0], errors.distorted, errors.steps, sources)
    if len(convolutions(layers)) > 1:
        early, late = (part.astype(np.float64) for part in early_and_late(layers, changes))
        tables |= {"feature change, early layers": early, "feature change, late layers": late}
    return tables


def compared(errors: ErrorSet, sources: Sources, measure: Callable[[Pixels, Pixels], float]) -> Table:
    """Return a measure of each image beside its undistorted source, (N, T)."""
    clean = errors.distorted.array(CLEAN)

    def column(images: Pixels) -> Iterator[float]:
        for i in sources:
            yield measure(np.array(images[i]), np.array(clean[i]))

    return np.stack([np.fromiter(column(errors.distorted.array(step)), float) for step in errors.steps], axis=1)

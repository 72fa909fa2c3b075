"""What an evaluator of whole images knows of its scale: qualities of its sets, percentiles, and what is usual."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import curve_fit
from scipy.special import expit
from torch import Tensor, nn

from gada.data.records import ScoredImage
from gada.io.cards import SetScale
from gada.models.evaluator import Evaluator
from gada.models.files import load_evaluator, save_network
from gada.runs.features import pooled_features, views_of
from gada.runs.prepared import PreparedData

DESCRIBED = 1000  # training images that are enough to know their distribution
ON_A_LINE = 300  # training images that are enough for a line of two parameters
USUAL = 0.99  # fraction of held-out photos that are not marked as unusual
FEWEST_HELD_OUT = 100  # below, what is usual is left as the evaluator that the training started from knows it


def calibrate(path: Path, data: PreparedData, longer_side: int, limit: float | None) -> None:
    """Bring an evaluator to the scale of its set, and let it know its training photos.

    It was trained in standard deviations. A logistic map of two parameters gives the set's own qualities.

    Args:
        path: of the evaluator, which is written again.
        data: the sets.
        longer_side: of the views, in pixels.
        limit: distance above which an image is unusual, where too few photos are held out to measure it.
    """
    evaluator, card = load_evaluator(path)
    if card.quantiles:  # of a run that was stopped behind this
        return
    held_out = data.side("validation").images
    enough = len(held_out) >= FEWEST_HELD_OUT
    records = some_of(data.side("train").images)
    _, rough = described(evaluator, data, records, longer_side, fit=enough)
    logits = rough.double().logit().numpy()
    slope, shift = logistic_map(logits, np.array([record.quality for record in records]))
    rescale(evaluator, slope, shift)
    quantiles = np.quantile(expit(slope * logits + shift), np.linspace(0, 1, 101)).clip(0, 1).tolist()
    if enough and evaluator.usual:
        limit = float(np.quantile(described(evaluator, data, held_out, longer_side)[0], USUAL))
    sets = tuple(set_scale(evaluator, one, longer_side) for one in data.others)
    card = replace(card, quantiles=tuple(quantiles), usual_distance=limit, sets=sets)
    save_network(path, evaluator, card)


def set_scale(evaluator: Evaluator, data: PreparedData, longer_side: int) -> SetScale:
    """Return the rising line from an evaluator's logits to the qualities of a further set that trained it."""
    records = some_of(data.side("train").images, ON_A_LINE)
    logits = described(evaluator, data, records, longer_side)[1].double().clamp(1e-6, 1 - 1e-6).logit().numpy()
    human = [record.quality for record in records]
    slope, shift = np.polyfit(logits, human, 1) if np.ptp(logits) else (1.0, 0.0)
    return SetScale(data.images.name, data.images.scale, max(float(slope), 1e-6), float(shift))


@torch.no_grad()
def described(
    evaluator: Evaluator, data: PreparedData, records: Sequence[ScoredImage], longer_side: int, fit: bool = False
) -> tuple[Tensor, Tensor]:
    """Return how unlike the training photos some images are, and their qualities, (N,) each; `fit` to them first."""
    features = evaluator.scale(pooled_features(evaluator, list(views_of(data, records, longer_side))))
    quality = evaluator.predict(features).quality
    if evaluator.usual is None:
        return torch.zeros(len(quality)), quality
    if fit:
        evaluator.usual.fit(features)
    return evaluator.usual(features), quality


def some_of(records: Sequence[ScoredImage], most: int = DESCRIBED) -> list[ScoredImage]:
    """Return images, or of many a part, always the same."""
    drawn = np.random.default_rng(0).permutation(len(records))[:most]
    return [records[index] for index in sorted(drawn)]


@torch.no_grad()
def rescale(evaluator: Evaluator, slope: float, shift: float) -> None:
    """Multiply the logits of an evaluator's quality by a slope, and add a shift."""
    last = cast(nn.Linear, evaluator.quality_head[-1])
    last.weight.mul_(slope)
    last.bias.mul_(slope).add_(shift)


def logistic_map(logits: NDArray[np.float64], quality: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and shift of the logistic map from logits (N,) to qualities (N,) with the least squared error.

    The slope is above 0, so that the map keeps every order; where the logits say nothing, it is 1, and the shift 0.
    """
    if len(logits) < 3 or not np.isfinite(logits).all() or not np.ptp(logits):
        return 1.0, 0.0
    try:
        (slope, shift), _ = curve_fit(lambda x, a, b: expit(a * x + b), logits, quality, p0=(1.0, 0.0))
    except RuntimeError:  # no convergence
        return 1.0, 0.0
    return (float(slope), float(shift)) if slope > 0 else (1.0, 0.0)

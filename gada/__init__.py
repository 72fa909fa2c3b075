"""GADA: no-reference image quality assessment with generative adversarial data augmentation."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gada.losses.label_distribution import iqa_label_distribution
    from gada.scoring.differentiable import DifferentiableScorer, QualityScore
    from gada.scoring.loading import load_scorer
    from gada.scoring.scorer import Prediction, QualityMap, Scorer

__version__ = "0.1.0"
__all__ = [
    "DifferentiableScorer",
    "Prediction",
    "QualityMap",
    "QualityScore",
    "Scorer",
    "iqa_label_distribution",
    "load_scorer",
]

_HOMES = {
    "DifferentiableScorer": "scoring.differentiable",
    "QualityScore": "scoring.differentiable",
    "load_scorer": "scoring.loading",
    "Prediction": "scoring.scorer",
    "QualityMap": "scoring.scorer",
    "Scorer": "scoring.scorer",
    "iqa_label_distribution": "losses.label_distribution",
}


def __getattr__(name: str) -> Any:  # imported when asked for, so that `import gada` takes no time
    if name not in _HOMES:
        raise AttributeError(f"module 'gada' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"gada.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

"""A trained metrifier: images in, the error that its classifier is expected to make on each out."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.data.distorted import View
from gada.errors import ConfigError
from gada.scoring.loading import open_scorer
from gada.scoring.scorer import Scorer

CROPS = 4
"""Of an image that is larger than a crop."""


class MetrifierScorer(Scorer):
    """Scores images in the classifier's view: resized and cropped to the square in the middle."""

    def cut(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the crops of an image (H, W, 3), (n, size, size, 3)."""
        return super().cut(View(**(self.card.view or {}))(image))

    def describe(self) -> str:
        """Return what the scores are, in one line."""
        return f"{self.card.name}: {self.scale.describe()}; fitted to {self.card.title}"


def load_metrifier(model: str | Path, device: str = "auto") -> MetrifierScorer:
    """Return the scorer of a metrifier.

    Args:
        model: its run's folder, its .safetensors file, or what `gada export` made of it.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        ConfigError: if it does not exist, or is an evaluator of quality.
        DataError: if the file is damaged.
    """
    scorer = open_scorer(model, "grid", device=device)
    if scorer.card.view is None:
        raise ConfigError(f"{model} predicts quality, not a classifier's error; train one with `gada metrify fit`.")
    crops = 1 if scorer.size >= scorer.card.view["size"] else CROPS
    return MetrifierScorer(scorer.backend, scorer.card, crops=crops, digest=scorer.digest)

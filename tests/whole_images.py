"""An evaluator of whole images with random weights, for tests of scoring."""

from pathlib import Path

import numpy as np
import torch
from evaluators import picture

from gada.data.whole_view import whole_view
from gada.io.cards import Card
from gada.metrics.scale import Scale
from gada.models.evaluator import Evaluator
from gada.models.files import save_network
from gada.settings import ModelSettings

SIDE = 64


def save_whole_evaluator(path: Path) -> Path:
    """Write an evaluator that knows forty smooth images as its training photos."""
    torch.manual_seed(0)
    settings = ModelSettings(trunk="efficientnet-lite0", detail=False, hidden=8, usual=4)
    evaluator = Evaluator(settings, classes=1).eval()
    views = [whole_view(picture(seed), SIDE) for seed in range(40)]
    with torch.no_grad():
        images = torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2) / 255
        pooled = evaluator.pooled(images)
        assert evaluator.usual is not None
        evaluator.scale.running_mean = pooled.mean(dim=0)
        evaluator.scale.running_var = pooled.var(dim=0) + 1e-4
        features = evaluator.scale(pooled)
        evaluator.usual.fit(features)
        quality = evaluator.predict(features).quality
        limit = float(2 * evaluator.usual(features).max())
    card = Card(
        kind="evaluator",
        name="whole toy",
        data="toy photos",
        classes=(),
        scale=Scale("MOS", 0.0, 100.0, higher_is_better=True),
        crop_size=32,
        whole_view=SIDE,
        quantiles=tuple(np.quantile(quality.double().numpy(), np.linspace(0, 1, 11)).tolist()),
        usual_distance=limit,
    )
    save_network(path, evaluator, card)
    return path

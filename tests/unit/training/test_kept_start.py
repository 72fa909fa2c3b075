"""The weights that score: a moving average, of which a part stays as it was before the training."""

from copy import deepcopy
from dataclasses import replace
from typing import cast

import torch

from gada.data.whole_batches import WholeBatch
from gada.models.evaluator import Evaluator
from gada.settings import Settings
from gada.training.whole_image import WholeImageTraining

SETTINGS = Settings()


def test_a_part_of_the_start_stays_in_the_weights_that_score() -> None:
    settings = replace(SETTINGS, whole=replace(SETTINGS.whole, start_part=0.25, average=0.0, frozen_stages=0))
    torch.manual_seed(0)
    evaluator = Evaluator(replace(settings.model, widths=(8, 8, 8), maps=16, hidden=8), classes=1)
    start = deepcopy(evaluator)
    module = WholeImageTraining(evaluator, settings, ["photos"])
    for _ in range(2):  # it is not forgotten step by step
        with torch.no_grad():
            for weights in evaluator.parameters():
                weights.add_(1)
        module.on_train_batch_end(None, cast(WholeBatch, None), 0)
    for mean, before in zip(module.average.parameters(), start.parameters(), strict=True):
        torch.testing.assert_close(mean, before + 0.75 * 2)
    assert not any(weights.requires_grad for weights in module.start.parameters())

"""An evaluator on scored images: its predictions beside their scores (paper, section 4.2)."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.data.records import ScoredSet
from gada.distortions.names import distortion_name
from gada.io.files import write_bytes, write_text
from gada.io.origin import Origin
from gada.io.records import as_csv, commit, machine
from gada.io.results import ResultRow
from gada.metrics.correlation import rows_by_distortion
from gada.reports.canvas import png
from gada.reports.figures import scatter
from gada.scoring.scorer import Prediction, Scorer


class Evaluated:
    """The predictions of a scorer for the images of a set.

    They are on the set's own scale, to which quality brings those of a model trained on another scale or direction.
    For a set that trained the model beside others, its card knows how.

    Args:
        scorer: the evaluator at work.
        images: the set, or a part of one.
        pixels: its decoded images (H, W, 3) uint8, in its order.
        upper_bound: whether they were trained on too.
    """

    def __init__(
        self, scorer: Scorer, images: ScoredSet, pixels: Iterable[NDArray[np.uint8]], upper_bound: bool = False
    ) -> None:
        self.images = images
        self.upper_bound, self.card = upper_bound, scorer.card
        self.predictions: list[Prediction] = list(scorer.score_all(pixels))
        own = next((one.quality for one in scorer.card.sets if one.name == images.name), float)
        self.predicted = [images.scale.score(own(prediction.quality)) for prediction in self.predictions]
        self.scores = [record.score for record in images.images]
        self.distortions = [record.distortion for record in images.images]

    def rows(self, stage: str, split: int | None, seed: int) -> list[ResultRow]:
        """Return one result row for each distortion class and one for ALL."""
        of_training = (self.upper_bound, self.card.validated, self.card.scored)
        origin = Origin(self.images.name, self.images.proxy, seed, machine(), commit() or "", *of_training)
        found = rows_by_distortion(
            self.predicted, self.scores, self.distortions, stage, split, classes=self.images.classes
        )
        return [ResultRow.from_plain({**row, **origin.as_plain()}) for row in found]

    def write_scores(self, path: Path) -> None:
        """Write one CSV line for each image: file, class, true and predicted score, spread over crops."""
        rows = [["image", "reference", "distortion", "score", "predicted", "spread"]]
        for record, predicted, one in zip(self.images.images, self.predicted, self.predictions, strict=True):
            figures = (f"{record.score:.6g}", f"{predicted:.6f}", f"{one.spread:.6f}")
            rows.append([self.images.name_of(record), record.reference_id, record.distortion, *figures])
        write_text(path, as_csv(rows))

    def write_scatter(self, path: Path, title: str) -> None:
        """Draw predicted against true scores."""
        scale, proxy = self.images.scale.describe(), self.images.proxy
        names = [distortion_name(one, self.images.name) for one in self.distortions]
        write_bytes(path, png(scatter(self.predicted, self.scores, names, title, scale, proxy)))

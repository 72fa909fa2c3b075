"""Many images through one scorer: decoded and cut in threads beside inference, in order, in constant memory."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.errors import DataError
from gada.io.images import read_image, shown
from gada.io.pixels import AS_WRITTEN, Decoding
from gada.io.threads import in_threads
from gada.scoring.scorer import Prediction, Scorer

AT_MOST = 64  # outcomes are given at least this often, also where every file is damaged

Crops = NDArray[np.uint8]
Outcome = Prediction | DataError


def score_files(
    scorer: Scorer,
    paths: Iterable[Path],
    jobs: int | None = None,
    decoding: Decoding = AS_WRITTEN,
) -> Iterator[tuple[Path, Outcome]]:
    """Score files, several at once.

    Args:
        scorer: the scorer.
        paths: files; taken one by one as they are needed.
        jobs: threads that decode; by default one for each core.
        decoding: limit of pixels, and range and white of the samples.

    Yields:
        Each path with its prediction, or with the reason why there is none, in the order given.
    """

    def crops_of(path: Path) -> Crops | DataError:
        try:
            image = read_image(path, decoding)
        except DataError as error:
            return error
        try:
            return scorer.cut(image)
        except DataError as error:
            return DataError(f"{shown(path)}: {error}")
        except MemoryError:  # one image must not end the job of a million
            return DataError(f"{shown(path)} needs more memory than there is; make it smaller, or lower --max-pixels.")

    def prediction_of(path: Path) -> Outcome:
        view = crops_of(path)
        return view if isinstance(view, DataError) else next(scorer.predictions([view]))

    if scorer.card.whole_view:  # no faster several at once, so that each thread does all of its image
        yield from in_threads(prediction_of, paths, jobs)
        return
    waiting: list[tuple[Path, Crops | DataError]] = []
    for path, crops in in_threads(crops_of, paths, jobs):
        waiting.append((path, crops))
        if scorer.is_full(crops_in(waiting)) or len(waiting) >= AT_MOST:
            yield from outcomes(scorer, waiting)
            waiting.clear()
    yield from outcomes(scorer, waiting)


def outcomes(scorer: Scorer, waiting: list[tuple[Path, Crops | DataError]]) -> Iterator[tuple[Path, Outcome]]:
    """Yield the outcome of each file that waits."""
    predictions = scorer.predictions(crops_in(waiting))
    for path, crops in waiting:
        yield path, crops if isinstance(crops, DataError) else next(predictions)


def crops_in(waiting: list[tuple[Path, Crops | DataError]]) -> list[Crops]:
    """Return the crops of the files that could be read."""
    return [crops for _, crops in waiting if not isinstance(crops, DataError)]

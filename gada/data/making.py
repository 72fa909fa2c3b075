"""The distorted images of a set, one task each, made side by side."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.data.proxy import Metric, noise_seed, proxy_dmos
from gada.data.recipes import Cell
from gada.distortions import distort
from gada.io.files import sha256_of
from gada.io.images import read_image, write_png
from gada.io.threads import available_cores


@dataclass(frozen=True)
class Task:
    """One image to make."""

    out: Path
    """The set's folder."""
    reference: str
    """Name of the reference."""
    family: str
    """A name of `FAMILIES`."""
    level: float
    """Its level."""
    seed: int
    """The set's seed."""
    metric: Metric | None
    """What the proxy score is computed by; None for a set with human scores."""

    @property
    def key(self) -> tuple[str, str, float]:
        """(reference, distortion, level) as `human_scores` has it."""
        return self.reference.lower(), self.distortion, self.level

    @property
    def distortion(self) -> str:
        """The class, without its database."""
        return Cell(self.family, self.level).distortion

    @property
    def image(self) -> str:
        """The distorted image's path inside the folder."""
        return f"images/{self.distortion}/{self.reference}_{self.distortion}_{self.level:g}.png"

    def run(self) -> tuple[str, str, float | None]:
        """Write the image; return its path inside the folder, its SHA-256 and its proxy score, if wanted."""
        reference = _reference(self.out, self.reference)
        noise = noise_seed(self.seed, self.reference, self.distortion, self.level)
        distorted = distort(reference, self.family, self.level, noise)
        write_png(self.out / self.image, distorted)
        proxy = proxy_dmos(distorted, reference, self.metric) if self.metric else None
        return self.image, sha256_of(self.out / self.image), proxy


@lru_cache(maxsize=1)
def _reference(out: Path, name: str) -> NDArray[np.uint8]:
    return read_image(out / "references" / f"{name}.png")


def run_tasks(tasks: list[Task], jobs: int | None) -> Iterator[tuple[str, str, float | None]]:
    """Run the tasks and yield their results in order."""
    jobs = min(jobs or available_cores(), len(tasks))
    if jobs <= 1:
        yield from map(Task.run, tasks)
        return
    one_thread = os.putenv, ("OMP_NUM_THREADS", "1")  # for each process: they share the cores already
    with ProcessPoolExecutor(jobs, get_context("spawn"), *one_thread) as pool:
        try:
            yield from pool.map(Task.run, tasks, chunksize=max(1, min(8, len(tasks) // (4 * jobs))))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise

"""A classifier's view of distorted images: made once, in one file for each step of a ladder, read by every network."""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from PIL import Image

from gada.data.cache import default_folder
from gada.data.labelled import LabelledImages
from gada.data.proxy import noise_seed
from gada.distortions import FAMILIES, distort
from gada.distortions.pixels import SMALLEST_SIDE
from gada.errors import ConfigError, DataError
from gada.io.files import atomic_path, write_json
from gada.io.pixels import MAX_PIXELS
from gada.io.threads import available_cores, in_threads

VERSION = 1
Pixels = NDArray[np.uint8]
Where = Literal["crop", "image"]


class Step(NamedTuple):
    """One rung of a ladder."""

    family: str
    """A name of `FAMILIES`; "" for the undistorted images."""
    level: int
    """From 1, the mildest; 0 for the undistorted images."""

    def __str__(self) -> str:
        return f"{self.family} {self.level}" if self.family else "undistorted"


CLEAN = Step("", 0)


def steps_of(distortions: Iterable[str]) -> list[Step]:
    """Return the undistorted step and every level of some families, a set of families (`dodge-karam`) or single ones.

    Raises:
        ConfigError: if a name is unknown, or given twice.
    """
    families: list[str] = []
    for name in distortions:
        members = [one for one in FAMILIES if one == name or one.startswith(f"{name}/")]
        if not members:
            sets = dict.fromkeys(one.split("/")[0] for one in FAMILIES)
            raise ConfigError(f"distortion {name!r} is unknown; known are {', '.join(sets)}, and the families of each.")
        families += members
    if len(set(families)) < len(families):
        raise ConfigError(f"a family stands twice in the distortions {list(distortions)}; name each once.")
    return [CLEAN, *(Step(name, level + 1) for name in families for level in range(len(FAMILIES[name].strengths)))]


@dataclass(frozen=True)
class View:
    """The part of an image that a network sees: resized, then the square in the middle."""

    size: int
    """Side of the square, in pixels."""
    resize: int | None
    """Shorter side before the square is cut, in pixels; None leaves the image as it is."""
    filter: Literal["bilinear", "bicubic"] = "bicubic"
    """Interpolation of the resizing, smoothed when it shrinks."""

    def __call__(self, image: Pixels) -> Pixels:
        """Return what the network sees of an image (H, W, 3), (size, size, 3).

        Raises:
            DataError: if the image is smaller than the square, or so thin that it would be resized to a huge one.
        """
        height, width = image.shape[:2]
        if self.resize is not None and min(height, width) != self.resize:
            shorter = min(height, width)
            height, width = self.resize * height // shorter, self.resize * width // shorter
            if height * width > max(MAX_PIXELS, image.size):
                wide, high = image.shape[1::-1]
                raise DataError(f"{wide} x {high} pixels are too thin to be resized to a shorter side of {self.resize}")
            method = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}[self.filter]
            image = np.asarray(Image.fromarray(image).resize((width, height), method))
        if min(height, width) < self.size:
            raise DataError(f"{width} x {height} pixels are fewer than the network's {self.size} x {self.size}")
        top, left = round((height - self.size) / 2), round((width - self.size) / 2)
        return image[top : top + self.size, left : left + self.size]


class DistortedImages:
    """Labelled images in one view, at every step of some ladders, each step in a file (N, size, size, 3).

    A file depends on the images, the view, the step, the seed and where the distortion is applied, so that another
    network with the same view finds it. Images that cannot be read are left out and named in `failed`.

    Args:
        images: the labelled images.
        view: the part of each that a network sees.
        where: distort what the network sees (`crop`, after resizing), or the whole `image` before resizing.
        seed: of the noise.
        folder: where the files lie; by default `sweep` in the folder of packed caches.
        complete: whether all images must be usable: what is trained on them should be what was given.

    Raises:
        DataError: if no image can be used, or one cannot and the set is to be complete.
    """

    def __init__(
        self,
        images: LabelledImages,
        view: View,
        where: Where = "crop",
        seed: int = 0,
        folder: Path | None = None,
        complete: bool = False,
    ) -> None:
        self.view, self.where, self.seed = view, where, seed
        self.identity = {**images.identity, "distorted": where, "seed": seed}
        place = ["image"] if where == "image" else []  # some images are too small to be distorted
        key = json.dumps([VERSION, images.fingerprint, repr(view), *place])
        self.folder = (folder or default_folder() / "sweep") / sha256(key.encode()).hexdigest()[:24]
        self.failed = self._look(images)
        if complete and self.failed:
            name, reason = next(iter(self.failed.items()))
            others = f", and {len(self.failed) - 1} more" if len(self.failed) > 1 else ""
            raise DataError(f"{name} cannot be used ({reason}){others}; mend it or take it away.")
        self.images = images.select([i for i, name in enumerate(images.names) if name not in self.failed])

    def file(self, step: Step) -> Path:
        """Return the file of a step, made or not."""
        if step == CLEAN:
            return self.folder / "undistorted.npy"
        return self.folder / f"{self.where}-{self.seed}" / step.family / f"{step.level}.npy"

    def array(self, step: Step) -> Pixels:
        """Return the images of a step, (N, size, size, 3) uint8, mapped from its file, which is made if missing."""
        if not self.file(step).is_file():
            self.make(step)
        mapped: Pixels = np.load(self.file(step), mmap_mode="r")
        return mapped

    def make(self, step: Step) -> None:
        """Write the file of a step."""
        seen = np.load(self.file(CLEAN), mmap_mode="r")
        with atomic_path(self.file(step)) as temporary:
            written = open_memmap(temporary, "w+", np.uint8, seen.shape)
            for index, name in enumerate(self.images.names):
                noise = noise_seed(self.seed, name, step.family, step.level)
                if self.where == "crop":
                    written[index] = distort(np.array(seen[index]), step.family, step.level, noise)
                else:
                    written[index] = self.view(distort(self.images.pixels(index), step.family, step.level, noise))
            written.flush()

    def made(self, steps: Sequence[Step], jobs: int | None = None) -> Iterator[Step]:
        """Yield the steps in order, each when its file exists; other processes make those that follow.

        Args:
            steps: which steps.
            jobs: processes; by default one for each core. One means this process, between two steps.
        """
        missing = [step for step in steps if not self.file(step).is_file()]
        jobs = min(jobs or available_cores(), len(missing))
        if jobs <= 1:
            for step in steps:
                if step in missing:
                    self.make(step)
                yield step
            return
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            waiting: deque[Step] = deque(missing)
            working: dict[Step, Future[None]] = {}
            try:
                for step in steps:
                    while waiting and len(working) < 2 * jobs:  # bounds how far the disk runs ahead of the networks
                        ahead = waiting.popleft()
                        working[ahead] = pool.submit(self.make, ahead)
                    if step in working:
                        working.pop(step).result()
                    yield step
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def __getstate__(self) -> dict[str, Any]:
        images = self.images if self.where == "image" else replace(self.images, array=None)
        return {**self.__dict__, "images": images}  # the other processes read the files

    def _look(self, images: LabelledImages) -> dict[str, str]:
        """Write the undistorted images as the network sees them; return those that cannot be read, with the reason.

        Raises:
            DataError: if none can.
        """
        file, notes = self.file(CLEAN), self.folder / "left-out.json"
        if file.is_file() and notes.is_file():
            return dict(json.loads(notes.read_text(encoding="utf-8")))

        def look(index: int) -> Pixels | str:
            try:
                image = images.pixels(index)
                if self.where == "image" and min(image.shape[:2]) < SMALLEST_SIDE:
                    high, wide = image.shape[:2]
                    return f"{wide} x {high} pixels are too few to be distorted; sides must be {SMALLEST_SIDE} or more"
                return self.view(image)
            except DataError as error:
                return str(error)

        failed: dict[str, str] = {}
        shape = (len(images), self.view.size, self.view.size, 3)
        with atomic_path(file) as temporary:
            written, kept = open_memmap(temporary, "w+", np.uint8, shape), 0
            for index, seen in in_threads(look, range(len(images))):
                if isinstance(seen, str):
                    failed[images.names[index]] = seen
                else:
                    written[kept] = seen
                    kept += 1
            if not kept:
                raise DataError(f"no image of {images.title} can be used; the first: {next(iter(failed.values()))}")
            whole = written if not failed else np.array(written[:kept])
            if failed:
                np.save(temporary, whole)
            else:
                written.flush()
        write_json(notes, failed)
        return failed

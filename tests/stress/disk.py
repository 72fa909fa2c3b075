"""Disks that are full: a small file system where one can be mounted, else a limit on the size of files."""

import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tiny
from evaluators import picture, save_evaluator
from PIL import Image

from gada.__main__ import main
from gada.errors import DataError
from gada.training.checkpoints import Checkpoints
from stress.training import SAID, World, differences, in_child, leftovers

SMALLEST = 4_000  # bytes
FULL = ("No space left on device", "File too large")


class Disk:
    """A folder with little space."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.mounted = self.mount(1_000_000)
        self.unmount()

    def mount(self, size: int) -> bool:
        """Mount an empty file system of this size in bytes; tell whether that is possible here."""
        call = ["mount", "-t", "tmpfs", "-o", f"size={max(size // 4096, 1) * 4096}", "none", str(self.folder)]
        try:
            return os.geteuid() == 0 and not subprocess.run(call, capture_output=True, check=False).returncode
        except OSError:
            return False

    def unmount(self) -> None:
        """Take the file system away again, as soon as the last process of a dashboard has left it."""
        if not self.mounted:
            return
        call, deadline = ["umount", str(self.folder)], time.monotonic() + 300
        while subprocess.run(call, capture_output=True, check=time.monotonic() > deadline).returncode:
            time.sleep(0.1)

    def need(self, folders: list[Path]) -> int:
        """Return how much space suffices for folders or files like these, in bytes."""
        sizes = [path.stat().st_size for folder in folders for path in (folder, *folder.rglob("*")) if path.is_file()]
        return sum(sizes) if self.mounted else max(sizes)

    def fill(self, size: int, function: Callable[[], int]) -> int | None:
        """Run a function in a process that finds so many bytes of space; then there is enough again."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(exist_ok=True)
        if self.mounted:
            self.mount(size)
            code = in_child(function)
            subprocess.run(["mount", "-o", "remount,size=200m", str(self.folder)], check=True)  # noqa: S607
            return code

        def limited() -> int:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            return function()

        return in_child(limited)


def full_disks(count: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Let the disk be full at `count` points of training, scoring and making a set; then go on."""
    start, wrong, stopped = time.monotonic(), list[str](), 0
    disk, world = Disk(folder / "disk"), World(folder)
    jobs: list[Any] = [
        Training(world, disk.folder),
        *(Scoring(world, disk.folder, kind) for kind in (".csv", ".jsonl", ".parquet")),
    ]
    jobs.append(Synthesis(world, disk.folder))
    for number in range(count):
        job, share = jobs[number % len(jobs)], (number // len(jobs) + 0.5) / -(-count // len(jobs))
        size = int(SMALLEST * (disk.need(job.makes) / SMALLEST) ** share)
        code, said = disk.fill(size, job.run), SAID.read_text(errors="replace")
        stopped += code != 0
        found = [] if code in (0, 3) else [f"exit code {code}: {said[-200:]}"]
        if code == 3 and not any(reason in said and str(disk.folder) in said for reason in FULL):
            found.append(f"no path in the message: {said[-200:]}")
        found += [f"{name} was left" for name in leftovers(disk.folder)] + job.kept()
        if (code := in_child(job.run)) != 0:
            found.append(f"did not go on, exit code {code}: {SAID.read_text(errors='replace')[-200:]}")
        else:
            found += job.differences()
        wrong += [f"{type(job).__name__} with {size} bytes: {sentence}" for sentence in found]
        disk.unmount()
    return {
        "test": "full disks: training with cache, checkpoints, CSV and W&B; scores; made sets",
        "count": count,
        "failures": len(wrong),
        "measured": f"{stopped} were stopped by {'a full file system' if disk.mounted else 'a limit on file sizes'}; "
        "with space again each went on to the same result",
        "limits": "the newest whole checkpoint loads; the message names the path",
        "held": not wrong,
        "seconds": round(time.monotonic() - start),
        "examples": wrong[:5],
    }


class Training:
    """A run of phase 1 whose cache lies on the disk too."""

    def __init__(self, world: World, disk: Path) -> None:
        self.world, self.disk, self.whole = world, disk, world.whole("1")
        self.makes = [self.whole.parent, world.folder / "cache"]

    def run(self) -> int:
        """Train, or go on."""
        os.environ["GADA_CACHE"] = str(self.disk / "cache")
        place = ["--config", str(self.world.folder / "three.yaml"), "--run", str(self.disk / "run"), "--device", "cpu"]
        return main(["fit", "--phase", "1", *place, "--wandb", "offline"])

    def kept(self) -> list[str]:
        """Return what is wrong with the checkpoints."""
        checkpoints = Checkpoints(self.disk / "run/phase1")
        try:
            path = checkpoints.newest()
            if path:
                checkpoints.load_checkpoint(path)
        except DataError as error:
            return [str(error)]
        return []

    def differences(self) -> list[str]:
        """Return what differs from a run that had enough space."""
        return differences(self.whole, self.disk / "run/phase1")


class Scoring:
    """Scores of a folder as a file."""

    def __init__(self, world: World, disk: Path, kind: str) -> None:
        self.world, self.out = world, disk / f"scores{kind}"
        self.pictures = world.folder / "pictures"
        self.pictures.mkdir(exist_ok=True)
        for number in range(80):
            if not (self.pictures / f"{number}.png").is_file():
                Image.fromarray(picture(number, 32, 32)).save(self.pictures / f"{number}.png")
        self.model = save_evaluator(world.folder / "evaluator.safetensors")
        self.whole = world.folder / f"whole{kind}"
        self.whole.unlink(missing_ok=True)
        assert in_child(lambda: self.score(self.whole)) == 0
        self.makes = [self.whole, self.whole]  # journal and file

    def score(self, out: Path) -> int:
        """Score, or go on."""
        return main(["score", str(self.pictures), "--model", str(self.model), "--out", str(out), "--device", "cpu"])

    def run(self) -> int:
        """Score to the disk."""
        return self.score(self.out)

    def kept(self) -> list[str]:
        """Return nothing: a journal is checked by going on with it."""
        return []

    def differences(self) -> list[str]:
        """Return what differs from a file that had enough space."""
        return [] if self.whole.read_bytes() == self.out.read_bytes() else ["other scores"]


class Synthesis:
    """A set made from photographs."""

    def __init__(self, world: World, disk: Path) -> None:
        self.photos, self.out, self.whole = world.folder / "photos", disk / "made", world.folder / "made"
        for number in range(2):
            tiny.save(Image.fromarray(np.asarray(picture(number, 176, 176))), self.photos / f"{number}.png")
        shutil.rmtree(self.whole, ignore_errors=True)
        assert in_child(lambda: self.make(self.whole)) == 0
        self.makes = [self.whole]

    def make(self, out: Path) -> int:
        """Make the set, or go on."""
        return main(["synthesize", "--references", str(self.photos), "--recipe", "live", "--out", str(out)])

    def run(self) -> int:
        """Make it on the disk."""
        return self.make(self.out)

    def kept(self) -> list[str]:
        """Return nothing: an unfinished set says so itself."""
        return []

    def differences(self) -> list[str]:
        """Return what differs from a set that had enough space."""
        sets = [
            {path.relative_to(root): path.read_bytes() for path in root.rglob("*.*")} for root in (self.whole, self.out)
        ]
        return [] if sets[0] == sets[1] else ["another set"]

"""How fast scoring is: one JSON line for each figure. `python tests/bench_scoring.py [--model M] [--images FOLDER]`.

Every file is decoded; the pictures are 512 x 384, in mode `grid`. The bound is what decoding and inference would reach
if neither waited for the other: 1 / (decoding time + inference time), each measured alone on all processors.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from measure import say, seconds
from PIL import Image

import gada
from gada.data.splits import split_by_reference
from gada.data.table import load_synthetic
from gada.errors import ConfigError, DataError
from gada.io.checkpoints import find_checkpoint
from gada.io.folders import images_in
from gada.io.images import read_image
from gada.metrics.correlation import srocc
from gada.scoring.calibration import varied_images
from gada.scoring.export import SUFFIXES, Format, Precision, export_evaluator
from gada.scoring.parity import compare
from gada.scoring.streaming import score_files
from gada.settings import DataSettings

COUNT = 240
PEER_COUNT = 12
SIZE = (512, 384)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", nargs="*", default=["tid2013-r", "photos"], help="bundled evaluators, or files")
    parser.add_argument("--images", type=Path, default=Path("data/photos"))
    parser.add_argument(
        "--scored", type=Path, help="a set with human scores of `gada synthesize`, split 0 of which tests"
    )
    chosen = parser.parse_args()
    say("import gada, seconds", value=seconds_of("import gada") - seconds_of("pass"))
    for model in chosen.model:
        say("MODEL", value=model)
        bench(model, chosen.images, chosen.scored)
    with TemporaryDirectory() as name:
        bench_peer(write(chosen.images, Path(name), "jpg", PEER_COUNT))


def bench(model: str, photographs: Path, scored: Path | None) -> None:
    """Measure one evaluator; against human scores where it names the distortions of the set that has them."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        models = exported(model, photographs, folder)
        bench_modes(models["ONNX"], photographs)
        if scored and model in scored.resolve().name:
            bench_against_people(model, models, scored)
        bench_one_file(models["ONNX"], write(photographs, folder, "jpg", 1)[0])
        for suffix in ("jpg", "png"):
            paths = write(photographs, folder, suffix, COUNT)
            decoding = len(paths) / seconds(partial(decode, paths), 3)
            say(f"decoding {suffix}, images/s", value=decoding)
            for name, file in models.items():
                bench_folder(file, name, suffix, paths, decoding)


def exported(model: str, images: Path, folder: Path) -> dict[str, Path]:
    """Export the model; a package or bfloat16 may be missing, and the parity gate may refuse int8."""
    models = {"ONNX": export_evaluator(model, "onnx", folder / "float32.onnx")[0]}
    further: dict[str, tuple[Format, Precision]] = {
        "ONNX int8": ("onnx", "int8"),
        "OpenVINO": ("openvino", "float32"),
        "OpenVINO bfloat16": ("openvino", "bfloat16"),
    }
    for name, (kind, precision) in further.items():
        out = folder / f"{precision}{SUFFIXES[kind]}"
        try:
            models[name], parity = export_evaluator(model, kind, out, precision, images)
            say(f"{name} against the evaluator", value=parity.describe())
        except (ConfigError, DataError) as error:
            say(f"{name} against the evaluator", value=None, reason=str(error))
    return models


def bench_modes(model: Path, images: Path) -> None:
    """How the fast mode ranks distorted photographs, beside 30 random crops, and those beside 30 others."""
    paper = gada.load_scorer(model, "crops")
    if paper.card.whole_view:
        return
    pictures = [one for side in varied_images(images, paper.size) for one in side]
    for name, other in {
        "grid against 30 crops": gada.load_scorer(model, "grid"),
        "dense against 30 crops": gada.load_scorer(model, "dense"),
        "30 other crops against 30 crops": gada.load_scorer(model, "crops", seed=1),
    }.items():
        say(name, value=compare(paper, other, pictures).describe())


def bench_against_people(model: str, models: dict[str, Path], folder: Path) -> None:
    """What the fast mode, the export and int8 cost against human scores, and their parity, on the test references."""
    images = load_synthetic(DataSettings(root=folder))
    split = split_by_reference(images.reference_ids, 0, 0, 0.2, 0.2)
    test = images.select(split.test)
    pictures = [read_image(record.image) for record in test.images]
    scorers = {
        "30 crops, torch": gada.load_scorer(find_checkpoint(model, "evaluator"), "crops"),
        "30 crops, ONNX": gada.load_scorer(models["ONNX"], "crops"),
    } | {f"grid, {name}": gada.load_scorer(file, "grid") for name, file in models.items()}
    found = {name: [one.quality for one in scorer.score_all(pictures)] for name, scorer in scorers.items()}
    for name, qualities in found.items():
        say(f"{name}, SROCC with {images.scale.name}", value=srocc(qualities, test.qualities))
    names = list(found)
    for name, before in pairwise(reversed(names)):
        far = float(np.abs(np.subtract(found[name], found[before])).max())
        agreement = srocc(found[name], found[before])
        say(f"{name} against {before}", srocc=agreement, greatest=far, images=len(pictures))


def bench_one_file(model: Path, path: Path) -> None:
    """Time and memory of `gada score one.jpg --model evaluator.onnx`, from shell to number."""
    call = [sys.executable, "-m", "gada", "score", str(path), "--model", str(model)]
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(call, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    code = (
        "import sys; from pathlib import Path; from gada.__main__ import main; main(sys.argv[1:]); "
        "print(next(line for line in Path('/proc/self/status').read_text().splitlines() if 'VmHWM' in line))"
    )
    done = subprocess.run([sys.executable, "-c", code, *call[3:]], check=True, capture_output=True, text=True)
    say("score one.jpg, seconds", value=median(times), best=min(times))
    say("score one.jpg, MB", value=int(done.stdout.split()[-2]) / 1024)


def bench_folder(model: Path, name: str, suffix: str, paths: list[Path], decoding: float) -> None:
    """Images a second of a folder, beside the bound."""
    scorer = gada.load_scorer(model, device="cpu")
    cuts = [scorer.cut(read_image(path)) for path in paths[:16]]
    together = cuts if scorer.card.whole_view else [np.concatenate(cuts)]  # as `score_files` has them at work
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        inference = 16 / seconds(lambda: list(pool.map(scorer.predict, together)), 3)
    bound = 1 / (1 / decoding + 1 / inference)
    reached = len(paths) / seconds(lambda: list(score_files(scorer, paths)), 2)
    say(f"score {suffix}, {name}, images/s", value=reached, inference=inference, bound=bound,
        share=reached / bound, mode=scorer.protocol())  # fmt: skip


PEER = """
import sys, time
import numpy as np
from brisque import BRISQUE
from PIL import Image
peer = BRISQUE(url=False)
score = lambda path: peer.score(np.asarray(Image.open(path)))
score(sys.argv[1])
start = time.perf_counter()
for path in sys.argv[1:]:
    score(path)
print((len(sys.argv) - 1) / (time.perf_counter() - start))
"""


def bench_peer(paths: list[Path]) -> None:
    """Images a second of another scorer on the same files: BRISQUE of the package index, one after another.

    It wants other versions than gada, so that it has an environment of its own, kept in the cache.
    """
    home = Path(os.environ.get("GADA_CACHE", ".cache")) / "bench-peer"
    python = home / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
            subprocess.run(
                [str(python), "-m", "pip", "install", "-q", "brisque==0.2.0", "opencv-python-headless<4.12", "numpy<2"],
                check=True,
            )
        done = subprocess.run([str(python), "-c", PEER, *map(str, paths)], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        say("brisque 0.2.0, jpg, images/s", value=None, reason=f"not installed or not run ({error})")
        return
    say("brisque 0.2.0, jpg, images/s", value=float(done.stdout.split()[-1]))


def write(images: Path, folder: Path, suffix: str, count: int) -> list[Path]:
    """Write `count` photographs of 512 x 384 in one format."""

    def photographs() -> Iterator[Image.Image]:
        while True:
            for path in images_in(images):
                yield Image.fromarray(read_image(path)).resize(SIZE)

    paths = []
    for index, photograph in enumerate(islice(photographs(), count)):
        paths.append(folder / f"{index}.{suffix}")
        photograph.save(paths[-1], quality=90)  # of JPEG; the others take no notice
    return paths


def decode(paths: list[Path]) -> None:
    """Decode files in threads."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(read_image, paths):
            pass


def seconds_of(code: str) -> float:
    """Return how long Python takes to run some code, the best of five."""
    return seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True), 5, first=False)


if __name__ == "__main__":
    main()

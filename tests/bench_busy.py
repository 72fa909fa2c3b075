"""What one other busy process costs: `score` and a tiny `fit`, alone and beside it.

Two processes share the cores fairly, so that the time from start to end may double, at worst, and the processor time
must stay what it is: threads that wait must not burn the core that the other process has.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from measure import say

PHOTOS = Path(__file__).parents[1] / "data" / "photos"
TRAINING = """--phase 1 --wandb off --model.widths [32,64,64] --model.decoder_widths [32,32,16] --model.maps 256
--training.crop_size 64 --training.batch_size 32 --training.generator_batch 16 --training.phase1_steps 20
--training.validate_every 20"""  # as configs/demo.yaml, but few steps


def seconds(command: list[str]) -> tuple[float, float]:
    """Run a command of gada and return its time from start to end and its processor time, in seconds."""
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "gada", *command], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@contextmanager
def another_process() -> Iterator[None]:
    """Keep one core busy meanwhile."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def main() -> None:
    """Print how much longer each takes, and how much more processor time."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "set"
        seconds(["synthesize", "--references", str(PHOTOS), "--out", str(made), "--recipe", "iqa-ls"])
        training = ["fit", "--data.root", str(made), *TRAINING.split()]
        for name, command in (("score", ["score", str(PHOTOS), "--mode", "crops"]), ("fit, 20 steps", training)):
            times = []
            for number in range(2):
                run = ["--run", f"{folder}/run{number}"] if command is training else []
                with another_process() if number else nullcontext():
                    times.append(seconds([*command, *run]))
            (alone, own), (shared, taken) = times
            figures = {"slower_by": shared / alone, "processor_time": taken / own}
            say(f"{name}, beside one busy process", seconds_alone=alone, seconds=shared, **figures)


if __name__ == "__main__":
    main()

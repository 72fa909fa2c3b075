"""How the benchmarks measure and report: the least of several times, and one JSON line for each figure."""

import json
import sys
import time
from collections.abc import Callable


def seconds(job: Callable[[], object], times: int, first: bool = True) -> float:
    """Return the least seconds of a job, after a `first` one that is not counted; a shared machine only adds to it."""
    if first:
        job()
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        job()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def say(figure: str, **values: object) -> None:
    """Print one figure as a JSON line."""
    rounded = {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in values.items()}
    sys.stdout.write(json.dumps({"figure": figure, **rounded}) + "\n")
    sys.stdout.flush()

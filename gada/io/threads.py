"""How many cores this process may use, how its threads wait for each other, and work in several of them."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from math import ceil
from pathlib import Path
from typing import TypeVar

AHEAD = 4  # results that may wait for each thread; bounds memory
Item = TypeVar("Item")
Result = TypeVar("Result")

QUOTA = Path("/sys/fs/cgroup/cpu.max")
OLD_QUOTA = Path("/sys/fs/cgroup/cpu")
"""Where Linux says which part of the machine a container may use, in version 2 and 1 of its control groups."""


def available_cores() -> int:
    """Return how many cores this process may use, by affinity and quota; where no system tells, all there are."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, quota() or cores)


def quota() -> int | None:
    """Return to how many cores' time a container is limited, rounded up; None without a limit."""
    try:
        if QUOTA.is_file():
            allowed, period = QUOTA.read_text(encoding="ascii").split()
        else:
            allowed, period = ((OLD_QUOTA / f"cpu.cfs_{name}_us").read_text(encoding="ascii") for name in NAMES)
        return max(1, ceil(int(allowed) / int(period))) if int(allowed) > 0 else None
    except (OSError, ValueError):  # no such file, or "max"
        return None


NAMES = ("quota", "period")


def share_the_machine() -> None:
    """Let the threads of torch sleep while they wait, and be no more than a quota allows; call it before torch comes.

    Threads that spin burn the core that another process has: beside one busy process on two cores they took four times
    the processor time. What the user has set in the environment stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if limit := quota():
        os.environ.setdefault("OMP_NUM_THREADS", str(limit))


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], jobs: int | None = None
) -> Iterator[tuple[Item, Result]]:
    """Yield each item with its result, in order; at most `AHEAD` x `jobs` results wait.

    Args:
        function: runs in the threads.
        items: taken one by one as they are needed.
        jobs: how many threads; by default one for each core.
    """
    jobs = jobs or available_cores()
    running: deque[tuple[Item, Future[Result]]] = deque()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for item in items:
                running.append((item, pool.submit(function, item)))
                if len(running) > AHEAD * jobs:
                    first, result = running.popleft()
                    yield first, result.result()
            while running:
                first, result = running.popleft()
                yield first, result.result()
        finally:
            pool.shutdown(cancel_futures=True)

"""How the C library keeps the memory that tensors leave."""

import ctypes
import os
import sys

KEPT = {"MMAP_MAX": (-4, 0), "TRIM_THRESHOLD": (-1, -1)}
"""Parameters of mallopt(3) by their names in the environment, with their values."""


def keep_freed_memory() -> None:
    """Let this process and its children keep the memory that tensors leave, for the next ones, where glibc serves them.

    glibc returns every large block to the system, which clears it again page by page; of a step of large maps that is
    much. The process stays as large as it was at its largest, which is larger for that.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl has none
        return
    for name, (parameter, value) in KEPT.items():
        variable = f"MALLOC_{name}_"
        if variable not in os.environ:  # what the user has set stays
            mallopt(parameter, value)
            os.environ[variable] = str(value % 2**64)  # for children, which read it as they start

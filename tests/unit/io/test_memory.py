"""Freed memory is kept for the next tensors, in this process and its children, unless the user says otherwise."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

GLIBC = sys.platform == "linux" and Path("/lib64/ld-linux-x86-64.so.2").exists()
MEASURE = """
import json, os, resource
from gada.io.memory import keep_freed_memory
import numpy as np
keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        np.ones(2**24, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(json.dumps({"faults": faults(), "limit": os.environ.get("MALLOC_MMAP_MAX_")}))
"""


@pytest.mark.skipif(not GLIBC, reason="only glibc is told what to keep")
@pytest.mark.parametrize(("given", "kept"), [({}, True), ({"MALLOC_MMAP_MAX_": "65536"}, False)])
def test_large_blocks_stay_with_the_process(given: dict[str, str], kept: bool) -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], env=given, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["limit"] == given.get("MALLOC_MMAP_MAX_", "0")
    pages = 20 * 2**24 // 4096
    assert found["faults"] < pages / 10 or not kept

"""Files that atheris varies by what they make the code do, through all that reads files of strangers.

PYTHONPATH=tests python -m stress.guided READER [options of libFuzzer] [folder of examples]
"""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext, redirect_stderr
from hashlib import sha256
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

HAS_ATHERIS = importlib.util.find_spec("atheris") is not None

if __name__ == "__main__":
    import atheris

    watched = atheris.instrument_imports(include=["gada"])  # so that it sees which lines a file reaches
else:
    watched = nullcontext()

with watched:
    import layouts
    import numpy as np
    import torch
    from evaluators import save_evaluator
    from scipy.io import savemat

    from gada.data.matlab import read_row
    from gada.data.table import load_synthetic, load_table
    from gada.errors import ConfigError, DataError
    from gada.models.files import load_evaluator
    from gada.settings import DataSettings
    from gada.training.checkpoints import Checkpoints
    from stress.images import outcome, samples

Reader = Callable[[bytes], object]
LIMITS = ("-timeout=5", "-rss_limit_mb=1500", "-max_len=65536", "-verbosity=1", "-print_final_stats=1")


def readers(folder: Path) -> dict[str, tuple[Reader, list[bytes]]]:
    """Return what reads files, each with whole files to begin from."""
    root = layouts.synthetic(folder / "set")
    table, manifest = root / "scores.csv", root / "manifest.json"
    whole_table, whole_manifest = table.read_bytes(), manifest.read_bytes()
    mine = DataSettings(root=root, format="table", scale_low=1.0, scale_high=5.0, higher_is_better=True)
    matrix, model = folder / "names.mat", save_evaluator(folder / "evaluator.safetensors")
    savemat(matrix, {"names": np.array([["a.bmp", "b.bmp"]], dtype=object), "dmos": np.array([[1.0, 2.0]])})
    savemat(folder / "small.mat", {"names": np.array([["a.bmp", "b.bmp"]], dtype=object)}, do_compression=True)
    state = BytesIO()
    torch.save({"epoch": 1, "state_dict": {"weight": torch.ones(3)}, "loops": [{"step": 2}]}, state)

    def read_table(content: bytes) -> None:
        table.write_bytes(content)
        load_table(mine)

    def read_manifest(content: bytes) -> None:
        table.write_bytes(whole_table)
        manifest.write_bytes(content)
        load_synthetic(DataSettings(root=root))

    def read_matrix(content: bytes) -> None:
        matrix.write_bytes(content)
        read_row(matrix, "names", "OU", 2)

    def read_evaluator(content: bytes) -> None:
        (folder / "other.safetensors").write_bytes(content)
        load_evaluator(folder / "other.safetensors")

    def read_state(content: bytes) -> None:
        last = folder / "last.ckpt"
        last.write_bytes(content + sha256(content).hexdigest().encode())
        Checkpoints(folder).load_checkpoint(last)

    return {
        "image": (outcome, samples()),
        "table": (read_table, [whole_table, b"\xef\xbb\xbf" + whole_table, b'image,score\n"=1+1",3\n']),
        "manifest": (read_manifest, [whole_manifest]),
        "matlab": (read_matrix, [matrix.read_bytes(), (folder / "small.mat").read_bytes()]),
        "evaluator": (read_evaluator, [model.read_bytes()]),
        "state": (read_state, [state.getvalue()]),
    }


def refused(reader: Reader, content: bytes) -> bool:
    """Return whether a file is refused with one line; anything else that goes wrong is raised."""
    try:
        with redirect_stderr(StringIO()):
            reader(content)
    except (ConfigError, DataError) as error:
        if not str(error).isprintable():
            raise AssertionError(f"this is not one line: {error!r}") from error
        return True
    return False


def guided_files(count: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Let atheris try `count` files on each reader in a process of its own."""
    start, said, wrong = time.monotonic(), list[str](), list[str]()
    for name in readers(folder / "examples") if HAS_ATHERIS else ():
        place = folder / name
        place.mkdir(parents=True)
        command = [sys.executable, "-m", "stress.guided", name, *LIMITS, f"-runs={count}", f"-seed={seed + 1}"]
        done = subprocess.run(
            [*command, f"-artifact_prefix={place}/"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            check=False,
        )
        text = done.stdout.decode(errors="replace")
        reached = re.findall(r"cov: (\d+)", text)
        said.append(f"{name} {' to '.join(reached[:: max(len(reached) - 1, 1)])}")
        if done.returncode:
            wrong.append(f"{name}: {' '.join(text.split())[-500:]}")
    return {
        "test": "files that atheris varies by the lines they reach: pictures, tables, manifests, MATLAB files, "
        "evaluators, states of trainings",
        "count": count * len(said),
        "failures": len(wrong),
        "measured": f"places reached at the beginning and at the end: {', '.join(said)}"
        if HAS_ATHERIS
        else "atheris is not installed here",
        "limits": "0 crashes, none over 5 s, under 1.5 GB",
        "held": not wrong,
        "seconds": round(time.monotonic() - start),
        "examples": wrong[:5],
    }


def main() -> None:
    """Let atheris try files on one reader."""
    with tempfile.TemporaryDirectory() as place:
        reader, examples = readers(Path(place))[sys.argv.pop(1)]
        corpus = Path(place) / "examples"
        corpus.mkdir()
        for number, content in enumerate(examples):
            (corpus / str(number)).write_bytes(content)

        def read(content: bytes) -> None:
            refused(reader, content)

        atheris.Setup([*sys.argv, str(corpus)], read)
        atheris.Fuzz()


if __name__ == "__main__":
    main()

"""A room imports only from rooms to its right, and torch stays where it belongs."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gada"
ROOMS = (
    "__main__ commands experiments training scoring models losses data distortions reports metrics io settings errors"
).split()
TORCH_ROOMS = {"training", "models", "losses"}
TORCH_FILES = {"data/batches.py", "data/resident.py", "metrics/ssim.py"}
TORCH_FILES |= {f"scoring/{name}.py" for name in ("torch_backend", "programs", "differentiable", "export")}
TORCH_FILES |= {f"scoring/{name}.py" for name in ("classifiers", "responses")}
TORCH = {"torch", "pytorch_lightning", "torchmetrics", "pytorch_msssim"}
FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def imports(file: str) -> Iterator[tuple[str, bool]]:
    """Yield each imported module of a file and whether it is imported at the top."""
    tree = ast.parse((PACKAGE / file).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
        yield from ((name, node in tree.body) for name in names)


def room(path: str) -> str:
    return path.split("/")[0].removesuffix(".py")


@pytest.mark.parametrize("file", [file for file in FILES if file != "__init__.py"])
def test_arrows_point_to_the_right(file: str) -> None:
    for name, _ in imports(file):
        if name.startswith("gada."):
            target = name.split(".")[1]
            assert ROOMS.index(room(file)) <= ROOMS.index(target), f"gada/{file} imports {name}"


@pytest.mark.parametrize("file", FILES)
def test_torch_stays_in_its_rooms(file: str) -> None:
    allowed = room(file) in TORCH_ROOMS or file in TORCH_FILES
    for name, at_top in imports(file):
        heavy = name.split(".")[0] in TORCH
        assert not heavy or allowed, f"gada/{file} imports {name}"
        assert not (at_top and room(file) == "commands" and heavy), f"gada/{file} imports {name} before it is needed"


def test_no_drawer_for_everything() -> None:
    assert not {"utils.py", "common.py", "helpers.py"} & {Path(file).name for file in FILES}


@pytest.mark.parametrize("file", FILES)
def test_cores_are_counted_in_one_place(file: str) -> None:
    """`os.sched_getaffinity` is there on Linux alone."""
    assert file == "io/threads.py" or "sched_getaffinity" not in (PACKAGE / file).read_text(encoding="utf-8")

"""A room imports only from rooms in layers below its own, and torch stays where it belongs."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "gada"
LAYERS = (  # from top to bottom; rooms of one layer know nothing of each other
    {"__main__"},
    {"options"},
    {"commands"},
    {"experiments"},
    {"runs"},
    {"training", "scoring"},
    {"models", "data", "reports"},
    {"losses", "distortions", "io"},
    {"metrics", "settings"},
    {"errors", "usage"},
)
LAYER = {room: number for number, rooms in enumerate(LAYERS) for room in rooms}
TORCH_ROOMS = {"training", "models", "losses"}
TORCH_FILES = {
    *(f"runs/{name}.py" for name in ("hardware", "whole_image", "features", "calibration")),
    "metrics/ssim.py",
}
TORCH_FILES |= {f"data/{name}.py" for name in ("batches", "resident", "whole_batches")}
TORCH_FILES |= {f"scoring/{name}.py" for name in ("torch_backend", "programs", "differentiable", "export")}
TORCH_FILES |= {f"scoring/{name}.py" for name in ("architecture", "classifiers", "classifier_sources", "responses")}
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
def test_a_room_imports_only_from_layers_below_its_own(file: str) -> None:
    for name, _ in imports(file):
        own, target = room(file), name.split(".")[1] if name.startswith("gada.") else ""
        if target and target != own:
            assert LAYER[own] < LAYER[target], f"gada/{file} imports {name}"


def files_of(name: str) -> list[str]:
    """The files that an import of a module reads; of a room's folder its `__init__.py`."""
    path = name.removeprefix("gada.").replace(".", "/")
    return [file for file in (f"{path}.py", f"{path}/__init__.py") if file in FILES]


def test_no_circle() -> None:
    """Not within a room either."""
    graph = {
        file: [read for name, _ in imports(file) if name.startswith("gada.") for read in files_of(name)]
        for file in FILES
    }
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


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

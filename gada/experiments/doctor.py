"""Is this machine ready? One finding for each thing that a training or a scoring needs.

Whatever may be missing or broken is imported where it is examined.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import requires
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Literal

from gada.io.files import exists
from gada.io.records import installed_version, machine
from gada.settings import DataSettings, Format

DISTRIBUTION = "gada-iqa"
MALWARE = {"pytorch-lightning": {"2.6.2", "2.6.3"}, "lightning": {"2.6.2", "2.6.3"}}
RUNS_CODE = "2.6.5"  # up to here a Lightning checkpoint can run code (CVE-2026-58659)
LITTLE = 2_000_000_000  # bytes of free disk below which a database's cache may not fit
DATABASES: dict[Format, tuple[str, ...]] = {  # what tells the layouts apart
    "live": ("dmos_realigned.mat", "refimgs"),
    "tid2013": ("mos_with_names.txt", "reference_images"),
    "csiq": ("csiq.DMOS.xlsx", "csiq.DMOS.csv"),
    "kadid10k": ("dmos.csv",),
    "synthetic": ("manifest.json",),
}


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    mark: Literal["ok", "warn", "FAIL"]
    what: str
    words: str
    code: int = 2
    """Exit code if it failed: 2 the installation, 3 the data."""


def examine(data: Path | None = None) -> Iterator[Finding]:
    """Yield the findings.

    Args:
        data: folder of a database; by default those below `data/` are looked at.
    """
    yield Finding("ok", "machine", f"{machine()}, Python {sys.version.split()[0]}")
    yield from attempted(packages)
    yield from attempted(lightning)
    yield from attempted(torch_and_devices)
    yield disk("cache", Path(os.environ.get("GADA_CACHE") or Path.home() / ".cache" / "gada"))
    yield disk("here", Path())
    yield from attempted(checkpoints)
    yield from attempted(partial(databases, data))


def attempted(examination: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Yield the findings of an examination, or which package it lacks."""
    try:
        yield from examination()
    except ImportError as error:  # of the package itself, or of what it says about itself
        yield Finding("FAIL", error.name or "packages", "is not installed or does not import; install gada anew")


def packages() -> Iterator[Finding]:
    """Yield which dependencies are missing or out of bounds, or that none is, and which extras are installed."""
    from packaging.requirements import Requirement

    wrong, extras = 0, dict[str, list[str]]()
    for requirement in map(Requirement, requires(DISTRIBUTION) or ()):
        extra = "" if requirement.marker is None else str(requirement.marker).partition("extra == ")[2].strip("\"'")
        if extra == "dev":
            continue
        missing = extras.setdefault(extra, [])
        found = installed_version(requirement.name)
        if found is None and extra:
            missing.append(requirement.name)
        elif found is None or not requirement.specifier.contains(found, prereleases=True):
            wrong += 1
            words = "is not installed" if found is None else f"{found} is installed"
            yield Finding("FAIL", requirement.name, f"{words}; {requirement.specifier} is needed")
    if not wrong:
        own = f"{DISTRIBUTION} {installed_version(DISTRIBUTION)}"
        yield Finding("ok", "packages", f"{own}, all dependencies within their bounds")
    extras.pop("", None)
    there = [name for name, missing in extras.items() if not missing]
    absent = [f"{name} (lacks {', '.join(missing)})" for name, missing in extras.items() if missing]
    advice = f'; missing: {", ".join(absent)}: pip install "{DISTRIBUTION}[NAME]" adds one' if absent else ""
    yield Finding("ok", "extras", f"{', '.join(there) or 'none'}{advice}")


def lightning() -> Iterator[Finding]:
    """Yield whether a Lightning is installed that was malware, or whose checkpoints can run code."""
    from packaging.version import Version

    for name, bad in MALWARE.items():
        if (found := installed_version(name)) is None:
            continue
        if found in bad:
            words = f"{found} was malware: uninstall it, change every key that this machine holds, and reinstall"
            yield Finding("FAIL", name, words)
            return
        if Version(found) <= Version(RUNS_CODE):
            words = f"{found} can run code from a checkpoint (CVE-2026-58659); install 2.6.6 or later"
            yield Finding("FAIL", name, words)
            return
    yield Finding("ok", "lightning", f"{installed_version('pytorch-lightning')}, not among the known bad ones")


def torch_and_devices() -> Iterator[Finding]:
    """Yield which torch this is, and which devices it finds; a CPU build beside a GPU is a warning."""
    try:
        torch = import_module("torch")  # by name: this room knows torch only as a patient
    except (ImportError, OSError) as error:
        yield Finding("FAIL", "torch", f"does not import ({str(error).splitlines()[0]}); install it anew")
        return
    flavour = "CPU" if torch.version.cuda is None and torch.version.hip is None else f"CUDA {torch.version.cuda}"
    yield Finding("ok", "torch", f"{torch.__version__} ({flavour} build), {torch.get_num_threads()} threads")
    if torch.cuda.is_available():
        names = ", ".join(torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count()))
        yield Finding("ok", "devices", f"cuda: {names}")
    elif torch.backends.mps.is_available():
        yield Finding("ok", "devices", "mps")
    elif shutil.which("nvidia-smi"):
        yield Finding("warn", "devices", "there is an NVIDIA driver, but torch finds no GPU: is this its CPU build?")
    else:
        yield Finding("ok", "devices", "cpu")


def disk(what: str, folder: Path) -> Finding:
    """Return whether a folder can be written to and has space."""
    there = next(path for path in (folder, *folder.absolute().parents) if exists(path))
    try:
        with NamedTemporaryFile(dir=there) as file:
            file.write(bytes(4096))
            os.fsync(file.fileno())
        free = shutil.disk_usage(there).free
    except OSError as error:
        return Finding("FAIL", f"disk, {what}", f"{folder} cannot be written to ({error.strerror})")
    words = f"{free / 1e9:.1f} GB free in {folder}"
    return Finding("warn" if free < LITTLE else "ok", f"disk, {what}", words)


def checkpoints() -> Iterator[Finding]:
    """Yield whether the bundled checkpoints are whole."""
    from gada.io.checkpoints import bundled_folder, load_checkpoint

    files = sorted(bundled_folder().glob("*-evaluator.safetensors"))
    if not files:
        yield Finding("FAIL", "checkpoints", f"no evaluator is bundled in {bundled_folder()}; install gada anew")
        return
    try:
        for path in files:
            load_checkpoint(path, "evaluator")
    except ValueError as error:
        yield Finding("FAIL", "checkpoints", str(error))
        return
    yield Finding("ok", "checkpoints", ", ".join(path.name.removesuffix("-evaluator.safetensors") for path in files))


def databases(data: Path | None) -> Iterator[Finding]:
    """Yield what the loaders say of the databases that are there."""
    from gada.data.databases import load_database
    from gada.io.images import shown

    folders = [data] if data else sorted(path for path in Path("data").glob("[!.]*") if path.is_dir())
    known = [(folder, kind) for folder in folders if (kind := layout_of(folder))]
    if data and not known:
        yield Finding("FAIL", "data", f"{shown(data)} has the layout of no database: {', '.join(DATABASES)}", 3)
    for folder, kind in known:
        try:
            images = load_database(DataSettings(root=folder, format=kind, partial=True))
        except ValueError as error:
            yield Finding("FAIL", "data", str(error), 3)
            continue
        words = f"{images.name}: {len(images):,} images of {len(images.reference_ids)} references in {shown(folder)}"
        yield Finding("ok", "data", words)
    if not known and not data:
        yield Finding("ok", "data", "none in data/; `gada synthesize` makes some from photos")


def layout_of(folder: Path) -> Format | None:
    """Return whose layout a folder has."""
    for kind, names in DATABASES.items():
        if any((folder / name).exists() for name in names):
            return kind
    return None

"""Every verb without a network, a key and a terminal: nothing asks, nothing connects, nothing waits."""

import builtins
import getpass
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

import tiny
import yaml
from evaluators import save_evaluator
from toys import folders

from gada.__main__ import main
from gada.options import VERBS, verb_of
from stress.training import SAID, in_child

LONGEST = 5.0  # seconds that a verb may sleep, and no more
SERVED_ELSEWHERE = {"serve"}  # it ends when it is told to; `hostile_requests` runs it
DOCS = Path(__file__).parents[2] / "docs"


def every_verb_alone(count: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Run `count` of the verbs on tiny data, each in a process that reports what it should not do."""
    start, examples, complaints = time.monotonic(), [], folder / "complaints.txt"
    os.environ["GADA_CACHE"] = str(folder / "cache")
    lines = commands(folder)
    unknown = set(VERBS) - {verb_of(line)[0] for line in lines} - SERVED_ELSEWHERE
    ran = lines[:count]
    for line in ran:
        complaints.write_text("")
        code = in_child(lambda line=line: watched(line, complaints, folder))  # type: ignore[misc]
        said = complaints.read_text()
        if code != 0 or said:
            examples.append(f"{' '.join(line[:2])}: exit {code} {said}{SAID.read_text(errors='replace')[-600:]}")
    examples += [f"{verb}: not run" for verb in sorted(unknown)]
    return {
        "test": "each verb without a network, a key and a terminal",
        "count": len(ran),
        "failures": len(examples),
        "measured": f"{len(ran)} verbs ran to their end; no connection, no name looked up, no question, no wait",
        "limits": f"0 connections, 0 questions, no wait over {LONGEST:g} s",
        "held": not examples,
        "seconds": round(time.monotonic() - start),
        "examples": examples,
    }


def watched(line: list[str], complaints: Path, home: Path) -> int:
    """Run a verb; note every question, connection and long sleep."""

    def note(what: str) -> None:
        with complaints.open("a") as file:
            file.write(what + "\n")

    def refuse(what: str) -> Callable[..., NoReturn]:
        def call(*arguments: object, **_: object) -> NoReturn:
            note(f"{what}{arguments[-1:]}")
            raise OSError(101, "Network is unreachable")

        return call

    def connect(this: socket.socket, address: Any) -> None:
        if this.family != socket.AF_UNIX and str(address[0]) not in ("127.0.0.1", "::1", "localhost"):
            refuse("connects to ")(address)
        original(this, address)

    def nap(seconds: float) -> None:
        if seconds > LONGEST:
            note(f"sleeps {seconds:g} s")
        doze(min(seconds, LONGEST))

    original, doze = socket.socket.connect, time.sleep
    for name in [name for name in os.environ if name.startswith(("WANDB_", "HF_", "AWS_"))]:
        del os.environ[name]
    os.environ["HOME"] = str(home)
    sys.stdin.close()
    with (
        patch.object(socket.socket, "connect", connect),
        patch.object(socket, "getaddrinfo", refuse("looks up ")),
        patch.object(builtins, "input", refuse("asks ")),
        patch.object(getpass, "getpass", refuse("asks for a password ")),
        patch.object(time, "sleep", nap),
    ):
        return main(line)


def commands(folder: Path) -> list[list[str]]:
    """Return a command line of each verb, on tiny data in `folder`; later ones use what earlier ones left."""
    root = tiny.scored_set(folder / "set")
    settings = tiny.SETTINGS | {"data": {"format": "synthetic", "root": str(root)}}
    config, study = folder / "tiny.yaml", folder / "study.yaml"
    config.write_text(yaml.safe_dump(settings))
    study.write_text(yaml.safe_dump(settings | {"variants": [{"name": "ours"}]}))
    evaluator = save_evaluator(folder / "evaluator.safetensors")
    pictures, photographs = folder / "pictures", folder / "photographs"
    folders(pictures / "train", each=6)
    folders(pictures / "test", each=4)
    folders(folder / "others" / "train", each=6)
    folders(folder / "others" / "test", each=9)  # three of each class have names that the metrifier does not know
    folders(photographs, each=1, side=170)

    def at(name: str) -> str:
        return str(folder / name)

    labelled = ["--images.root", str(pictures / "train"), "--classifiers", "toys:plain"]
    quick = "--steps 4 --validate_every 2 --batch_size 8 --model.widths [8,8,8] --model.maps 16".split()
    ladder = ["--distortions", "[iqa-ls/blur]"]
    classes = ["--data.root", str(pictures), "--data.layout", "folders", "--run", at("classify")]
    others = ["--data.root", at("others"), "--data.layout", "folders"]
    own = ["--training.network", "toys:small", "--training.epochs", "1", "--training.batch_size", "6"]
    data = ["--data.root", str(root), "--data.format", "synthetic"]
    return [
        ["fit", "--config", str(config), "--run", at("fit")],
        ["benchmark", "--config", str(config), "--run", at("benchmark"), "--splits", "1"],
        ["evaluate", "--model", at("fit"), *data],
        ["generate", "--model", at("fit"), *data, "--out", at("sheet.png")],
        ["table", at("fit")],
        ["study", "--config", str(study), "--run", at("study"), "--out", at("study.jsonl")],
        ["score", str(photographs), "--model", str(evaluator)],
        ["dlp", "--model", str(evaluator), "--photos", str(photographs), "--evaluation.crops", "2"],
        ["trust", "--model", str(evaluator), "--photos", str(photographs)],
        ["export", "--model", str(evaluator), "--format", "torch", "--out", at("evaluator.pt2")],
        ["doctor"],
        ["synthesize", "--references", str(photographs / "red"), "--recipe", "iqa-ls", "--out", at("made")],
        ["distortions"],
        ["fidelity", "--results", str(DOCS / "results")],
        [
            "sweep",
            "--images.root",
            str(pictures / "train"),
            "--classifiers",
            "[toys:plain]",
            *ladder,
            "--run",
            at("sweep"),
        ],
        ["metrify", "fit", *labelled, *ladder, *quick, "--run", at("metrify")],
        ["metrify", "evaluate", "--run", at("metrify"), "--evaluators", str(evaluator)],
        ["metrify", "predict", str(pictures / "test"), "--model", at("metrify")],
        ["classify", "fit", *classes, *own, "--strategies", "[1]"],
        ["classify", "evaluate", at("classify"), "--network", "toys:small", "--out", at("again.jsonl"), *classes[:4]],
        ["classify", "table", at("classify")],
        [*"metrify learn --seeds [0]".split(), *others, "--model", at("metrify"), "--run", at("learn"), *ladder, *own],
        ["classify", "figures", at("classify"), "--out", at("figures"), *classes[:4]],
        [
            "layers",
            "--classifier",
            "toys:plain",
            "--images.root",
            str(pictures / "train"),
            *ladder,
            "--run",
            at("layers"),
        ],
    ]

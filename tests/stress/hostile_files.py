"""Files made to run code, to read or write outside their folder, or to take all memory."""

import io
import json
import os
import pickle
import struct
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from hashlib import sha256
from pathlib import Path
from typing import Any

import layouts
import numpy as np
import tiny
import torch
import yaml
from evaluators import CARD, picture, save_evaluator
from PIL import Image
from safetensors.numpy import load_file, save

from gada.__main__ import main
from stress.training import in_child


class Payload:
    """Writes a file beside the folder when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch {self.canary}",))


class Bench:
    """A folder for malicious files, beside it a canary that none may touch, and a picture to score."""

    def __init__(self, folder: Path) -> None:
        self.outside = folder
        self.inside = folder / "inside"
        self.inside.mkdir(parents=True, exist_ok=True)
        self.canary = folder / "canary"
        self.secret = folder / "secret.bin"
        self.secret.write_bytes(np.arange(4, dtype=np.float32).tobytes())
        self.model = save_evaluator(self.inside / "evaluator.safetensors")
        self.picture = self.inside / "picture.png"
        Image.fromarray(picture(0)).save(self.picture)
        self.run_code = f"__import__('os').system('touch {self.canary}')"

    def file(self, name: str, content: bytes) -> str:
        path = self.inside / name
        path.write_bytes(content)
        return str(path)

    def score_with(self, model: str) -> int:
        return main(["score", str(self.picture), "--model", model, "--device", "cpu"])

    def safetensors(self, name: str, **card: Any) -> int:
        """Score with an evaluator whose card says something else."""
        content = save(load_file(self.model), metadata={"gada": json.dumps({**CARD, "kind": "evaluator", **card})})
        return self.score_with(self.file(name, content))

    def config(self, text: str) -> int:
        return main(["fit", "--config", self.file("config.yaml", text.encode()), "--run", str(self.inside / "run")])

    def fit_on(self, rows: list[dict[str, object]], name: str) -> int:
        """Train on a table whose rows are hostile."""
        root = tiny.scored_set(self.inside / name)
        layouts.table(root / "scores.csv", rows)
        options = ["--data.format", "table", "--data.scale_low", "0", "--data.scale_high", "9"]
        options += ["--data.higher_is_better", "true", "--data.root", str(root)]
        return main(["fit", "--phase", "baseline", "--wandb", "off", "--run", str(self.inside / "run"), *options])

    def onnx(self, location: str) -> int:
        """Score with an ONNX file whose weights are said to lie elsewhere."""
        from onnx import TensorProto, helper

        tensor = helper.make_tensor("w", TensorProto.FLOAT, [4], bytes(16), raw=True)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", "0"), ("length", "16")):
            tensor.external_data.add(key=key, value=value)
        pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [4])
        quality = helper.make_tensor_value_info("quality", TensorProto.FLOAT, [4])
        node = helper.make_node("Add", ["pixels", "w"], ["quality"])
        graph = helper.make_graph([node], "g", [pixels], [quality], [tensor])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        return self.score_with(self.file("external.onnx", model.SerializeToString()))

    def program(self, name: str, change: Callable[[dict[str, bytes]], None]) -> int:
        """Score with a .pt2 file that was changed."""
        exported = self.inside / "evaluator.pt2"
        if not exported.is_file():
            assert main(["export", "--model", str(self.model), "--format", "torch", "--out", str(exported)]) == 0
        with zipfile.ZipFile(exported) as archive:
            members = {info: archive.read(info) for info in archive.namelist()}
        change(members)
        path = self.inside / name
        with zipfile.ZipFile(path, "w") as archive:
            for member, content in members.items():
                archive.writestr(member, content)
        return self.score_with(str(path))

    def checkpoint(self, content: bytes) -> int:
        """Resume a training from a checkpoint."""
        root, run = tiny.scored_set(self.inside / "set"), self.inside / "resumed"
        settings = tiny.SETTINGS | {"data": {"format": "synthetic", "root": str(root)}}
        config = self.file("tiny.yaml", yaml.safe_dump(settings).encode())
        (run / "baseline").mkdir(parents=True, exist_ok=True)
        (run / "baseline/last.ckpt").write_bytes(content)
        return main(["fit", "--config", config, "--phase", "baseline", "--wandb", "off", "--run", str(run)])


def with_hash(content: bytes) -> bytes:
    """Return a file with the hash that our checkpoints end with: the attacker can compute it too."""
    return content + sha256(content).hexdigest().encode()


def torch_bytes(value: Any) -> bytes:
    """Return what `torch.save` writes."""
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def sample_inputs(bench: Bench) -> Callable[[dict[str, bytes]], None]:
    """Put a pickle with code where a .pt2 file has its sample inputs."""

    def change(members: dict[str, bytes]) -> None:
        members[next(name for name in members if "sample_inputs" in name)] = torch_bytes(Payload(bench.canary))

    return change


def pickled_weight(bench: Bench) -> Callable[[dict[str, bytes]], None]:
    """Say that a weight is pickled."""

    def change(members: dict[str, bytes]) -> None:
        name = next(name for name in members if name.endswith("model_weights_config.json"))
        config = json.loads(members[name])
        first = next(iter(config["config"].values()))
        first["use_pickle"] = True
        members[name] = json.dumps(config).encode()
        members[name.replace("model_weights_config.json", first["path_name"])] = torch_bytes(Payload(bench.canary))

    return change


def expression(bench: Bench) -> Callable[[dict[str, bytes]], None]:
    """Put code where the size of a dimension is."""

    def change(members: dict[str, bytes]) -> None:
        name = next(name for name in members if name.endswith("models/model.json"))
        members[name] = members[name].replace(b"Symbol('s", f"{bench.run_code} or Symbol('s".encode(), 1)

    return change


def extra_member(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    """Add a member to a .pt2 file."""

    def change(members: dict[str, bytes]) -> None:
        members[next(iter(members)).partition("/")[0] + "/" + name] = content

    return change


def cases() -> dict[str, Callable[[Bench], int]]:
    """Return the malicious files, each as a call that gives the exit code of the program."""
    header = struct.pack("<Q", 2**62)
    xml = '<?xml version="1.0"?><!DOCTYPE n [<!ENTITY e SYSTEM "file:///etc/passwd">]><net name="&e;" version="11"/>'
    row = {"image": "images/blur/r0_1.png", "score": 5, "reference": "references/r0.png", "distortion": "blur"}
    wide = {"widths": [10**9, 10**9, 10**9], "pooling": "moments", "detail": True}
    return {
        "pickle as last.ckpt": lambda b: b.checkpoint(with_hash(pickle.dumps(Payload(b.canary)))),
        "torch file with code as last.ckpt": lambda b: b.checkpoint(with_hash(torch_bytes(Payload(b.canary)))),
        "whole module as last.ckpt": lambda b: b.checkpoint(with_hash(torch_bytes(torch.nn.Linear(1, 1)))),
        "last.ckpt with another hash": lambda b: b.checkpoint(torch_bytes({}) + b"0" * 64),
        "empty last.ckpt": lambda b: b.checkpoint(b""),
        "pickle as .safetensors": lambda b: b.score_with(b.file("a.safetensors", pickle.dumps(Payload(b.canary)))),
        "torch file as .safetensors": lambda b: b.score_with(b.file("b.safetensors", torch_bytes(Payload(b.canary)))),
        "torch file as a model": lambda b: b.score_with(b.file("b.pt", torch_bytes(Payload(b.canary)))),
        "safetensors header of 2**62 bytes": lambda b: b.score_with(b.file("c.safetensors", header + b"{}")),
        "card that is a list": lambda b: b.score_with(
            b.file("d.safetensors", save({"a": np.zeros(1)}, metadata={"gada": "[1]"}))
        ),
        "card without a scale": lambda b: b.safetensors("e.safetensors", scale=None),
        "card with a scale of text": lambda b: b.safetensors("f.safetensors", scale={"name": "=1", "low": "a"}),
        "card with a billion feature maps": lambda b: b.safetensors("g.safetensors", model=wide),
        "card with a crop of 10**9 pixels": lambda b: b.safetensors("h.safetensors", crop_size=10**9),
        "card with another hash": lambda b: b.safetensors("i.safetensors", sha256="0" * 64),
        "ONNX weights at ../": lambda b: b.onnx("../secret.bin"),
        "ONNX weights at an absolute path": lambda b: b.onnx(str(b.secret)),
        "ONNX weights through a link": lambda b: (link(b, "link.bin"), b.onnx("link.bin"))[1],
        "ONNX of noise": lambda b: b.score_with(b.file("j.onnx", np.random.default_rng(0).bytes(5000))),
        "OpenVINO with an external entity": lambda b: b.score_with(b.file("k.xml", xml.encode())),
        ".pt2 with code in its sample inputs": lambda b: b.program("l.pt2", sample_inputs(b)),
        ".pt2 with a pickled weight": lambda b: b.program("m.pt2", pickled_weight(b)),
        ".pt2 with code as a size": lambda b: b.program("n.pt2", expression(b)),
        ".pt2 with a pickled constant": lambda b: b.program(
            "o.pt2", extra_member("data/constants/model.pt", torch_bytes(Payload(b.canary)))
        ),
        ".pt2 with a member outside": lambda b: b.program("p.pt2", extra_member("../../canary", b"x")),
        "YAML that makes an object": lambda b: b.config(f'seed: !!python/object/apply:os.system ["touch {b.canary}"]'),
        "YAML as config of a run": lambda b: (
            (b.inside / "run").mkdir(exist_ok=True),
            b.file("run/config.yaml", f'!!python/object/apply:os.system ["touch {b.canary}"]'.encode()),
            b.fit_on([row], "set"),
        )[-1],
        "URL as a model": lambda b: b.score_with("https://example.org/evaluator.safetensors"),
        "file URL as a model": lambda b: b.score_with(f"file://{b.model}"),
        "table with ../": lambda b: b.fit_on([row | {"image": "../../secret.bin"}], "set2"),
        "table with an absolute path": lambda b: b.fit_on([row | {"image": str(b.secret)}], "set3"),
        "table with a link out": lambda b: b.fit_on([row | {"image": link(b, "link.png").name}], "set4"),
        "EPS as .png": lambda b: picture_of(b, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) (w) file\n"),
        "SVG as .png": lambda b: picture_of(b, b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'),
    }


def link(bench: Bench, name: str) -> Path:
    """Put a link to the secret into the folder."""
    path = bench.inside / name
    path.unlink(missing_ok=True)
    path.symlink_to(bench.secret)
    return path


def picture_of(bench: Bench, content: bytes) -> int:
    """Score a file that is no picture."""
    return main(["score", bench.file("fake.png", content), "--model", str(bench.model)])


def malicious_files(count: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Open malicious files; each must be refused with a sentence, and nothing run or written outside."""
    start, wrong = time.monotonic(), list[str]()
    bench, chosen = Bench(folder), list(cases().items())[:count]
    before = set(folder.iterdir())
    for name, open_it in chosen:
        code, message = opened(bench, open_it, folder / "inside/message")
        if code not in (2, 3, 4):
            wrong.append(f"{name}: exit code {code}: {message[-100:]}")
        elif not message.strip() or "Traceback" in message:
            wrong.append(f"{name}: no sentence")
        if set(folder.iterdir()) != before or bench.canary.exists():
            wrong.append(f"{name}: something was written outside")
            bench.canary.unlink(missing_ok=True)
    return {
        "test": "malicious checkpoints, models, configs, tables and pictures",
        "count": len(chosen),
        "failures": len(wrong),
        "measured": "each was refused with a sentence" if not wrong else f"{len(wrong)} were not",
        "limits": "0 executed, nothing written outside",
        "held": not wrong,
        "seconds": round(time.monotonic() - start),
        "examples": wrong[:5],
    }


def opened(bench: Bench, open_it: Callable[[Bench], int], message: Path) -> tuple[int | None, str]:
    """Open a file in a process of its own; return the exit code and what was said."""

    def call() -> int:
        with message.open("w") as said, redirect_stderr(said), redirect_stdout(io.StringIO()):
            try:
                return open_it(bench)
            except BaseException as error:
                sys.stderr.write(f"Traceback: {type(error).__name__}: {error}")
                return 1

    code = in_child(call, 120)
    return code, message.read_text()

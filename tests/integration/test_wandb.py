"""What Weights & Biases is told, read back from the files of an offline run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny
import yaml
from toys import folders
from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]

from gada.__main__ import main

BLOCK, HEAD = 32_768, 7  # of LevelDB's log format, in which wandb writes


def records(path: Path) -> Iterator[Any]:
    """Yield the records of a .wandb file, with wandb's own message type."""
    content, at, whole = path.read_bytes(), HEAD, b""
    assert content[:4] == b":W&B"
    while at + HEAD <= len(content):
        if BLOCK - at % BLOCK < HEAD:
            at += BLOCK - at % BLOCK
            continue
        length, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        whole += content[at + HEAD : at + HEAD + length]
        at += HEAD + length
        if kind in (1, 4):  # the whole record, or its last part
            yield Record.FromString(whole)
            whole = b""


def history(found: list[Any]) -> dict[str, list[tuple[int, float]]]:
    """Return the values of each metric, with their steps."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for record in found:
        row = {item.key or "/".join(item.nested_key): yaml.safe_load(item.value_json) for item in record.history.item}
        for name, value in row.items():
            if "trainer/global_step" in row and isinstance(value, float | int):
                curves.setdefault(name, []).append((row["trainer/global_step"], value))
    return curves


def test_a_resumed_run_is_one_run_with_all_that_its_users_look_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tiny.SETTINGS["data"] | {"root": str(tiny.scored_set(tmp_path / "set"))}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(tiny.SETTINGS | {"data": data}))
    run = tmp_path / "run"

    def fit(phase: str) -> int:
        return main(["fit", "--phase", phase, "--config", str(tmp_path / "config.yaml"), "--run", str(run)])

    monkeypatch.setenv("WANDB_PROJECT", "mine")
    monkeypatch.setenv("WANDB_ENTITY", "ours")
    with tiny.stopped_after_an_epoch():
        assert fit("1") == 130
    assert fit("1") == 0
    assert fit("1") == 0  # finished: adds nothing
    assert fit("2") == 0
    files = sorted(run.glob("wandb/offline-run-*/*.wandb"), key=lambda path: path.stat().st_mtime)
    stopped, resumed, second = ([*records(path)] for path in files)
    runs = [record.run for one in (stopped, resumed, second) for record in one if record.HasField("run")]
    assert len({one.run_id for one in runs}) == 1
    assert {(one.project, one.entity) for one in runs} == {("mine", "ours")}
    assert [record.exit.exit_code for one in (stopped, resumed) for record in one if record.HasField("exit")] == [1, 0]

    curves = history([*stopped, *resumed])
    assert [step for step, _ in curves["phase1/val_srocc"]] == [1, 3, 4]  # of five steps, validated every two
    names = ("loss_generator_source", "grad_norm_generator", "grad_norm_discriminator", "lr_trunk", "lr_generator")
    for name in (*names, "step_seconds"):
        assert all(value > 0 for _, value in curves[f"phase1/{name}"][:1]), name
    assert [step for step, _ in history(second)["phase2/val_srocc"]] == [6, 8]  # on the axis of phase 1
    (metrics,) = ([line.split(",") for line in (run / "phase1/metrics.csv").read_text().splitlines()],)
    kept = [float(line[metrics[0].index("val_srocc")]) for line in metrics[1:]]
    summary = {
        item.key or "/".join(item.nested_key): yaml.safe_load(item.value_json)
        for record in resumed
        for item in record.summary.update
    }
    assert summary["phase1/best_val_srocc"] == pytest.approx(max(kept), rel=1e-4)
    artifacts = {one.artifact.type: [*one.artifact.manifest.contents] for one in resumed if one.HasField("artifact")}
    paths = {kind: {entry.path for entry in entries} for kind, entries in artifacts.items()}
    assert paths["model"] == {"best.safetensors", "generator.safetensors"}
    assert {"report.html", "config.yaml"} <= paths["report"]


def test_classifiers_log_what_the_dashboard_has_panels_for(tmp_path: Path) -> None:
    folders(tmp_path / "train", each=6)
    folders(tmp_path / "test", each=2)
    run, named = tmp_path / "run", ["--strategies", "8", "--training.network", "toys:small"]
    quick = ["--training.epochs", "3", "--training.batch_size", "9", "--training.inputs", "centred"]
    data = ["--data.root", str(tmp_path), "--data.layout", "folders", "--wandb", "offline"]
    assert main(["classify", "fit", "--run", str(run), *data, *named, *quick]) == 0
    (file,) = run.glob("wandb/offline-run-*/*.wandb")
    curves = history([*records(file)])
    for name in ("loss", "accuracy", "lr", "grad_norm_classifier", "step_seconds"):
        points = curves[f"strategy-8/seed-0/{name}"]
        assert len({step for step, _ in points}) == 3, name  # epochs
        assert all(value > 0 for _, value in points) or name == "accuracy"
    assert {step for step, _ in curves["strategy-8/seed-0/step_seconds"]} == {
        step for step, _ in curves["strategy-8/seed-0/grad_norm_classifier"]
    }


def test_a_study_keeps_its_page(tmp_path: Path) -> None:
    data = tiny.SETTINGS["data"] | {"root": str(tiny.scored_set(tmp_path / "set"))}
    variants = [{"name": "plain"}]
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(tiny.SETTINGS | {"data": data, "variants": variants}))
    run = tmp_path / "run"
    assert main(["study", "--config", str(tmp_path / "study.yaml"), "--run", str(run), "--wandb", "offline"]) == 0
    (file,) = run.glob("wandb/offline-run-*/*.wandb")
    kept = [one.artifact for one in records(file) if one.HasField("artifact") and one.artifact.type == "report"]
    assert [{entry.path for entry in one.manifest.contents} for one in kept] == [{"study.jsonl", "report.html"}]

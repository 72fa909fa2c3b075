"""`gada layers` through the command line, on pictures of three colours and a network of two convolutions."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from toys import WandbRun, folders, plain

from gada.__main__ import main
from gada.distortions import distort
from gada.experiments.robustness.layers import early_and_late
from gada.io.images import read_image
from gada.io.records import Row, read_rows
from gada.scoring.responses import Layer


def run_layers(root: Path, *options: str) -> int:
    given = ["--classifier", "toys:plain", "--distortions", "[iqa-ls/blur,iqa-ls/jpeg]", "--wandb", "off"]
    return main(["layers", *given, "--images.root", str(root / "pictures"), "--run", str(root / "run"), *options])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures and a finished run."""
    root = tmp_path_factory.mktemp("layers")
    folders(root / "pictures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GADA_CACHE", str(root / "cache"))
        assert run_layers(root) == 0
    return root


def rows_of(root: Path) -> list[Row]:
    return read_rows(root / "run" / "results.jsonl")


def test_a_layer_changes_by_the_distance_over_the_size(root: Path) -> None:
    """Of the last convolution, which is linear: computed here from the pixels, for each picture and level."""
    network = plain()
    layer = network.network.get_submodule("last") if network.network is not None else nn.Identity()
    changes = []
    for path in sorted((root / "pictures").rglob("*.png")):
        clean = network.input.view(read_image(path))
        views = [clean, *(distort(clean, "iqa-ls/blur", level) for level in (1, 2, 3))]
        with torch.no_grad():
            maps = layer(torch.from_numpy(network.normalised(np.stack(views)))).flatten(1).numpy()
        changes.append(np.linalg.norm(maps[1:] - maps[0], axis=1) / np.linalg.norm(maps[0]))
    blur, jpeg = rows_of(root)
    assert [name for name, _ in blur["layers"]] == ["last", "first"]  # as they are computed
    np.testing.assert_allclose(blur["changes"][0], np.mean(changes, axis=0), atol=1e-4)
    assert blur["strengths"] == [0.7, 1.0, 1.2]
    for row in (blur, jpeg):
        for along in row["changes"]:
            assert along == sorted(along)  # a stronger distortion changes more
        difference = row["late"] - row["early"]
        assert row["difference_low"] <= difference <= row["difference_high"]
        assert row["n"] == 12


def test_changes_do_not_depend_on_what_goes_through_together(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [row["changes"] for row in rows_of(root)]
    monkeypatch.setattr("gada.experiments.robustness.layers.AT_ONCE", 2 * 32 * 32)
    assert run_layers(root, "--run", str(root / "other")) == 0
    again = [row["changes"] for row in read_rows(root / "other" / "results.jsonl")]
    np.testing.assert_allclose(found, again, atol=2e-5)


def test_thirds_are_of_the_convolutions() -> None:
    kinds = ["convolution", "pooling", "convolution", "convolution", "dropout", "fully connected"]
    layers = [Layer(str(place), kind) for place, kind in enumerate(kinds)]
    early, late = early_and_late(layers, np.arange(6, dtype=np.float32).reshape(1, 1, 6))
    assert (early.item(), late.item()) == (0, 3)


def test_what_is_left_to_look_at(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (root / "run" / "report.html").read_text()
    for text in ("How distortions travel through plain", "late minus early", "JPEG compression", "changed more"):
        assert text in page
    results, block = (root / "run" / "results.jsonl").as_posix(), tmp_path / "page.md"
    block.write_text(f"<!-- gada layers {results} -->\n<!-- end -->\n")
    assert main(["layers", "--results", results, "--into", str(block), "--figure", str(tmp_path / "f.png")]) == 0
    assert "| 2 first | convolution |" in block.read_text()
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    assert main(["layers", "--run", str(root / "run")]) == 0
    assert "late minus early" in capsys.readouterr().out


def test_it_is_logged_to_w_and_b(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = WandbRun()
    monkeypatch.setattr("wandb.init", lambda **_: run)
    assert run_layers(root, "--wandb", "offline", "--run", str(root / "logged")) == 0
    assert {"results", "layers"} <= run.logged
    run.logged.clear()
    assert run_layers(root, "--wandb", "offline", "--run", str(root / "logged")) == 0
    assert not run.logged  # nothing is new


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--classifier", "toys:broken"], "shows fewer than two convolutions"),
        (["--distortions", "[fog]"], "distortion 'fog' is unknown"),
        (["--results", "old.jsonl"], "--results old.jsonl is shown again"),
        (["--figure", "x.pdf"], "must be a .png file"),
    ],
)
def test_bad_input_is_one_sentence(
    options: list[str], said: str, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_layers(root, "--run", str(tmp_path / "run"), *options) in (2, 3)
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run" / "results.jsonl").exists()

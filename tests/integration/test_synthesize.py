"""`gada synthesize` on two small photographs."""

import csv
import json
import os
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gada.__main__ import main
from gada.data.databases import load_database
from gada.distortions import distort
from gada.io.images import read_image
from gada.settings import DataSettings

PHOTOS = Path(__file__).parents[2] / "data" / "photos"


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("references")
    for name in ("china", "coffee"):
        with Image.open(PHOTOS / f"{name}.png") as image:
            image.crop((100, 100, 276, 272)).save(folder / f"{name}.png")
    return folder


def synthesize(references: Path, out: Path, *options: str) -> int:
    return main(["synthesize", "--references", str(references), "--out", str(out), *options])


def files_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def live(references: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sets") / "live"
    assert synthesize(references, out, "--seed", "4", "--jobs", "2") == 0
    return out


def test_the_set_is_complete_and_says_what_it_is(live: Path) -> None:
    with (live / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["image", "score", "reference", "distortion", "level"]
    assert len(rows) == 2 * 5 * 5
    manifest = json.loads((live / "manifest.json").read_text())
    assert manifest["proxy"] is True
    assert manifest["complete"] is True
    assert manifest["scale"] == {
        "name": "proxy DMOS (MS-SSIM)",
        "low": 0.0,
        "high": 100.0,
        "higher_is_better": False,
    }
    assert manifest["seed"] == 4
    present = files_of(live)
    del present["manifest.json"]
    assert manifest["files"] == present
    scores = {(row["reference"], row["distortion"], row["level"]): float(row["score"]) for row in rows}
    assert all(0 < score <= 100 for score in scores.values())
    assert all(
        scores[reference, distortion, "1"] < scores[reference, distortion, "5"] for reference, distortion, _ in scores
    )


def test_the_set_loads(live: Path) -> None:
    scored = load_database(DataSettings(root=live))
    assert scored.proxy
    assert scored.classes == ("jp2k", "jpeg", "wn", "gblur", "fastfading")
    assert len(scored.reference_ids) == 2
    assert scored.has_references


def test_one_process_writes_the_same_bytes(live: Path, references: Path, tmp_path: Path) -> None:
    assert synthesize(references, tmp_path / "set", "--seed", "4", "--jobs", "1") == 0
    assert files_of(tmp_path / "set") == files_of(live)


def test_an_image_is_distort_of_its_reference(live: Path) -> None:
    from gada.data.proxy import noise_seed

    reference = read_image(live / "references/coffee.png")
    expected = distort(reference, "live/wn", 3, noise_seed(4, "coffee", "wn", 3))
    assert np.array_equal(read_image(live / "images/wn/coffee_wn_3.png"), expected)


@pytest.fixture
def small_set(references: Path, tmp_path: Path) -> Path:
    assert synthesize(references, tmp_path / "set", "--recipe", "iqa-ls", "--jobs", "1") == 0
    return tmp_path / "set"


def test_what_is_lost_or_damaged_is_made_again(small_set: Path, references: Path) -> None:
    before = files_of(small_set)
    kept = small_set / "images/noise/china_noise_1.png"
    stamp = kept.stat().st_mtime_ns
    (small_set / "images/noise/china_noise_2.png").unlink()
    (small_set / "images/jpeg/coffee_jpeg_1.png").write_bytes(b"damaged")
    assert synthesize(references, small_set, "--recipe", "iqa-ls", "--jobs", "1") == 0
    assert files_of(small_set) == before
    assert kept.stat().st_mtime_ns == stamp, "what was whole stays"


def test_an_interrupted_run_goes_on(references: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gada.data import making as module

    made: list[str] = []

    def interrupted(task: module.Task) -> tuple[str, str, float | None]:
        if len(made) == 7:
            raise KeyboardInterrupt
        made.append(task.image)
        return run(task)

    def counted(task: module.Task) -> tuple[str, str, float | None]:
        made.append(task.image)
        return run(task)

    run = module.Task.run
    monkeypatch.setattr(module.Task, "run", interrupted)
    arguments = ("--recipe", "iqa-ls", "--jobs", "1")
    assert synthesize(references, tmp_path / "set", *arguments) == 130
    assert not (tmp_path / "set/scores.csv").exists(), "a set with a table is complete"
    assert json.loads((tmp_path / "set/manifest.json").read_text())["complete"] is False
    with (tmp_path / "set/finished.jsonl").open("a") as journal:
        journal.write('["images/torn')
    made.clear()
    monkeypatch.setattr(module.Task, "run", counted)
    assert synthesize(references, tmp_path / "set", *arguments) == 0
    assert len(made) == 18 - 7
    assert not (tmp_path / "set/finished.jsonl").exists()


def test_a_complete_set_keeps_what_it_has_when_its_mending_is_interrupted(
    small_set: Path, references: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gada.data import making as module

    before, made, run = files_of(small_set), list[str](), module.Task.run
    lost = "images/noise/china_noise_2.png"
    (small_set / lost).unlink()

    def interrupted(task: module.Task) -> tuple[str, str, float | None]:
        raise KeyboardInterrupt

    def counted(task: module.Task) -> tuple[str, str, float | None]:
        made.append(task.image)
        return run(task)

    for instead, code in ((interrupted, 130), (interrupted, 130), (counted, 0)):
        monkeypatch.setattr(module.Task, "run", instead)
        assert synthesize(references, small_set, "--recipe", "iqa-ls", "--jobs", "1") == code
    assert made == [lost]
    assert files_of(small_set) == before


@pytest.mark.parametrize("table", [None, b"damaged", b"\xff\xfe\x00"])
def test_a_lost_or_damaged_table_is_made_again(table: bytes | None, small_set: Path, references: Path) -> None:
    before = files_of(small_set)
    (small_set / "scores.csv").unlink()
    if table:
        (small_set / "scores.csv").write_bytes(table)
    assert synthesize(references, small_set, "--recipe", "iqa-ls", "--jobs", "1") == 0
    assert files_of(small_set) == before


def test_cores_are_counted_where_no_system_tells_which_may_be_used(
    small_set: Path, references: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    (small_set / "images/noise/china_noise_2.png").unlink()
    assert synthesize(references, small_set, "--recipe", "iqa-ls") == 0


def test_what_a_killed_process_left_is_removed(small_set: Path, references: Path, tmp_path: Path) -> None:
    before = files_of(small_set)
    (small_set / "images/noise/.gada-0a1b2c3d-china_noise_1.png").write_bytes(b"half")
    assert synthesize(references, small_set, "--recipe", "iqa-ls", "--jobs", "1") == 0
    assert files_of(small_set) == before
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun/.gada-0a1b2c3d-manifest.json").write_bytes(b"{")  # killed while it wrote its very first file
    assert synthesize(references, tmp_path / "begun", "--recipe", "iqa-ls", "--jobs", "1") == 0
    assert files_of(tmp_path / "begun") == before


@pytest.mark.parametrize("options", [["--recipe", "iqa-ls", "--seed", "1"], ["--recipe", "live"]])
def test_a_folder_with_another_set_is_refused(
    options: list[str], small_set: Path, references: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_of(small_set)
    assert synthesize(references, small_set, *options) == 3
    error = capsys.readouterr().err.strip()
    assert "holds another set (iqa-ls-like, seed 0" in error
    assert "\n" not in error
    assert files_of(small_set) == before


def test_a_folder_with_something_else_is_refused(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    assert synthesize(references, tmp_path) == 3
    assert "is not empty and does not hold a set of this command" in capsys.readouterr().err
    assert files_of(tmp_path).keys() == {"letters.txt"}


def test_human_scores_make_a_set_that_is_no_proxy(references: Path, tmp_path: Path) -> None:
    """Three references of 32 pixels, all 24 x 5 cells: the size at which MS-SSIM would be refused."""
    rows = ["reference,distortion,level,mos"]
    (tmp_path / "tiny").mkdir()
    for number in range(2):
        pixels = read_image(references / "china.png")[40 * number :, :][:32, :40]
        Image.fromarray(pixels).save(tmp_path / f"tiny/I{number}.png")
        rows += [f"I{number},{type_},{level},{level}.25" for type_ in range(1, 25) for level in range(1, 6)]
    (tmp_path / "mos.csv").write_text("\n".join(rows))
    arguments = ("--recipe", "tid2013", "--scores", str(tmp_path / "mos.csv"), "--jobs", "1")
    assert synthesize(tmp_path / "tiny", tmp_path / "set", *arguments) == 0
    scored = load_database(DataSettings(root=tmp_path / "set"))
    assert scored.name == "TID2013-R"
    assert not scored.proxy
    assert (scored.scale.low, scored.scale.high, scored.scale.higher_is_better) == (0, 9, True)
    assert len(scored) == 240
    assert all(record.score == (record.level or 0) + 0.25 for record in scored.images)
    assert synthesize(tmp_path / "tiny", tmp_path / "set", *arguments) == 0


@pytest.mark.parametrize("recipe", ["live", "dodge-karam", "iqa-ls"])
def test_small_references_are_scored_by_what_they_are_large_enough_for(
    recipe: str, references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny" / ".ipynb_checkpoints").mkdir(parents=True)
    small = Image.fromarray(read_image(references / "china.png")[:32, :32])
    for name in ("a.png", ".ipynb_checkpoints/a-checkpoint.png", "._a.png"):
        small.save(tmp_path / "tiny" / name)
    assert synthesize(tmp_path / "tiny", tmp_path / "set", "--recipe", recipe, "--jobs", "1") == 0
    assert "a.png has 32 x 32 pixels, and MS-SSIM needs sides of 161: the proxy" in capsys.readouterr().err
    scored = load_database(DataSettings(root=tmp_path / "set"))
    assert len(scored.reference_ids) == 1
    assert scored.scale.describe() == "proxy DMOS (SSIM), 0 to 100, lower is better"
    assert len({record.score for record in scored.images}) > len(scored.classes)


def test_a_complete_set_is_left_as_it_is(small_set: Path, references: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in small_set.rglob("*")}
    capsys.readouterr()
    assert synthesize(references, small_set, "--recipe", "iqa-ls", "--jobs", "1") == 0
    assert capsys.readouterr().err == f"gada: {small_set} is complete, with 18 images; nothing is left to do\n"
    assert {path: path.stat().st_mtime_ns for path in small_set.rglob("*")} == before


def small_photograph(references: Path, folder: Path) -> None:
    with Image.open(references / "china.png") as image:
        image.crop((0, 0, 40, 31)).save(folder / "small.png")


def broken_photograph(references: Path, folder: Path) -> None:
    (folder / "broken.png").write_bytes((references / "china.png").read_bytes()[:5000])


@pytest.mark.parametrize(
    ("prepare", "options", "code", "words"),
    [
        (
            small_photograph,
            [],
            3,
            "small.png has 40 x 31 pixels; every recipe needs sides of 32 or more",
        ),
        (broken_photograph, [], 3, "broken.png"),
        (None, ["--recipe", "kadid"], 2, "kadid"),
        (None, ["--scores", "none.csv"], 2, "recipe live has no human scores"),
        (None, ["--recipe", "tid2013", "--scores", "none.csv"], 3, "none.csv cannot be read"),
        (None, ["--recipe", "iqa-ls", "--levels", "5"], 2, "levels cannot be set"),
        (None, ["--seed", "-1"], 2, "seed is -1"),
        (None, ["--jobs", "0"], 2, "jobs 0"),
        (None, ["--crops", "none.csv"], 3, "none.csv cannot be read"),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(
    prepare: object,
    options: list[str],
    code: int,
    words: str,
    references: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in references.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    if callable(prepare):
        prepare(references, folder)
    assert synthesize(folder, tmp_path / "set", *options) == code
    error = capsys.readouterr().err.strip()
    assert words in error
    assert "\n" not in error
    assert not (tmp_path / "set").exists()

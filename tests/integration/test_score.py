import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluators import picture, save_evaluator
from PIL import Image

import gada
from gada.__main__ import main
from gada.errors import ConfigError, DataError
from gada.io.pixels import AS_WRITTEN
from gada.scoring.journal import Journal, job_of
from gada.scoring.ray_engine import finished_rows
from gada.scoring.rows import COLUMNS, WRITERS, row_of
from gada.scoring.scorer import CropPredictions, Scorer
from gada.scoring.streaming import score_files


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_evaluator(tmp_path_factory.mktemp("model") / "evaluator.safetensors"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine pictures, two of them in a subfolder, and one damaged file."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "more").mkdir()
    for index in range(9):
        Image.fromarray(picture(index)).save(folder / ("more" if index > 6 else ".") / f"picture{index}.png")
    (folder / "damaged.jpg").write_bytes(b"\xff\xd8\xff nothing")
    (folder / "notes.txt").write_text("no picture")
    return folder


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_becomes_lines_and_a_bad_file_a_message(
    model: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(folder), "--model", model]) == 4
    shown = capsys.readouterr()
    head, *lines = shown.out.splitlines()
    assert "DMOS, 0 to 100, lower is better" in head
    assert "proxy" in head
    assert [line.rsplit("/", 1)[1] for line in lines] == [f"picture{index}.png" for index in (7, 8, *range(7))]
    score = gada.load_scorer(model)(folder / "picture0.png").score
    assert f"{score:.4f}" in lines[2]
    assert shown.err.startswith("gada: ")
    assert "damaged.jpg" in shown.err


def test_json_is_one_object(model: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(folder), "--model", model, "--json"]) == 4
    found = json.loads(capsys.readouterr().out)
    assert found["scale"]["higher_is_better"] is False
    assert [row["error"] is None for row in found["results"]] == [False] + [True] * 9


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_every_file_format_holds_the_same_rows(model: str, folder: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / "new" / f"scores{suffix}"
    if suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
    assert main(["score", str(folder), "--model", model, "--out", str(out), "--mode", "crops"]) == 4
    assert list(out.parent.iterdir()) == [out]
    rows: list[dict[str, Any]]
    match suffix:
        case ".csv":
            rows = [{key: value or None for key, value in row.items()} for row in read_csv(out)]
        case ".jsonl":
            rows = [json.loads(line) for line in out.read_text().splitlines()]
        case _:
            rows = parquet.read_table(out).to_pylist()
    assert [list(row) == list(COLUMNS) for row in rows] == [True] * 10
    scorer = gada.load_scorer(model, "crops")
    for row in rows:
        if "damaged" in row["image"]:
            assert row["score"] is None
            assert "damaged.jpg" in row["error"]
            continue
        expected = scorer(row["image"])
        assert float(row["score"]) == pytest.approx(expected.score, abs=1e-3)
        assert row["mode"] == "30 crops, seed 0"
        assert row["model"] == expected.model
        assert row["better"] == "lower"


def test_lists_come_from_standard_input(
    model: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = f"{folder / 'picture1.png'}\n\n{folder / 'more'}\n{folder / 'gone.png'}\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    assert main(["score", "-", str(folder / "picture2.png"), "--model", model]) == 4
    shown = capsys.readouterr()
    names = [line.rsplit("/", 1)[1] for line in shown.out.splitlines()[1:]]
    assert names == ["picture1.png", "picture7.png", "picture8.png", "picture2.png"]
    assert "gone.png" in shown.err


def test_patterns(model: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(folder / "**" / "picture[78].png"), "--model", model]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.parametrize("workers", ["1", "3"])
def test_scores_do_not_depend_on_workers(model: str, folder: Path, tmp_path: Path, workers: str) -> None:
    out = tmp_path / "scores.jsonl"
    main(["score", str(folder), "--model", model, "--out", str(out), "--jobs", workers])
    scorer = gada.load_scorer(model)
    for row in map(json.loads, out.read_text().splitlines()):
        if row["error"] is None:
            assert row["score"] == pytest.approx(scorer(row["image"]).score, abs=1e-3)


def test_a_stopped_job_goes_on(
    model: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, stopped = tmp_path / "whole.csv", tmp_path / "stopped.csv"
    main(["score", str(folder), "--model", model, "--out", str(whole)])
    monkeypatch.setattr("gada.scoring.streaming.AT_MOST", 3)

    def stop(*arguments: Any) -> Iterator[Any]:
        for index, outcome in enumerate(score_files(*arguments)):
            if index == 4:
                raise KeyboardInterrupt
            yield outcome

    with monkeypatch.context() as patch:
        patch.setattr("gada.scoring.bulk.score_files", stop)
        assert main(["score", str(folder), "--model", model, "--out", str(stopped)]) == 130
    partial = tmp_path / "stopped.csv.partial"
    assert len(partial.read_text().splitlines()) == 1 + 4  # the job, and one row that failed
    with partial.open("a") as file:
        file.write('{"image": "cut o')
    capsys.readouterr()
    assert main(["score", str(folder), "--model", model, "--out", str(stopped)]) == 4
    assert "10 images, 3 of them before, 1 failed" in capsys.readouterr().err
    assert sorted(row["image"] for row in read_csv(stopped)) == sorted(row["image"] for row in read_csv(whole))
    assert not partial.exists()


def journal_of(out: Path, model: str, paths: list[str], rows: list[dict[str, Any]]) -> Path:
    """Write what a stopped job leaves."""
    lines = [job_of(gada.load_scorer(model), paths, AS_WRITTEN), *rows]
    partial = out.with_name(out.name + ".partial")
    partial.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return partial


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        (["{folder}", "--mode", "dense"], "another mode (grid of 8)"),
        (["{folder}/more"], "other paths"),
        (["{folder}", "--float_range", "[0, 1]"], "another float_range (None)"),
    ],
)
def test_another_job_is_not_mixed_in(
    model: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: list[str], word: str
) -> None:
    out = tmp_path / "scores.csv"
    partial = journal_of(out, model, [str(folder)], [])
    before = partial.read_text()
    asked = [word.format(folder=folder) for word in asked]
    assert main(["score", *asked, "--model", model, "--out", str(out)]) == 2
    assert word in capsys.readouterr().err
    assert partial.read_text() == before
    assert not out.exists()


def test_two_jobs_do_not_write_into_one_journal(
    model: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scores.csv"
    with Journal(out, job_of(gada.load_scorer(model), [str(folder)], AS_WRITTEN)):
        assert main(["score", str(folder), "--model", model, "--out", str(out)]) == 2
        assert "is being written by another job" in capsys.readouterr().err
    assert main(["score", str(folder), "--model", model, "--out", str(out)]) == 4  # one file is damaged
    assert len(read_csv(out)) == 10


def test_a_job_that_ends_keeps_others_away_until_its_journal_is_gone(
    model: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(gada.load_scorer(model), [str(folder)], AS_WRITTEN)

    def slow(path: Path, rows: Iterator[dict[str, Any]]) -> None:
        with pytest.raises(ConfigError, match="is being written by another job"):
            Journal(tmp_path / "scores.csv", job)
        path.write_text("written")

    monkeypatch.setitem(WRITERS, ".csv", slow)
    with Journal(tmp_path / "scores.csv", job) as journal:
        journal.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


@pytest.mark.parametrize("verb", [["score", "{folder}"], ["dlp", "--photos", "{folder}"], ["evaluate"]])
def test_a_folder_for_a_file_is_told_before_anything_is_scored(
    verb: list[str], model: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "scores.csv").mkdir()
    asked = [word.format(folder=folder) for word in verb]
    assert main([*asked, "--model", model, "--out", str(tmp_path / "scores.csv")]) == 3
    assert "scores.csv is a folder; name a file" in capsys.readouterr().err


@pytest.mark.parametrize("content", ['{"image": "a.png", "error": null}\n', "[1]\n", "{\n"])
def test_a_journal_that_is_none_is_refused(model: str, folder: Path, tmp_path: Path, content: str) -> None:
    partial = tmp_path / "scores.csv.partial"
    partial.write_text(content)
    assert main(["score", str(folder), "--model", model, "--out", str(tmp_path / "scores.csv")]) == 2
    assert partial.read_text() == content


def test_relative_paths_count_from_where_they_were_given(
    model: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    journal_of(tmp_path / "scores.csv", model, ["more"], [])
    (tmp_path / "more").mkdir()
    Image.fromarray(picture(0)).save(tmp_path / "more" / "picture7.png")
    monkeypatch.chdir(tmp_path)
    assert main(["score", "more", "--model", model, "--out", "scores.csv"]) == 2


def test_what_a_stopped_job_failed_at_is_tried_again(model: str, folder: Path, tmp_path: Path) -> None:
    scorer, out, path = gada.load_scorer(model), tmp_path / "scores.jsonl", folder / "picture0.png"
    journal_of(out, model, [str(path)], [row_of(path, DataError("it has more pixels than --max-pixels"), scorer)])
    assert main(["score", str(path), "--model", model, "--out", str(out)]) == 0
    (row,) = map(json.loads, out.read_text().splitlines())
    assert row["error"] is None


def test_each_picture_that_is_named_has_a_row(
    model: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer, out = gada.load_scorer(model), tmp_path / "scores.jsonl"
    names = [str(folder / f"picture{index}.png") for index in (0, 1, 0, 2, 0)]
    gone = row_of(Path("gone.png"), scorer(picture(0)), scorer)
    done = row_of(Path(names[0]), scorer(picture(0)), scorer)
    for rows in ([], [done], [done, gone], [done, done, done, done]):
        for jobs in ("1", "3"):
            journal_of(out, model, ["-"], rows)
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(names).encode())))
            assert main(["score", "-", "--model", model, "--out", str(out), "--jobs", jobs]) == 0
            found = [json.loads(line)["image"] for line in out.read_text().splitlines()]
            assert sorted(found) == sorted(names)


def test_names_cannot_run_in_a_spreadsheet(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["=cmd.png", "+1.png", "@a.png", 'two\nlines, "quoted".png', "-.png"]
    for name in names:
        Image.fromarray(picture(0, 32, 32)).save(tmp_path / name)
    (tmp_path / "=bad.png").write_bytes(b"")
    assert main(["score", "=cmd.png", "=bad.png", ".", "--model", model, "--out", "scores.csv"]) == 4
    rows = read_csv(tmp_path / "scores.csv")
    assert len(rows) == 8
    assert all(value[:1] not in ("=", "+", "-", "@") for row in rows for value in row.values())
    assert rows[0]["image"] == "'=cmd.png"
    assert rows[1]["error"].startswith("'=bad.png")
    assert not any("\n" in row["image"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["nowhere"], 3, "nowhere"),
        (["https://photos.example/one.png"], 3, "is a URL"),
        (["{empty}"], 3, "holds no image"),
        (["*.gif"], 3, "holds no image"),
        (["gone.png"], 4, "gone.png"),
        (["{folder}", "--out", "scores.xls"], 2, ".parquet"),
        (["{folder}", "--crops", "0"], 2, "--crops"),
        (["{folder}", "--mode", "all"], 2, "mode"),
        (["{folder}", "--mode", "dense", "--crops", "3"], 2, "--crops is 3"),
        (["{folder}", "--jobs", "0"], 2, "--jobs"),
        (["{folder}", "--float_range", "[1, 1]"], 2, "float_range is [1, 1]"),
        (["{folder}", "--float_range", "[1, 0]"], 2, "float_range is [1, 0]"),
        (["{folder}", "--model", "nothing"], 2, "nothing"),
        (["{folder}", "--engine", "ray"], 2, "--out"),
        (["{folder}", "--engine", "ray", "--out", "scores", "--device", "cuda"], 2, "--device"),
        (["{folder}", "--engine", "ray", "--out", "scores", "--json"], 2, "--json"),
        (["{folder}", "--out", "scores.csv", "--json"], 2, "--json"),
        (["{folder}", "--white", "70000"], 2, "white is 70000"),
    ],
)
def test_bad_input(
    model: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int,
    word: str,
) -> None:  # fmt: skip
    arguments = [argument.format(empty=tmp_path, folder=folder) for argument in arguments]
    model_option = [] if "--model" in arguments else ["--model", model]
    assert main(["score", *arguments, *model_option]) == code
    shown = capsys.readouterr().err
    assert word in shown
    assert shown.count("\n") == 1


def test_images_with_other_names_have_rows_and_the_rest_is_counted(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What Pillow reads is scored, other images are refused by name, side files and other files are counted."""
    image = Image.fromarray(picture(1, 48, 48))
    for name, form in (
        ("a.jpg", "JPEG"),
        ("b.jfif", "JPEG"),
        ("c.mpo", "MPO"),
        ("d.j2k", "JPEG2000"),
        ("e.dib", "BMP"),
    ):
        image.save(tmp_path / name, form)
    image.save(tmp_path / "f.dng", "TIFF")  # Pillow would read its preview
    (tmp_path / "g.jxl").write_bytes(b"\xff\x0a" + bytes(40))
    (tmp_path / "h.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "._a.jpg").write_bytes(b"AppleDouble")
    assert main(["score", str(tmp_path), "--model", model]) == 4
    shown = capsys.readouterr()
    assert [line.rsplit("/")[-1] for line in shown.out.splitlines()[1:]] == [
        "a.jpg",
        "b.jfif",
        "c.mpo",
        "d.j2k",
        "e.dib",
    ]
    for word in ("f.dng is a camera's raw file", "g.jxl is a JPEG XL image", "h.heic is a HEIC image"):
        assert f"{word}, which is not read here" in shown.err
    assert "passed over 2 that are not images: " in shown.err
    assert main(["score", str(tmp_path / "f.dng"), "--model", model]) == 4


def test_a_list_is_scored_and_a_finished_file_is_not_replaced_without_a_word(
    model: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.txt").write_text(f"{folder / 'picture1.png'}\nhttps://example.com/a.png\n")
    options = [str(tmp_path / "list.txt"), "--model", model, "--out", str(tmp_path / "scores.csv")]
    assert main(["score", *options]) == 4
    assert "is replaced" not in capsys.readouterr().err
    rows = read_csv(tmp_path / "scores.csv")
    assert [bool(row["score"]) for row in rows] == [True, False]
    assert "is a URL; gada fetches nothing" in rows[1]["error"]
    assert main(["score", *options]) == 4
    assert "scores.csv exists and is replaced" in capsys.readouterr().err


def test_the_pixel_limit_can_be_lowered(model: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(folder / "picture0.png"), "--model", model, "--max-pixels", "100"]) == 4
    assert "--max-pixels" in capsys.readouterr().err


@pytest.mark.parametrize("error", [MemoryError(), DataError("it is too thin")])
def test_a_picture_that_cannot_be_cut_is_a_row(
    model: str, folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    scorer, cut = gada.load_scorer(model), Scorer.cut

    def refuse(one: Scorer, image: np.ndarray) -> np.ndarray:
        if image.shape[0] == 61:
            raise error
        return cut(one, image)

    Image.fromarray(picture(0, 61, 61)).save(folder.parent / "large.png")
    monkeypatch.setattr(Scorer, "cut", refuse)
    (_, bad), (_, good) = score_files(scorer, [folder.parent / "large.png", folder / "picture0.png"])
    assert isinstance(bad, DataError)
    assert "large.png" in str(bad)
    assert isinstance(good, gada.Prediction)


def test_an_animation_is_named(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = [Image.fromarray(picture(seed, 40, 40)) for seed in range(2)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert main(["score", str(tmp_path / "moving.gif"), "--model", model]) == 0
    shown = capsys.readouterr()
    assert "moving.gif holds several images" in shown.err
    assert shown.err.count("\n") == 2  # and what it took


class Constant:
    """A backend that takes no time."""

    def predict(self, crops: np.ndarray) -> CropPredictions:
        return CropPredictions(np.full((len(crops), 2), 0.5), np.full(len(crops), 0.5))


def test_memory_stays_flat_over_five_thousand_pictures(model: str, tmp_path: Path) -> None:
    for index in range(50):
        Image.fromarray(picture(index, 100, 100)).save(tmp_path / f"{index}.bmp")
    scorer = gada.load_scorer(model, crops=1)
    scorer.backend = Constant()
    many = (tmp_path / f"{index % 50}.bmp" for index in range(5000))
    used = []
    for count, _ in enumerate(score_files(scorer, many, jobs=2), start=1):
        if count % 1000 == 0:
            used.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
    assert len(used) == 5
    assert max(used) - used[0] < 10, f"{used} MB; the pictures are {5000 * 30000 / 1e6:.0f} MB"


def test_onnx_needs_no_torch(model: str, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    exported = tmp_path / "evaluator.onnx"
    assert main(["export", "--model", model, "--out", str(exported)]) == 0
    code = (
        "import sys; from gada.__main__ import main; code = main(sys.argv[1:]); "
        "heavy = {'torch', 'pytorch_lightning', 'torchmetrics', 'scipy', 'matplotlib'} & set(sys.modules); "
        "sys.exit(f'{heavy} was imported' if heavy else code)"
    )
    call = [sys.executable, "-c", code, "score", str(folder / "picture1.png"), "--model", str(exported), "--json"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    score = json.loads(done.stdout)["results"][0]["score"]
    assert score == pytest.approx(gada.load_scorer(model)(folder / "picture1.png").score, abs=1e-3)


def test_ray_removes_no_file_but_its_own_that_was_cut_off(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table, foreign = tmp_path / "mine.parquet", tmp_path / "half.parquet"
    own = tmp_path / f"{'0a' * 16}_000003-0.parquet"
    own.write_bytes(b"PAR1 cut off")
    assert finished_rows(tmp_path, None) == []
    assert not own.exists()
    parquet.write_table(pyarrow.table({"a": [1, 2, 3]}), table)
    with pytest.raises(ConfigError, match=r"mine\.parquet holds another table"):
        finished_rows(tmp_path, None)
    table.rename(own)  # also under such a name
    with pytest.raises(ConfigError, match="holds another table"):
        finished_rows(tmp_path, None)
    own.rename(table)
    foreign.write_bytes(b"no Parquet")
    with pytest.raises(ConfigError, match=r"half\.parquet is not a Parquet file"):
        finished_rows(tmp_path, None)
    assert foreign.read_bytes() == b"no Parquet"
    assert parquet.read_table(table).num_rows == 3


@pytest.mark.slow
def test_ray_gives_the_same_rows_and_goes_on(model: str, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "scores"
    # a process of its own: Ray starts servers, and warns of what it left open
    call = [
        sys.executable,
        "-m",
        "gada",
        "score",
        "--engine",
        "ray",
        "--jobs",
        "1",
        "--model",
        model,
        "--out",
        str(out),
    ]

    def code(pictures: Path) -> int:
        return subprocess.run([*call, str(pictures)], capture_output=True, check=False, timeout=180).returncode

    assert code(folder / "more") == 0
    (first,) = out.glob("*.parquet")
    kept = first.read_bytes()
    (out / f"{'0' * 32}_000000-0.parquet").write_bytes(kept[: len(kept) // 2])
    assert code(folder) == 4
    rows = [row for path in out.glob("*.parquet") for row in parquet.read_table(path).to_pylist()]
    assert first.read_bytes() == kept
    assert len(rows) == 10
    scorer = gada.load_scorer(model)
    for row in rows:
        if row["error"] is None:
            assert row["score"] == pytest.approx(scorer(row["image"]).score, abs=1e-3)


def test_decoding_order_is_the_order_given(model: str, folder: Path) -> None:
    paths = [folder / f"picture{index}.png" for index in np.random.default_rng(0).integers(0, 7, 40)]
    assert [path for path, _ in score_files(gada.load_scorer(model), paths, jobs=4)] == paths

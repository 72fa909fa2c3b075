"""Recipes, references and human scores: what is read, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from gada.data.recipes import cells_of, find_sources, human_scores
from gada.errors import ConfigError, DataError
from gada.io.images import write_png

CROPS = "reference,kodak,top,left,exact\n"


def photographs(folder: Path, *names: str, height: int = 400, width: int = 540) -> Path:
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        write_png(folder / name, pixels)
    return folder


def scores(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(["reference,distortion,level,mos", *rows]) + "\n")
    return path


def test_recipes_have_their_cells() -> None:
    assert [len(cells_of(recipe, None)) for recipe in ("live", "tid2013", "dodge-karam", "iqa-ls")] == [25, 120, 50, 9]
    assert [cell.level for cell in cells_of("live", 9)][:9] == [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]
    assert {cell.distortion for cell in cells_of("live", None)} == {"jp2k", "jpeg", "wn", "gblur", "fastfading"}


def test_wrong_recipes_are_refused() -> None:
    with pytest.raises(ConfigError, match="'kadid' is unknown; known are live, tid2013, dodge-karam, iqa-ls"):
        cells_of("kadid", None)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="printed in the paper"):
        cells_of("iqa-ls", 5)
    with pytest.raises(ConfigError, match="levels is 1; it must be 2 or more"):
        cells_of("live", 1)


def test_a_folder_is_read_in_order(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "photos", "b.png", "a.png")
    (folder / "notes.txt").write_text("no picture")
    assert [source.name for source in find_sources(folder, None)] == ["a", "b"]


def test_pictures_are_those_that_the_other_verbs_see(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "photos", "a.png")
    photographs(folder / "sub", "b.dib", "c.png")
    (folder / "d.heic").write_bytes(b"\0\0\0\x18ftypheic")
    assert [source.name for source in find_sources(folder, None)] == ["a", "d", "b", "c"]
    with pytest.raises(DataError, match=r"d\.heic is a HEIC image"):
        find_sources(folder, None)[1].pixels()
    photographs(folder / "sub", "a.jpg")
    with pytest.raises(DataError, match=r"two references named a \(of .*photos/a\.png and .*photos/sub/a\.jpg\)"):
        find_sources(folder, None)


def test_a_set_among_its_references_is_none_of_them(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "photos", "a.png")
    photographs(folder / "set", "a.png")
    assert [source.path for source in find_sources(folder, None, folder / "set")] == [folder / "a.png"]


def test_crops_are_cut(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "photos", "k1.png")
    (tmp_path / "crops.csv").write_text(CROPS + "I01,k1.png,16,28,1\n")
    (source,) = find_sources(folder, tmp_path / "crops.csv")
    whole = find_sources(folder, None)[0].pixels()
    assert source.name == "I01"
    assert np.array_equal(source.pixels(), whole[16:400, 28:540])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("reference,top,left\nI01,0,0\n", "no column 'kodak'"),
        (CROPS + "I01,none.png,0,0,1\n", "line 2: 'none.png' is not a file of"),
        (CROPS + "I01,../k1.png,0,0,1\n", "line 2: '../k1.png' is not a file of"),
        (CROPS + "../../escaped,k1.png,0,0,1\n", "line 2: '../../escaped' cannot name a file"),
        (CROPS + "..\\escaped,k1.png,0,0,1\n", "cannot name a file"),
        (CROPS + "..,k1.png,0,0,1\n", "line 2: '..' cannot name a file"),
        (CROPS + ",k1.png,0,0,1\n", "line 2: '' cannot name a file"),
        (CROPS + "I01,k1.png,a,0,1\n", "line 2: top and left must be whole numbers"),
        (CROPS + "I01,k1.png,-1,0,1\n", "line 2: top and left must be 0 or more"),
        (CROPS + "I01,k1.png,0\n", "line 2: top and left must be whole numbers"),
        (CROPS + "I01,k1.png,0,0,1\nI01,k1.png,1,1,1\n", "two references named I01"),
        (CROPS, "holds no reference"),
    ],
)
def test_wrong_crops_are_told(table: str, words: str, tmp_path: Path) -> None:
    folder = photographs(tmp_path / "photos", "k1.png")
    (tmp_path / "crops.csv").write_text(table)
    with pytest.raises(DataError) as caught:
        find_sources(folder, tmp_path / "crops.csv")
    assert words in str(caught.value)
    assert "crops.csv" in str(caught.value)


def test_a_crop_outside_its_photograph_is_told(tmp_path: Path) -> None:
    folder = photographs(tmp_path / "photos", "k1.png")
    (tmp_path / "crops.csv").write_text(CROPS + "I01,k1.png,17,28,1\n")
    with pytest.raises(DataError, match=r"k1.png has 540 x 400 pixels; the crop of I01 .* needs 540 x 401"):
        find_sources(folder, tmp_path / "crops.csv")[0].pixels()


def test_wrong_folders_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothere is not a folder"):
        find_sources(tmp_path / "nothere", None)
    with pytest.raises(DataError, match="holds no image"):
        find_sources(tmp_path, None)
    photographs(tmp_path / "photos", "a.png", "A.bmp.png", "A.png")
    with pytest.raises(DataError, match="two references named"):
        find_sources(tmp_path / "photos", None)


def test_human_scores_find_their_cells(tmp_path: Path) -> None:
    sources = find_sources(photographs(tmp_path / "photos", "I01.png"), None)
    cells = cells_of("tid2013", None)[:5]
    rows = [f"I01,1,{level},{level + 0.5}" for level in range(1, 6)] + ["I25,1,1,4.0"]
    found = human_scores(scores(tmp_path / "mos.csv", rows), "tid2013", sources, cells)
    assert found == {("i01", "01", float(level)): level + 0.5 for level in range(1, 6)}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["I01,1,1,5", "I01,1,1,5"], "line 3: a second score for reference I01, distortion 1, level 1"),
        (["I01,1,2,5"], "no score for reference I01, distortion 1, level 1"),
        (["I01,1,1,9.5"], "line 2: the score 9.5 lies outside MOS, 0 to 9"),
        (["I01,1,1,nan"], "line 2: the score nan"),
        (["I01,one,1,5"], "line 2: distortion, level and mos must be numbers"),
        (["I01,1,1"], "line 2: distortion, level and mos must be numbers"),
    ],
)
def test_wrong_score_tables_are_told(rows: list[str], words: str, tmp_path: Path) -> None:
    sources = find_sources(photographs(tmp_path / "photos", "I01.png"), None)
    with pytest.raises(DataError) as caught:
        human_scores(scores(tmp_path / "mos.csv", rows), "tid2013", sources, cells_of("tid2013", None)[:1])
    assert words in str(caught.value)
    assert "mos.csv" in str(caught.value)


def test_tables_that_are_none_are_told(tmp_path: Path) -> None:
    sources = find_sources(photographs(tmp_path / "photos", "I01.png"), None)
    with pytest.raises(DataError, match="cannot be read"):
        human_scores(tmp_path / "none.csv", "tid2013", sources, ())
    (tmp_path / "image.csv").write_bytes(b"\xff\xfe\x00\x01\x80")
    with pytest.raises(DataError, match="is not UTF-8"):
        human_scores(tmp_path / "image.csv", "tid2013", sources, ())
    with pytest.raises(ConfigError, match="recipe live has no human scores"):
        human_scores(tmp_path / "none.csv", "live", sources, ())

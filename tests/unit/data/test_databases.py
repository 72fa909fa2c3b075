"""The four databases in their real layouts; what is said when something is wrong with one."""

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import layouts
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from gada.data import spreadsheets
from gada.data.csiq import load_csiq
from gada.data.databases import load_database
from gada.data.kadid10k import load_kadid10k
from gada.data.live import load_live
from gada.data.tid2013 import load_tid2013
from gada.errors import ConfigError, DataError
from gada.settings import DataSettings


@pytest.fixture(scope="module")
def whole_live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return layouts.live(tmp_path_factory.mktemp("live"))


@pytest.fixture
def live(whole_live: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage; its pictures are links."""
    return Path(
        shutil.copytree(whole_live, tmp_path / "live", copy_function=lambda a, b: layouts.link(Path(b), Path(a)))
    )


def test_live_is_concatenated_and_the_references_are_dropped(whole_live: Path) -> None:
    scored = load_live(whole_live)
    assert len(scored) == 779
    assert [int((scored.labels == label).sum()) for label in range(5)] == [169, 175, 145, 145, 145]
    assert scored.classes == ("jp2k", "jpeg", "wn", "gblur", "fastfading")
    assert len(scored.reference_ids) == 29
    assert scored.has_references


def test_live_scores_belong_to_their_images(whole_live: Path) -> None:
    """Entry 227 + 3 of the arrays is jpeg/img3.bmp."""
    record = next(each for each in load_live(whole_live).images if each.image.match("jpeg/img3.bmp"))
    assert record.score == loadmat(whole_live / "dmos_realigned.mat")["dmos_new"][0, 227 + 2]
    assert record.reference_id == "scene03.bmp"


def test_live_realigned_scale_is_the_file_s(whole_live: Path) -> None:
    realigned, plain = load_live(whole_live), load_live(whole_live, realigned=False)
    assert realigned.scale.low == 0.0
    assert realigned.scale.high == loadmat(whole_live / "dmos_realigned.mat")["dmos_new"].max() > 100
    assert (plain.scale.low, plain.scale.high) == (0.0, 100.0)
    assert not realigned.scale.higher_is_better
    worst = max(realigned.images, key=lambda record: record.score)
    assert worst.quality == 0.0


def damage_live(live: Path, table: str, variable: str, entry: int, value: Any) -> None:
    content = {name: values for name, values in loadmat(live / table).items() if not name.startswith("_")}
    content[variable][0, entry] = value
    (live / table).unlink()
    savemat(live / table, content)


@pytest.mark.parametrize(
    ("value", "match"),
    [(400.0, r"dmos_realigned\.mat, entry 5: the score 400 lies outside"), (np.nan, "entry 5: the score nan")],
)
def test_live_scores_out_of_range_are_refused(live: Path, value: float, match: str) -> None:
    damage_live(live, "dmos_realigned.mat", "dmos_new", 4, value)
    with pytest.raises(DataError, match=match):
        load_live(live)


def test_live_without_an_image_is_refused_unless_partial(live: Path) -> None:
    (live / "wn" / "img7.bmp").unlink()
    with pytest.raises(DataError, match=r"entry 467: the image .*img7\.bmp does not exist"):
        load_live(live)
    assert len(load_live(live, partial=True)) == 778


def test_a_part_of_live_may_have_names_in_capitals(live: Path) -> None:
    for path in (live / "wn").iterdir():
        path.rename(path.with_name(path.name.upper()))
    assert len(load_live(live)) == len(load_live(live, partial=True)) == 779


def test_live_with_an_image_twice_is_refused(live: Path) -> None:
    layouts.picture(live / "wn" / "IMG7.BMP")
    with pytest.raises(DataError, match=r"is there twice, as IMG7\.BMP and img7\.bmp"):
        load_live(live)


@pytest.mark.parametrize("name", ["dmos_realigned.mat", "refnames_all.mat"])
def test_live_without_a_matlab_file_is_refused(live: Path, name: str) -> None:
    (live / name).unlink()
    with pytest.raises(DataError, match=f"{name} is missing"):
        load_live(live)


@pytest.mark.parametrize(("gone", "advice"), [("dmos_realigned.mat", "false"), ("dmos.mat", "true")])
def test_live_with_the_other_scores_names_the_option(live: Path, gone: str, advice: str) -> None:
    (live / gone).unlink()
    wanted = gone == "dmos_realigned.mat"
    with pytest.raises(DataError, match=rf"{gone} is missing, but .* is there: .*--data\.realigned {advice} "):
        load_live(live, realigned=wanted, partial=True)
    assert len(load_live(live, realigned=not wanted, partial=True))


def test_live_with_a_damaged_matlab_file_is_refused(live: Path) -> None:
    (live / "dmos_realigned.mat").unlink()
    (live / "dmos_realigned.mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    with pytest.raises(DataError, match=r"dmos_realigned\.mat cannot be read as a MATLAB file"):
        load_live(live)


def test_live_with_short_arrays_is_refused(live: Path) -> None:
    (live / "dmos_realigned.mat").unlink()
    savemat(live / "dmos_realigned.mat", {"dmos_new": np.zeros((1, 460)), "orgs": np.zeros((1, 460))})
    with pytest.raises(DataError, match=r"'dmos_new' has 460 entries .* expected 982"):
        load_live(live)


def test_live_with_the_wrong_file_is_refused(live: Path) -> None:
    (live / "dmos_realigned.mat").unlink()
    shutil.copy(live / "dmos.mat", live / "dmos_realigned.mat")
    with pytest.raises(DataError, match=r"dmos_realigned\.mat has no variable 'dmos_new'"):
        load_live(live)


def test_tid2013_names_may_differ_in_case(tmp_path: Path) -> None:
    scored = load_tid2013(layouts.tid2013(tmp_path))
    assert len(scored) == 3000
    assert len(scored.classes) == 24
    assert scored.reference_ids == tuple(f"I{number:02d}" for number in range(1, 26))
    record = scored.images[5 * 23 + 2]  # I01_24_3.bmp
    assert (record.distortion, record.level) == ("24", 3.0)
    assert record.score == 3.5
    assert record.quality == pytest.approx(3.5 / 9)


@pytest.fixture
def tid(tmp_path: Path) -> Path:
    return layouts.tid2013(tmp_path, references=2, types=3)


def test_a_part_of_tid2013_must_be_asked_for(tid: Path) -> None:
    with pytest.raises(DataError, match=r"has 30 scored images, the complete database has 3000; set data\.partial"):
        load_tid2013(tid)
    assert len(load_tid2013(tid, partial=True)) == 30


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("9.5 I01_01_1.bmp", r"mos_with_names\.txt, line 1: the score 9.5 lies outside the scale MOS, 0 to 9"),
        ("inf I01_01_1.bmp", "line 1: the score 'inf' is not finite"),
        ("4,5 I01_01_1.bmp", "line 1: the score '4,5' is not a number"),
        ("4.5 I01_25_1.bmp", "line 1: there is no distortion 25"),
        ("4.5 ../secret.bmp", r"line 1: '4\.5 \.\./secret\.bmp' is not of the form"),
        ("4.5 I01_01_2.bmp", r"line 2: .*_01_2\.bmp is listed twice \(first in mos_with_names\.txt, line 1\)"),
        ("4.5 I01_04_1.bmp", r"line 1: the image .*I01_04_1\.bmp does not exist"),
    ],
)
def test_a_wrong_line_of_tid2013_is_named(tid: Path, line: str, match: str) -> None:
    path = tid / "mos_with_names.txt"
    path.write_text("\n".join([line, *path.read_text().splitlines()[1:]]))
    with pytest.raises(DataError, match=match):
        load_tid2013(tid, partial=True)


def test_empty_lines_of_tid2013_do_no_harm(tid: Path) -> None:
    path = tid / "mos_with_names.txt"
    path.write_text(path.read_text().replace("\n", "\n\n"))
    assert len(load_tid2013(tid, partial=True)) == 30


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (None, r"mos_with_names\.txt cannot be read: No such file"),
        (b"\xff\xfe4", r"mos_with_names\.txt cannot be read: it is not plain text"),
        (b"", "TID2013 in .* has no images"),
    ],
)
def test_a_wrong_table_of_tid2013_is_refused(tid: Path, content: bytes | None, match: str) -> None:
    (tid / "mos_with_names.txt").unlink()
    if content is not None:
        (tid / "mos_with_names.txt").write_bytes(content)
    with pytest.raises(DataError, match=match):
        load_tid2013(tid, partial=True)


@pytest.mark.parametrize("spreadsheet", [True, False])
def test_csiq_from_the_spreadsheet_and_its_export(tmp_path: Path, spreadsheet: bool) -> None:
    scored = load_csiq(layouts.csiq(tmp_path, layouts.csiq_rows(), spreadsheet))
    assert len(scored) == 866
    assert scored.classes == ("noise", "jpeg", "jpeg 2000", "fnoise", "blur", "contrast")
    assert "1600" in scored.reference_ids
    assert len(scored.reference_ids) == 30
    first = scored.images[0]
    assert first.image.match("dst_imgs/awgn/1600.AWGN.1.png")
    assert first.score == pytest.approx(0.19)
    assert first.quality == pytest.approx(0.81)


def test_csiq_images_may_lie_in_one_folder(tmp_path: Path) -> None:
    layouts.csiq(tmp_path, layouts.csiq_rows(2))
    for path in sorted((tmp_path / "dst_imgs").glob("*/*.png")):
        path.rename(tmp_path / "dst_imgs" / path.name)
    for folder in (tmp_path / "dst_imgs").glob("*/"):
        folder.rmdir()
    assert len(load_csiq(tmp_path, partial=True)) == 48


def change_csiq(rows: list[dict[str, Any]], **values: Any) -> list[dict[str, Any]]:
    return [{**rows[0], **values}, *rows[1:]]


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"dmos": 1.2}, r"csiq\.DMOS\.xlsx, row 5: the score 1.2 lies outside the scale DMOS, 0 to 1"),
        ({"dmos": None}, "row 5: the score is missing"),
        ({"dst_type": "rain"}, "row 5: there is no distortion type 'rain'"),
        ({"dst_lev": 6}, "row 5: the level '6' is not 1 to 5"),
        ({"image": "../../../1600"}, "row 5: .* lies outside"),
    ],
)
def test_a_wrong_row_of_csiq_is_named(tmp_path: Path, values: dict[str, Any], match: str) -> None:
    rows = layouts.csiq_rows(1)
    layouts.csiq(tmp_path, rows)
    layouts.csiq_spreadsheet(tmp_path / "csiq.DMOS.xlsx", change_csiq(rows, **values))
    with pytest.raises(DataError, match=match):
        load_csiq(tmp_path, partial=True)


def without_sheet(path: Path) -> None:
    layouts.csiq_spreadsheet(path, layouts.csiq_rows(1), sheet="other")


def without_columns(path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "all_by_image"
    book.active["A1"] = "image"
    book.save(path)


def as_text(path: Path) -> None:
    path.write_text("no spreadsheet")


def as_nothing(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (without_sheet, "has no sheet 'all_by_image'"),
        (without_columns, "has no column 'dst_type'; it has image"),
        (as_text, "has no column .image.; it has no spreadsheet"),
        (as_nothing, "is missing; it belongs to CSIQ"),
    ],
)
def test_a_wrong_spreadsheet_is_refused(tmp_path: Path, damage: Callable[[Path], None], match: str) -> None:
    layouts.csiq(tmp_path, layouts.csiq_rows(1))
    damage(tmp_path / "csiq.DMOS.xlsx")
    with pytest.raises(DataError, match=match):
        load_csiq(tmp_path, partial=True)


def test_a_short_row_of_the_spreadsheet_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spreadsheet that does not say how wide it is has rows of different length."""
    layouts.csiq(tmp_path, layouts.csiq_rows(1))
    whole = spreadsheets._rows_of_sheet
    monkeypatch.setattr(
        spreadsheets,
        "_rows_of_sheet",
        lambda sheet: [(number, cells[: 6 if number == 6 else None]) for number, cells in whole(sheet)],
    )
    with pytest.raises(DataError, match=r"csiq\.DMOS\.xlsx, row 6: the level '' is not 1 to 5"):
        load_csiq(tmp_path, partial=True)


def test_csiq_without_openpyxl_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layouts.csiq(tmp_path, layouts.csiq_rows(1))
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(DataError, match=r'needs openpyxl: pip install "gada-iqa\[xlsx\]"; or save the sheet as CSV'):
        load_csiq(tmp_path, partial=True)


def test_kadid10k_is_higher_is_better_despite_its_name(tmp_path: Path) -> None:
    root = layouts.kadid10k(tmp_path, references=2)
    with pytest.raises(DataError, match="has 250 scored images, the complete database has 10125"):
        load_kadid10k(root)
    scored = load_kadid10k(root, partial=True)
    assert len(scored.classes) == 25
    assert scored.reference_ids == ("I01", "I02")
    assert (scored.images[-1].distortion, scored.images[-1].level) == ("contrast change", 5.0)
    assert scored.images[0].score == pytest.approx(4.6)
    assert scored.images[0].quality == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("column", "value", "match"),
    [
        ("dmos", "5.2", r"dmos\.csv, line 2: the score 5.2 lies outside the scale DMOS, 1 to 5, higher is better"),
        ("ref_img", "I02.png", r"line 2: I01_01_01\.png does not belong to the reference I02\.png"),
        ("dist_img", "I01_26_01.png", "line 2: .* with a type from 01 to 25"),
        ("dist_img", "../a.png", "line 2: .* is not of the form"),
    ],
)
def test_a_wrong_line_of_kadid10k_is_named(tmp_path: Path, column: str, value: str, match: str) -> None:
    layouts.kadid10k(tmp_path, references=1, types=2)
    with (tmp_path / "dmos.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0][column] = value
    layouts.table(tmp_path / "dmos.csv", rows)
    with pytest.raises(DataError, match=match):
        load_kadid10k(tmp_path, partial=True)


@pytest.mark.parametrize("load", [load_live, load_tid2013, load_csiq, load_kadid10k])
def test_a_missing_folder_is_refused(tmp_path: Path, load: Callable[[Path], object]) -> None:
    with pytest.raises(DataError, match=r"none is not a folder; data\.root must be the folder of"):
        load(tmp_path / "none")


def test_a_folder_without_permission_is_one_sentence(tid: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told to `Path`, since the user who runs the tests may be allowed everything."""

    def forbidden(folder: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", forbidden)
    with pytest.raises(DataError, match="distorted_images cannot be read: Permission denied"):
        load_database(DataSettings(root=tid, format="tid2013", partial=True))


def test_every_format_is_loaded_by_its_name(tmp_path: Path, whole_live: Path, tid: Path) -> None:
    layouts.csiq(tmp_path / "csiq", layouts.csiq_rows(1))
    layouts.kadid10k(tmp_path / "kadid", references=1, types=1)
    layouts.synthetic(tmp_path / "synthetic")
    given: dict[Any, Path] = {
        "live": whole_live,
        "tid2013": tid,
        "csiq": tmp_path / "csiq",
        "kadid10k": tmp_path / "kadid",
        "synthetic": tmp_path / "synthetic",
    }
    names = [load_database(DataSettings(root=root, format=form, partial=True)).name for form, root in given.items()]
    assert names == ["LIVE", "TID2013", "CSIQ", "KADID-10k", "live-like"]
    plain = load_database(DataSettings(root=whole_live, format="live", realigned=False))
    assert plain.scale.high == 100.0


def test_only_the_chosen_classes_are_kept_in_their_order(whole_live: Path) -> None:
    settings = DataSettings(root=whole_live, format="live", classes=("wn", "jpeg"))
    scored = load_database(settings)
    assert scored.classes == ("wn", "jpeg")
    assert len(scored) == 145 + 175


def test_an_unknown_class_is_a_wrong_setting(whole_live: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.classes names 'rain', .* its classes are: jp2k, jpeg"):
        load_database(DataSettings(root=whole_live, format="live", classes=("rain",)))

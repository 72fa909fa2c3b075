import csv
import json
import struct
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import layouts
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gada.data.cache import PackedImages
from gada.data.databases import load_database
from gada.data.records import ScoredSet
from gada.data.spreadsheets import decimal_of, rows_of
from gada.errors import ConfigError, DataError
from gada.settings import DataSettings


def described(root: Path, **options: Any) -> DataSettings:
    return DataSettings(root=root, format="table", scale_low=1.0, scale_high=5.0, higher_is_better=True, **options)


def load(root: Path, **options: Any) -> ScoredSet:
    return load_database(described(root, **options))


def rows(root: Path) -> list[dict[str, str]]:
    with (root / "scores.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def rewrite(root: Path, line: int, **cells: str) -> None:
    """Change cells of a line of scores.csv; the first row is line 2."""
    content = rows(root)
    content[line - 2] = {**content[line - 2], **cells}
    layouts.table(root / "scores.csv", content)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return layouts.scored_table(tmp_path / "set")


def test_a_table_with_references_and_classes(root: Path) -> None:
    scored = load(root)
    assert len(scored) == 30
    assert scored.classes == ("jpeg", "blur")
    assert scored.reference_ids == tuple(f"references/r{number}.png" for number in range(5))
    assert not scored.proxy
    first = scored.images[0]
    assert first.image == root / "jpeg" / "r0_1.png"
    assert first.reference == root / "references" / "r0.png"
    assert (first.score, first.quality, first.level) == (4.0, 0.75, 1.0)


def test_a_table_of_images_and_scores_only(root: Path) -> None:
    layouts.table(root / "scores.csv", [{"image": row["image"], "score": row["score"]} for row in rows(root)])
    scored = load(root)
    assert scored.classes == ()
    assert not scored.has_references
    assert scored.reference_ids[:2] == ("blur/r0_1.png", "blur/r0_2.png")  # each image is its own scene


def test_columns_and_table_may_have_other_names(root: Path) -> None:
    content = [
        {"": "index", "file": row["image"], "mos": row["score"], "kind": row["distortion"]} for row in rows(root)
    ]
    layouts.table(root / "mine.csv", content)
    scored = load(root, table="mine.csv", image_column="file", score_column="mos", distortion_column="kind")
    assert len(scored) == 30
    assert scored.name == "mine"


def test_lower_may_be_better(root: Path) -> None:
    scored = load_database(replace(described(root), higher_is_better=False, scale_name="DMOS"))
    assert scored.images[0].quality == 0.25
    assert scored.scale.describe() == "DMOS, 1 to 5, lower is better"


def test_computed_scores_are_named_as_such(root: Path) -> None:
    assert not load(root).proxy
    assert load(root, proxy=True).proxy


def test_a_byte_order_mark_and_spaces_do_no_harm(root: Path) -> None:
    text = (root / "scores.csv").read_text().replace("image,score", "image, score")
    (root / "scores.csv").write_text(text, encoding="utf-8-sig")
    assert len(load(root)) == 30


@pytest.mark.parametrize("key", ["scale_low", "scale_high", "higher_is_better"])
def test_scale_and_direction_must_be_given(root: Path, key: str) -> None:
    with pytest.raises(ConfigError, match=rf"{key} of the table .*scores\.csv is missing"):
        load_database(replace(described(root), **{key: None}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cells", "match"),
    [
        ({"score": "5.01"}, r"scores\.csv, line 4: the score 5.01 lies outside the scale MOS, 1 to 5"),
        ({"score": "nan"}, "line 4: the score 'nan' is not finite"),
        ({"score": "=1+1"}, r"line 4: the score '=1\+1' is not a number"),
        ({"score": ""}, "line 4: the score is missing"),
        ({"image": ""}, "line 4: the name of an image is missing"),
        (
            {"image": "../secret.png"},
            r"line 4: '\.\./secret\.png' lies outside .*; write the path relative",
        ),
        ({"image": "/etc/hostname"}, "line 4: '/etc/hostname' lies outside"),
        ({"image": "jpeg/none.png"}, r"line 4: the image .*none\.png does not exist"),
        ({"image": "jpeg"}, "line 4: the image .*jpeg does not exist"),
        ({"image": "jpeg/r0_1.png"}, r"line 4: .*r0_1\.png is listed twice \(first in scores\.csv, line 2\)"),
        ({"image": "./jpeg/../jpeg/r0_1.png"}, r"line 4: .*r0_1\.png is listed twice"),
        ({"image": r"C:\data\r0_1.png"}, r"line 4: 'C:\\data\\r0_1.png' lies outside .*; write the path relative"),
        ({"image": r"C:\data\jpeg\r0_1.png"}, r"write the path relative to that folder, as jpeg/r0_1\.png$"),
        ({"image": "/home/me/jpeg/r0_1.png"}, r"write the path relative to that folder, as jpeg/r0_1\.png$"),
        ({"image": "https://example.com/r0_1.png"}, "line 4: .* is a URL; gada fetches nothing"),
        ({"image": "r0_2.png"}, r"line 4: .*r0_2\.png does not exist; it is in blur: give --data\.image_folder blur"),
        ({"reference": ""}, "line 4: the reference is missing"),
        ({"distortion": ""}, "give it for all or none"),
        ({"distortion": "rain"}, "the class 'rain' of scores has one image only"),
    ],
)
def test_a_wrong_line_is_named(root: Path, cells: dict[str, str], match: str) -> None:
    rewrite(root, 4, **cells)
    with pytest.raises(DataError, match=match):
        load(root)


def test_a_link_out_of_the_root_is_refused(root: Path, tmp_path: Path) -> None:
    outside = layouts.picture(tmp_path / "outside.png")
    (root / "jpeg" / "r0_1.png").unlink()
    (root / "jpeg" / "r0_1.png").symlink_to(outside)
    with pytest.raises(DataError, match=r"line 2: jpeg/r0_1\.png leads out of .*set to .*outside\.png"):
        load(root)


def test_a_folder_linked_out_of_the_root_is_refused(root: Path, tmp_path: Path) -> None:
    (root / "jpeg").rename(tmp_path / "elsewhere")
    (root / "jpeg").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="leads out of"):
        load(root)


def test_the_root_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert len(load(tmp_path / "link")) == 30


def test_an_image_that_its_header_does_not_show_turned_is_found_when_it_is_decoded(root: Path) -> None:
    turned = root / "blur" / "r1_2.png"
    exif, whole = Image.Exif(), turned.read_bytes()
    exif[0x0112] = 6
    turned.unlink()
    late = [png_chunk(b"eXIf", exif.tobytes()[6:]), png_chunk(b"raNd", bytes(70_000))]
    turned.write_bytes(b"".join([whole[:-12], *late, whole[-12:]]))
    scored = load(root)
    with pytest.raises(DataError, match=r"r1_2\.png has 48 x 32 pixels .* but its reference .*r1\.png has 32 x 48"):
        PackedImages.of(scored, root.parent / "cache")
    PackedImages.of(scored.select([scored.images[0].reference_id]), root.parent / "cache")


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_an_image_of_another_size_than_its_reference_is_refused(root: Path) -> None:
    layouts.picture(root / "blur" / "r1_2.png", height=30)
    with pytest.raises(DataError, match=r"r1_2\.png has 30 x 48 pixels .* but its reference .*r1\.png has 32 x 48"):
        load(root)


def test_an_unreadable_image_is_refused(root: Path) -> None:
    (root / "blur" / "r1_2.png").unlink()
    (root / "blur" / "r1_2.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"r1_2\.png is not an image"):
        load(root)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", r"the table .*scores\.csv is empty"),
        ("image,score\n", r"scores\.csv has no rows below its header"),
        (
            "picture,score\na.png,3\n",
            r"scores\.csv has no column 'image'; it has picture, score; name yours with --data.image_column",
        ),
        ("image;score\na.png;3\n", r"line 2: the image .*a\.png does not exist"),
        ("image,score,image\na.png,3,b.png\n", "line 1: a column is named twice"),
        ("image,score\na.png,3,4\n", "line 2: there are 3 cells, but 2 column names; put quotes"),
        ("image,score\na.png,3,5\n", "put quotes around a cell with a separator in it, such as a decimal comma"),
        ("image,score\nblur/r0_1.png\n", "line 2: the score is missing"),
        ('image,score\n"a.png,3\n', r"scores\.csv, line 2 or later: unexpected end of data"),
    ],
)
def test_a_table_of_the_wrong_form_is_refused(root: Path, text: str, match: str) -> None:
    (root / "scores.csv").write_text(text)
    with pytest.raises(DataError, match=match):
        load(root)


def test_a_table_that_is_not_utf8_is_refused(root: Path) -> None:
    (root / "scores.csv").write_bytes("image,score\nbüro.png,3\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"is not UTF-8 .*save it as CSV UTF-8"):
        load(root)


TABLES = {
    "semicolons and decimal commas": "image;score;reference\r\n{a};3,5;\r\n{b};4,25;\r\n",
    "tabs": "image\tscore\n{a}\t3.5\n{b}\t4.25\n",
    "bars": "image|score\n{a}|3.5\n{b}|4.25\n",
    "decimal commas in quotes": 'image,score\n{a},"3,5"\n{b},"4,25"\n',
    "empty cells behind and blank rows": "image,score,,\n,,,\n{a},3.5,,\n\n{b},4.25,,\n,,,\n",
    "a title above and a line for the separator": "sep=;\nScores of spring\n\nimage;score\n{a};3,5\n{b};4,25\n",
    "spaces": " image , score \n {a} , 3.5 \n {b} , 4.25 \n",
    "semicolons and decimal points": "image;score\n{a};3.5\n{b};4.25\n",
    "a comma in a column of text": "image;score;note\n{a};3.5;dark, soft\n{b};4.25;sharp, bright\n",
    "old Mac line ends": "image,score\r{a},3.5\r{b},4.25\r",
    "names in other case": " Image ;SCORE\n{a};3,5\n{b};4,25\n",
    "paths of Windows": "image,score\njpeg\\r0_1.png,3.5\n.\\jpeg\\r0_2.png,4.25\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES.keys())
def test_tables_are_read_as_people_save_them(root: Path, text: str, encoding: str) -> None:
    written = text.format(a="jpeg/r0_1.png", b="jpeg/r0_2.png")
    (root / "scores.csv").write_bytes(written.encode(encoding))
    scored = load(root)
    assert [record.score for record in scored.images] == [3.5, 4.25]
    assert [record.image.name for record in scored.images] == ["r0_1.png", "r0_2.png"]


def test_an_absolute_path_inside_the_root_is_read(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    text = f"image,score\n{root / 'jpeg/r0_1.png'},3.5\n{tmp_path / 'link/jpeg/r0_2.png'},4\n"
    (root / "scores.csv").write_text(text)
    assert [record.image.name for record in load(root, image_folder="jpeg").images] == ["r0_1.png", "r0_2.png"]


def test_what_stays_ambiguous_is_asked_for_by_name(root: Path) -> None:
    (root / "scores.csv").write_text("image;score\njpeg/r0_1.png;3,125\njpeg/r0_2.png;4,250\n")
    with pytest.raises(DataError, match=r"'3,125' in column 'score' .*give --data\.decimal , or"):
        load(root)
    assert [record.score for record in load(root, decimal=",").images] == [3.125, 4.25]
    with pytest.raises(DataError, match="line 2: the score 3125 lies outside"):
        load(root, decimal=".")
    (root / "scores.csv").write_text("image;score\njpeg/r0_1.png;4\njpeg/r0_2.png;1.050\n")
    with pytest.raises(DataError, match=r"'1\.050' in column 'score' .*give --data\.decimal , or"):
        load(root)
    assert [record.score for record in load(root, decimal=".").images] == [4, 1.05]
    (root / "scores.csv").write_text("image|score;x\njpeg/r0_1.png|3;x\njpeg/r0_2.png|4;x\n")
    with pytest.raises(DataError, match=r"may be separated by ; or \|; give --data\.separator"):
        load(root)
    (root / "scores.csv").write_text("image score\njpeg/r0_1.png 3.5\njpeg/r0_2.png 4\n")
    assert len(load(root, separator=" ")) == 2
    with pytest.raises(ConfigError, match=r"data\.separator is ';;'"):
        described(root, separator=";;")


@pytest.mark.parametrize(
    ("cells", "sign"),
    [
        (["3.5", "4"], "."),
        (["3,5", "4"], ","),
        (["1,234", "5.5"], "."),
        (["1.234,5", "2,125"], ","),
        (["1,234.5"], "."),
        (["0,125"], ","),
        (["1,234,567"], "."),
        (["1,234"], None),
        ([], "."),
    ],
)
def test_the_decimal_sign_of_a_column(cells: list[str], sign: str | None) -> None:
    assert decimal_of(cells) == sign


@pytest.mark.parametrize(
    ("cells", "sign"),
    [
        (["1.050", "950"], None),
        (["1.050", "0.950"], "."),
        (["1.050", "3.5"], "."),
        (["1.050", "3,5"], ","),
        (["1.050.000", "950"], ","),
        (["950"], "."),
    ],
)
def test_between_semicolons_a_point_may_stand_between_thousands(cells: list[str], sign: str | None) -> None:
    assert decimal_of(cells, semicolons=True) == sign


def test_column_names_of_any_case_are_found(root: Path) -> None:
    text = (root / "scores.csv").read_text()
    names, rest = text.split("\n", 1)
    (root / "scores.csv").write_text(f"{names.upper()}\n{rest}")
    assert load(root).classes == ("jpeg", "blur")
    assert load(root).has_references
    (root / "scores.csv").write_text("Image,image,score\nx,jpeg/r0_1.png,3\ny,jpeg/r0_2.png,4\n")
    assert len(load(root)) == 2
    (root / "scores.csv").write_text("Image,IMAGE,score\nx,jpeg/r0_1.png,3\n")
    with pytest.raises(DataError, match=r"line 1: a column is named twice \(Image, IMAGE, score\)"):
        load(root)


@pytest.mark.parametrize(("value", "seen"), [(3.5, 3.5), ("3,5", 3.5), (4, 4.0)])
def test_a_spreadsheet_is_read(root: Path, value: object, seen: float) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["Notes"])
    sheet = book.create_sheet("scores")
    for row in (["Spring"], [], ["image", "score", None], ["jpeg/r0_1.png", value], [], ["jpeg/r0_2.png", 5]):
        sheet.append(row)
    book.save(root / "scores.xlsx")
    (root / "scores.csv").write_bytes((root / "scores.xlsx").read_bytes())
    for name in ("scores.xlsx", "scores.csv"):  # by its content
        assert [record.score for record in load(root, table=name).images] == [seen, 5.0]


def test_other_spreadsheets_are_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "scores.xls").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(100))
    with pytest.raises(DataError, match=r"scores\.xls is a spreadsheet of an old format; save it as \.xlsx or as CSV"):
        load(root, table="scores.xls")
    for name in ("scores.xlsx", "scores.csv"):
        (root / name).write_bytes(b"PK\x03\x04" + bytes(100))
        with pytest.raises(
            DataError, match=r"cannot be read as a spreadsheet: it is damaged .* save it as \.xlsx or CSV"
        ):
            load(root, table=name)
    (root / "text.xlsx").write_text("image,score\njpeg/r0_1.png,3.5\njpeg/r0_2.png,4\n")
    assert len(load(root, table="text.xlsx")) == 2
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match=r'needs openpyxl: pip install "gada-iqa\[xlsx\]"; or save the sheet as CSV'):
        load(root, table="scores.xlsx")


def test_a_missing_table_is_refused(root: Path) -> None:
    with pytest.raises(DataError, match=r"the table .*none\.csv cannot be read: No such file"):
        load(root, table="none.csv")


def test_a_synthetic_set_needs_no_settings(tmp_path: Path) -> None:
    scored = load_database(DataSettings(root=layouts.synthetic(tmp_path)))
    assert scored.proxy
    assert scored.name == "live-like"
    assert scored.scale.describe() == "MOS, 1 to 5, higher is better"
    assert scored.classes == ("jpeg", "blur")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"scale": {"name": "MOS", "low": "a"}}'])
def test_a_wrong_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (layouts.synthetic(tmp_path) / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=r"manifest\.json is not a manifest of a synthetic set"):
        load_database(DataSettings(root=tmp_path))


def test_a_manifest_without_width_is_refused(tmp_path: Path) -> None:
    path = layouts.synthetic(tmp_path) / "manifest.json"
    content = json.loads(path.read_text())
    content["scale"]["high"] = 1.0
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="low must be a number below high"):
        load_database(DataSettings(root=tmp_path))


def test_an_unfinished_set_is_refused(tmp_path: Path) -> None:
    path = layouts.synthetic(tmp_path) / "manifest.json"
    path.write_text(path.read_text().replace('"complete": true', '"complete": false'))
    with pytest.raises(DataError, match="is not complete; run `gada synthesize` again"):
        load_database(DataSettings(root=tmp_path))


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"manifest\.json cannot be read .*gada synthesize"):
        load_database(DataSettings(root=layouts.scored_table(tmp_path)))


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_give_rows_or_one_sentence(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(data)
    try:
        for _, row in rows_of(path):
            assert all(isinstance(value, str) for value in row.values())
    except DataError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message

"""Tables as people save them: CSV with any separator and decimal sign, or a spreadsheet (.xlsx).

Separator and decimal sign are found in the file; what stays ambiguous is asked for by name. Blank rows, titles above
the line of column names and empty cells behind the last column are passed over.
"""

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from io import BytesIO, StringIO
from itertools import islice
from pathlib import Path
from typing import Any

from gada.errors import DataError
from gada.io.images import shown

Row = dict[str, str]
Line = tuple[int, list[str]]
"""Its number in the file, and its cells."""

SEPARATORS = (",", ";", "\t", "|")
TITLES = 30  # lines in which the column names are looked for
EXCEL, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"  # how .xlsx and .xls files begin
NUMBERS = {
    ".": re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?"),  # 1,234.5
    ",": re.compile(r"[-+]?(\d{1,3}(\.\d{3})+|\d*)(,\d*)?"),  # 1.234,5
}
"""Numbers that Python would read otherwise, by their decimal sign."""
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}[.,]\d{3}")  # 1,234, unless it is 1.234


def rows_of(
    path: Path,
    columns: Mapping[str, str] | None = None,
    numbers: Sequence[str] = (),
    separator: str | None = None,
    decimal: str | None = None,
    sheet: str | None = None,
    optional: Collection[str] = (),
) -> Iterator[tuple[str, Row]]:
    """Yield (place, row) for each line below the column names; `place` names file and line.

    The case of column names does not count, unless two differ by nothing else.

    Args:
        path: a CSV file in UTF-8 or UTF-16, or an .xlsx file.
        columns: what must be among the column names, by which their line is found; each with the setting that names
            it, "" if there is none.
        numbers: columns whose cells become numbers as Python writes them.
        separator: between the cells of a CSV file; found by default.
        decimal: "." or ","; found by default.
        sheet: of a spreadsheet; by default the first with the columns.
        optional: other columns that are looked for.

    Raises:
        DataError: if the file is missing, empty, not a table or torn, or separator or decimal sign are ambiguous.
    """
    needed = columns or {}
    lines, kind, found_separator = _lines_of(path, needed, separator, sheet)
    if not lines:
        raise DataError(f"the table {shown(path)} is empty; its first line must name the columns")
    start = next((index for index, line in enumerate(lines[:TITLES]) if _names(line[1], needed)), 0)
    number, header = lines[start]
    names = _as_wanted(header, [*needed, *numbers, *optional])
    named = [name for name in names if name]
    if len(set(named)) < len(named):
        shown_names = ", ".join(map(shown, filter(None, header)))
        raise DataError(f"{shown(path.name)}, {kind} {number}: a column is named twice ({shown_names})")
    if missing := [name for name in needed if name not in named]:
        advice = f"; name yours with {needed[missing[0]]}" if needed[missing[0]] else ""
        has = ", ".join(map(shown, named))
        raise DataError(f"{shown(path.name)} has no column {missing[0]!r}; it has {has}{advice}")
    rows = []
    for number, cells in lines[start + 1 :]:
        place = f"{shown(path.name)}, {kind} {number}"
        if kind == "line" and any(cells[len(names) :]):
            raise DataError(
                f"{place}: there are {len(cells)} cells, but {len(names)} column names; put quotes around a cell with "
                "a separator in it, such as a decimal comma"
            )
        padded = [*cells, *[""] * (len(names) - len(cells))]
        rows.append((place, {name: cell for name, cell in zip(names, padded, strict=False) if name}))
    for column in set(numbers) & set(named):
        cells = [row[column] for _, row in rows]
        sign = decimal or decimal_of(cells, found_separator == ";")
        if sign is None and column in needed:
            unclear = next(filter(THOUSANDS.fullmatch, cells))
            advice = (
                "give --data.decimal , or --data.decimal ." if needed[column] else "save it with commas between cells"
            )
            raise DataError(
                f"{shown(path.name)}: {unclear!r} in column {column!r} may have a decimal sign, or one between "
                f"thousands; {advice}"
            )
        for _, row in rows:
            row[column] = plain_number(row[column], sign or ".")
    yield from rows


def decimal_of(cells: Sequence[str], semicolons: bool = False) -> str | None:
    """Return the decimal sign of a column of numbers, "." or ","; None if a sign may also stand between thousands.

    Args:
        cells: of the column.
        semicolons: whether they separate the cells, as where the decimal sign is a comma.
    """
    with_comma = [cell for cell in cells if "," in cell]
    with_point = [cell for cell in cells if "." in cell]
    for cell in with_comma:
        if cell in with_point:
            return max(".,", key=cell.rfind)
    if any(cell.count(",") > 1 for cell in with_comma):
        return "."
    if any(cell.count(".") > 1 for cell in with_point) or not all(map(THOUSANDS.fullmatch, with_comma)):
        return ","
    if with_comma:
        return "." if with_point else None
    return None if semicolons and with_point and all(map(THOUSANDS.fullmatch, with_point)) else "."


def plain_number(cell: str, decimal: str) -> str:
    """Return a number as Python writes it; anything else as it is."""
    if not NUMBERS[decimal].fullmatch(cell):
        return cell
    return cell.replace(",", "") if decimal == "." else cell.replace(".", "").replace(",", ".")


def _lines_of(
    path: Path, columns: Collection[str], separator: str | None, sheet: str | None
) -> tuple[list[Line], str, str]:
    """Return the lines that are not blank, each cell stripped; whether they are lines or rows; and the separator."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"the table {shown(path)} cannot be read: {error.strerror}") from error
    if content.startswith(OLD_EXCEL):
        raise DataError(f"{shown(path)} is a spreadsheet of an old format; save it as .xlsx or as CSV")
    if content.startswith(EXCEL):  # whatever its name
        return _sheet_lines(path, content, columns, sheet), "row", ""
    text = _text(path, content)
    if named := re.match(r"sep=(.)\r?\n", text):  # as Excel writes it
        separator, text = separator or named[1], "\n" + text[named.end() :]
    separator = "\t" if separator in ("tab", r"\t") else separator
    separator = separator or _separator_of(text, columns, path)
    return list(_csv_lines(path, text, separator)), "line", separator


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"the table {shown(path)} is not UTF-8 (byte {error.start}); save it as CSV UTF-8") from error


def _csv_lines(path: Path, text: str, separator: str) -> Iterator[Line]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    try:
        for cells in reader:
            stripped = _trimmed(cells)
            if stripped:
                yield reader.line_num, stripped
    except csv.Error as error:
        raise DataError(f"{shown(path.name)}, line {reader.line_num} or later: {error}") from error


def _trimmed(cells: Sequence[str]) -> list[str]:
    """Strip the cells and leave out the empty ones at the end."""
    stripped = [cell.strip() for cell in cells]
    while stripped and not stripped[-1]:
        stripped.pop()
    return stripped


def _as_wanted(cells: Sequence[str], wanted: Collection[str]) -> list[str]:
    """Spell column names as those that are wanted, from which they may differ in case."""
    spelled = {name.casefold(): name for name in wanted if name not in cells}
    return [spelled.get(cell.casefold(), cell) for cell in cells]


def _names(cells: Sequence[str], columns: Collection[str]) -> bool:
    """Return whether all these columns are named."""
    return set(columns) <= set(_as_wanted(cells, columns))


def _separator_of(text: str, columns: Collection[str], path: Path) -> str:
    """Return the separator that gives the most lines as many cells as there are column names."""
    found = dict[str, tuple[bool, int, int]]()
    for separator in SEPARATORS:
        try:
            lines = [cells for _, cells in islice(_csv_lines(path, text, separator), TITLES)]
        except DataError:  # a quote that does not fit; it is told of the separator that is chosen
            continue
        header = next((cells for cells in lines if _names(cells, columns)), lines[0] if lines else [])
        alike = sum(len(cells) == len(header) for cells in lines)
        found[separator] = (_names(header, columns), alike if len(header) > 1 else 0, len(header))
    best = max(found, key=found.__getitem__, default=",")
    possible = [shown(one) for one in found if found[one] == found[best] and found[one][1]]
    if len(possible) > 1:
        raise DataError(
            f"the cells of {shown(path)} may be separated by {' or '.join(possible)}; give --data.separator"
        )
    return best


def _sheet_lines(path: Path, content: bytes, columns: Collection[str], sheet: str | None) -> list[Line]:
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise DataError(
            f'reading {shown(path.name)} needs openpyxl: pip install "gada-iqa[xlsx]"; or save the sheet as CSV'
        ) from error
    try:
        book = load_workbook(BytesIO(content), read_only=True, data_only=True)
        try:
            sheets = [book[sheet]] if sheet else book.worksheets
            found = [list(_rows_of_sheet(one)) for one in sheets]
        finally:
            book.close()
    except KeyError as error:
        raise DataError(f"{shown(path)} has no sheet {sheet!r}") from error
    except Exception as error:  # a damaged spreadsheet raises errors of zip, XML and openpyxl
        raise DataError(
            f"{shown(path)} cannot be read as a spreadsheet: it is damaged or not one; save it as .xlsx or CSV"
        ) from error
    for lines in found:
        if any(_names(cells, columns) for _, cells in lines[:TITLES]):
            return lines
    return next((lines for lines in found if lines), [])


def _rows_of_sheet(sheet: Any) -> Iterator[Line]:
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        if cells := _trimmed([_plain(value) for value in values]):
            yield number, cells


def _plain(value: Any) -> str:
    """Turn a cell into text; a name such as 1600 is stored as a number."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

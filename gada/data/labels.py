"""Labels of images: lists of classes, tables of labels, ImageNet's validation layout."""

from collections.abc import Sequence
from pathlib import Path

from gada.data.checks import Files
from gada.data.spreadsheets import rows_of
from gada.errors import DataError
from gada.io.folders import images_in
from gada.settings import ImageSettings

LONGEST_INDEX = 9  # digits; a longer number is a name
IMAGENET = Path(__file__).with_name("imagenet.txt")
"""WordNet ids and names of ILSVRC 2012's 1,000 classes; the sorted ids give the index that ImageNet networks use."""


def class_indices(
    labels: Sequence[str], file: Path | None, classes: Sequence[str] = ()
) -> tuple[list[int | None], tuple[str, ...]]:
    """Return the index of each label, None for an unknown one, and the classes in order (none: not known)."""
    whole = [label.removesuffix(".0") for label in labels]  # as spreadsheets write whole numbers
    if file is None and not classes and all(label.isdecimal() and len(label) <= LONGEST_INDEX for label in whole):
        return [int(label) for label in whole], ()
    if classes:
        known = list(classes)
    elif file is not None:
        known = read_classes(file)
    elif set(labels) <= set(imagenet := read_classes(IMAGENET)):
        known = imagenet
    else:
        known = sorted(set(labels))
    places = {name: place for place, name in enumerate(known)}
    places |= {str(place): place for place in range(len(known)) if str(place) not in places}
    return [places.get(label) for label in labels], tuple(known)


def shown_classes(classes: Sequence[str]) -> list[str]:
    """Return classes as a person calls them: a WordNet id of ImageNet's by its name, such as "Persian cat"."""
    lines = IMAGENET.read_text(encoding="utf-8").splitlines()
    names = {number: name for number, _, name in (line.partition(" ") for line in lines)}
    return [names.get(one, one) for one in classes]


def read_classes(path: Path) -> list[str]:
    """Return the classes of a file in order: the first word of each line, as in ImageNet's list of synsets.

    Raises:
        DataError: if it cannot be read, is empty, or names a class twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read as a list of classes, one in each line: {error}") from error
    names = [line.split()[0].strip(",") for line in lines if line.strip()]
    twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
    if twice or not names:
        raise DataError(
            f"{path} {f'names the class {twice!r} twice' if twice else 'is empty'}; give each class a line."
        )
    return names


def read_table(settings: ImageSettings) -> list[tuple[Path, str]]:
    """Return the (file, label) pairs of a table, CSV or a spreadsheet.

    Raises:
        DataError: if the table cannot be read, lacks a column or a cell, or names a file that is not below the root.
    """
    path = settings.root / settings.table
    names = {settings.image_column: "--images.image_column", settings.label_column: "--images.label_column"}
    files, pairs = Files(settings.root.resolve()), []
    for place, row in rows_of(path, names):
        name, label = row[settings.image_column], row[settings.label_column]
        if not name or not label:
            raise DataError(f"{place}, lacks an image or its label.")
        pairs.append((settings.root / files.find(name, place).relative_to(files.root), label))
    if not pairs:
        raise DataError(f"{path} has no rows below its column names; give each image and its label a row.")
    return pairs


def read_imagenet(settings: ImageSettings) -> list[tuple[Path, str]]:
    """Return the (file, label) pairs of ImageNet's validation set: flat with a label file, or sorted into wnid folders.

    The label file is `val.txt` (a name and an index or wnid in each line) or Kaggle's `LOC_val_solution.csv`.

    Raises:
        DataError: if it is missing or cannot be read, or a line of it is wrong.
    """
    file = settings.root / settings.table
    if not file.is_file():
        files = [(path, path.parent.name) for path in images_in(settings.root)]
        if {label for _, label in files} <= set(read_classes(IMAGENET)):
            return files
        raise DataError(
            f"{settings.root} has neither the label file {settings.table} (val.txt or LOC_val_solution.csv, named with "
            "--images.table) nor a folder for each WordNet id."
        )
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as a file name and its class in each line: {error}") from error
    found = {path.stem: path for path in images_in(settings.root)}
    pairs = []
    for number, line in enumerate(lines, start=1):
        words = line.replace(",", " ").split()
        if not words or words[0] == "ImageId":
            continue
        if len(words) < 2 or Path(words[0]).stem not in found:
            wrong = "has no label" if len(words) < 2 else f"names {words[0]}, which is not in {settings.root}"
            raise DataError(f"{file}, line {number}, {wrong}; each line is a file name and its class.")
        pairs.append((found[Path(words[0]).stem], words[1]))
    return pairs

"""What a generator makes, beside true distortions."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gada.data.cache import PackedImages
from gada.data.databases import load_database
from gada.data.records import ScoredImage, ScoredSet
from gada.errors import ConfigError, DataError
from gada.experiments.evaluation import Side, one_side
from gada.io.checkpoints import find_checkpoint
from gada.io.files import write_bytes
from gada.models.files import load_generator
from gada.models.generator import Generator, distort_crops
from gada.reports.contact_sheet import contact_sheet
from gada.settings import DataSettings, SplitSettings

QUALITIES = (0.8, 0.5, 0.2)  # asked for beside the true quality


def sample_grid(generator: Generator, images: ScoredSet, packed: PackedImages, size: int) -> bytes:
    """Return a PNG with one row for each class that the images have: reference, true distortion, generated ones.

    Args:
        generator: the generator.
        images: where references and true distortions come from; the row's reference changes with the class.
        packed: its decoded images.
        size: side of a crop, in pixels.
    """
    present = {record.distortion for record in images.images}
    names = [name for name in images.classes or ("",) if name in present]
    rows = [class_row(generator, images, packed, name, size) for name in names]
    labels = [
        f"{name or 'no class'}, true quality {record.quality:.2f}"
        for name, (record, _) in zip(names, rows, strict=True)
    ]
    columns = ["reference", "true distortion", "generated alike", *(f"generated at {asked:.1f}" for asked in QUALITIES)]
    title = f"{images.name}: generated crops; quality in [0, 1], 1 is best"
    return as_png(contact_sheet([tiles for _, tiles in rows], labels, columns, title))


def class_row(
    generator: Generator, images: ScoredSet, packed: PackedImages, name: str, size: int
) -> tuple[ScoredImage, list[NDArray[np.uint8]]]:
    """Return a middling image of a class, and its row of tiles."""
    label = images.classes.index(name) if name else 0  # without classes every image is of class 0
    of_class = sorted((r for r in images.images if r.distortion == name), key=lambda r: (r.quality, r.image.name))
    record = of_class[len(of_class) // 3]  # rather bad than good, so that the distortion can be seen
    pictures = [packed.array(path) for path in (record.reference or record.image, record.image)]
    side = min(size, *(one // 8 * 8 for one in pictures[0].shape[:2]))  # the generator halves it thrice
    reference, true = (centre(picture, side) for picture in pictures)
    asked = [record.quality, *QUALITIES]
    generated = distort_crops(generator, [reference] * len(asked), [label] * len(asked), asked)
    return record, [reference, true, *generated]


def centre(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return the middle of an image, on JPEG's 8-pixel grid, at most `size` pixels high and wide."""
    top, left = (max(0, (side - size) // 2 // 8 * 8) for side in image.shape[:2])
    return image[top : top + size, left : left + size]


def as_png(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture (H, W, 3) as PNG bytes."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def write_contact_sheet(
    model: str, out: Path, side: Side, crop_size: int, data: DataSettings, split: SplitSettings
) -> None:
    """Write a PNG with true and generated distortions: for some references, classes down and qualities across.

    Raises:
        ConfigError: if the crop size is wrong, the model is not found, or makes other classes than the data have.
        DataError: if the data are missing or invalid, or have no references.
    """
    if crop_size < 0 or crop_size % 8:
        raise ConfigError(f"--crop_size is {crop_size} but must be a multiple of 8, or 0.")
    path = find_checkpoint(model, "generator")
    generator, card = load_generator(path)
    whole = load_database(data)
    images = one_side(whole, side, split, card)
    if not images.has_references:
        raise DataError(
            f"{images.name} has no reference images, which a generator distorts; give data with references."
        )
    if list(images.classes) != card["classes"]:
        raise ConfigError(f"{path} makes {', '.join(card['classes'])}; {images.name} has {', '.join(images.classes)}.")
    packed = PackedImages.open(whole.files, whole.root, data.cache)
    write_bytes(out, sample_grid(generator, images, packed, crop_size or card["crop_size"]))

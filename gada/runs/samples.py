"""What a generator makes, beside true distortions."""

import numpy as np
from numpy.typing import NDArray

from gada.data.cache import PackedImages
from gada.data.crops import middle
from gada.data.records import ScoredImage, ScoredSet
from gada.distortions.names import distortion_name
from gada.models.generator import Generator, distort_crops
from gada.reports.contact_sheet import contact_sheet, png_of

QUALITIES = (0.8, 0.5, 0.2)  # targets beside the true quality


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
    rows = [row_of_class(generator, images, packed, name, size) for name in names]
    labels = [
        f"{distortion_name(name, images.name) or 'no class'}, true quality {record.quality:.2f}"
        for name, (record, _) in zip(names, rows, strict=True)
    ]
    columns = [
        "reference",
        "true distortion",
        "generated alike",
        *(f"generated at {target:.1f}" for target in QUALITIES),
    ]
    title = f"{images.name}: generated crops; quality in [0, 1], 1 is best"
    return png_of(contact_sheet([tiles for _, tiles in rows], labels, columns, title))


def row_of_class(
    generator: Generator, images: ScoredSet, packed: PackedImages, name: str, size: int
) -> tuple[ScoredImage, list[NDArray[np.uint8]]]:
    """Return a middling image of a class, and its row of tiles."""
    label = images.classes.index(name) if name else 0  # without classes every image is of class 0
    of_class = sorted((r for r in images.images if r.distortion == name), key=lambda r: (r.quality, r.image.name))
    record = of_class[len(of_class) // 3]  # rather poor than good, so that the distortion can be seen
    pair = [packed.array(path) for path in (record.reference or record.image, record.image)]
    side = min(size, *(one // 8 * 8 for one in pair[0].shape[:2]))  # the generator halves it thrice
    reference, true = (middle(image, side) for image in pair)
    targets = [record.quality, *QUALITIES]
    generated = distort_crops(generator, [reference] * len(targets), [label] * len(targets), targets)
    return record, [reference, true, *generated]

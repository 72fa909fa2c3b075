"""What a generator makes, beside true distortions."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gada.data.cache import PackedImages
from gada.data.crops import middle
from gada.data.records import ScoredImage, ScoredSet
from gada.distortions.names import distortion_name
from gada.models.generator import Generator, distort_crops
from gada.reports.contact_sheet import contact_sheet, png_of

QUALITIES = (0.8, 0.5, 0.2)  # targets beside the true quality
Column = tuple[Generator, float | None]
"""A generator and its target quality; None is the quality of the true distortion."""


def sample_grid(generator: Generator, images: ScoredSet, packed: PackedImages, size: int) -> bytes:
    """Return a PNG of what a generator makes at the true and at other qualities, as `drawn` has it."""
    others = {f"generated at {target:.1f}": (generator, target) for target in QUALITIES}
    return drawn({"generated alike": (generator, None), **others}, images, packed, size)


def figure_1(generators: Mapping[str, Generator], images: ScoredSet, packed: PackedImages, size: int) -> bytes:
    """Return a PNG in the layout of the paper's Figure 1: true distortions beside what each generator makes alike."""
    return drawn({name: (generator, None) for name, generator in generators.items()}, images, packed, size)


def drawn(columns: Mapping[str, Column], images: ScoredSet, packed: PackedImages, size: int) -> bytes:
    """Return a PNG with one row for each class that the images have: reference, true distortion, generated ones.

    Args:
        columns: what is generated, with the same noise everywhere: by which generator, and to which target quality.
        images: where references and true distortions come from; the row's reference changes with the class.
        packed: its decoded images.
        size: side of a crop, in pixels.
    """
    present = {record.distortion for record in images.images}
    names = [name for name in images.classes or ("",) if name in present]
    rows = [row_of_class(list(columns.values()), images, packed, name, size) for name in names]
    labels = [
        f"{distortion_name(name, images.name) or 'no class'}, true quality {record.quality:.2f}"
        for name, (record, _) in zip(names, rows, strict=True)
    ]
    title = f"{images.name}: generated crops; quality in [0, 1], 1 is best"
    return png_of(
        contact_sheet([tiles for _, tiles in rows], labels, ["reference", "true distortion", *columns], title)
    )


def row_of_class(
    columns: Sequence[Column], images: ScoredSet, packed: PackedImages, name: str, size: int
) -> tuple[ScoredImage, list[NDArray[np.uint8]]]:
    """Return a middling image of a class, and its row of tiles."""
    label = images.classes.index(name) if name else 0  # without classes every image is of class 0
    of_class = sorted((r for r in images.images if r.distortion == name), key=lambda r: (r.quality, r.image.name))
    record = of_class[len(of_class) // 3]  # rather poor than good, so that the distortion can be seen
    pair = [packed.array(path) for path in (record.reference or record.image, record.image)]
    side = min(size, *(one // 8 * 8 for one in pair[0].shape[:2]))  # the generator halves it up to thrice
    reference, true = (middle(image, side) for image in pair)
    targets = ((generator, record.quality if target is None else target) for generator, target in columns)
    generated = [distort_crops(generator, [reference], [label], [target])[0] for generator, target in targets]
    return record, [reference, true, *generated]

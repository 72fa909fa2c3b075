"""Photos in order: what teaches an evaluator of whole images that a stronger distortion is a worse image.

Phase 2 where labels are missing altogether: photos without scores are distorted by `gada.distortions`, or by a
generator to target qualities (paper, section 3.1, step 2), and the order is learnt, not the level.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from gada.data.crops import reflect_up
from gada.data.perceptual_hash import perceptual_hash
from gada.data.proxy import noise_seed
from gada.data.whole_batches import Order
from gada.data.whole_view import reduced
from gada.distortions.pixels import Pixels
from gada.errors import DataError
from gada.io.folders import images_in
from gada.io.images import read_image
from gada.io.progress import with_progress
from gada.metrics.ssim import ssim
from gada.models.files import load_generator
from gada.models.generator import distort_crops
from gada.runs.prepared import PreparedData
from gada.scoring.order import order_curves, order_metrics
from gada.scoring.scorer import Scorer

SIDE = 512  # at which photos are distorted, as on a screen
MOST = 500  # photos that are kept for orders; each takes 0.6 MB
TESTED = 12  # photos on which order is measured and that never train
ORDER = "order.json"  # in the stage's folder: tau of each ladder
SETS = "sets.jsonl"  # and the result rows of the further sets
LEAST = 16  # pixels of a side of what a generator distorts and SSIM compares
GAP = 0.1  # least difference of two target qualities


class OrderPhotos(NamedTuple):
    """Undistorted photos, (H, W, 3) uint8 with a longer side of 512 pixels at most."""

    trained: list[Pixels]
    tested: list[Pixels]


def order_photos(folder: Path | None, data: PreparedData, seed: int) -> OrderPhotos:
    """Return the photos of a folder, or where none is given the undistorted images of a set's training and test sides.

    Raises:
        ConfigError: if a photo shows what a test image of a set shows.
        DataError: if the folder has too few photos.
    """
    random = np.random.default_rng(seed)
    if folder is None:
        sides = [pristine(data, name) for name in ("train", "test")]
        return OrderPhotos(
            *(
                [reduced(data.packed.array(paths[index]), SIDE) for index in random.permutation(len(paths))[:most]]
                for paths, most in zip(sides, (MOST, TESTED), strict=True)
            )
        )
    files = images_in(folder)
    if len(files) <= TESTED:
        raise DataError(f"whole.photos {folder} has {len(files)} images, but order needs {TESTED + 1} or more.")
    chosen = [files[index] for index in random.permutation(len(files))[: MOST + TESTED]]
    photos = [reduced(read_image(path), SIDE) for path in with_progress(chosen, "read photos")]
    seen = {path.name: perceptual_hash(photo) for path, photo in zip(chosen, photos, strict=True)}
    for one in (data, *data.others):
        one.check_unseen(f"whole.photos {folder}", seen)
    return OrderPhotos(photos[TESTED:], photos[:TESTED])


def pristine(data: PreparedData, side: str) -> list[Path]:
    """Return the reference images of a side of the split; without references its images."""
    return list(dict.fromkeys(record.reference or record.image for record in data.side(side).images))


def generated_orders(path: Path, photos: list[Pixels], count: int, longer_side: int, seed: int) -> list[Order]:
    """Return photos, each with two versions that a generator makes of it, of one class and two target qualities.

    They are checked before they are used: where SSIM with the photo contradicts the target qualities, one is left out.

    Args:
        path: of the generator.
        photos: (H, W, 3) uint8; taken in turn.
        count: how many orders are made.
        longer_side: of the views, in pixels.
        seed: of classes, qualities and noise.

    Raises:
        DataError: if none passes the check.
    """
    generator, card = load_generator(path)
    random, orders = np.random.default_rng(seed), []
    for number in with_progress(range(count), "generate orders", count):
        photo = reflect_up(photos[number % len(photos)], LEAST)
        height, width = (side // 8 * 8 for side in photo.shape[:2])
        reference = photo[:height, :width]
        better = float(random.uniform(GAP, 1))
        qualities = [better, float(random.uniform(0, better - GAP))]
        label = int(random.integers(len(card.classes)))
        made = distort_crops(generator, [reference] * 2, [label] * 2, qualities, int(random.integers(2**31)))
        milder, stronger = (ssim(image, reference) for image in made)
        if milder > stronger:
            views = [reduced(image, longer_side) for image in (reference, *made)]
            orders.append(Order(views, [0.0, *(1 - quality for quality in qualities)]))
    if not orders:
        raise DataError(f"{path} follows the target quality on none of {count} photos; give a generator that does.")
    return orders


def tested_order(scorer: Scorer, photos: list[Pixels], seed: int) -> dict[str, float]:
    """Return Kendall's tau of level and falling score on photos, by ladder."""
    seeds = [noise_seed(seed, str(number), "order", 0) for number in range(len(photos))]
    curves = order_curves(scorer, list(with_progress(photos, "order of distorted photos", len(photos))), seeds)
    return {name: round(tau, 6) for name, tau in order_metrics(curves).items()}

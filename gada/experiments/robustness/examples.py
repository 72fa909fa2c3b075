"""One image through the ladders: predicted labels, confidences and filter responses (Figures 1, 3 and 4)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gada.data.distorted import Where
from gada.data.proxy import noise_seed
from gada.distortions import FAMILIES, distort
from gada.reports.contact_sheet import contact_sheet
from gada.reports.responses import responses_figure
from gada.scoring.classifiers import Classifier
from gada.scoring.responses import filter_responses, relative_change

Pixels = NDArray[np.uint8]
COLUMNS = 4  # levels of a ladder that are shown, spread from the mildest to the strongest
TILE = 176  # pixels
BLUR, NOISE = ("dodge-karam/blur", 2), ("dodge-karam/noise", 5)
"""Of Figure 4: blur of sigma 2 as in Figure 1, and noise of std 50."""
FIGURE_1 = {
    "blur, sigma 2": BLUR,
    "noise, variance 50": ("dodge-karam-variant/noise", 5),
    "JPEG, quality 10": ("dodge-karam/jpeg", 6),
    "contrast 0.5": ("dodge-karam/contrast", 5),
}
"""Blur and noise as printed; the paper does not say how strong its JPEG and its contrast are."""


def view_of(classifier: Classifier, image: Pixels, family: str, level: int, where: Where, seed: int) -> Pixels:
    """Return a network's view of a distorted image, (S, S, 3)."""
    view, noise = classifier.input.view, noise_seed(seed, "example", family, level)
    if where == "image":
        return view(distort(image, family, level, noise))
    return distort(np.array(view(image)), family, level, noise)


def predictions_sheet(
    classifiers: Sequence[Classifier], image: Pixels, name: str, classes: Sequence[str] = (), seed: int = 0
) -> Pixels:
    """Draw an image undistorted and as in Figure 1, with what each network takes it for and how surely, (H, W, 3).

    Args:
        classifiers: the networks; the tiles show the first one's view.
        image: (H, W, 3).
        name: of the image.
        classes: names of the classes in order; without them a class is its index.
        seed: of the noise.
    """
    shown = {
        one: np.stack(
            [one.input.view(image), *(view_of(one, image, *step, "crop", seed) for step in FIGURE_1.values())]
        )
        for one in classifiers
    }
    texts = []
    for one, views in shown.items():
        probabilities = one.probabilities(views)
        best = probabilities.argmax(axis=1)
        texts.append(
            [f"{one.name}: {classes[i] if classes else i} {p[i]:.2f}" for i, p in zip(best, probabilities, strict=True)]
        )
    tiles: list[Pixels | None] = [middle(view) for view in shown[classifiers[0]]]
    captions = [" / ".join(several) for several in zip(*texts, strict=True)]
    title = f"{name}: the class that each network predicts, and its confidence"
    return contact_sheet([tiles], [""], ["undistorted", *FIGURE_1], title, [captions])


def example_sheet(
    classifiers: Sequence[Classifier],
    image: Pixels,
    name: str,
    families: Sequence[str],
    where: Where = "crop",
    seed: int = 0,
    label: int | None = None,
) -> Pixels:
    """Draw an image at four levels of each ladder, with each network's confidence below, (H, W, 3).

    Args:
        classifiers: the networks; the tiles show the first one's view.
        image: (H, W, 3).
        name: of the image.
        families: the ladders.
        where: what is distorted.
        seed: of the noise.
        label: its true class; without one, the class that each network predicts for the undistorted image.
    """
    clean = {one.name: one.probabilities(one.input.view(image)[None])[0] for one in classifiers}
    classes = {one: int(values.argmax()) if label is None else label for one, values in clean.items()}
    undistorted = ", ".join(f"{one} {values[classes[one]]:.2f}" for one, values in clean.items())
    tiles: list[list[Pixels | None]] = []
    captions = []
    for family in families:
        strengths = FAMILIES[family].strengths
        levels = np.unique(np.linspace(1, len(strengths), COLUMNS).round().astype(int)).tolist()
        views = [[view_of(one, image, family, level, where, seed) for level in levels] for one in classifiers]
        confidences = [
            one.probabilities(np.stack(v))[:, classes[one.name]] for one, v in zip(classifiers, views, strict=True)
        ]
        empty = COLUMNS - len(levels)
        tiles.append([middle(one) for one in views[0]] + [None] * empty)
        texts = [
            f"{strengths[level - 1]:g}: " + " / ".join(f"{values[at]:.2f}" for values in confidences)
            for at, level in enumerate(levels)
        ]
        captions.append(texts + [""] * empty)
    of = "the true class" if label is not None else "the class that each network predicts for the undistorted image"
    title = f"{name}: strength, and confidence in {of}: {' / '.join(clean)}. Undistorted: {undistorted}."
    rows = [f"{FAMILIES[family].title}: {FAMILIES[family].parameter}" for family in families]
    return contact_sheet(tiles, rows, ["mildest", *[""] * (COLUMNS - 1)], title, captions)


def middle(image: Pixels) -> Pixels:
    """Return the middle of an image, at most `TILE` pixels wide and at full size, so that noise stays noise."""
    side = min(TILE, image.shape[0])
    start = (image.shape[0] - side) // 2
    return np.ascontiguousarray(image[start : start + side, start : start + side])


def responses_sheet(classifier: Classifier, image: Pixels, name: str, seed: int = 0) -> bytes | None:
    """Draw the responses of a network's first and last convolution to an image, blurred and noisy; None without any."""
    distorted = [view_of(classifier, image, family, level, "crop", seed) for family, level in (BLUR, NOISE)]
    layers = filter_responses(classifier, np.stack([classifier.input.view(image), *distorted]))
    if not layers:
        return None
    changes = {layer: relative_change(maps) for layer, maps in layers.items()}
    columns = ["undistorted", "blur, sigma 2", "noise, std 50"]
    return responses_figure(layers, changes, columns, f"{classifier.name}: filter responses to {name}")

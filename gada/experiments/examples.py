"""One photograph through the ladders: an example sheet with confidences, and filter responses (Figures 3 and 4)."""

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
SEEN = 176  # pixels of a tile
BLUR, NOISE = ("dodge-karam/blur", 2), ("dodge-karam/noise", 5)
"""What Figure 4 shows: blur of sigma 2 as in Figure 1, and noise of deviation 50."""


def views_of(classifier: Classifier, photograph: Pixels, family: str, level: int, where: Where, seed: int) -> Pixels:
    """Return what a network sees of a distorted photograph, (S, S, 3)."""
    view, noise = classifier.input.view, noise_seed(seed, "example", family, level)
    if where == "photograph":
        return view(distort(photograph, family, level, noise))
    return distort(np.array(view(photograph)), family, level, noise)


def example_sheet(
    classifiers: Sequence[Classifier],
    photograph: Pixels,
    name: str,
    families: Sequence[str],
    where: Where = "crop",
    seed: int = 0,
    label: int | None = None,
) -> Pixels:
    """Draw a photograph at four levels of each ladder, with each network's confidence below, (H, W, 3).

    Args:
        classifiers: the networks; the picture is as the first one sees it.
        photograph: (H, W, 3).
        name: of the photograph.
        families: the ladders.
        where: what is distorted.
        seed: of the noise.
        label: its true class; without one, the class that each network gives the undistorted photograph.
    """
    clean = {one.name: one.probabilities(one.input.view(photograph)[None])[0] for one in classifiers}
    classes = {one: int(values.argmax()) if label is None else label for one, values in clean.items()}
    said = ", ".join(f"{one} {values[classes[one]]:.2f}" for one, values in clean.items())
    tiles: list[list[Pixels | None]] = []
    captions = []
    for family in families:
        levels = np.unique(np.linspace(1, len(FAMILIES[family].strengths), COLUMNS).round().astype(int)).tolist()
        seen = [[views_of(one, photograph, family, level, where, seed) for level in levels] for one in classifiers]
        confidences = [
            one.probabilities(np.stack(v))[:, classes[one.name]] for one, v in zip(classifiers, seen, strict=True)
        ]
        tiles.append([shrunk(one) for one in seen[0]] + [None] * (COLUMNS - len(levels)))
        texts = [
            f"{FAMILIES[family].strengths[level - 1]:g}: " + " / ".join(f"{values[at]:.2f}" for values in confidences)
            for at, level in enumerate(levels)
        ]
        captions.append(texts + [""] * (COLUMNS - len(levels)))
    what = "the true class" if label is not None else "the class that each network gives the undistorted photograph"
    title = f"{name}: strength, and confidence in {what}: {' / '.join(clean)}. Undistorted: {said}."
    rows = [f"{FAMILIES[family].title}: {FAMILIES[family].parameter}" for family in families]
    return contact_sheet(tiles, rows, ["mildest", *[""] * (COLUMNS - 1)], title, captions)


def shrunk(image: Pixels) -> Pixels:
    """Return a tile of at most `SEEN` pixels: the middle of the picture, at full size, so that noise stays noise."""
    side = min(SEEN, image.shape[0])
    at = (image.shape[0] - side) // 2
    return np.ascontiguousarray(image[at : at + side, at : at + side])


def responses_sheet(classifier: Classifier, photograph: Pixels, name: str, seed: int = 0) -> bytes | None:
    """Draw what a network's first and last convolution respond to a photograph, blurred and noisy; None if unseen."""
    distorted = [views_of(classifier, photograph, family, level, "crop", seed) for family, level in (BLUR, NOISE)]
    layers = filter_responses(classifier, np.stack([classifier.input.view(photograph), *distorted]))
    if not layers:
        return None
    changes = {layer: relative_change(maps) for layer, maps in layers.items()}
    columns = ["undistorted", "blur, sigma 2", "noise, deviation 50"]
    return responses_figure(layers, changes, columns, f"{classifier.name}: filter responses to {name}")

"""Figure 4 of IQA-LS: what classifiers say of single images as the blur grows."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gada.data.distorted import steps_of
from gada.data.mixtures import BLUR
from gada.errors import ConfigError
from gada.experiments.classify import TestSets, found, origin_of
from gada.experiments.versions import load_images
from gada.io.files import write_bytes
from gada.io.records import Row
from gada.models.classifier import load_classifier
from gada.reports.contact_sheet import png_of
from gada.reports.iqa_ls import LABELS
from gada.reports.iqa_ls_figures import figure_4
from gada.scoring.torch_backend import choose_device
from gada.settings import ClassifyDataSettings
from gada.training.classifier import predict

Pixels = NDArray[np.uint8]


def judge_samples(
    paths: Sequence[Path],
    data: ClassifyDataSettings,
    network: str,
    count: int,
    device: str = "auto",
    figure: Path | None = None,
    family: str = BLUR,
) -> list[Row]:
    """Return each classifier's confidence in the true class of single test images at levels 0 to 3 of a distortion.

    Args:
        paths: classifiers, or folders that hold some.
        data: the test images.
        network: what made the networks.
        count: how many images: the first of each class, class after class.
        device: where to run the classifiers.
        figure: PNG file for the images with their confidences.
        family: the distortion.

    Returns:
        A row for each image and classifier.
    """
    loaded = [load_classifier(path, network) for path in found(paths)]
    sizes = sorted({card["size"] for _, card in loaded})
    if len(sizes) > 1:
        raise ConfigError(f"the classifiers see images of {sizes[0]} and of {sizes[1]} pixels; give those of one size.")
    tests = TestSets(load_images(data, "test"), replace(data, size=sizes[0]))
    chosen = first_of_each_class(tests.labels, count)
    levels = [np.array(tests.distorted.array(step)[chosen]) for step in steps_of([family])]
    rows, said = [], {}
    for classifier, card in loaded:
        each = [predict(classifier, pixels, choose_device(device)) for pixels in levels]
        true = tests.labels_for(card)[chosen]
        confidences = np.stack([one[np.arange(len(chosen)), true] for one in each], axis=1)
        said[f"strategy {card['strategy']} ({LABELS[card['labels']]}), seed {card['seed']}"] = confidences
    for place, image in enumerate(chosen):
        for (_, card), confidences in zip(loaded, said.values(), strict=True):
            name = tests.distorted.images.names[image]
            where = {"sample": name, "class": tests.names[tests.labels[image]], "n": len(tests.labels)}
            values = [round(float(value), 4) for value in confidences[place]]
            rows.append({**origin_of(card), **where, "distortion": family.split("/")[1], "confidences": values})
    if figure:
        write_figure(figure, levels, said, family.split("/")[1])
    return rows


def first_of_each_class(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the first image of each class, then the second of each, up to `count`."""
    rank = np.zeros(len(labels), np.int64)
    for label in np.unique(labels):
        rank[labels == label] = np.arange((labels == label).sum())
    return np.lexsort((labels, rank))[:count]


def write_figure(path: Path, levels: Sequence[Pixels], said: dict[str, NDArray[np.float64]], kind: str) -> None:
    """Write Figure 4 as PNG."""
    count = len(levels[0])
    images = [[pixels[place] for pixels in levels] for place in range(count)]
    confidences = [{name: list(map(float, values[place])) for name, values in said.items()} for place in range(count)]
    write_bytes(path, png_of(figure_4(images, confidences, kind)))

"""Int8 models: ranges of activations measured on real photos, undistorted and distorted."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from gada.data.crops import cut, reflect_up
from gada.data.whole_view import whole_view
from gada.distortions import distort
from gada.errors import ConfigError
from gada.io.cards import Card
from gada.io.folders import images_in
from gada.io.images import read_image
from gada.scoring.views import stratified_positions

FAMILIES = ("live/jp2k", "live/jpeg", "live/wn", "live/gblur", "live/fastfading")
LEVELS = (1.5, 2.5, 3.5, 4.5)
CALIBRATION_CROPS = 256
MOST_VIEWS = 64
BATCH = 16  # crops at a time
LEAST = 4
MOST = 100  # photos that are read
FEW_MAPS = 16
SIDE = 512  # larger photos are cut, to be quick

Images = list[NDArray[np.uint8]]


def varied_images(folder: Path, size: int) -> tuple[Images, Images]:
    """Return images of every quality made from a folder of photos: for calibration, and other ones to compare.

    Every second photo is for calibration. Each comes undistorted and with distortions of LIVE, so that the whole
    range of activations and scores is covered.

    Raises:
        ConfigError: if there are fewer than four photos.
        DataError: if the folder is missing, or a photo cannot be read.
    """
    paths = images_in(folder)
    if len(paths) < LEAST:
        raise ConfigError(f"--images {folder} has {len(paths)} photos, but at least {LEAST} are needed.")
    sides: tuple[Images, Images] = [], []
    for index, path in enumerate(paths[:MOST]):
        photo = reflect_up(read_image(path)[:SIDE, :SIDE], max(size, 32))
        sides[index % 2].append(photo)
        for turn, family in enumerate(FAMILIES):
            level = LEVELS[(index // 2 + turn) % len(LEVELS)]
            sides[index % 2].append(distort(photo, family, level, seed=index))
    return sides


def quantize(path: Path, images: Sequence[NDArray[np.uint8]], card: Card) -> None:
    """Quantise the convolutions of an .onnx file in place.

    Weights keep seven bits: without VNNI instructions a processor saturates on eight, and the score would depend on
    the machine. Convolutions that look at pixels stay in float32, for there the faint differences live that eight bits
    would drown (a trained evaluator fell to SROCC 0.33 with them, and cost little less); so do pooling and heads.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    batches = iter([{"pixels": one} for one in calibration_batches(images, card)])
    quantize_static(
        path,
        path,
        SimpleNamespace(get_next=lambda: next(batches, None)),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv"],
        nodes_to_exclude=pixel_convolutions(path),
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def pixel_convolutions(path: Path) -> list[str]:
    """Return the names of the convolutions with few input maps: those of the image itself and of views of it."""
    import onnx

    graph = onnx.load(path).graph
    inputs = {weight.name: weight.dims[1] for weight in graph.initializer if len(weight.dims) == 4}
    return [node.name for node in graph.node if node.op_type == "Conv" and inputs.get(node.input[1], 0) < FEW_MAPS]


def calibration_batches(images: Sequence[NDArray[np.uint8]], card: Card) -> list[NDArray[np.uint8]]:
    """Return what an evaluator sees of all images, (N, H, W, 3) each: crops, or whole views one by one."""
    if card.whole_view:
        return [whole_view(one, card.whole_view)[None] for one in images[:MOST_VIEWS]]
    each, size = -(-CALIBRATION_CROPS // len(images)), card.crop_size
    crops = [cut(one, stratified_positions(one.shape[0], one.shape[1], size, each), size) for one in images]
    return np.array_split(np.concatenate(crops), -(-len(images) * each // BATCH))

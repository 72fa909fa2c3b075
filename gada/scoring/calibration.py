"""Int8 models: ranges of activations measured on real photos, undistorted and distorted."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.data.crops import cut, reflect_up
from gada.distortions import distort
from gada.errors import ConfigError
from gada.io.folders import images_in
from gada.io.images import read_image
from gada.scoring.views import stratified_positions

FAMILIES = ("live/jp2k", "live/jpeg", "live/wn", "live/gblur", "live/fastfading")
LEVELS = (1.5, 2.5, 3.5, 4.5)
CALIBRATION_CROPS = 256
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


def quantize(path: Path, images: Sequence[NDArray[np.uint8]], size: int) -> None:
    """Quantise the convolutions of an .onnx file in place.

    Weights keep seven bits: without VNNI instructions a processor saturates on eight, and the score would depend on
    the machine. Convolutions that look at pixels stay in float32, for there the faint differences live that eight bits
    would drown (a trained evaluator fell to SROCC 0.33 with them, and cost little less); so do pooling and heads.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    quantize_static(
        path,
        path,
        crop_reader(calibration_crops(images, size)),
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


def calibration_crops(images: Sequence[NDArray[np.uint8]], size: int) -> NDArray[np.uint8]:
    """Return crops of all images, (N, size, size, 3)."""
    each = -(-CALIBRATION_CROPS // len(images))
    return np.concatenate(
        [cut(one, stratified_positions(one.shape[0], one.shape[1], size, each), size) for one in images]
    )


def crop_reader(crops: NDArray[np.uint8], batch: int = 16) -> Any:
    """Return crops in the form that ONNX Runtime's calibration reads."""
    from onnxruntime.quantization import CalibrationDataReader

    class CropReader(CalibrationDataReader):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            self.batches: Iterator[NDArray[np.uint8]] = iter(np.array_split(crops, -(-len(crops) // batch)))

        def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
            crops = next(self.batches, None)
            return None if crops is None else {"pixels": crops}

    return CropReader()

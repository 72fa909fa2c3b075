"""Whatever holds a picture becomes 8-bit RGB: files, bytes, Pillow images, arrays and tensors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.errors import DataError
from gada.io.images import MAX_PIXELS, check_range, pixels_of, read_image

Picture = Any
"""A path, the bytes of a file, a Pillow image, an array or a tensor; see `pixels_from`."""
Range = tuple[float, float]


def pixels_from(picture: Picture, max_pixels: int = MAX_PIXELS, float_range: Range | None = None) -> NDArray[np.uint8]:
    """Return one picture as (H, W, 3) uint8 sRGB.

    Args:
        picture: a file's path, its bytes or the file opened to read bytes; a Pillow image; an array (H, W), (H, W, 1),
            (H, W, 3) or (H, W, 4) of uint8 or uint16; a tensor (3, H, W) or (1, H, W) of uint8, or of floats in
            [0, 1].
        max_pixels: height x width allowed in a file.
        float_range: the (black, white) values of an array or a file of floats.

    Raises:
        ConfigError: if black does not lie below white.
        DataError: if it is none of these, or cannot be decoded.
    """
    if isinstance(picture, str | Path):
        return read_image(picture, max_pixels, float_range)
    if hasattr(picture, "read"):
        picture = picture.read()
    if isinstance(picture, bytes | bytearray | memoryview):
        return read_image(bytes(picture), max_pixels, float_range)
    if isinstance(picture, np.ndarray):
        return _from_array(picture, float_range)
    module = type(picture).__module__.split(".")[0]  # told by name, so that torch and Pillow need not be imported
    if module == "torch":
        return _from_tensor(picture)
    if module == "PIL":
        return pixels_of(picture, float_range)
    raise DataError(
        f"a picture cannot be a {type(picture).__name__}; give a path, bytes, a Pillow image, an array or a tensor."
    )


def is_many(pictures: Picture) -> bool:
    """Tell whether this is several pictures: a list, a tuple or an iterator, or an array or tensor of 4 dimensions.

    An open file is one, although it can be iterated over.
    """
    if hasattr(pictures, "ndim"):
        return bool(pictures.ndim == 4)
    one = isinstance(pictures, str | bytes | bytearray | memoryview | Mapping) or hasattr(pictures, "read")
    return hasattr(pictures, "__iter__") and not one


def _from_array(array: NDArray[Any], float_range: Range | None) -> NDArray[np.uint8]:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)) or not array.size:
        raise DataError(f"an array of shape {array.shape} is no picture; give (H, W), (H, W, 3) or (H, W, 4).")
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)  # as for files of 16-bit samples
    elif array.dtype.kind == "f":
        array = _scaled(array, float_range)
    if array.dtype != np.uint8:
        raise DataError(f"an array of {array.dtype} is no picture; give uint8, uint16, or floats with their range.")
    if array.ndim == 3 and array.shape[2] == 3:
        return np.ascontiguousarray(array)
    from PIL import Image

    return pixels_of(Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array))


def _from_tensor(tensor: Any) -> NDArray[np.uint8]:
    if tensor.is_floating_point() and tensor.element_size() < 4:
        tensor = tensor.float()  # numpy has no bfloat16
    array = tensor.detach().cpu().numpy()
    if array.ndim != 3 or array.shape[0] not in (1, 3) or not array.size:
        raise DataError(f"a tensor of shape {tuple(array.shape)} is no picture; give (3, H, W) or (N, 3, H, W).")
    pixels = array.transpose(1, 2, 0)
    if pixels.dtype != np.uint8 and pixels.dtype.kind == "f" and not (pixels.min() >= 0 and pixels.max() <= 1):
        raise DataError("a tensor of floats must lie in [0, 1], black to white.")
    return _from_array(pixels, (0.0, 1.0))


def _scaled(array: NDArray[Any], float_range: Range | None) -> NDArray[np.uint8]:
    """Map floats from `float_range` to 0..255."""
    if float_range is None:
        raise DataError("an array of floats has no range of its own; give float_range=(black, white).")
    check_range(float_range)
    if not np.isfinite(array).all():
        raise DataError("the array holds samples that are not finite.")
    low, high = float_range
    return np.rint(np.clip((array.astype(np.float64) - low) / (high - low), 0, 1) * 255).astype(np.uint8)

"""Whatever holds an image becomes 8-bit RGB: files, bytes, Pillow images, arrays and tensors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gada.errors import DataError
from gada.io.images import pixels_of, read_image
from gada.io.pixels import AS_WRITTEN, Decoding, eight_bits, unit_range

ImageLike = Any
"""A path, the bytes of a file, a Pillow image, an array or a tensor; see `pixels_from`."""


def pixels_from(image: ImageLike, decoding: Decoding = AS_WRITTEN) -> NDArray[np.uint8]:
    """Return one image as (H, W, 3) uint8 sRGB.

    Args:
        image: a file's path, its bytes or the file opened to read bytes; a Pillow image; an array (H, W), (H, W, 1),
            (H, W, 3) or (H, W, 4) of uint8, of uint16, or of floats with their range; a tensor (3, H, W) or (1, H, W)
            of uint8, or of floats in [0, 1].
        decoding: limit of pixels, and range and white of the samples.

    Raises:
        DataError: if it is none of these, cannot be decoded, or holds floats outside their range.
    """
    if isinstance(image, str | Path):
        return read_image(image, decoding)
    if hasattr(image, "read"):
        image = _content_of(image)
    if isinstance(image, bytes | bytearray | memoryview):
        return read_image(bytes(image), decoding)
    if isinstance(image, np.ndarray):
        return _from_array(image, "the array", decoding)
    module = type(image).__module__.split(".")[0]  # told by name, so that torch and Pillow need not be imported
    if module == "torch":
        return _from_tensor(image)
    if module == "PIL":
        return pixels_of(image, decoding)
    raise DataError(
        f"an image cannot be a {type(image).__name__}; give a path, bytes, a Pillow image, an array or a tensor."
    )


def is_many(images: ImageLike) -> bool:
    """Return whether this is several images: a list, a tuple or an iterator, or an array or tensor of 4 dimensions.

    An open file is one, although it can be iterated over.
    """
    if hasattr(images, "ndim"):
        return bool(images.ndim == 4)
    one = isinstance(images, str | bytes | bytearray | memoryview | Mapping) or hasattr(images, "read")
    return hasattr(images, "__iter__") and not one


def _content_of(file: Any) -> Any:
    """Read an open file; one that was read before is read again from its start, if it can be."""
    content = file.read()
    if not content and hasattr(file, "seek") and file.seekable():
        file.seek(0)
        content = file.read()
    if not isinstance(content, bytes | bytearray | memoryview):
        raise DataError(f"{getattr(file, 'name', 'the file')} is opened as text; open it to read bytes, as in 'rb'.")
    return content


def _from_array(array: NDArray[Any], what: str, decoding: Decoding) -> NDArray[np.uint8]:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)) or not array.size:
        raise DataError(f"an array of shape {array.shape} is not an image; give (H, W), (H, W, 3) or (H, W, 4).")
    if array.dtype == np.uint16:
        array = eight_bits(array, what, decoding)
    elif array.dtype.kind == "f":
        if decoding.float_range is None:
            raise DataError("an array of floats has no range of its own; give float_range=(black, white).")
        array = np.rint(unit_range(array, decoding.float_range, what) * 255).astype(np.uint8)
    if array.dtype != np.uint8:
        raise DataError(f"an array of {array.dtype} is not an image; give uint8, uint16, or floats with their range.")
    if array.ndim == 3 and array.shape[2] == 3:
        return np.ascontiguousarray(array)
    from PIL import Image

    return pixels_of(Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array))


def _from_tensor(tensor: Any) -> NDArray[np.uint8]:
    if tensor.is_floating_point() and tensor.element_size() < 4:
        tensor = tensor.float()  # numpy has no bfloat16
    array = tensor.detach().cpu().numpy()
    if array.ndim != 3 or array.shape[0] not in (1, 3) or not array.size:
        raise DataError(f"a tensor of shape {tuple(array.shape)} is not an image; give (3, H, W) or (N, 3, H, W).")
    return _from_array(array.transpose(1, 2, 0), "the tensor", Decoding(float_range=(0.0, 1.0)))

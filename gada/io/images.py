"""The decoding rules: the only file that turns image files into arrays.

Every image becomes 8-bit RGB in sRGB, upright, whatever its container:

- rotated as EXIF says;
- transparent pixels are laid over mid grey (128);
- grey, palette, CMYK and YCbCr become RGB; an embedded colour profile is converted to sRGB;
- 16-bit samples are scaled by dropping their low byte (12-bit ones likewise), as Pillow does for colour, or by their
  white where it is given; that they look like fewer bits is warned of;
- where a TIFF says that 0 is white, it is;
- 32-bit integers and floats are refused unless their range is given;
- of an animation or a file of several pages the first is taken, with a warning;
- the header is checked against a limit of pixels before anything is decoded;
- truncated files, and formats that are not on the list, are refused.
"""

import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from gada.errors import DataError
from gada.io.files import atomic_path, check_not_url
from gada.io.folders import can_be_listed
from gada.io.formats import FORMATS, RAW, reason
from gada.io.pixels import (
    AS_WRITTEN,
    MAX_PIXELS,
    Decoding,
    orientation,
    pixels_of_loaded,
    scale_transparency,
    warn_if_dark,
)

PNG_END = 65_536  # bytes of a PNG's end in which EXIF data are looked for
DNG_VERSION = 50706  # the TIFF tag of a raw file in Adobe's format


def read_image(
    source: str | Path | bytes, decoding: Decoding = AS_WRITTEN, name: str | None = None
) -> NDArray[np.uint8]:
    """Decode an image by the rules above.

    Args:
        source: a file or the bytes of one.
        decoding: limit of pixels, and range and white of the samples.
        name: what to call the image in an error; by default its path.

    Returns:
        (H, W, 3) uint8, sRGB.

    Raises:
        DataError: if the file is missing, not an image on the list, too large, truncated or otherwise broken.
    """
    label = name or ("the image" if isinstance(source, bytes) else shown(source))
    with _opened(source, label, decoding.max_pixels) as image:
        animated = getattr(image, "is_animated", False) and image.format != "MPO"  # MPO: an image and its preview
        other = _other_bytes(image)
        low = _low_bytes(source, label, other) if other and decoding.white else None
        scale_transparency(image)
        image.load()
        if other and not decoding.white and (most := _most_of_colours(image)) < 64:  # of high bytes
            warn_if_dark(most << 8 | 255, label)
        pixels = pixels_of_loaded(image, label, decoding, low)
    if animated:
        warnings.warn(f"{label} holds several images; only the first is read", stacklevel=2)
    return pixels


def _other_bytes(image: ImageFile.ImageFile) -> str:
    """Return the raw mode that reads the low bytes of 16-bit colours, whose high ones Pillow keeps; "" if none."""
    arguments = image.tile[0].args if image.tile else ""
    raw = arguments[0] if isinstance(arguments, tuple) else arguments
    if not isinstance(raw, str) or raw.partition(";")[0] not in ("RGB", "RGBA", "RGBX"):
        return ""
    return {"16B": raw[:-1] + "L", "16L": raw[:-1] + "B", "16N": raw[:-1] + "B"}.get(raw.partition(";")[2], "")


def _low_bytes(source: str | Path | bytes, label: str, raw_mode: str) -> NDArray[np.uint8]:
    """Decode 16-bit colours once more, for their low bytes."""
    with _stream(source, label) as stream, Image.open(stream, formats=FORMATS) as image:
        for index, tile in enumerate(image.tile):
            arguments = (raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode
            image.tile[index] = tile._replace(args=arguments)
        image.load()
        return np.array(image)


def _most_of_colours(image: Image.Image) -> int:
    extremes = image.getextrema()[:3]
    return max(most for _, most in extremes)  # type: ignore[misc]


def pixels_of(image: Image.Image, decoding: Decoding = AS_WRITTEN) -> NDArray[np.uint8]:
    """Convert an image that Pillow has opened or made, by the rules above.

    Args:
        image: of any mode; of an animation its current frame.
        decoding: range and white of its samples.

    Returns:
        (H, W, 3) uint8, sRGB.

    Raises:
        DataError: if it cannot be decoded.
    """
    label = shown(getattr(image, "filename", "") or "the image")
    try:
        scale_transparency(image)
        image.load()
        return pixels_of_loaded(image, label, decoding)
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{label} cannot be decoded: {_one_line(error)}") from error


def image_size(path: str | Path, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Return (height, width) of the upright image from the file's header, without decoding it.

    Raises:
        DataError: as `read_image`, as far as the header shows it.
    """
    with _opened(path, shown(path), max_pixels) as image:
        width, height = image.size
        if isinstance(image, TiffImageFile) and ExifTags.Base.Orientation in image.tag_v2:
            return height, width  # Pillow turns the size of a TIFF by its tag, but not by XMP
        if image.format == "PNG" and _says_more_at_its_end(image):
            image.load()  # rare, and what stands behind the pixels is known only then
        return (width, height) if orientation(image) >= 5 else (height, width)


def write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write (H, W, 3) or (H, W) uint8 pixels as PNG, atomically."""
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG", compress_level=1)  # fast to write and to decode


def shown(path: str | Path) -> str:
    """Return a path as one printable line: newlines, control characters and bytes that are not UTF-8 are escaped."""
    text = os.fspath(path)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


@contextmanager
def _opened(source: str | Path | bytes, label: str, max_pixels: int) -> Iterator[ImageFile.ImageFile]:
    """Open an image and check its header; whatever a decoder raises becomes one sentence."""
    suffix = "" if isinstance(source, bytes) else Path(source).suffix.lower()
    if Image.MAX_IMAGE_PIXELS is not None and max_pixels > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with _stream(source, label) as stream:
            head = stream.read(12)
            stream.seek(0)
            with Image.open(stream, formats=FORMATS) as image:
                if image.width * image.height > max_pixels:
                    raise DataError(_too_large(label, max_pixels, f"{image.width} x {image.height}"))
                if isinstance(image, TiffImageFile) and (suffix in RAW or DNG_VERSION in image.tag_v2):
                    raise DataError(_not_identified(label, ".raw", head))  # it would give the preview
                yield image
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(_too_large(label, max_pixels, "far more")) from error
    except UnidentifiedImageError as error:
        raise DataError(_not_identified(label, suffix, head)) from error
    except FileNotFoundError as error:
        check_not_url(label)
        raise DataError(f"{label} does not exist") from error
    except OSError as error:
        raise DataError(f"{label} cannot be read: {error.strerror or _one_line(error)}") from error
    except Exception as error:  # decoders raise SyntaxError, RuntimeError, ValueError, struct.error, MemoryError ...
        raise DataError(f"{label} cannot be decoded: {_one_line(error)}") from error


def _stream(source: str | Path | bytes, label: str) -> BinaryIO:
    if isinstance(source, bytes):
        return BytesIO(source)
    if not stat.S_ISREG(os.stat(source).st_mode):  # noqa: PTH116  # opening a pipe would wait for ever
        closed = Path(source).is_dir() and not can_be_listed(Path(source))
        raise DataError(f"{label} is not a file" + (" but a folder that cannot be listed" if closed else ""))
    return open(source, "rb")  # noqa: PTH123  # closed by the caller


def _one_line(error: Exception) -> str:
    return shown(str(error) or type(error).__name__)


def _too_large(label: str, max_pixels: int, size: str) -> str:
    return f"{label} has {size} pixels; the limit is {max_pixels / 1e6:g} megapixels (--max-pixels raises it)"


def _not_identified(label: str, suffix: str, head: bytes) -> str:
    if kind := reason(suffix, head):
        return f"{label} is {kind}, which is not read here; convert it to JPEG or PNG"
    return f"{label} is not an image of a known format ({', '.join(FORMATS)}), or its header is damaged"


def _says_more_at_its_end(image: ImageFile.ImageFile) -> bool:
    """Return whether the end of a PNG's file, behind the pixels, may hold an orientation; the file is not decoded."""
    if image.fp is None:
        return False
    here = image.fp.tell()
    image.fp.seek(max(image.fp.seek(0, os.SEEK_END) - PNG_END, here))
    end = image.fp.read()
    image.fp.seek(here)
    return any(word in end for word in (b"eXIf", b"XML:com.adobe.xmp", b"Raw profile type exif"))

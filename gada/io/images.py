"""The decoding rules: the only file that turns image files into arrays.

Every picture becomes 8-bit RGB in sRGB, upright, whatever its container:

- rotated as EXIF says;
- transparent pixels are laid over mid grey (128);
- grey, palette, CMYK and YCbCr become RGB; an embedded colour profile is converted to sRGB;
- 16-bit samples are scaled by dropping their low byte (12-bit ones likewise), as Pillow does for colour;
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
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageFile, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from gada.errors import ConfigError, DataError
from gada.io.files import atomic_path
from gada.io.folders import can_be_listed

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "JPEG2000", "GIF", "AVIF")
MAX_PIXELS = 50_000_000
MID_GREY = 128
SAME_CURVE = 2  # levels by which two ways of writing down the curve of sRGB may differ
PNG_END = 65_536  # bytes of a PNG's end in which EXIF data are looked for

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def read_image(
    source: str | Path | bytes,
    max_pixels: int = MAX_PIXELS,
    float_range: tuple[float, float] | None = None,
    name: str | None = None,
) -> NDArray[np.uint8]:
    """Decode an image by the rules above.

    Args:
        source: a file or the bytes of one.
        max_pixels: height x width allowed; a limit above Pillow's own raises that one for the whole process.
        float_range: the (black, white) values of float and 32-bit integer samples, which carry no range of their own.
        name: what to call the image in an error; by default its path.

    Returns:
        (H, W, 3) uint8, sRGB.

    Raises:
        ConfigError: if black does not lie below white.
        DataError: if the file is missing, no image on the list, too large, truncated or otherwise broken.
    """
    check_range(float_range)
    label = name or ("the image" if isinstance(source, bytes) else shown(source))
    with _opened(source, label, max_pixels) as image:
        animated = getattr(image, "is_animated", False) and image.format != "MPO"  # MPO: a photograph and its preview
        pixels = _pixels(image, label, float_range)
    if animated:
        warnings.warn(f"{label} holds several pictures; only the first is read", stacklevel=2)
    return pixels


def pixels_of(image: Image.Image, float_range: tuple[float, float] | None = None) -> NDArray[np.uint8]:
    """Convert an image that Pillow has opened or made, by the rules above.

    Args:
        image: of any mode; of an animation its current frame.
        float_range: the (black, white) values of float and 32-bit integer samples.

    Returns:
        (H, W, 3) uint8, sRGB.

    Raises:
        ConfigError: if black does not lie below white.
        DataError: if it cannot be decoded.
    """
    check_range(float_range)
    label = shown(getattr(image, "filename", "") or "the image")
    try:
        return _pixels(image, label, float_range)
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
        return (width, height) if _orientation(image) >= 5 else (height, width)


def check_range(float_range: tuple[float, float] | None) -> None:
    """Refuse a range whose black does not lie below its white."""
    if float_range and not 0 < float_range[1] - float_range[0] < np.inf:
        low, high = float_range
        raise ConfigError(f"float_range is [{low:g}, {high:g}] but black must lie below white, as in [0, 1].")


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


def _pixels(image: Image.Image, label: str, float_range: tuple[float, float] | None) -> NDArray[np.uint8]:
    _scale_transparency(image)
    image.load()
    return _upright(_rgb(image, label, float_range), _orientation(image))


@contextmanager
def _opened(source: str | Path | bytes, label: str, max_pixels: int) -> Iterator[ImageFile.ImageFile]:
    """Open an image and check its header; whatever a decoder raises becomes one sentence."""
    if Image.MAX_IMAGE_PIXELS is not None and max_pixels > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with _stream(source, label) as stream:
            head = stream.read(12)
            stream.seek(0)
            with Image.open(stream, formats=FORMATS) as image:
                if image.width * image.height > max_pixels:
                    raise DataError(_too_large(label, max_pixels, f"{image.width} x {image.height}"))
                yield image
    except DataError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(_too_large(label, max_pixels, "far more")) from error
    except UnidentifiedImageError as error:
        raise DataError(_not_identified(label, head)) from error
    except OSError as error:
        raise DataError(f"{label} cannot be read: {error.strerror or _one_line(error)}") from error
    except Exception as error:  # decoders raise SyntaxError, RuntimeError, ValueError, struct.error, MemoryError ...
        raise DataError(f"{label} cannot be decoded: {_one_line(error)}") from error


def _stream(source: str | Path | bytes, label: str) -> BinaryIO:
    if isinstance(source, bytes):
        return BytesIO(source)
    if not stat.S_ISREG(os.stat(source).st_mode):  # noqa: PTH116  # opening a pipe would wait for ever
        closed = Path(source).is_dir() and not can_be_listed(Path(source))
        raise DataError(f"{label} is no file" + (" but a folder that cannot be listed" if closed else ""))
    return open(source, "rb")  # noqa: PTH123  # closed by the caller


def _one_line(error: Exception) -> str:
    return shown(str(error) or type(error).__name__)


def _too_large(label: str, max_pixels: int, size: str) -> str:
    return f"{label} has {size} pixels; the limit is {max_pixels / 1e6:g} megapixels (--max-pixels raises it)"


def _not_identified(label: str, head: bytes) -> str:
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return (
            f"{label} is a HEIC image, which is not read here; convert it to JPEG or PNG, for example with pillow-heif"
        )
    return f"{label} is no image of a known format ({', '.join(FORMATS)}), or its header is damaged"


def _rgb(image: Image.Image, label: str, float_range: tuple[float, float] | None) -> NDArray[np.uint8]:
    """Convert a loaded image to (H, W, 3) uint8 sRGB."""
    alpha: Image.Image | NDArray[np.uint8] | None = None
    if image.mode.startswith("I;16"):
        if "transparency" in image.info:  # the grey that is transparent, of 16 bits
            alpha = (np.asarray(image) != image.info["transparency"]) * np.uint8(255)
        image = _with_info(Image.fromarray(_eight_bits(image)), image)
    elif image.mode in ("I", "F"):
        image = Image.fromarray(_scaled(image, label, float_range))
    elif image.has_transparency_data:
        image, alpha = _without_alpha(image)
    pixels = np.array(_srgb(image, label))
    return pixels if alpha is None else _over_grey(pixels, np.asarray(alpha))


def _with_info(converted: Image.Image, image: Image.Image) -> Image.Image:
    converted.info = {"icc_profile": image.info.get("icc_profile")}
    return converted


def _eight_bits(image: Image.Image) -> NDArray[np.uint8]:
    """Drop the low bits of grey samples of 16 (or, in a TIFF, 12) bits; a TIFF may say that 0 is white."""
    tags = getattr(image, "tag_v2", {})
    bits = 12 if tags.get(ExifTags.Base.BitsPerSample) == (12,) else 16
    grey = (np.asarray(image) >> (bits - 8)).astype(np.uint8)
    return ~grey if tags.get(ExifTags.Base.PhotometricInterpretation) == 0 else grey  # Pillow turns 8 bits itself


def _scaled(image: Image.Image, label: str, float_range: tuple[float, float] | None) -> NDArray[np.uint8]:
    """Map float or 32-bit integer samples from `float_range` to 0..255."""
    if float_range is None:
        kind = "float" if image.mode == "F" else "32-bit integer"
        raise DataError(f"{label} has {kind} samples, whose range is unknown; give their black and white values")
    samples = np.asarray(image, dtype=np.float64)
    if not np.isfinite(samples).all():
        raise DataError(f"{label} holds samples that are not finite")
    low, high = float_range
    return np.rint(np.clip((samples - low) / (high - low), 0.0, 1.0) * 255.0).astype(np.uint8)


def _scale_transparency(image: Image.Image) -> None:
    """Bring the colour that a PNG calls transparent to the 8 bits of the pixels; Pillow leaves it as it is written."""
    tiles = getattr(image, "tile", None)
    raw = tiles[0].args if tiles and image.format == "PNG" else ""
    colour = image.info.get("transparency")
    if raw in ("L;2", "L;4") and isinstance(colour, int):
        image.info["transparency"] = colour * (255 // (2 ** int(raw[-1]) - 1))
    elif raw == "RGB;16B" and isinstance(colour, tuple):
        image.info["transparency"] = tuple(value >> 8 for value in colour)


def _without_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Split an image with transparency of any kind into its colours (L or RGB) and its alpha channel."""
    mode = "LA" if image.mode in ("LA", "La") else "RGBA"
    *colours, alpha = image.convert(mode).split()
    return _with_info(Image.merge("L" if mode == "LA" else "RGB", colours), image), alpha


def _over_grey(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay pixels over grey, in place; row by row, because whole pictures of 32-bit numbers would take gigabytes."""
    for row, opacity in zip(pixels, alpha, strict=True):
        weight = opacity[:, None].astype(np.uint32)
        row[:] = (row * weight + MID_GREY * (255 - weight) + 127) // 255
    return pixels


def _srgb(image: Image.Image, label: str) -> Image.Image:
    """Convert to RGB, through the embedded colour profile where there is one that fits and is not sRGB itself."""
    if icc := image.info.get("icc_profile"):
        try:
            profile = ImageCms.ImageCmsProfile(BytesIO(icc))
            mode = _mode_of(profile.profile.xcolor_space.strip(), image.mode)
            if mode and not (ImageCms.getProfileDescription(profile).startswith("sRGB") and _has_srgb_curve(icc)):
                srgb = ImageCms.createProfile("sRGB")
                # the shortcut for grey curves is wrong by up to 10 levels near black
                flags = ImageCms.Flags.NOOPTIMIZE if mode == "L" else ImageCms.Flags.NONE
                converted = ImageCms.profileToProfile(image.convert(mode), profile, srgb, outputMode="RGB", flags=flags)
                image = converted or image
        except (ImageCms.PyCMSError, OSError):
            warnings.warn(f"{label} has a damaged colour profile, which is ignored", stacklevel=2)
    return image if image.mode == "RGB" else image.convert("RGB")  # a conversion of RGB would copy it


@lru_cache(maxsize=32)
def _has_srgb_curve(icc: bytes) -> bool:
    """Whether greys keep their values: a profile may be called sRGB-something and be linear."""
    profile, ramp = ImageCms.ImageCmsProfile(BytesIO(icc)), np.arange(256, dtype=np.uint8)
    greys = Image.fromarray(np.stack([ramp] * 3, axis=-1)[None])
    converted = ImageCms.profileToProfile(greys, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    return int(np.abs(np.asarray(converted).astype(int) - ramp[None, :, None]).max()) <= SAME_CURVE


def _mode_of(space: str, mode: str) -> str:
    """Return the mode in which a profile of colour space `space` applies to an image; "" where it does not fit."""
    match space, mode:
        case "CMYK", "CMYK":
            return "CMYK"
        case "GRAY", "1" | "L":
            return "L"
        case "RGB", _ if mode != "CMYK":
            return "RGB"
    return ""


def _says_more_at_its_end(image: ImageFile.ImageFile) -> bool:
    """Return whether the end of a PNG's file, behind the pixels, may hold an orientation; the file is not decoded."""
    if image.fp is None:
        return False
    here = image.fp.tell()
    image.fp.seek(max(image.fp.seek(0, os.SEEK_END) - PNG_END, here))
    end = image.fp.read()
    image.fp.seek(here)
    return any(word in end for word in (b"eXIf", b"XML:com.adobe.xmp", b"Raw profile type exif"))


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; damaged EXIF data counts as upright."""
    try:  # not the method of PNG, which would decode the picture to look behind it
        value = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
    except Exception:  # EXIF is parsed by hand in Pillow; its errors are of many kinds and touch no pixel
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo the camera's rotation: orientations 5 to 8 are transposed, then each is flipped as its number says."""
    if orientation == 1:
        return pixels
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)

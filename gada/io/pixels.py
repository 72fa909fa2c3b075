"""From what Pillow decoded to 8-bit RGB in sRGB: samples, transparency, colour profiles and orientation."""

import warnings
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from gada.errors import ConfigError, DataError

MAX_PIXELS = 50_000_000
MID_GREY = 128
SAME_CURVE = 2  # levels by which two ways of writing down the curve of sRGB may differ
TOLERANCE = 1e-3  # by which floats may leave their range, as rounding does
DARK = 1 << 14  # of 16-bit samples: where all lie below it, they may be of 8 to 14 bits

Range = tuple[float, float]


@dataclass(frozen=True)
class Decoding:
    """How images are read, where their files leave it open."""

    max_pixels: int = MAX_PIXELS
    """Height x width allowed; a limit above Pillow's own raises that one for the whole process."""
    float_range: Range | None = None
    """(black, white) of float and 32-bit integer samples, which carry no range of their own."""
    white: int | None = None
    """White of 16-bit samples, such as 4095 where they hold 12 bits; None takes 65535."""

    def __post_init__(self) -> None:
        """Raise ConfigError if black does not lie below white."""
        if self.float_range and not 0 < self.float_range[1] - self.float_range[0] < np.inf:
            low, high = self.float_range
            raise ConfigError(f"float_range is [{low:g}, {high:g}] but black must lie below white, as in [0, 1].")
        if self.white is not None and not 0 < self.white < 1 << 16:
            raise ConfigError(f"white is {self.white} but must be from 1 to 65535, such as 4095 for 12 bits.")


AS_WRITTEN = Decoding()


def pixels_of_loaded(
    image: Image.Image, label: str, decoding: Decoding, low: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Convert an image, (H, W, 3) uint8.

    Args:
        image: loaded, of any mode.
        label: what to call it.
        decoding: range and white of its samples.
        low: the low bytes of its colours, where it had 16 bits and they are wanted.
    """
    if low is not None and decoding.white is not None:
        image = _of_16_bits(image, low, decoding.white)
    return _upright(_rgb(image, label, decoding), orientation(image))


def eight_bits(samples: NDArray[np.uint16], label: str, decoding: Decoding) -> NDArray[np.uint8]:
    """Bring 16-bit samples of any shape to 8 bits: by their white where it is given, else by dropping the low byte."""
    if decoding.white is None:
        warn_if_dark(int(samples.max()), label)
        return (samples >> 8).astype(np.uint8)
    levels = np.minimum(np.arange(1 << 16), decoding.white) * (255 / decoding.white)
    scaled: NDArray[np.uint8] = np.rint(levels).astype(np.uint8)[samples]
    return scaled


def warn_if_dark(most: int, label: str) -> None:
    """Warn of 16-bit samples that may hold fewer bits, and name the option; `most` is the greatest of them."""
    if 0 < most < DARK:
        white = (1 << max(8, most.bit_length() + most.bit_length() % 2)) - 1  # of 8, 10, 12 or 14 bits
        warnings.warn(
            f"{label} has 16-bit samples up to {most} only, and is read as a dark image; if {white} is white, give "
            f"--white {white} (in Python white={white})",
            stacklevel=2,
        )


def unit_range(values: NDArray[np.floating], float_range: Range, what: str) -> NDArray[np.float64]:
    """Map floats from (black, white) to [0, 1]; rounding errors outside are clamped.

    Raises:
        DataError: if a value is not finite or lies further outside than rounding explains.
    """
    low, high = float_range
    scaled: NDArray[np.float64] = (np.asarray(values, dtype=np.float64) - low) / (high - low)
    check_unit(float(scaled.min()), float(scaled.max()), float_range, what)
    return np.clip(scaled, 0.0, 1.0)


def check_unit(least: float, most: float, float_range: Range, what: str) -> None:
    """Check the extremes of floats that were mapped from `float_range` to [0, 1].

    Raises:
        DataError: if they are not finite, or lie more than `TOLERANCE` outside.
    """
    if not (least >= -TOLERANCE and most <= 1 + TOLERANCE):  # NaN fails as well
        low, high = float_range
        found = [low + value * (high - low) for value in (least, most)]
        values = f"{found[0]:.4g} to {found[1]:.4g}" if np.isfinite(found).all() else "NaN or infinity"
        raise DataError(f"{what} holds values of {values}, but they must lie in [{low:g}, {high:g}], black to white.")


def _of_16_bits(image: Image.Image, low: NDArray[np.uint8], white: int) -> Image.Image:
    """Return an image of 16-bit colours, of which Pillow keeps the high bytes, with its samples scaled by `white`."""
    pixels = np.array(image)
    colours = slice(0, 3)
    wide = pixels[..., colours].astype(np.uint16) * np.uint16(256) + low[..., colours]
    pixels[..., colours] = eight_bits(wide, "", Decoding(white=white))
    scaled = Image.fromarray(pixels)
    scaled.info = dict(image.info)
    return scaled


def _rgb(image: Image.Image, label: str, decoding: Decoding) -> NDArray[np.uint8]:
    """Convert a loaded image to (H, W, 3) uint8 sRGB."""
    alpha: Image.Image | NDArray[np.uint8] | None = None
    if image.mode.startswith("I;16"):
        if "transparency" in image.info:  # the grey that is transparent, of 16 bits
            alpha = (np.asarray(image) != image.info["transparency"]) * np.uint8(255)
        image = _with_info(Image.fromarray(_grey_of(image, label, decoding)), image)
    elif image.mode in ("I", "F"):
        image = Image.fromarray(_scaled(image, label, decoding.float_range))
    elif image.has_transparency_data:
        image, alpha = _without_alpha(image)
    pixels = np.array(_srgb(image, label))
    return pixels if alpha is None else _over_grey(pixels, np.asarray(alpha))


def _with_info(converted: Image.Image, image: Image.Image) -> Image.Image:
    converted.info = {"icc_profile": image.info.get("icc_profile")}
    return converted


def _grey_of(image: Image.Image, label: str, decoding: Decoding) -> NDArray[np.uint8]:
    """Bring grey samples of 16 (or, in a TIFF, 12) bits to 8; a TIFF may say that 0 is white."""
    tags = getattr(image, "tag_v2", {})
    samples = np.asarray(image).astype(np.uint16)  # of the machine's own byte order
    if tags.get(ExifTags.Base.BitsPerSample) == (12,):
        grey = (samples >> 4).astype(np.uint8)
    else:
        grey = eight_bits(samples, label, decoding)
    return ~grey if tags.get(ExifTags.Base.PhotometricInterpretation) == 0 else grey  # Pillow turns 8 bits itself


def _scaled(image: Image.Image, label: str, float_range: Range | None) -> NDArray[np.uint8]:
    """Map float or 32-bit integer samples from `float_range` to 0..255."""
    if float_range is None:
        kind = "float" if image.mode == "F" else "32-bit integer"
        raise DataError(
            f"{label} has {kind} samples, whose range is unknown: give their black and white values, as in "
            "--float-range '[0, 1]' (in Python float_range=(0, 1)), or save it with 8 or 16 bits"
        )
    return np.rint(unit_range(np.asarray(image), float_range, label) * 255.0).astype(np.uint8)


def scale_transparency(image: Image.Image) -> None:
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
    """Lay pixels over grey, in place; row by row, because whole images of 32-bit numbers would take gigabytes."""
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


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; damaged EXIF data counts as upright."""
    try:  # not the method of PNG, which would decode the image to look behind it
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

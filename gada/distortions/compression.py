"""JPEG and JPEG2000 at a strength that may lie between two settings of the coder, and the codecs of web pages."""

from functools import cache
from io import BytesIO
from math import inf
from typing import Literal

import numpy as np
from PIL import Image, features

from gada.distortions.pixels import Pixels
from gada.errors import ConfigError
from gada.metrics.psnr import psnr

# ITU-T T.81, Annex K, tables K.1 and K.2, in natural order.
_LUMINANCE = (
    "16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62 "
    "18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"
)
_CHROMINANCE = (
    "17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 99 " + "99 " * 32
)


@cache
def quantization_tables(quality: float) -> list[list[int]]:
    """Return the luminance and chrominance tables at a `quality` on libjpeg's scale, in (0, 100], whole or not.

    They are libjpeg's own where 5000 / quality is whole or quality is at least 50. Elsewhere libjpeg drops the
    fraction, which would make steps between qualities; an image differs by 0.02 dB at most.
    """
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    return [
        [int(min(max((int(entry) * scale + 50) // 100, 1), 255)) for entry in table.split()]
        for table in (_LUMINANCE, _CHROMINANCE)
    ]


def encode_jpeg(image: Pixels, quality: float, restart_rows: int = 0, subsampling: str = "4:2:0") -> bytes:
    """Encode as baseline JPEG; `restart_rows` > 0 puts a restart marker after so many rows of blocks."""
    stream = BytesIO()
    Image.fromarray(image).save(
        stream,
        "JPEG",
        qtables=quantization_tables(quality),
        subsampling=subsampling,
        restart_marker_rows=restart_rows,
    )
    return stream.getvalue()


def encode_jpeg_flat(image: Pixels, step: float) -> bytes:
    """Encode as baseline JPEG with one quantization step, 1 to 255, for all coefficients; chroma is not halved."""
    stream = BytesIO()
    table = [round(min(max(step, 1), 255))] * 64
    Image.fromarray(image).save(stream, "JPEG", qtables=[table, table], subsampling="4:4:4")
    return stream.getvalue()


def decode(stream: bytes) -> Pixels:
    """Decode a stream that this module has encoded; (H, W, 3)."""
    with Image.open(BytesIO(stream), formats=["JPEG", "JPEG2000", "WEBP", "AVIF"]) as opened:
        return np.array(opened.convert("RGB"))


def jpeg(image: Pixels, quality: float) -> Pixels:
    """Compress as JPEG of `quality` (libjpeg's scale; fractions are allowed), chroma halved both ways."""
    return decode(encode_jpeg(image, quality))


def encode_jpeg2000(image: Pixels, **options: object) -> bytes:
    """Encode as a bare JPEG2000 codestream: 9/7 wavelet, luminance and chroma decorrelated."""
    stream = BytesIO()
    settings: dict[str, object] = {"irreversible": True, "mct": 1, "no_jp2": True, "num_resolutions": _levels(image)}
    Image.fromarray(image).save(stream, "JPEG2000", **(settings | options))
    return stream.getvalue()


def jpeg2000_at_rate(image: Pixels, bits_per_pixel: float) -> Pixels:
    """Compress as JPEG2000 at `bits_per_pixel`."""
    return decode(encode_jpeg2000(image, quality_mode="rates", quality_layers=[24 / bits_per_pixel]))


def jpeg2000_at_psnr(image: Pixels, psnr_db: float) -> Pixels:
    """Compress as JPEG2000 so that the PSNR over R, G and B is `psnr_db`, within 0.05 dB where the coder can.

    The coder's own PSNR target is up to 1 dB off, because it counts wavelet coefficients and does not clip; it is
    corrected by what was measured. On an image with little detail a stream can only be cut in coarse steps: then
    the nearest is taken.
    """
    low, target, high = 0.0, psnr_db, psnr_db + 20
    best, best_error = image, inf
    for _ in range(8):
        decoded = decode(encode_jpeg2000(image, quality_mode="dB", quality_layers=[target]))
        error = psnr(decoded, image) - psnr_db
        if abs(error) < best_error:
            best, best_error = decoded, abs(error)
        if best_error < 0.05:
            break
        low, high = (target, high) if error < 0 else (low, target)
        target = target - error if low < target - error < high else (low + high) / 2
    return best


def webp(image: Pixels, quality: float) -> Pixels:
    """Compress as lossy WebP at the nearest whole `quality`, 0 to 100."""
    return decode(encode_for_web(image, "WEBP", quality))


def avif(image: Pixels, quality: float) -> Pixels:
    """Compress as AVIF at the nearest whole `quality`, 0 to 100, by one thread."""
    return decode(encode_for_web(image, "AVIF", quality, max_threads=1))


def encode_for_web(image: Pixels, codec: Literal["WEBP", "AVIF"], quality: float, **options: object) -> bytes:
    """Encode as WebP or AVIF.

    Raises:
        ConfigError: if this Pillow was built without the codec.
    """
    if not features.check(codec.lower()):
        raise ConfigError(f"this Pillow cannot write {codec}; install one of PyPI's wheels, which can.")
    stream = BytesIO()
    Image.fromarray(image).save(stream, codec, quality=round(quality), **options)
    return stream.getvalue()


def _levels(image: Pixels) -> int:
    """Return the number of resolutions: six, fewer where the smallest band would be under 4 pixels wide."""
    return int(np.clip(np.log2(min(image.shape[:2])) - 1, 1, 6))

"""Compressed streams that arrive damaged, and are decoded all the same."""

import struct
from collections.abc import Iterator
from itertools import accumulate
from math import ceil

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gada.distortions.compression import decode, encode_jpeg2000
from gada.distortions.pixels import Pixels

CODE_BLOCK = 32
"""Side of a JPEG2000 code block, in wavelet coefficients: one damaged byte spoils the rest of one block."""

BURST = 16
"""Bytes that a fade of the channel spoils together."""


def fast_fading(image: Pixels, snr_db: float, random: Generator) -> Pixels:
    """Send a JPEG2000 stream of 2.5 bits per pixel through a Rayleigh fading channel of mean `snr_db`.

    The power gain of a Rayleigh channel is exponential with mean 1. A burst whose gain leaves less than
    2 dB, too little for the error correction, arrives as random bytes. With the same seed
    a worse channel loses the same bursts and more. Headers are taken to be protected, as LIVE's error-resilient
    streams were (Sheikh et al., 2006).
    """
    stream = encode_jpeg2000(
        image, quality_mode="rates", quality_layers=[24 / 2.5], codeblock_size=(CODE_BLOCK, CODE_BLOCK), plt=True
    )
    bytes_ = np.frombuffer(stream, np.uint8).copy()
    body = code_block_bytes(stream, image.shape[0], image.shape[1])
    gain = random.exponential(size=len(bytes_) // BURST + 1)
    garbage = random.integers(0, 256, size=len(bytes_), dtype=np.uint8)
    lost = np.repeat(gain < 10 ** ((2 - snr_db) / 10), BURST)[: len(bytes_)]
    bytes_ = np.where(lost & body, garbage, bytes_)
    return decode(bytes_.tobytes())


def code_block_bytes(stream: bytes, height: int, width: int) -> NDArray[np.bool_]:
    """Mark the bytes of a codestream that surely hold coefficients, not headers; (len(stream),).

    A packet opens with a header of unknown length that a decoder cannot do without. It takes no more
    than `_HEADER_BYTES` for each code block, so the marked part begins after as many.
    """
    inside = np.zeros(len(stream), dtype=bool)
    segments = dict(_segments(stream))
    resolutions = segments[0xFF52][5] + 1  # COD: decomposition levels follow style, progression, layers and transform
    lengths = list(_packet_lengths(segments[0xFF58][1:]))
    end_of_headers = stream.index(b"\xff\x93") + 2
    for packet, (start, length) in enumerate(zip(accumulate(lengths, initial=end_of_headers), lengths, strict=False)):
        resolution = packet // 3  # order: layer (one), resolution, component (three)
        header = _HEADER_BYTES * _code_blocks(height, width, resolutions, resolution)
        inside[start + header : start + length] = True
    return inside


_HEADER_BYTES = 8
"""Most bytes that one code block takes in a packet's header, with room to spare."""


def _code_blocks(height: int, width: int, resolutions: int, resolution: int) -> int:
    """Count the code blocks of one component at one resolution."""
    step = CODE_BLOCK << (resolutions - max(resolution, 1))
    down, across = (ceil(side / step) + 1 for side in (height, width))
    return down * across * (1 if resolution == 0 else 3)


def _segments(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each marker segment before the first packet as (marker, content)."""
    position = 2  # after the start of codestream
    while True:
        marker, length = struct.unpack_from(">HH", stream, position)
        if marker == 0xFF93:  # start of data
            return
        yield marker, stream[position + 4 : position + 2 + length]
        position += 2 + length


def _packet_lengths(content: bytes) -> Iterator[int]:
    """Decode a PLT marker segment: numbers in groups of 7 bits, the top bit says that more follow."""
    value = 0
    for byte in content:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            yield value
            value = 0

"""Compressed streams that arrive damaged, and are decoded all the same."""

import struct
from collections.abc import Callable, Iterator
from itertools import accumulate
from math import ceil

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from gada.distortions.compression import decode, encode_jpeg, encode_jpeg2000
from gada.distortions.pixels import Pixels
from gada.metrics.psnr import luminance, psnr

Bytes = NDArray[np.uint8]

BURST = 16
"""Bytes that a fade of the channel spoils together."""


def fast_fading(image: Pixels, snr_db: float, random: Generator) -> Pixels:
    """Send a JPEG2000 stream of 2.5 bits per pixel through a Rayleigh fading channel of mean `snr_db`.

    The power gain of a Rayleigh channel is exponential with mean 1. A burst whose gain leaves less than 2 dB, too
    little for the error correction, arrives as random bytes. With the same seed a worse channel loses the same bursts
    and more. Headers and the two lowest resolutions are taken to be protected: LIVE's streams were error-resilient
    (Sheikh et al., 2006), and without those nothing is left to see.
    """
    stream = _encode_for_channel(image, code_block=32)
    coefficients = code_block_bytes(stream, image.shape[0], image.shape[1], code_block=32, first_resolution=2)
    sent = np.frombuffer(stream, np.uint8)
    gain = random.exponential(size=len(sent) // BURST + 1)
    garbage = random.integers(0, 256, size=len(sent), dtype=np.uint8)
    lost = np.repeat(gain < 10 ** ((2 - snr_db) / 10), BURST)[: len(sent)]
    return decode(np.where(lost & coefficients, garbage, sent).tobytes())


def jpeg_transmission_errors(image: Pixels, quality: float, psnr_db: float, random: Generator) -> Pixels:
    """Flip bits in a JPEG stream of `quality` until the luminance PSNR is `psnr_db`, or as near as it comes.

    A restart marker stands after each row of blocks; up to the next one a flipped bit shifts blocks, smears them and
    gives them wrong colours.
    """
    stream = encode_jpeg(image, quality, restart_rows=1)
    sent = np.frombuffer(stream, np.uint8)
    scan = stream.rindex(b"\xff\xda")
    body = np.zeros(len(sent), dtype=bool)
    body[scan + 2 + int.from_bytes(stream[scan + 2 : scan + 4], "big") : -2] = True
    marker = sent == 0xFF
    body &= ~marker
    body[1:] &= ~marker[:-1]

    def flip_bit(damaged: Bytes, position: int) -> None:
        flipped = damaged[position] ^ (1 << int(random.integers(8)))
        damaged[position] = flipped if flipped != 0xFF else damaged[position]  # not a new marker

    return _damaged(image, sent, random.permutation(np.flatnonzero(body)), flip_bit, psnr_db)


def jpeg2000_transmission_errors(image: Pixels, psnr_db: float, random: Generator) -> Pixels:
    """Lose bursts of 4 bytes of a JPEG2000 stream of 2.5 bits per pixel until the luminance PSNR is `psnr_db`.

    Packet headers are spared. What follows a loss inside a code block of 64 x 64 coefficients is decoded as noise of
    that wavelet band, so the image shows smears and ripples.
    """
    stream = _encode_for_channel(image, code_block=64)
    sent = np.frombuffer(stream, np.uint8)
    body = code_block_bytes(stream, image.shape[0], image.shape[1], code_block=64)

    def lose_burst(damaged: Bytes, position: int) -> None:
        burst = np.s_[position : position + 4]
        garbage = random.integers(0, 256, size=len(damaged[burst]), dtype=np.uint8)
        damaged[burst] = np.where(body[burst], garbage, damaged[burst])

    return _damaged(image, sent, random.permutation(np.flatnonzero(body)), lose_burst, psnr_db)


def _damaged(
    image: Pixels, sent: Bytes, positions: NDArray[np.intp], harm: Callable[[Bytes, int], None], psnr_db: float
) -> Pixels:
    """Harm the stream at one position after the other until the decoded image has `psnr_db`, within 0.1 dB.

    Positions are harmed in groups. A group that goes too far is taken back and the next is half as large; one that
    does not doubles the next. So the end is reached in few decodings, though one position may do much harm.
    """
    accepted, group, decoded = sent, 1, decode(sent.tobytes())
    if _damage_psnr(decoded, image) <= psnr_db:
        return decoded
    start = 0
    for _ in range(150):
        trial = accepted.copy()
        for position in positions[start : start + group]:
            harm(trial, int(position))
        start += group
        received = decode(trial.tobytes())
        excess = _damage_psnr(received, image) - psnr_db
        if excess < -0.1:
            group = max(1, group // 2)
            continue
        accepted, decoded, group = trial, received, 2 * group
        if excess < 0.1 or start >= len(positions):
            break
    return decoded


def _damage_psnr(image: Pixels, reference: Pixels) -> float:
    """PSNR on luminance, or on R, G and B plus 4 dB if that is less.

    The published values are on luminance. Alone they would let colour go astray without limit.
    """
    return min(psnr(luminance(image), luminance(reference)), psnr(image, reference) + 4)


def _encode_for_channel(image: Pixels, code_block: int) -> bytes:
    return encode_jpeg2000(
        image, quality_mode="rates", quality_layers=[24 / 2.5], codeblock_size=(code_block, code_block), plt=True
    )


def code_block_bytes(
    stream: bytes, height: int, width: int, code_block: int, first_resolution: int = 0
) -> NDArray[np.bool_]:
    """Mark the bytes that surely hold coefficients, not headers, from one resolution on; (len(stream),).

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
        header = _HEADER_BYTES * _code_blocks(height, width, code_block, resolutions - max(resolution, 1), resolution)
        inside[start + header : start + length] = resolution >= first_resolution
    return inside


_HEADER_BYTES = 8
"""Most bytes that one code block takes in a packet's header, with room to spare."""


def _code_blocks(height: int, width: int, code_block: int, halvings: int, resolution: int) -> int:
    """Count the code blocks of one component at one resolution: one band at the lowest, three at the others."""
    down, across = (ceil(side / (code_block << halvings)) for side in (height, width))
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

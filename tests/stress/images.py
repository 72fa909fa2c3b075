"""Mutated image files through the decoder, each in a process that may die."""

import multiprocessing
import resource
import time
import warnings
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from gada.errors import DataError
from gada.io.images import read_image

CHUNK = 5_000  # images one process decodes
NUMBERS = (b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0", b"\xff\xd8", b"\0\x01")
Result = tuple[Counter[str], float, float, list[str]]


def mutated_images(count: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Decode `count` mutated files; a crash is anything but pixels or one sentence."""
    folder.mkdir(parents=True, exist_ok=True)
    outcomes: Counter[str] = Counter()
    slowest, memory, crashes = 0.0, 0.0, list[str]()
    start = time.monotonic()
    for first in range(0, count, CHUNK):
        found = in_process(first, min(CHUNK, count - first), seed, folder)
        outcomes += found[0]
        slowest, memory = max(slowest, found[1]), max(memory, found[2])
        crashes += found[3]
    return {
        "test": "mutated image files through the decoder",
        "count": count,
        "failures": len(crashes),
        "measured": f"{outcomes['pixels']:,} decoded, {outcomes['refused']:,} refused in one sentence; slowest "
        f"{slowest:.2f} s of processor time, peak memory {memory / 1e9:.2f} GB",
        "limits": "0 crashes, none over 5 s, under 1.5 GB",
        "held": not crashes and slowest < 5 and memory < 1.5e9,
        "seconds": round(time.monotonic() - start),
        "examples": crashes[:5],
    }


def in_process(first: int, count: int, seed: int, folder: Path) -> Result:
    """Decode some of the images in a process of its own; one that dies is a crash of the image it was at."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    mark = folder / "at"
    process = context.Process(target=lambda: there.send(decode_all(first, count, seed, mark)))
    process.start()
    there.close()
    try:
        result: Result = here.recv()
    except EOFError:
        process.join()
        result = Counter(), 0.0, 0.0, [f"image {mark.read_text()}: the process ended with {process.exitcode}"]
    process.join()
    return result


def decode_all(first: int, count: int, seed: int, mark: Path) -> Result:
    """Decode images `first` to `first + count - 1`."""
    originals = samples()
    outcomes: Counter[str] = Counter()
    slowest, crashes = 0.0, list[str]()
    for index in range(first, first + count):
        content = mutated(originals, np.random.default_rng([seed, index]))
        mark.write_text(str(index))
        start = time.process_time()
        try:
            outcomes[outcome(content)] += 1
        except BaseException as error:
            crashes.append(f"image {index}: {type(error).__name__}: {error}"[:200])
        slowest = max(slowest, time.process_time() - start)
    return outcomes, slowest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0, crashes


def outcome(content: bytes) -> str:
    """Decode one file; return `pixels` or `refused`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pixels = read_image(content)
    except DataError as error:
        if not str(error).isprintable():
            raise AssertionError("this is not one line") from error
        return "refused"
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    return "pixels"


def samples() -> list[bytes]:
    """Return small pictures in every format and mode that is read."""
    rows, columns = np.mgrid[:40, :56]
    picture = Image.fromarray(np.stack([rows * 6, columns * 4, (rows * columns) % 256], axis=-1).astype(np.uint8))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    exif = Image.Exif()
    exif[0x0112] = 6
    formats: dict[str, list[str]] = {
        "JPEG": ["RGB", "L", "CMYK"],
        "PNG": ["RGB", "L", "LA", "RGBA", "P", "1", "I;16"],
        "BMP": ["RGB", "L", "P", "1", "RGBA"],
        "TIFF": ["RGB", "L", "RGBA", "P", "CMYK", "I;16", "F", "LAB"],
        "WEBP": ["RGB", "RGBA"],
        "JPEG2000": ["RGB", "L", "RGBA"],
        "GIF": ["P", "L"],
        "AVIF": ["RGB", "RGBA"],
    }
    files = [saved(picture, form, mode) for form, modes in formats.items() for mode in modes]
    files += [saved(picture, form, "RGB", exif=exif) for form in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF")]
    files += [saved(picture, form, "RGB", icc_profile=profile) for form in ("JPEG", "PNG", "WEBP", "TIFF")]
    frames = [picture.rotate(angle) for angle in (90, 180)]
    files += [
        saved(picture, form, "RGB", save_all=True, append_images=frames) for form in ("GIF", "PNG", "TIFF", "WEBP")
    ]
    files += [saved(picture, "TIFF", "RGB", compression=name) for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg")]
    files += [saved(picture, "JPEG", "RGB", progressive=True), saved(picture, "WEBP", "RGB", lossless=True)]
    return files


def saved(picture: Image.Image, form: str, mode: str, **options: Any) -> bytes:
    """Return a picture as a file of a format and mode."""
    file = BytesIO()
    if mode == "I;16":
        converted = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    elif mode == "LAB":
        converted = Image.merge("LAB", picture.split())
    else:
        converted = picture.convert(mode)
    converted.save(file, form, **options)
    return file.getvalue()


def mutated(originals: list[bytes], random: np.random.Generator) -> bytes:
    """Return one of the files with one to four mutations."""
    content = bytearray(originals[random.integers(len(originals))])
    for _ in range(random.integers(1, 5)):
        place = (
            int(random.integers(len(content))) if random.random() < 0.5 else int(random.integers(min(64, len(content))))
        )
        length = int(random.integers(1, 33))
        match int(random.integers(9)):
            case 0:
                content[place] ^= 1 << int(random.integers(8))
            case 1:
                content[place : place + length] = random.bytes(length)
            case 2:
                content = content[: max(place, 1)]
            case 3:
                del content[place : place + length]
            case 4:
                number = NUMBERS[random.integers(len(NUMBERS))]
                content[place : place + len(number)] = number
            case 5:
                content[place:place] = content[place : place + length * 8]
            case 6:
                content[place:] = originals[random.integers(len(originals))][place:]
            case 7:
                content += random.bytes(length * 16)
            case 8:
                content[place : place + 4] = int(random.integers(2**32)).to_bytes(4, "little" if length % 2 else "big")
        if not content:
            break
    return bytes(content)


def bombs(count: int, folder: Path, seed: int = 0) -> dict[str, Any]:
    """Decode pictures just under the limit of 50 megapixels, and files that announce far more, one process each."""
    files = [*giants()[:count], *liars()[: max(count - 3, 1)]]
    worst, slowest, crashes = 0.0, 0.0, list[str]()
    start = time.monotonic()
    context = multiprocessing.get_context("fork")
    for name, content in files:
        with context.Pool(1, maxtasksperchild=1) as pool:
            try:
                memory, seconds = pool.apply_async(cost, (content,)).get(timeout=120)
            except Exception as error:
                crashes.append(f"{name}: {type(error).__name__}: {error}"[:200])
                continue
        worst, slowest = max(worst, memory), max(slowest, seconds)
    return {
        "test": "pictures of almost 50 megapixels, and bombs",
        "count": len(files),
        "failures": len(crashes),
        "measured": f"slowest {slowest:.2f} s of processor time, peak memory {worst / 1e9:.2f} GB",
        "limits": "0 crashes, none over 5 s, under 1.5 GB",
        "held": not crashes and slowest < 5 and worst < 1.5e9,
        "seconds": round(time.monotonic() - start),
        "examples": crashes[:5],
    }


def cost(content: bytes) -> tuple[float, float]:
    """Return peak memory in bytes and processor time in seconds of decoding a file."""
    start = time.process_time()
    outcome(content)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0, time.process_time() - start


def giants() -> list[tuple[str, bytes]]:
    """Return pictures of 49 megapixels, which compress well, in the modes that take the most memory."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("PNG", "RGBA", {}),
        ("PNG", "LA", {}),
        ("PNG", "P", {"transparency": 0}),
        ("PNG", "I;16", {}),
        ("JPEG", "CMYK", {}),
        ("PNG", "RGB", {"icc_profile": profile}),
        ("TIFF", "RGBA", {"compression": "tiff_deflate"}),
        ("GIF", "P", {}),
    ]
    return [(f"{form} {mode}", flat(form, mode, 7000, **options)) for form, mode, options in kinds]


def flat(form: str, mode: str, side: int, **options: Any) -> bytes:
    """Return a square picture of one colour."""
    file = BytesIO()
    Image.new(mode, (side, side)).save(file, form, **options)
    return file.getvalue()


def liars() -> list[tuple[str, bytes]]:
    """Return bombs: small files of pictures far above the limit, or whose header says so."""
    png = bytearray(flat("PNG", "L", 8))
    png[16:24] = b"\x7f\xff\xff\xff" * 2
    gif = bytearray(flat("GIF", "P", 8))
    gif[6:10] = b"\xff\xff\xff\xff"
    bmp = bytearray(flat("BMP", "L", 8))
    bmp[18:26] = (2**30).to_bytes(4, "little") * 2
    return [
        ("PNG of 400 megapixels", flat("PNG", "1", 20_000)),
        ("PNG with a header of 2**62 pixels", bytes(png)),
        ("GIF with a canvas of 4 gigapixels", bytes(gif)),
        ("BMP with a header of 2**60 pixels", bytes(bmp)),
        ("TIFF of 225 megapixels", flat("TIFF", "1", 15_000, compression="group4")),
    ]

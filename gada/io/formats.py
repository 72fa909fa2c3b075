"""Which files are images by their names, which of them are read, and which names belong to tools and not to people."""

import re
from functools import cache

from PIL import Image

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "JPEG2000", "GIF", "AVIF")
"""What is decoded, in Pillow's names."""

_SUFFIXES_OF = (*FORMATS, "MPO", "DIB")  # Pillow opens these two as JPEG and BMP
_OTHER_NAMES = (".pjpeg", ".pjp", ".jif", ".jfi")  # of JPEG, as some browsers and cameras write it

RAW = frozenset(
    ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .gpr .iiq .kdc .mef .mos .mrw .nef .nrw .orf .pef .raf .raw .rw2 "
    ".rwl .sr2 .srf .srw .x3f".split()
)
"""What cameras call their raw files. Many are TIFFs whose only decodable image is a small preview."""

UNREADABLE = (
    dict.fromkeys(RAW, "a camera's raw file")
    | {
        ".heic": "a HEIC image",
        ".heif": "a HEIC image",
        ".hif": "a HEIC image",
        ".jxl": "a JPEG XL image",
        ".jxr": "a JPEG XR image",
        ".wdp": "a JPEG XR image",
        ".avif": "an AVIF image",  # where this Pillow was built without it
        ".exr": "an OpenEXR image",
        ".hdr": "a Radiance image",
        ".psd": "a Photoshop document",
        ".qoi": "a QOI image",
        ".svg": "a vector drawing",
        ".tga": "a TGA image",
    }
    | dict.fromkeys((".pbm", ".pgm", ".ppm", ".pnm", ".pam", ".pfm"), "a Netpbm image")
)
"""What is an image but is not read, by suffix: it is refused by name, and not passed over."""

MAGIC = {
    "HEIC": re.compile(rb"....ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1)", re.DOTALL),
    "JPEG XL": re.compile(rb"\xff\x0a|\0\0\0\x0cJXL ", re.DOTALL),
}
"""How the files of formats begin that are not read, whatever their names."""

_SIDE = frozenset(
    "__macosx __pycache__ @eadir #recycle #snapshot $recycle.bin lost+found thumbs.db ehthumbs.db desktop.ini".split()
) | {"system volume information"}


@cache
def readable() -> frozenset[str]:
    """Return the suffixes, in lower case, of the images that this Pillow reads."""
    named = (suffix for suffix, name in Image.registered_extensions().items() if name in _SUFFIXES_OF)
    return frozenset((*named, *_OTHER_NAMES))


@cache
def suffixes() -> frozenset[str]:
    """Return the suffixes of all images: of those that are read, and of those that are refused by name."""
    return readable() | UNREADABLE.keys()


def known() -> str:
    """Return the suffixes that are read, in one line."""
    return ", ".join(sorted(readable()))


def is_side_file(name: str) -> bool:
    """Return whether a file or folder of this name belongs to a tool or a system: hidden ones, __MACOSX, @eaDir ..."""
    return name.startswith((".", "~$")) or name.lower() in _SIDE


def reason(suffix: str, head: bytes) -> str | None:
    """Return what an image is that is not read, such as "a HEIC image"; None if neither name nor content tells.

    Args:
        suffix: of its name, in lower case.
        head: the first 12 bytes of its content.
    """
    found = next((f"a {name} image" for name, magic in MAGIC.items() if magic.match(head)), None)
    return found or UNREADABLE.get(suffix)

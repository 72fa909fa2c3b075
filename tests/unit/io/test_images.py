"""Every decoding rule, on files made here."""

import os
import struct
import warnings
import zlib
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from gada.errors import ConfigError, DataError
from gada.io.images import image_size, pixels_of, read_image, shown, write_png
from gada.io.pixels import Decoding

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (24, 40, 3), dtype=np.uint8)
GREY = PIXELS[..., 0]


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, format=form, **options)
    return stream.getvalue()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


LOSSLESS: dict[str, tuple[str, dict[str, Any]]] = {
    "png": ("PNG", {}),
    "bmp": ("BMP", {}),
    "tiff": ("TIFF", {}),
    "tiff-lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff-deflate": ("TIFF", {"compression": "tiff_deflate"}),
    "webp": ("WEBP", {"lossless": True}),
    "jp2": ("JPEG2000", {"irreversible": False}),
}


@pytest.mark.parametrize("form", LOSSLESS)
def test_lossless_containers_give_identical_arrays(form: str) -> None:
    name, options = LOSSLESS[form]
    np.testing.assert_array_equal(read_image(encoded(Image.fromarray(PIXELS), name, **options)), PIXELS)


@pytest.mark.parametrize("form", ["JPEG", "AVIF", "WEBP"])
def test_lossy_containers_come_close(form: str) -> None:
    smooth = np.asarray(Image.fromarray(PIXELS[:3, :5]).resize((40, 24), Image.Resampling.BICUBIC))
    decoded = read_image(encoded(Image.fromarray(smooth), form, quality=95))
    assert abs(decoded.astype(float) - smooth).mean() < 5


def test_what_comes_back_can_be_written_to() -> None:
    assert read_image(encoded(Image.fromarray(PIXELS), "PNG")).flags.writeable


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "GIF"])
def test_palette_becomes_rgb(form: str) -> None:
    indices = RNG.integers(0, 200, (24, 40), dtype=np.uint8)
    palette = RNG.integers(0, 256, (256, 3), dtype=np.uint8)
    image = Image.fromarray(indices)
    image.putpalette(palette.tobytes())
    np.testing.assert_array_equal(read_image(encoded(image, form)), palette[indices])


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "WEBP"])
def test_grey_is_repeated_three_times(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    image = Image.fromarray(GREY)
    np.testing.assert_array_equal(read_image(encoded(image, form, **options)), np.stack([GREY] * 3, 2))


def test_one_bit_becomes_black_and_white() -> None:
    decoded = read_image(encoded(Image.fromarray(GREY > 127), "PNG"))
    np.testing.assert_array_equal(decoded[..., 1], np.where(GREY > 127, 255, 0))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "JPEG2000"])
def test_16_bit_grey_is_scaled(form: str) -> None:
    deep = Image.fromarray(GREY.astype(np.uint16) * 257)
    options = {"irreversible": False} if form == "JPEG2000" else {}
    np.testing.assert_array_equal(read_image(encoded(deep, form, **options))[..., 2], GREY)


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_tiff_may_say_that_0_is_white(kind: type, compression: str | None) -> None:
    stored: NDArray[Any] = GREY.astype(kind) * (257 if kind is np.uint16 else 1)
    if kind is np.uint8:  # Pillow inverts what it writes, too, but 8 bits alone
        stored = 255 - stored
    data = encoded(Image.fromarray(stored), "TIFF", compression=compression, tiffinfo={262: 0})
    np.testing.assert_array_equal(read_image(data)[..., 0], 255 - GREY)


def test_a_transparent_grey_of_16_bits_lies_over_mid_grey() -> None:
    deep = GREY.astype(np.uint16) * 257
    deep[0] = deep[1, 0] + 1  # of the same 8 bits, but not transparent
    decoded = read_image(encoded(Image.fromarray(deep), "PNG", transparency=int(deep[1, 0])))[..., 0]
    np.testing.assert_array_equal(decoded, np.where(deep == deep[1, 0], 128, deep >> 8))


def png(
    colour_type: int, depth: int, rows: NDArray[Any], height: int, width: int, transparent: bytes | None = None
) -> bytes:
    """A PNG that announces the given kind and size; Pillow cannot write 16-bit colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    said = [] if transparent is None else [chunk(b"tRNS", transparent)]
    parts = [chunk(b"IHDR", header), *said, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


DEEP = (PIXELS.astype(np.uint16) * 16 + 5).clip(0, 4095)  # 12 bits


def deep_tiff(compression: int, order: str) -> bytes:
    """A TIFF of DEEP; Pillow cannot write 16-bit colour."""
    body = DEEP.astype(f"{order}u2").tobytes()
    body = zlib.compress(body) if compression == 8 else body
    shorts = {256: 40, 257: 24, 258: None, 259: compression, 262: 2, 273: 200, 277: 3, 278: 24, 279: len(body)}
    entries = b""
    for tag, value in shorts.items():
        kind, count, value = (3, 3, 180) if value is None else (4, 1, value)
        entries += struct.pack(f"{order}HHII", tag, kind, count, value)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    directory = head + struct.pack(f"{order}H", len(shorts)) + entries + bytes(4)
    return directory.ljust(180, b"\0") + struct.pack(f"{order}HHH", 16, 16, 16).ljust(20, b"\0") + body


@pytest.mark.parametrize(
    "data",
    [png(2, 16, DEEP.astype(">u2"), 24, 40), *(deep_tiff(kind, order) for kind in (1, 8) for order in "<>")],
    ids=["PNG", "TIFF <", "TIFF >", "TIFF deflated <", "TIFF deflated >"],
)
def test_colours_of_12_bits_in_16_are_warned_of_and_read_by_their_white(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "deep").write_bytes(data)
    with pytest.warns(UserWarning, match=r"deep has 16-bit samples up to 4095 only.*give --white 4095"):
        dark = read_image(tmp_path / "deep")
    np.testing.assert_array_equal(dark, DEEP >> 8)
    for source in (tmp_path / "deep", data):
        bright = read_image(source, Decoding(white=4095))
        np.testing.assert_array_equal(bright, np.rint(DEEP * (255 / 4095)))


def test_grey_of_10_bits_in_16_is_warned_of(tmp_path: Path) -> None:
    deep = Image.fromarray((GREY.astype(np.uint16) * 4).clip(1, 1023))
    for form in ("PNG", "TIFF"):
        with pytest.warns(UserWarning, match="--white 1023"):
            read_image(encoded(deep, form))
        np.testing.assert_array_equal(
            read_image(encoded(deep, form), Decoding(white=1023))[..., 1], np.rint(np.asarray(deep) * (255 / 1023))
        )


def test_what_needs_all_16_bits_or_is_black_is_not_warned_of() -> None:
    for deep in (GREY.astype(np.uint16) * 257, np.zeros((24, 40), np.uint16)):
        read_image(encoded(Image.fromarray(deep), "PNG"))  # a warning would be an error here


def test_16_bit_colour_is_scaled() -> None:
    np.testing.assert_array_equal(read_image(png(2, 16, PIXELS.astype(">u2") * 257, 24, 40)), PIXELS)


@pytest.mark.parametrize(("depth", "packed", "most"), [(2, 0b11000000, 3), (4, 0xF0, 15)])
def test_a_transparent_grey_of_few_bits_lies_over_mid_grey(depth: int, packed: int, most: int) -> None:
    row = np.array([[packed]], np.uint8)  # white, then black
    decoded = read_image(png(0, depth, row, 1, 2, struct.pack(">H", most)))
    np.testing.assert_array_equal(decoded[0, :, 0], [128, 0])


def test_a_transparent_colour_of_16_bits_lies_over_mid_grey() -> None:
    row = np.array([[0xFF00] * 3 + [0x00FF] * 3], ">u2")
    decoded = read_image(png(2, 16, row, 1, 2, struct.pack(">HHH", 0xFF00, 0xFF00, 0xFF00)))
    np.testing.assert_array_equal(decoded[0, :, 0], [128, 0])


@pytest.mark.parametrize("alpha", [0, 64, 255])
def test_alpha_lies_over_mid_grey(alpha: int) -> None:
    rgba = np.dstack([PIXELS, np.full(GREY.shape, alpha, np.uint8)])
    expected = np.rint(PIXELS * (alpha / 255) + 128 * (1 - alpha / 255))
    np.testing.assert_array_equal(read_image(encoded(Image.fromarray(rgba), "PNG")), expected)


def test_grey_with_alpha_lies_over_mid_grey() -> None:
    alpha = np.where(GREY > 127, 255, 0).astype(np.uint8)
    decoded = read_image(encoded(Image.fromarray(np.dstack([GREY, alpha])), "PNG"))
    np.testing.assert_array_equal(decoded[..., 0], np.where(GREY > 127, GREY, 128))


def test_a_transparent_colour_lies_over_mid_grey() -> None:
    indices = RNG.integers(0, 4, (24, 40), dtype=np.uint8)
    image = Image.fromarray(indices)
    image.putpalette(bytes(range(12)))
    decoded = read_image(encoded(image, "GIF", transparency=2))
    assert (decoded[indices == 2] == 128).all()
    np.testing.assert_array_equal(decoded[indices == 3], np.tile([9, 10, 11], ((indices == 3).sum(), 1)))


def test_cmyk_without_profile() -> None:
    cmyk = Image.fromarray(PIXELS).convert("CMYK")
    np.testing.assert_array_equal(read_image(encoded(cmyk, "TIFF")), PIXELS)
    assert read_image(encoded(cmyk, "JPEG", quality=95)).shape == PIXELS.shape


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP", "JPEG", "AVIF"])
def test_exif_rotation(form: str, orientation: int, tmp_path: Path) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    image = Image.fromarray(PIXELS)
    path = tmp_path / "turned"
    path.write_bytes(encoded(image, form, exif=exif(orientation), **options))
    plain = read_image(encoded(image, form, **options))
    turned = Image.fromarray(plain)
    turned.getexif()[0x0112] = orientation
    np.testing.assert_array_equal(read_image(path), np.asarray(ImageOps.exif_transpose(turned)))
    assert image_size(path) == read_image(path).shape[:2]


XMP = b'<rdf:RDF xmlns:rdf="r"><rdf:Description xmlns:tiff="t" tiff:Orientation="6"/></rdf:RDF>'


def behind_the_pixels(kind: bytes, body: bytes) -> bytes:
    """A PNG with a chunk between its pixels and its end."""
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    whole = encoded(Image.fromarray(PIXELS), "PNG")
    return whole[:-12] + chunk + whole[-12:]


def with_xmp(form: str) -> bytes:
    if form == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        return encoded(Image.fromarray(PIXELS), form, pnginfo=text)
    options: dict[str, Any] = {"tiffinfo": {700: XMP}} if form == "TIFF" else {"xmp": XMP}
    return encoded(Image.fromarray(PIXELS), form, **options)


@pytest.mark.parametrize(
    "data",
    [
        *(pytest.param(with_xmp(form), id=f"XMP in {form}") for form in ("PNG", "TIFF", "JPEG", "WEBP", "AVIF")),
        pytest.param(behind_the_pixels(b"eXIf", exif(6).tobytes()[6:]), id="EXIF behind the pixels of a PNG"),
        pytest.param(
            behind_the_pixels(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP), id="XMP behind the pixels of a PNG"
        ),
    ],
)
def test_the_size_of_the_header_is_that_of_the_pixels_wherever_the_rotation_stands(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "turned").write_bytes(data)
    assert image_size(tmp_path / "turned") == read_image(tmp_path / "turned").shape[:2] == (40, 24)


def test_a_png_is_not_decoded_for_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(encoded(Image.fromarray(PIXELS), "PNG"))
    (tmp_path / "b").write_bytes(with_xmp("PNG")[:-20])
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load_prepare", lambda self: pytest.fail("decoded"))
    assert image_size(tmp_path / "a") == (24, 40)
    assert image_size(tmp_path / "b") == (40, 24)


def profile(primaries: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(primaries)).tobytes()  # type: ignore[arg-type]


def wide_gamut() -> bytes:
    """An sRGB profile with red and blue exchanged, under another name: a conversion that is easy to check."""
    data = profile("sRGB").replace("sRGB built-in".encode("utf-16-be"), "swap built-in".encode("utf-16-be"))
    red, blue = b"rXYZ", b"bXYZ"
    return data.replace(red, b"????").replace(blue, red).replace(b"????", blue)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
def test_a_colour_profile_is_converted_to_srgb(form: str) -> None:
    options = {"lossless": True} if form == "WEBP" else {}
    decoded = read_image(encoded(Image.fromarray(PIXELS), form, icc_profile=wide_gamut(), **options))
    assert abs(decoded.astype(int) - PIXELS[..., ::-1]).max() <= 2


def test_the_srgb_profile_changes_nothing() -> None:
    decoded = read_image(encoded(Image.fromarray(PIXELS), "PNG", icc_profile=profile("sRGB")))
    np.testing.assert_array_equal(decoded, PIXELS)


def test_a_linear_profile_is_converted_whatever_it_is_called() -> None:
    data = profile("sRGB")
    at = data.index(b"para")
    linear = data.replace(data[at : at + 32], b"curv" + bytes(28))  # no entries: the identity
    assert linear != data
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    decoded = read_image(encoded(Image.fromarray(ramp), "PNG", icc_profile=linear)).astype(int)
    light = np.arange(256) / 255  # IEC 61966-2-1
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert abs(decoded - expected[None, :, None]).max() <= 1


def test_a_colour_profile_reaches_pixels_with_alpha() -> None:
    rgba = Image.fromarray(np.dstack([PIXELS, np.full(GREY.shape, 255, np.uint8)]))
    decoded = read_image(encoded(rgba, "PNG", icc_profile=wide_gamut()))
    assert abs(decoded.astype(int) - PIXELS[..., ::-1]).max() <= 2


def linear_grey() -> bytes:
    """The smallest profile of linear grey: description, white point and a curve of gamma 1 (ICC.1:2001-04)."""
    description = b"desc" + bytes(4) + struct.pack(">I", 7) + b"linear\0" + bytes(78)
    white = b"XYZ " + bytes(4) + struct.pack(">iii", 63190, 65536, 54061)  # D50
    curve = b"curv" + bytes(8)
    tags, body, offset = b"", b"", 128 + 4 + 3 * 12
    for name, data in ((b"desc", description), (b"wtpt", white), (b"kTRC", curve)):
        padded = data + bytes(-len(data) % 4)
        tags += name + struct.pack(">II", offset + len(body), len(data))
        body += padded
    size = struct.pack(">I", offset + len(body))
    header = size + bytes(4) + b"\2\x20\0\0mntrGRAYXYZ " + bytes(12) + b"acsp" + bytes(28)
    header += struct.pack(">iii", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", 3) + tags + body


@pytest.mark.parametrize("depth", [8, 16])
def test_a_grey_profile_is_converted_to_srgb(depth: int) -> None:
    grey = Image.fromarray(GREY) if depth == 8 else Image.fromarray(GREY.astype(np.uint16) * 257)
    decoded = read_image(encoded(grey, "PNG", icc_profile=linear_grey()))[..., 0]
    linear = GREY / 255  # IEC 61966-2-1, the transfer function of sRGB
    expected = 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert abs(decoded - expected).max() < 1


def test_a_profile_that_does_not_fit_is_ignored() -> None:
    decoded = read_image(encoded(Image.fromarray(PIXELS), "PNG", icc_profile=linear_grey()))
    np.testing.assert_array_equal(decoded, PIXELS)


def test_a_damaged_profile_is_ignored_with_a_warning() -> None:
    data = encoded(Image.fromarray(PIXELS), "PNG", icc_profile=b"no profile")
    with pytest.warns(UserWarning, match="damaged colour profile"):
        np.testing.assert_array_equal(read_image(data), PIXELS)


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_float_is_refused_unless_its_range_is_given(kind: type) -> None:
    data = encoded(Image.fromarray((GREY * 4).astype(kind)), "TIFF")
    with pytest.raises(DataError, match="whose range is unknown"):
        read_image(data)
    wide = encoded(Image.fromarray(GREY.astype(kind) * 4), "TIFF")
    np.testing.assert_array_equal(read_image(wide, Decoding(float_range=(0.0, 1020.0)))[..., 0], GREY)


@pytest.mark.parametrize("wrong", [(1.0, 1.0), (1.0, 0.0), (0.0, float("inf")), (float("nan"), 1.0)])
def test_black_must_lie_below_white(wrong: tuple[float, float]) -> None:
    image = Image.fromarray(np.zeros((4, 4), np.float32))
    with pytest.raises(ConfigError, match="black must lie below white"):
        read_image(encoded(image, "TIFF"), Decoding(float_range=wrong))
    with pytest.raises(ConfigError, match="black must lie below white"):
        pixels_of(image, Decoding(float_range=wrong))


def test_float_that_is_not_finite_is_refused() -> None:
    data = encoded(Image.fromarray(np.full((4, 4), np.nan, np.float32)), "TIFF")
    with pytest.raises(DataError, match="NaN or infinity"):
        read_image(data, Decoding(float_range=(0.0, 1.0)))


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_of_several_pictures_is_read_with_a_warning(form: str) -> None:
    first, second = (Image.fromarray(np.full((24, 40, 3), value, np.uint8)) for value in (40, 200))
    options = {"lossless": True} if form == "WEBP" else {}
    data = encoded(first, form, save_all=True, append_images=[second], **options)
    with pytest.warns(UserWarning, match="only the first is read"):
        assert (read_image(data) == 40).all()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "JPEG2000", "GIF", "AVIF"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_truncated_files_are_refused(form: str, share: float, tmp_path: Path) -> None:
    data = encoded(Image.fromarray(PIXELS), form)
    path = tmp_path / "cut.img"
    path.write_bytes(data[: int(len(data) * share)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(DataError, match=r"cut\.img"):
            read_image(path)


@pytest.mark.parametrize("side", [8_000, 12_000, 20_000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_the_limit_of_pixels_is_checked_before_decoding(side: int, tmp_path: Path) -> None:
    """The header announces millions of pixels and there is no data to decode."""
    path = tmp_path / "bomb.png"
    path.write_bytes(png(2, 8, np.zeros((1, 1, 3), np.uint8), side, side))
    for reader in (read_image, image_size):
        with pytest.raises(DataError, match=r"bomb\.png has .* pixels; the limit is 50 megapixels"):
            reader(path)


def test_max_pixels_is_a_limit_of_its_own() -> None:
    data = encoded(Image.fromarray(PIXELS), "PNG")
    assert read_image(data, Decoding(max_pixels=960)).shape == (24, 40, 3)
    with pytest.raises(DataError, match="has 40 x 24 pixels"):
        read_image(data, Decoding(max_pixels=959))


def test_a_limit_above_pillow_s_own_raises_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.fromarray(PIXELS), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert read_image(data, Decoding(max_pixels=1000)).shape == (24, 40, 3)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "not an image of a known format"),
        (b"GIF89a", "."),
        (b"plain text", "not an image of a known format"),
        (b"P6 2 2 255 " + bytes(12), "not an image of a known format"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC image.*convert"),
    ],
)
def test_other_formats_are_refused(data: bytes, match: str) -> None:
    with pytest.raises(DataError, match=match):
        read_image(data)


def missing(folder: Path) -> Path:
    return folder / "none.png"


def a_folder(folder: Path) -> Path:
    return folder


def a_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.png")
    return folder / "pipe.png"


@pytest.mark.parametrize(
    ("make", "match"), [(missing, "does not exist"), (a_folder, "is not a file"), (a_pipe, "is not a file")]
)
def test_what_is_no_file_is_refused(make: Callable[[Path], Path], match: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=match):
        read_image(make(tmp_path))


def test_a_raw_file_is_refused_although_its_preview_could_be_read(tmp_path: Path) -> None:
    preview = encoded(Image.fromarray(PIXELS), "TIFF")
    (tmp_path / "a.NEF").write_bytes(preview)
    dng = encoded(Image.fromarray(PIXELS), "TIFF", tiffinfo={50706: b"\1\4\0\0"})
    for source in (tmp_path / "a.NEF", dng):
        with pytest.raises(DataError, match="is a camera's raw file, which is not read here; convert it"):
            read_image(source)
    (tmp_path / "named.heic").write_bytes(encoded(Image.fromarray(PIXELS), "PNG"))
    np.testing.assert_array_equal(read_image(tmp_path / "named.heic"), PIXELS)  # the content decides


def test_names_are_shown_on_one_line(tmp_path: Path) -> None:
    assert shown("a\nb\x1b\udcff.png") == "a\\nb\\x1b\\udcff.png"
    path = tmp_path / "two\nlines.png"
    path.write_bytes(b"nothing")
    with pytest.raises(DataError) as caught:
        read_image(path)
    assert "\n" not in str(caught.value)
    assert "two\\nlines.png" in str(caught.value)


def test_the_name_of_bytes_is_the_caller_s() -> None:
    with pytest.raises(DataError, match="upload 3 is not an image"):
        read_image(b"nothing", name="upload 3")


@settings(max_examples=150)
@given(st.sampled_from(["JPEG", "PNG", "BMP", "TIFF", "WEBP", "JPEG2000", "GIF", "AVIF"]), st.data())
def test_flipped_bytes_give_pixels_or_one_sentence(form: str, data: st.DataObject) -> None:
    damaged = bytearray(ENCODED[form])
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(DataError):
            pixels = read_image(bytes(damaged), Decoding(max_pixels=1_000_000))
            assert pixels.dtype == np.uint8
            assert pixels.ndim == 3


ENCODED = {
    form: encoded(Image.fromarray(PIXELS), form, exif=exif(6))
    if form in ("JPEG", "PNG")
    else encoded(Image.fromarray(PIXELS), form)
    for form in ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "JPEG2000", "GIF", "AVIF")
}


def test_png_is_written_whole(tmp_path: Path) -> None:
    write_png(tmp_path / "new" / "a.png", PIXELS)
    np.testing.assert_array_equal(read_image(tmp_path / "new" / "a.png"), PIXELS)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.png"]

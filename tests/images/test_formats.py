"""Every kind of image file is decoded to the right RGB pixels."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from skvision import ImageDecodeError
from skvision.images import decode

RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)
LOSSLESS = ("bmp", "dib", "png", "ppm", "tiff", "webp")


@pytest.fixture
def file(tmp_path):
    """Save images as one file, the first with the others as further frames."""

    def save(name, *images, **options):
        path = tmp_path / name
        if len(images) > 1:
            options |= {"save_all": True, "append_images": images[1:]}
        images[0].save(path, **options)
        return path

    return save


def plain(colour, mode="RGB"):
    return Image.new(mode, (16, 16), colour)


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_lossless_colour(file, noise, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    path = file(f"a.{suffix}", Image.fromarray(noise[0]), **options)
    np.testing.assert_array_equal(decode(path), noise[0])


@pytest.mark.parametrize("suffix", ["bmp", "gif", "pgm", "png", "tiff"])
def test_lossless_grey(file, noise, suffix):
    grey = noise[0][..., 0]
    path = file(f"a.{suffix}", Image.fromarray(grey))
    np.testing.assert_array_equal(decode(path), np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("suffix", ["bmp", "gif", "pbm", "png", "tiff"])
def test_one_bit(file, suffix):
    image = Image.new("1", (2, 1), 0)
    image.putpixel((1, 0), 1)
    assert decode(file(f"a.{suffix}", image)).tolist() == [[[0] * 3, [255] * 3]]


@pytest.mark.parametrize("suffix", ["bmp", "gif", "png", "tiff"])
def test_palette(file, suffix):
    image = Image.new("RGB", (2, 1), RED)
    image.putpixel((1, 0), GREEN)
    path = file(f"a.{suffix}", image.quantize(4))
    with Image.open(path) as saved:
        assert saved.mode == "P"
    np.testing.assert_array_equal(decode(path), [[RED, GREEN]])


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
def test_transparency_is_composited_on_white(file, mode, suffix):
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    pixels = np.zeros((1, 3, len(mode)), np.uint8)
    pixels[0, :, -1] = [0, 128, 255]
    path = file(f"a.{suffix}", Image.fromarray(pixels), **options)
    np.testing.assert_array_equal(decode(path), [[[255] * 3, [127] * 3, [0] * 3]])


@pytest.mark.parametrize("suffix", ["gif", "png"])
def test_a_palette_with_a_transparent_colour(file, suffix):
    image = Image.new("P", (2, 1), 0)
    image.putpalette([*RED, *GREEN])
    image.putpixel((1, 0), 1)
    path = file(f"a.{suffix}", image, transparency=0)
    np.testing.assert_array_equal(decode(path), [[WHITE, GREEN]])


@pytest.mark.parametrize(
    ("mode", "see_through", "other"), [("L", 7, 9), ("1", 0, 1), ("RGB", (1, 2, 3), (4, 5, 6))]
)
def test_png_with_one_transparent_colour(file, mode, see_through, other):
    image = Image.new(mode, (2, 1), see_through)
    image.putpixel((1, 0), other)
    left, right = decode(file("a.png", image, transparency=see_through))[0].tolist()
    assert left == [255] * 3
    assert right == {"L": [9] * 3, "1": [255] * 3, "RGB": [4, 5, 6]}[mode]


def test_sixteen_bit_grey_is_rounded(file):
    deep = np.array([[0, 128, 129, 257, 65535, 32896]], np.uint16)
    pgm = b"P5 6 1 65535\n" + deep.astype(">u2").tobytes()
    for source in (*(file(name, Image.fromarray(deep)) for name in ("a.png", "a.tiff")), pgm):
        assert decode(source)[0, :, 0].tolist() == [0, 0, 1, 1, 255, 128]


def test_sixteen_bit_grey_with_a_transparent_level():
    deep = np.array([[5, 65535, 0]], np.uint16)
    assert decode(png(deep, transparent=5))[0, :, 0].tolist() == [255, 255, 0]


@pytest.mark.parametrize("n_channels", [2, 3, 4])
def test_sixteen_bit_colour_and_alpha_keep_the_upper_bits(n_channels):
    deep = np.full((1, 2, n_channels), 65535, np.uint16)
    deep[0, 0, 0] = 0x80FF
    pixels = decode(png(deep))
    assert pixels[0, 0].tolist() == ([128] * 3 if n_channels == 2 else [128, 255, 255])
    assert pixels[0, 1].tolist() == [255] * 3


def png(pixels, transparent=None):
    """Return a 16-bit PNG, made by hand, since Pillow writes only grey ones."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width = pixels.shape[:2]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[pixels.size // (height * width)]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)),
            chunk(b"tRNS", struct.pack(">H", transparent)) if transparent is not None else b"",
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        ]
    )


def test_sixteen_bit_colour_tiff():
    pixels = np.array([[[0x80FF, 65535, 0]]], "<u2")
    assert decode(tiff(pixels.tobytes())).tolist() == [[[128, 255, 0]]]


def tiff(data):
    """Return a 16-bit RGB TIFF of one pixel, made by hand, since Pillow can't write one."""
    entries = [
        (256, 3, 1, 1),  # width
        (257, 3, 1, 1),  # height
        (258, 3, 3, 8 + 2 + 9 * 12 + 4),  # bits per sample, after the entries
        (259, 3, 1, 1),  # no compression
        (262, 3, 1, 2),  # RGB
        (273, 4, 1, 8 + 2 + 9 * 12 + 4 + 6),  # place of the pixels
        (277, 3, 1, 3),  # samples per pixel
        (278, 3, 1, 1),  # rows per strip
        (279, 4, 1, len(data)),
    ]
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    bits = struct.pack("<3H", 16, 16, 16)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + bytes(4) + bits + data


def test_integers_beyond_sixteen_bits_are_refused(file):
    image = Image.fromarray(np.array([[70_000]], np.int32))
    with pytest.raises(ImageDecodeError, match=r"a.tiff: .*outside 0..65535"):
        decode(file("a.tiff", image))


def test_float_tiff_is_refused_with_advice(file):
    with pytest.raises(ImageDecodeError, match=r"a.tiff: .*value_range=\(low, high\)"):
        decode(file("a.tiff", Image.new("F", (2, 2))))


def test_grey_and_colour_jpeg(file):
    assert abs(decode(file("a.jpg", plain(100, "L"))) - np.array(100.0)).max() <= 1
    assert abs(decode(file("b.jpg", plain((200, 100, 50)))) - np.array([200.0, 100, 50])).max() <= 3


def test_cmyk_tiff_and_jpeg(file):
    for suffix in ("tiff", "jpg"):  # Pillow writes JPEGs with inverted inks, as Adobe does
        pixels = decode(file(f"a.{suffix}", plain((0, 255, 255, 0), "CMYK"), quality=100))
        assert abs(pixels - np.array([255.0, 0, 0])).max() <= 2


def test_ycck_jpeg():
    """Adobe's other CMYK, with cyan, magenta and yellow as luma and chroma."""
    inks = (200, 100, 50)
    luma_chroma = Image.new("RGB", (16, 16), inks).convert("YCbCr").getpixel((0, 0))
    buffer = io.BytesIO()
    # Pillow inverts all inks, and libjpeg reverts only these three
    plain((*(255 - value for value in luma_chroma), 0), "CMYK").save(
        buffer, "JPEG", quality=100, subsampling=0
    )
    data = bytearray(buffer.getvalue())
    marker = data.index(b"Adobe")
    assert data[marker + 11] == 0
    data[marker + 11] = 2  # "these are YCCK"
    expected = np.array([255 - ink for ink in inks], float)
    assert abs(decode(bytes(data)) - expected).max() <= 3


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tiff"])
def test_the_first_of_several_frames_is_read(file, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    path = file(f"a.{suffix}", plain(RED), plain(GREEN), **options)
    with Image.open(path) as saved:
        assert saved.n_frames == 2
    np.testing.assert_array_equal(decode(path), np.full((16, 16, 3), RED))


def test_the_first_image_of_a_stereo_jpeg_is_read(file):
    path = file("a.mpo", plain(RED), plain(GREEN), quality=100)
    with Image.open(path) as saved:
        assert (saved.format, saved.n_frames) == ("MPO", 2)
    assert abs(decode(path) - np.array([255.0, 0, 0])).max() <= 3


def test_the_content_decides_not_the_name(file, noise):
    path = file("a.png", Image.fromarray(noise[0]))
    np.testing.assert_array_equal(decode(path.rename(path.with_name("b.jpg"))), noise[0])

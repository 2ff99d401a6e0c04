from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from PIL import Image

from skvision import ImageDecodeError
from skvision.images import decode

RED, GREEN = (255, 0, 0), (0, 255, 0)


def stored(tmp_path, image, name, **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


def test_png_pixels_are_read_exactly(tmp_path, noise):
    path = stored(tmp_path, Image.fromarray(noise[0]), "a.png")
    np.testing.assert_array_equal(decode(path), noise[0])
    np.testing.assert_array_equal(decode(str(path)), noise[0])
    np.testing.assert_array_equal(decode(path.read_bytes()), noise[0])
    np.testing.assert_array_equal(decode(Image.fromarray(noise[0])), noise[0])


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [[1, 2, 3], [4, 5, 6]]),
        (2, [[3, 2, 1], [6, 5, 4]]),
        (3, [[6, 5, 4], [3, 2, 1]]),
        (4, [[4, 5, 6], [1, 2, 3]]),
        (5, [[1, 4], [2, 5], [3, 6]]),
        (6, [[4, 1], [5, 2], [6, 3]]),
        (7, [[6, 3], [5, 2], [4, 1]]),
        (8, [[3, 6], [2, 5], [1, 4]]),
    ],
)
def test_exif_orientation_is_applied(tmp_path, orientation, expected):
    image = Image.fromarray(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = stored(tmp_path, image, "turned.png", exif=exif)
    np.testing.assert_array_equal(decode(path)[:, :, 0], expected)


def test_grey_is_repeated_in_three_channels():
    np.testing.assert_array_equal(decode(Image.new("L", (2, 1), 7)), [[[7, 7, 7]] * 2])


def test_palette_becomes_rgb(tmp_path):
    image = Image.new("RGB", (2, 1), RED)
    image.putpixel((1, 0), GREEN)
    path = stored(tmp_path, image.quantize(4), "palette.png")
    assert Image.open(path).mode == "P"
    np.testing.assert_array_equal(decode(path), [[RED, GREEN]])


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_composited_on_white(mode):
    pixel = (100, 100, 100, 0) if mode == "RGBA" else (100, 0)
    half = (0, 0, 0, 128) if mode == "RGBA" else (0, 128)
    image = Image.new(mode, (2, 1), pixel)
    image.putpixel((1, 0), half)
    np.testing.assert_array_equal(decode(image), [[[255] * 3, [127] * 3]])


def test_transparent_palette_colour_becomes_white(tmp_path):
    image = Image.new("P", (2, 1), 0)
    image.putpalette([*RED, *GREEN])
    image.putpixel((1, 0), 1)
    path = stored(tmp_path, image, "a.png", transparency=0)
    np.testing.assert_array_equal(decode(path), [[[255] * 3, GREEN]])


def test_sixteen_bits_become_eight(tmp_path):
    pixels = np.array([[0, 257, 65535, 128]], np.uint16)
    path = stored(tmp_path, Image.fromarray(pixels), "deep.png")
    assert decode(path)[0, :, 0].tolist() == [0, 1, 255, 0]


def test_one_bit_and_cmyk():
    assert decode(Image.new("1", (1, 1), 1))[0, 0].tolist() == [255, 255, 255]
    assert decode(Image.new("CMYK", (1, 1), (0, 255, 255, 0)))[0, 0].tolist() == [255, 0, 0]


def jpeg_bytes(noise):
    buffer = io.BytesIO()
    Image.fromarray(np.tile(noise[0], (10, 10, 1))).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.jpg", b"", "the file is empty"),
        ("text.jpg", b"<html>not found</html>", "a web page, not an image"),
        ("truncated.jpg", None, "truncated"),
    ],
)
def test_bad_files_are_named(tmp_path, noise, name, content, reason):
    data = jpeg_bytes(noise)[:2000] if content is None else content
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ImageDecodeError, match=reason) as caught:
        decode(path)
    assert caught.value.source == str(path)
    assert str(path) in str(caught.value)


def test_missing_file_folder_and_bad_bytes(tmp_path):
    with pytest.raises(ImageDecodeError, match="no such file"):
        decode(tmp_path / "nowhere.jpg")
    with pytest.raises(ImageDecodeError, match="is a folder"):
        decode(tmp_path)
    with pytest.raises(ImageDecodeError, match=r"<3 bytes>"):
        decode(b"abc")
    with pytest.raises(ImageDecodeError, match="null"):
        decode("a\0b.jpg")


def test_float_pixels_are_refused_with_advice():
    with pytest.raises(ImageDecodeError, match="value_range"):
        decode(Image.new("F", (2, 2)))


def test_error_survives_pickling():
    error = pickle.loads(pickle.dumps(ImageDecodeError("a.jpg", "why")))
    assert (error.source, error.reason) == ("a.jpg", "why")
    assert str(error) == "cannot read the image a.jpg: why"

"""Keys are equal for equal content, everywhere, and differ if features may differ."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest
from PIL import Image

from skvision import ImageDecodeError
from skvision.images import image_key


def noise(shape=(6, 5, 3), dtype=np.uint8):
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


def test_the_key_of_a_file_is_that_of_its_content(tmp_path):
    content = bytes(range(256)) * 10_000  # more than one block
    for name in ("a.jpg", "b.png"):
        (tmp_path / name).write_bytes(content)
    keys = {
        image_key(tmp_path / "a.jpg"),
        image_key(str(tmp_path / "b.png")),
        image_key(content),
        image_key(bytearray(content)),
        image_key(memoryview(content)),
    }
    assert len(keys) == 1
    assert len(keys.pop()) == 16
    assert image_key(content) != image_key(content[:-1] + b"x")


def test_a_file_is_not_decoded(tmp_path):
    (tmp_path / "a.jpg").write_text("no image")
    assert image_key(tmp_path / "a.jpg") == image_key(b"no image")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.touch(), "empty"),
        (lambda path: path.mkdir(), "folder"),
        (lambda path: os.mkfifo(path), "pipe"),
        (lambda path: path.symlink_to("nowhere"), "link to nowhere"),
    ],
)
def test_paths_that_are_not_files_are_refused(tmp_path, make, reason):
    path = tmp_path / "cat.jpg"
    make(path)
    with pytest.raises(ImageDecodeError, match=reason) as error:
        image_key(path)
    assert error.value.source == str(path)


def test_other_types_are_refused():
    with pytest.raises(ImageDecodeError, match="empty"):
        image_key(b"")
    with pytest.raises(ImageDecodeError, match="null"):
        image_key("a\0b")
    with pytest.raises(TypeError, match="'int'"):
        image_key(5)
    with pytest.raises(ValueError, match="dtype object"):
        image_key(np.array([None]))


def test_kinds_do_not_share_keys():
    pixels = noise()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    sources = [pixels, Image.fromarray(pixels), pixels.tobytes(), buffer.getvalue()]
    assert len({image_key(source) for source in sources}) == 4


def test_arrays_differ_by_shape_type_and_numbers():
    pixels = noise((4, 4, 3))
    other = pixels.copy()
    other[3, 3, 2] ^= 1
    different = [
        pixels,
        other,
        pixels.reshape(2, 8, 3),
        pixels[..., :1],
        pixels.astype(np.int8),
        pixels.astype(np.uint16),
        pixels.astype(np.float32),
    ]
    assert len({image_key(array) for array in different}) == len(different)


def test_arrays_do_not_differ_by_their_memory_layout():
    pixels = noise((6, 5, 3), np.uint16)
    same = [
        pixels,
        np.asfortranarray(pixels),
        pixels.astype(">u2"),
        np.repeat(pixels, 2, axis=0)[::2],
    ]
    assert len({image_key(array) for array in same}) == 1


def test_opened_images_differ_by_everything_that_their_pixels_depend_on(tmp_path):
    grey = Image.fromarray(noise((6, 6)))
    palette = grey.convert("P")
    red = palette.copy()
    red.putpalette([255, 0, 0] * 256)
    see_through = palette.copy()
    see_through.info["transparency"] = 3
    turned = grey.copy()
    turned.getexif()[0x0112] = 6
    different = [
        grey,
        grey.convert("RGB"),
        palette,
        red,
        see_through,
        turned,
        grey.crop((0, 0, 6, 5)),
    ]
    assert len({image_key(image) for image in different}) == len(different)
    grey.save(tmp_path / "grey.png")
    with Image.open(tmp_path / "grey.png") as opened:
        assert image_key(opened) == image_key(grey)
        assert image_key(opened) == image_key(grey.copy())


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I", "I;16", "F"]
)
def test_opened_images_of_every_mode(mode):
    image = Image.new(mode, (3, 2))
    assert image_key(image) == image_key(image.copy())


def test_an_opened_image_that_cannot_be_read(tmp_path):
    path = tmp_path / "cat.png"
    Image.fromarray(noise((64, 64, 3))).save(path)
    path.write_bytes(path.read_bytes()[:500])
    with Image.open(path) as image, pytest.raises(ImageDecodeError, match="cat.png"):
        image_key(image)


def test_keys_are_the_same_in_every_process(elsewhere):
    code = "from tests.images.test_image_key import *\nanswer = image_key(noise()).hex()"
    assert elsewhere(code) == image_key(noise()).hex()

"""How a stored image looks, from the decoding that the network's pixels come from."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from skvision import ImageDecodeError
from skvision._sklearn.network_estimator import ReadAs
from skvision.images import data_uri, decode_resized, keep_files, look_at, look_at_file


@pytest.fixture
def sideways(tmp_path, noise):
    """A JPEG that is stored sideways: 600x400 pixels, 400x600 upright."""
    image = Image.fromarray(noise[0]).resize((600, 400))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    return str(tmp_path / "a.jpg")


def test_a_look_is_upright_and_small(sideways):
    look = look_at(sideways, 90)
    assert (look.width, look.height, look.kind) == (400, 600, "JPEG")
    assert look.small.shape == (90, 60, 3)


def test_a_small_image_is_not_enlarged(noise):
    look = look_at(Image.fromarray(noise[0]), 500)
    np.testing.assert_array_equal(look.small, noise[0])
    assert look.kind == ""


def test_looking_keeps_what_the_network_reads(sideways):
    (file,) = keep_files([sideways], ReadAs((16, 16), "crop", is_keyed=True))
    look = look_at_file(file, 90)
    kept = file.kept.pixels.take(np.array([0]))[0]
    np.testing.assert_array_equal(kept, decode_resized(sideways, (16, 16), "crop"))
    # decoded at an eighth of its size, since the network needs no more
    assert (look.width, look.height, look.small.shape) == (400, 600, (75, 50, 3))
    assert file.key is not None
    assert look_at_file(file, 0).small is None


def test_an_image_without_a_scale_has_no_look():
    look = look_at(Image.fromarray(np.full((4, 4), 7.5, np.float32)), 100)
    assert (look.width, look.small) == (4, None)


def test_an_unreadable_file(tmp_path):
    (tmp_path / "a.png").write_text("text")
    with pytest.raises(ImageDecodeError):
        look_at(tmp_path / "a.png", 100)


@pytest.mark.parametrize(("side", "kind"), [(64, "png"), (65, "jpeg")])
def test_addresses_hold_images(side, kind):
    pixels = np.full((side, side, 3), 80, np.uint8)
    head, _, data = data_uri(pixels).partition(",")
    assert head == f"data:image/{kind};base64"
    read = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    np.testing.assert_allclose(read, pixels, atol=1)

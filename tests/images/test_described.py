"""One decoding gives pixels and what the header says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import ExifTags, Image

from skvision.exceptions import ImageDecodeError
from skvision.images import decode, decode_described

SIZE = (8, 8)


def test_header_and_pixels(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = decode_described(str(tmp_path / "a.png"), SIZE)
    assert (found.width, found.height, found.format, found.mode) == (30, 20, "PNG", "RGB")
    assert np.array_equal(found.pixels, pixels)
    assert found.box is None
    assert found.camera == ""
    assert math.isnan(found.taken)


def with_exif(path, orientation=1, taken="2024:05:17 10:00:07", fraction="25"):
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Model] = "Acme", "A1\0"
    exif[ExifTags.Base.Orientation] = orientation
    photo = exif.get_ifd(ExifTags.IFD.Exif)
    photo[ExifTags.Base.DateTimeOriginal] = taken
    photo[ExifTags.Base.SubsecTimeOriginal] = fraction
    Image.effect_noise((600, 400), 50).convert("RGB").save(path, exif=exif)
    return str(path)


def test_camera_and_time(tmp_path):
    found = decode_described(with_exif(tmp_path / "a.jpg"), SIZE)
    assert found.camera == "Acme A1"
    assert found.taken % 60 == 7.25


@pytest.mark.parametrize("taken", ["0000:00:00 00:00:00", "yesterday", ""])
def test_a_time_that_is_none(tmp_path, taken):
    assert math.isnan(decode_described(with_exif(tmp_path / "a.jpg", taken=taken), SIZE).taken)


def test_large_jpegs_are_reduced_and_turned_upright(tmp_path):
    found = decode_described(with_exif(tmp_path / "a.jpg", orientation=6), SIZE)
    assert (found.width, found.height) == (400, 600)
    assert found.pixels.shape[:2] == (75, 50)


def test_floats_without_a_scale_have_their_own(tmp_path):
    numbers = np.linspace(-5, 700, 12, dtype=np.float32).reshape(3, 4)
    Image.fromarray(numbers).save(tmp_path / "a.tiff")
    with pytest.raises(ImageDecodeError):
        decode(tmp_path / "a.tiff")
    found = decode_described(tmp_path / "a.tiff", SIZE)
    assert (found.pixels.min(), found.pixels.max(), found.mode) == (0, 255, "F")


def test_an_unreadable_file_is_an_error(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(ImageDecodeError, match="empty"):
        decode_described(tmp_path / "a.jpg", SIZE)

"""The camera and the time of a photo, from its EXIF data."""

from __future__ import annotations

import io
import math

import pytest
from PIL import ExifTags, Image

from skvision import ImageDecodeError
from skvision.images import capture_of

TAGS = ExifTags.Base


def photo(kind="JPEG", make="Canon", model="EOS 5D", time="2024:05:01 12:00:07", **others):
    """Return the bytes of a photo with these tags."""
    exif = Image.Exif()
    for tag, value in ((TAGS.Make, make), (TAGS.Model, model)):
        if value:
            exif[tag] = value
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    if time:
        inner[TAGS.DateTimeOriginal] = time
    for name, value in others.items():
        inner[TAGS[name]] = value
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, kind, exif=exif)
    return file.getvalue()


#: 1 May 2024, noon and seven seconds
SEVEN = 1714564807


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_camera_and_time_are_read(kind):
    assert capture_of(photo(kind)) == ("Canon EOS 5D", SEVEN)


def test_serial_numbers_and_parts_of_seconds_count():
    found = capture_of(photo(BodySerialNumber="77", SubsecTimeOriginal="25"))
    assert found == ("Canon EOS 5D 77", SEVEN + 0.25)


@pytest.mark.parametrize("time", ["", "0000:00:00 00:00:00", "yesterday"])
def test_an_unknown_time_is_nan(time):
    found = capture_of(photo(time=time))
    assert found.camera == "Canon EOS 5D"
    assert math.isnan(found.taken)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_image_without_exif_data(kind):
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, kind)
    found = capture_of(file.getvalue())
    assert found.camera == ""
    assert math.isnan(found.taken)


def test_malformed_exif_data_say_nothing():
    data = bytearray(photo())
    place = data.index(b"Exif\0\0") + 6
    data[place + 4 : place + 8] = b"\xff" * 4  # the place of the first tag
    found = capture_of(bytes(data))
    assert found.camera == ""


def test_what_is_not_an_image_is_refused():
    with pytest.raises(ImageDecodeError):
        capture_of(b"no image")

"""`capture_of`: which camera took a photo and when, as its header says."""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from PIL import ExifTags, Image

from .opening import StoredImage, opened

__all__ = ["Capture", "capture_in", "capture_of"]


class Capture(NamedTuple):
    """The camera of a photo and its time."""

    #: maker, model and serial number; "" if unknown
    camera: str
    #: seconds since 1970 by the camera's clock; NaN if unknown
    taken: float


def capture_of(source: StoredImage) -> Capture:
    """Read the camera and the time from an image's EXIF data; its pixels aren't decoded.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview or PIL.Image.Image
        As `skvision.images.decode` takes it.

    Returns
    -------
    Capture

    Raises
    ------
    ImageDecodeError
        If it isn't an image.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images import capture_of
    >>> capture_of(Image.new("L", (40, 20)))
    Capture(camera='', taken=nan)
    """
    with opened(source) as image:
        # Pillow would decode a PNG to look for EXIF data after the pixels
        if image.format == "PNG" and "exif" not in image.info:
            return Capture("", math.nan)
        return capture_in(image)


def capture_in(image: Image.Image) -> Capture:
    """Return what the EXIF data of an opened image say."""
    tags = ExifTags.Base
    with suppress(Exception):  # malformed EXIF data may raise anything
        exif = image.getexif()
        photo = exif.get_ifd(ExifTags.IFD.Exif)
        parts = [exif.get(tags.Make), exif.get(tags.Model), photo.get(tags.BodySerialNumber)]
        camera = " ".join(str(part).strip("\0 ") for part in parts if part)
        time = photo.get(tags.DateTimeOriginal)
        return Capture(camera, _seconds(time, photo.get(tags.SubsecTimeOriginal)))
    return Capture("", math.nan)


def _seconds(text: object, fraction: object) -> float:
    with suppress(ValueError):  # cameras without a clock write zeros
        moment = datetime.strptime(str(text).strip("\0 "), "%Y:%m:%d %H:%M:%S")
        digits = str(fraction or "").strip("\0 ")
        part = float(f"0.{digits}") if digits.isdecimal() else 0.0
        return (moment - datetime(1970, 1, 1)).total_seconds() + part
    return math.nan

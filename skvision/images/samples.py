"""The numbers of images of more than 8 bits, and their values of black and white.

Files often use only a part of their bits: a camera of 12 bits writes 0..4095 into 16 bits. So
the scale follows from the depth that a file declares or, if it declares none, from its bits.

Pillow reads only the upper 8 bits of 16-bit colour. The lower bits come from a second reading
with swapped byte order.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image

from .modes import pixels_of

__all__ = ["PixelRange", "Samples", "declared", "deep_samples", "is_deep_colour"]

#: (black, white); if learnt from images, each is a tuple of one number per channel
PixelRange = tuple[Any, Any]

#: bits of integers without a standard depth: 32-bit integers count as 16 bits
_USUAL_BITS = 16


class Samples(NamedTuple):
    """The numbers of one image."""

    #: (height, width, channels): grey, RGB, or RGB and transparency
    values: np.ndarray
    #: (black, white) as the image declares; None if it doesn't, as for floats
    scale: PixelRange | None
    #: whether the smallest number is the brightest
    inverted: bool = False


def deep_samples(image: Image.Image) -> Samples | None:
    """Read an image of more than 8 bits per channel; return None if Pillow reads it as 8 bits.

    Parameters
    ----------
    image : PIL.Image.Image
        The opened image. A deep image may be unusable afterwards.

    Returns
    -------
    Samples or None
        Its numbers, as stored in the file.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images.samples import deep_samples
    >>> deep_samples(Image.new("I;16", (3, 2))).scale
    (0.0, 65535.0)
    """
    tiles = getattr(image, "tile", None)  # empty once it is loaded
    if tiles and tiles[0].codec_name.startswith("ppm"):
        return _netpbm(image, tiles[0])
    read = _reader(image, _rawmode(tiles[0]) if tiles else "")
    if read is None:
        return None
    depth, inverted = declared(image)
    values = read(image)
    if values.ndim == 2:
        values = values[..., np.newaxis]
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError("it holds NaN or infinity; replace them by numbers first")
    if image.format == "JPEG2000" and depth is not None:
        values = values >> (16 - depth)  # Pillow scales the values to 16 bits
    elif image.format == "PNG" and depth is not None and _fills_its_room(values, depth):
        depth = None
    bits = depth or (_USUAL_BITS if values.dtype.kind in "iu" else None)
    scale = None if bits is None else (0.0, 2.0**bits - 1)
    if scale is not None and isinstance(see_through := image.info.get("transparency"), int | tuple):
        values = _with_transparency(values, see_through, scale[1])
    return Samples(values, scale, inverted)


def declared(image: Image.Image) -> tuple[int | None, bool]:
    """Return the bits that an image's file declares, None if none, and whether 0 is white."""
    bits = _DECLARED_BITS.get(image.format or "", _no_bits)(image)
    tags = getattr(image, "tag_v2", {})
    return bits, tags.get(ExifTags.Base.PhotometricInterpretation) == 0


def is_deep_colour(image: Image.Image) -> bool:
    """Whether an opened image, not yet loaded, has several channels of 16 bits."""
    tiles = getattr(image, "tile", None)
    rawmode = _rawmode(tiles[0]) if tiles else ""
    return rawmode == "LA;16B" or _other_order(rawmode) is not None


def _rawmode(tile: Any) -> str:
    """Return Pillow's name of the stored form of pixels."""
    args = tile.args if isinstance(tile.args, tuple) else (tile.args,)
    return args[0] if args and isinstance(args[0], str) else ""


def _reader(image: Image.Image, rawmode: str) -> Callable[[Any], np.ndarray] | None:
    """Return the function that reads an image's numbers; None for an image of 8 bits."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return np.asarray
    if rawmode == "LA;16B":
        return _grey_and_transparency
    apart = getattr(image, "tag_v2", {}).get(ExifTags.Base.PlanarConfiguration) == 2
    return None if apart or _other_order(rawmode) is None else _sixteen_bit_colour


def _other_order(rawmode: str) -> str | None:
    """Return Pillow's name of the same 16-bit colour with swapped bytes."""
    if rawmode[:-1] not in ("RGB;16", "RGBX;16", "RGBA;16"):
        return None
    native = "B" if sys.byteorder == "little" else "L"
    return rawmode[:-1] + {"B": "L", "L": "B", "N": native}[rawmode[-1]]


def _retiled(image: Any, rawmode: str) -> np.ndarray:
    """Decode an image that isn't loaded, with another raw mode of the same length."""
    image.tile = [
        tile._replace(args=rawmode if isinstance(tile.args, str) else (rawmode, *tile.args[1:]))
        for tile in image.tile
    ]
    return pixels_of(image)


def _grey_and_transparency(image: Any) -> np.ndarray:
    both = _retiled(image, "RGBA").view(">u2")
    return both[..., [0, 0, 0, 1]].astype(np.uint16)


def _sixteen_bit_colour(image: Any) -> np.ndarray:
    file, other = image.fp, _other_order(_rawmode(image.tile[0]))
    values = pixels_of(image).astype(np.uint16)
    values <<= 8
    file.seek(0)
    values |= _retiled(type(image)(file), other or "")
    return values


def _with_transparency(values: np.ndarray, see_through: Any, opaque: float) -> np.ndarray:
    """Add a transparency channel for the one colour that is transparent."""
    hidden = (values == np.array(see_through)).all(axis=2, keepdims=True)
    colours = np.broadcast_to(values, (*values.shape[:2], 3))
    return np.concatenate([colours, np.where(hidden, 0, opaque).astype(values.dtype)], axis=2)


# the bits that a file declares


def _no_bits(image: Any) -> int | None:
    return None


def _tiff_bits(image: Any) -> int | None:
    """Return the minimum of its bits, the tags of its maximum, and OME's significant bits."""
    tags = image.tag_v2
    kind = np.max(tags.get(ExifTags.Base.SampleFormat, 1))
    signed = int(kind == 2)
    bits = [int(np.max(tags.get(ExifTags.Base.BitsPerSample, 1))) - signed] if kind < 3 else []
    # only a maximum of the form 2**n - 1 is a depth; any other is the maximum of this image
    for tag in (_MAX_SAMPLE_VALUE, _SMAX_SAMPLE_VALUE):
        largest = float(np.max(tags.get(tag, 0)))
        power = np.log2(largest + 1) if largest > 0 else 0.5
        if power.is_integer() and (power >= 8 or (kind == 3 and power == 1)):
            bits.append(int(power))
    said = re.search(r'SignificantBits="(\d{1,2})"', str(tags.get(ExifTags.Base.ImageDescription)))
    if said:
        bits.append(int(said[1]))
    fewest = min(bits, default=32)
    return fewest if 0 < fewest <= 16 else None


_MAX_SAMPLE_VALUE, _SMAX_SAMPLE_VALUE = 281, 341


def _png_bits(image: Any) -> int | None:
    """Return the bits in its sBIT chunk, which Pillow ignores."""
    file = image.fp
    if file is None:
        return None
    place = file.tell()
    file.seek(8)
    bits = None
    while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
        length = int.from_bytes(head[:4], "big")
        if head[4:] == b"sBIT" and 0 < length <= 4:
            bits = max(file.read(length))
            break
        file.seek(length + 4, os.SEEK_CUR)
    file.seek(place)
    return bits if bits is not None and 0 < bits < 16 else None


def _fills_its_room(values: np.ndarray, bits: int) -> bool:
    """Return whether numbers of fewer bits are scaled to 16 bits, as PNG requires.

    Scaled numbers that are small enough to be unscaled have zeros in their lower bits (at most
    a 1, by rounding).
    """
    lower = 2 ** (16 - bits) - 1
    colours = values[..., :3]
    return bool(colours.max() >= 2**bits or (colours & lower).max() <= 1)


def _jpeg2000_bits(image: Any) -> int | None:
    file = image.fp
    if file is None:
        return None
    place = file.tell()
    file.seek(0)
    _, marker, sizes = file.read(2**16).partition(b"\xff\x4f\xff\x51")
    file.seek(place)
    bits = (sizes[38] & 0x7F) + 1 if marker and len(sizes) > 38 else _USUAL_BITS
    return min(bits, _USUAL_BITS)


_DECLARED_BITS: dict[str, Callable[[Any], int | None]] = {
    "TIFF": _tiff_bits,
    "PNG": _png_bits,
    "JPEG2000": _jpeg2000_bits,
}


def _netpbm(image: Any, tile: Any) -> Samples | None:
    """Read PGM and PPM, which declare white; Pillow scales it to 65535, or to 255 in colour."""
    white = tile.args[-1]
    if white < 256:
        return None
    if tile.codec_name == "ppm_plain":
        if image.mode != "I":
            return None
        values = np.rint(np.asarray(image) * (white / 65535)).astype(np.uint16)
        return Samples(values[..., np.newaxis], (0.0, float(white)))
    channels = 1 if image.mode == "I" else 3
    shape = (image.height, image.width, channels)
    image.fp.seek(tile.offset)
    data = image.fp.read(2 * int(np.prod(shape)))
    if len(data) < 2 * np.prod(shape):
        raise ValueError("image file is truncated")
    values = np.frombuffer(data, ">u2").reshape(shape)
    return Samples(np.minimum(values, white).astype(np.uint16), (0.0, float(white)))

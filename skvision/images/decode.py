"""Decode images to upright RGB pixels, at full size or resized.

It is the only decoder in skvision, so training, prediction and the command line all use the
same pixels of a file.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from PIL import ExifTags, Image

from ..exceptions import shown
from .derived import DerivedImage
from .learning import Levels, levels_of
from .modes import pixels_of, to_rgb
from .opening import REDUCIBLE, ImageSource, StoredImage, check_size, opened
from .pixels import LEARNT, is_learnt, is_word, named_range, samples_to_rgb
from .resize import Box, resize_image
from .samples import Samples, deep_samples

__all__ = [
    "Look",
    "decode",
    "decode_resized",
    "examine",
    "look_at",
    "open_rgb",
    "read_levels",
    "read_samples",
]

# A JPEG that is decoded for a small target keeps this many pixels per pixel of the target
# along both axes, so that the final reduction is still antialiased.
# With 2 a usual photo for a 32x32 target is decoded at 1/2, with 1.5 at 1/4.
_SPARE = 1.5

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_UPRIGHT = 1


def decode(source: ImageSource, value_range: Any = "auto") -> np.ndarray:
    """Read one image as 8-bit RGB, at full size.

    EXIF orientation is applied; grey, palette, CMYK, 16-bit and 1-bit images are converted
    to RGB; transparency is composited on white; only the first frame of an animation and the
    first of several pages is read.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview, PIL.Image.Image or DerivedImage
        A file name, the content of a file, an opened image, or an image derived from one.
    value_range : "auto", (low, high) or None, default="auto"
        Values of black and white in images of more than 8 bits. ``"auto"`` and None: 0 and
        the maximum of the depth that the file declares (see `skvision.images.samples`), else
        of its bits. A pair is refused for images of 8 bits.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        The pixels.

    Raises
    ------
    ImageDecodeError
        If the file is missing, empty, truncated, not a regular file or not an image; if its
        header declares more than 178,956,970 pixels (`skvision.images.opening.MAX_PIXELS`,
        more if Pillow's limit was raised, fewer in formats whose decoders take more memory),
        before memory is allocated; if its numbers are outside their range.

    Notes
    -----
    16 bits are rounded to 8. Integers of 32 bits are treated as 16 bits, 0..65535; floats
    have no range of their own. An image with an invalid orientation counts as upright.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images import decode
    >>> decode(Image.new("L", (4, 2), 128)).shape
    (2, 4, 3)
    """
    if isinstance(source, DerivedImage):
        return source.apply(decode(source.source, value_range))
    with opened(source) as image:
        return pixels_of(_upright_rgb(image, image.size, value_range))


def open_rgb(source: StoredImage, value_range: Any = "auto") -> Image.Image:
    """Read one image as a PIL image of mode RGB, as `decode` does.

    The result is `source` itself if it is an upright RGB image: don't modify it.
    """
    with opened(source) as image:
        return _upright_rgb(image, image.size, value_range)


def read_samples(source: ImageSource, size: tuple[int, int], value_range: Any = "auto") -> Samples:
    """Read the numbers of one image on its own scale.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview, PIL.Image.Image or DerivedImage
        As in `decode`; for a derived image its source is read.
    size : tuple of int
        Minimum (height, width) in pixels at which a JPEG is decoded.
    value_range : "auto", "percentile", (low, high) or None, default="auto"
        A pair replaces a deep image's own scale. A pair and ``"percentile"`` are refused for
        images of 8 bits.

    Returns
    -------
    Samples
        8-bit RGB pixels, or the numbers of an image of more bits. They may not be upright.

    Raises
    ------
    ImageDecodeError
        As in `decode`.
    """
    while isinstance(source, DerivedImage):
        source = source.source
    with opened(source) as image:
        full = image.size
        if image is not source:
            _reduced(image, size)
        check_size(image, full)
        deep = deep_samples(image)
        if deep is not None:
            return deep._replace(scale=named_range(value_range) or deep.scale)
        _refuse_range_for_bytes(image, value_range)
        image.load()
        return Samples(pixels_of(to_rgb(image)), (0.0, 255.0))


def read_levels(source: StoredImage, size: tuple[int, int]) -> Levels:
    """Decode one image for its levels alone, whatever scale it has.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview or PIL.Image.Image
        As `decode` takes it.
    size : tuple of int
        (height, width) in pixels that a JPEG is decoded at least at.

    Raises
    ------
    ImageDecodeError
        As `decode` does, but for what is off its scale.
    """
    with opened(source) as image:
        full = image.size
        if image is not source:
            _reduced(image, size)
        return _levels(*_decoded(image, full))


class Look(NamedTuple):
    """How a stored image looks, for people."""

    #: its size in pixels, upright
    width: int
    height: int
    #: Pillow's name of its format, such as JPEG; empty for an opened image
    kind: str
    #: the image, reduced: (height, width, 3) of uint8; None where its scale isn't known, or if it
    #: wasn't asked for
    small: np.ndarray | None


class Examined(NamedTuple):
    """What one decoding of an image gives."""

    levels: Levels
    pixels: np.ndarray | None
    look: Look


def examine(
    source: StoredImage,
    size: tuple[int, int],
    resize: str,
    value_range: Any = "auto",
    *,
    longest: int = 0,
) -> Examined:
    """Decode one image once: for its levels, for its pixels at a size, and for people.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview or PIL.Image.Image
        As `decode` takes it.
    size : tuple of int
        (height, width) of the pixels.
    resize : {"stretch", "crop", "pad"}
        The resize policy.
    value_range : "auto", "percentile", (low, high) or None, default="auto"
        As `decode_resized` takes it; no pixels are on a scale that is still to be learnt.
    longest : int, default=0
        Maximum of the longer side of ``look.small`` in pixels; 0 for none.

    Returns
    -------
    levels : Levels
        As `read_levels` returns them.
    pixels : ndarray of shape (height, width, 3), uint8, or None
        As `decode_resized` returns them; None where it refuses the image for its scale.
    look : Look
        From the same decoding, so a JPEG that is decoded at reduced size for `size` may be
        smaller than `longest`.

    Raises
    ------
    ImageDecodeError
        As `read_levels` does.
    """
    with opened(source) as image:
        full = image.size
        box = None if image is source else _reduced(image, size)
        decoded = _decoded(image, full)
        levels = _levels(*decoded, named_range(value_range))
        try:
            rgb = _upright(image, _rgb(image, *decoded, value_range))
        except ValueError:
            return Examined(levels, None, _look(image, full, None, box, longest))
        pixels = np.asarray(resize_image(rgb, size, resize, box))
        return Examined(levels, pixels, _look(image, full, rgb, box, longest))


def look_at(source: StoredImage, longest: int, value_range: Any = "auto") -> Look:
    """Decode one image for people alone.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview or PIL.Image.Image
        As `decode` takes it.
    longest : int
        Maximum of the longer side in pixels, at least 1.
    value_range : "auto", (low, high) or None, default="auto"
        As `decode` takes it.

    Returns
    -------
    Look
        Not larger than the image itself.

    Raises
    ------
    ImageDecodeError
        As `read_levels` does.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images import look_at
    >>> look = look_at(Image.new("L", (400, 200), 128), 100)
    >>> look.width, look.height, look.small.shape
    (400, 200, (50, 100, 3))
    """
    return examine(source, (longest, longest), "stretch", value_range, longest=longest).look


def _look(
    image: Image.Image,
    full: tuple[int, int],
    rgb: Image.Image | None,
    box: Box | None,
    longest: int,
) -> Look:
    width, height = full[::-1] if _orientation(image) >= 5 else full
    small = None
    if rgb is not None and longest:
        left, top, right, bottom = box or (0, 0, *rgb.size)
        scale = min(1.0, longest / max(right - left, bottom - top))
        size = (max(1, round((bottom - top) * scale)), max(1, round((right - left) * scale)))
        small = np.asarray(resize_image(rgb, size, "stretch", box))
    return Look(width, height, image.format or "", small)


def decode_resized(
    source: ImageSource, size: tuple[int, int], resize: str, value_range: Any = "auto"
) -> np.ndarray:
    """Read one image as 8-bit RGB of a given size; faster than `decode` for JPEGs.

    A JPEG file that is at least three times as large as the target is decoded at 1/2, 1/4 or
    1/8 of its size, but at least at one and a half times the target's size along each axis;
    then it is resized with antialiasing.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview, PIL.Image.Image or DerivedImage
        As in `decode`. An opened image is not decoded at reduced size, since that would
        modify it. A derived image is computed after resizing.
    size : tuple of int
        (height, width) of the result, in pixels.
    resize : {"stretch", "crop", "pad"}
        The resize policy, as in `resize_image`.
    value_range : "auto", (low, high) or None, default="auto"
        As in `decode`.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        The pixels. For images that aren't decoded at reduced size (other formats, and JPEGs
        less than three times as large) they are exactly
        ``resize_array(decode(source), size, resize)``. For the others they differ from it by
        less than 1.2 of 255 levels on average over photos, and by less than 4 on average
        within one photo.

    Raises
    ------
    ImageDecodeError
        As in `decode`, but a JPEG that is decoded at reduced size may have 8 times as many
        pixels.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images import decode_resized
    >>> decode_resized(Image.new("L", (400, 200), 128), (32, 32), "pad").shape
    (32, 32, 3)
    """
    if isinstance(source, DerivedImage):
        return source.apply(decode_resized(source.source, size, resize, value_range))
    with opened(source) as image:
        full = image.size
        box = None if image is source else _reduced(image, size)
        return np.asarray(resize_image(_upright_rgb(image, full, value_range), size, resize, box))


def _reduced(image: Image.Image, size: tuple[int, int]) -> Box | None:
    """Set a JPEG to decode at reduced size; return the part of the result without padding.

    An image of 101 pixels is decoded at half size as 51 pixels, of which 50.5 are the image
    and the rest is padding of JPEG.
    """
    if image.format not in REDUCIBLE:
        return None
    height, width = size
    orientation = _orientation(image)
    sideways = orientation >= 5
    stored = (height, width) if sideways else (width, height)
    least = (math.ceil(stored[0] * _SPARE), math.ceil(stored[1] * _SPARE))
    draft = image.draft(None, least)
    if draft is None:
        return None
    _, (_, _, right, bottom) = draft
    # the place of the padding after the image is turned upright
    x = (image.width - right, image.width) if orientation in (2, 3, 7, 8) else (0, right)
    y = (image.height - bottom, image.height) if orientation in (3, 4, 6, 7) else (0, bottom)
    return (y[0], x[0], y[1], x[1]) if sideways else (x[0], y[0], x[1], y[1])


#: what an image of more than 8 bits holds, or an RGB image of 8 bits; the other is None
_Decoded = tuple[Samples | None, Image.Image | None]


def _decoded(image: Image.Image, full: tuple[int, int]) -> _Decoded:
    """Decode what is opened; not yet upright."""
    check_size(image, full)
    deep = deep_samples(image)
    if deep is not None:
        return deep, None
    image.load()  # some formats tell their orientation only now
    return None, to_rgb(image)


def _levels(deep: Samples | None, rgb: Image.Image | None, named: Any = None) -> Levels:
    if rgb is None:
        assert deep is not None
        return levels_of(deep._replace(scale=named or deep.scale))
    extremes: Any = rgb.getextrema()  # of each channel
    lows, highs = zip(*extremes, strict=True)
    return Levels(float(min(lows)), float(max(highs)), (0.0, 255.0))


def _rgb(
    image: Image.Image, deep: Samples | None, rgb: Image.Image | None, value_range: Any
) -> Image.Image:
    """What was decoded, on its scale; ValueError where that isn't known or is another."""
    if deep is not None:
        return Image.fromarray(samples_to_rgb(deep, value_range))
    _refuse_range_for_bytes(image, value_range)
    assert rgb is not None
    return rgb


def _upright(image: Image.Image, rgb: Image.Image) -> Image.Image:
    turn = _TURNS.get(_orientation(image))
    return rgb if turn is None else rgb.transpose(turn)


def _upright_rgb(image: Image.Image, full: tuple[int, int], value_range: Any) -> Image.Image:
    return _upright(image, _rgb(image, *_decoded(image, full), value_range))


def _refuse_range_for_bytes(image: Image.Image, value_range: Any) -> None:
    if named_range(value_range) is None and not is_word(value_range, LEARNT):
        return
    said = LEARNT if is_learnt(value_range) else value_range
    raise ValueError(
        f"value_range={shown(said)} is for images of more than 8 bits, but this one has 8 bits "
        f"(Pillow's mode {image.mode}), with black at 0 and white at 255; use "
        "value_range='auto', or pass an array"
    )


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # malformed EXIF may raise anything; the pixels aren't affected
        return _UPRIGHT
    return orientation if orientation in _TURNS else _UPRIGHT

"""Images -> RGB pixels, upright, at full size or resized.

The only decoder in skvision: training, prediction and the command line all see
the same pixels of the same file.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from ..exceptions import shown
from .derived import DerivedImage
from .modes import to_rgb
from .opening import REDUCIBLE, ImageSource, StoredImage, check_size, opened
from .pixels import LEARNT, is_learnt, is_word, named_range, samples_to_rgb
from .resize import Box, resize_image
from .samples import Samples, deep_samples

__all__ = ["decode", "decode_resized", "open_rgb", "read_samples"]

# A JPEG that is decoded for a small target keeps this many pixels for each of the
# target's, along both axes, so that the last of the shrinking is still antialiased.
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

    EXIF orientation is applied; grey, palette, CMYK, 16-bit and 1-bit images
    become RGB; transparency is composited on white; of an animation or of several
    pages the first is taken.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview, PIL.Image.Image or DerivedImage
        A file name, the content of a file, an opened image, or what is made from one.
    value_range : "auto", (low, high) or None, default="auto"
        Which numbers of an image of more than 8 bits are black and white. ``"auto"``, as None:
        0 and the largest of the depth that the file declares (`skvision.images.samples` says
        how), or else of the bits that it has room for. A pair is refused for images of 8 bits.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        The pixels.

    Raises
    ------
    ImageDecodeError
        If the file is missing, empty, truncated, not a regular file or not an
        image; if it has more than 178,956,970 pixels
        (`skvision.images.opening.MAX_PIXELS`, more where Pillow's own limit was raised), which
        the header tells, before any memory is taken; if its numbers are off their scale.

    Notes
    -----
    16 bits are rounded to 8. Integers of 32 bits are taken for 16, 0..65535; floats have no
    scale of their own. An orientation that can't be made out counts as upright.

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
        return np.asarray(_upright_rgb(image, image.size, value_range))


def open_rgb(source: StoredImage, value_range: Any = "auto") -> Image.Image:
    """Read one image as a PIL image of mode RGB; `decode` says how.

    It is `source` itself if that is an upright RGB image: don't change it.
    """
    with opened(source) as image:
        return _upright_rgb(image, image.size, value_range)


def read_samples(source: ImageSource, size: tuple[int, int], value_range: Any = "auto") -> Samples:
    """Read the numbers of one image, on its own scale.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview, PIL.Image.Image or DerivedImage
        As `decode` takes it; of what is made from an image that one is read.
    size : tuple of int
        (height, width) in pixels that a JPEG is decoded at least at.
    value_range : "auto", "percentile", (low, high) or None, default="auto"
        A pair stands in the place of a deep image's own scale; it and ``"percentile"`` are
        refused for images of 8 bits.

    Returns
    -------
    Samples
        8-bit RGB pixels, or the numbers of an image of more bits. They need not be upright.

    Raises
    ------
    ImageDecodeError
        As `decode` does.
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
        return Samples(np.asarray(to_rgb(image)), (0.0, 255.0))


def decode_resized(
    source: ImageSource, size: tuple[int, int], resize: str, value_range: Any = "auto"
) -> np.ndarray:
    """Read one image as 8-bit RGB of a given size; faster than `decode` for JPEGs.

    A JPEG file that is at least three times as large as the target is decoded at
    1/2, 1/4 or 1/8 of its size, yet never below one and a half times the target's
    along either axis; the antialiased resizing does the rest.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview, PIL.Image.Image or DerivedImage
        As `decode` takes it; an opened image is not reduced, since that would
        change it. What is made from an image is made after resizing.
    size : tuple of int
        (height, width) of the result, in pixels.
    resize : {"stretch", "crop", "pad"}
        The resize policy, as `resize_image` has it.
    value_range : "auto", (low, high) or None, default="auto"
        As `decode` takes it.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        The pixels. What was not reduced (other formats, and JPEGs less than three
        times as large) is exactly ``resize_array(decode(source), size, resize)``.
        What was reduced differs from it by less than 1.2 of 255 levels on average
        over photos, and by less than 4 on average within one.

    Raises
    ------
    ImageDecodeError
        As `decode` does; but a JPEG that is read at reduced size may have 8 times as many pixels.

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
    """Have a JPEG decoded smaller; return which part of what is decoded is the image.

    An image of 101 pixels is decoded at half size as 51 pixels, of which 50.5
    are the image: the rest is padding that JPEG needs.
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
    # the padding's place once the image is turned upright
    x = (image.width - right, image.width) if orientation in (2, 3, 7, 8) else (0, right)
    y = (image.height - bottom, image.height) if orientation in (3, 4, 6, 7) else (0, bottom)
    return (y[0], x[0], y[1], x[1]) if sideways else (x[0], y[0], x[1], y[1])


def _upright_rgb(image: Image.Image, full: tuple[int, int], value_range: Any) -> Image.Image:
    check_size(image, full)
    deep = deep_samples(image)
    if deep is not None:
        rgb = Image.fromarray(samples_to_rgb(deep, value_range))
    else:
        _refuse_range_for_bytes(image, value_range)
        image.load()  # some formats tell their orientation only now
        rgb = to_rgb(image)
    turn = _TURNS.get(_orientation(image))
    return rgb if turn is None else rgb.transpose(turn)


def _refuse_range_for_bytes(image: Image.Image, value_range: Any) -> None:
    if named_range(value_range) is None and not is_word(value_range, LEARNT):
        return
    said = LEARNT if is_learnt(value_range) else value_range
    raise ValueError(
        f"value_range={shown(said)} is for images of more than 8 bits, and this one is read as 8 "
        f"bits (Pillow's mode {image.mode}), whose black is 0 and white 255; leave "
        "value_range='auto', or pass an array"
    )


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # malformed EXIF raises anything; the pixels are none the worse for it
        return _UPRIGHT
    return orientation if orientation in _TURNS else _UPRIGHT

"""Decode an image once, for its pixels and for what its header says."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image

from .capture import capture_in
from .decode import _decoded, _orientation, _reduced, _rgb, _upright
from .opening import StoredImage, opened
from .resize import Box
from .samples import Samples

__all__ = ["Described", "decode_described"]


class Described(NamedTuple):
    """An image and what its header says."""

    #: (height, width, 3) uint8, upright; a JPEG may be decoded at reduced size
    pixels: np.ndarray
    #: the part of the pixels that isn't padding; None for all of them
    box: Box | None
    #: size in pixels, upright
    width: int
    height: int
    #: Pillow's name of the format and of the mode; the format of an opened image may be ""
    format: str
    mode: str
    #: maker, model and serial number of the camera; "" if unknown
    camera: str
    #: when the photo was taken, in seconds since 1970 by the camera's clock; NaN if unknown
    taken: float


def decode_described(source: StoredImage, size: tuple[int, int]) -> Described:
    """Decode one image as 8-bit RGB, and describe it.

    Parameters
    ----------
    source : str, path-like, bytes, bytearray, memoryview or PIL.Image.Image
        As `skvision.images.decode` takes it.
    size : tuple of int
        (height, width) in pixels that a JPEG is decoded at least at.

    Returns
    -------
    Described
        An image of more than 8 bits whose scale isn't known has its own black and white.

    Raises
    ------
    ImageDecodeError
        As `skvision.images.decode` does, but for what is off its scale.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images import decode_described
    >>> found = decode_described(Image.new("L", (40, 20), 128), (8, 8))
    >>> found.width, found.height, found.mode
    (40, 20, 'L')
    """
    with opened(source) as image:
        full, kind, mode = image.size, image.format or "", image.mode
        box = None if image is source else _reduced(image, size)
        deep, rgb = _decoded(image, full)
        capture = capture_in(image)
        try:
            pixels = _rgb(image, deep, rgb, "auto")
        except ValueError:
            pixels = _own_scale(deep)
        if _orientation(image) >= 5:  # it lies on its side
            full = full[1], full[0]
        upright = np.asarray(_upright(image, pixels))
        return Described(upright, box, *full, kind, mode, *capture)


def _own_scale(deep: Samples | None) -> Image.Image:
    assert deep is not None  # images of 8 bits have a scale
    values = deep.values[..., :3].astype(np.float64)
    low, high = values.min(), values.max()
    levels = ((values - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)
    return Image.fromarray(np.repeat(levels, 3, axis=2) if levels.shape[2] == 1 else levels)

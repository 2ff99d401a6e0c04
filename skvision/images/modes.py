"""Convert PIL images of 8 bits per channel and any mode to RGB and to arrays.

Large images are converted a few rows at a time: Pillow's own conversions copy whole images.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["pixels_of", "to_rgb"]

# pixels that are converted at a time
_AT_A_TIME = 2**18


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert a PIL image of 8 bits per channel to RGB, with transparency composited on white.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images.modes import to_rgb
    >>> to_rgb(Image.new("LA", (1, 1), (0, 128))).getpixel((0, 0))
    (127, 127, 127)
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        image.load()
        return image
    image.load()
    step = _rows_at_a_time(image)
    if image.height <= step:
        return _part_to_rgb(image)
    rgb = Image.new("RGB", image.size)
    for top in range(0, image.height, step):
        rgb.paste(_part_to_rgb(_rows(image, top, step)), (0, top))
    return rgb


def _part_to_rgb(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def pixels_of(image: Image.Image) -> np.ndarray:
    """Return an image's pixels as an array.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images.modes import pixels_of
    >>> pixels_of(Image.new("RGB", (3, 2))).shape
    (2, 3, 3)
    """
    image.load()
    step = _rows_at_a_time(image)
    if image.height <= step:
        return np.asarray(image)
    first = np.asarray(_rows(image, 0, 1))
    pixels = np.empty((image.height, *first.shape[1:]), first.dtype)
    for top in range(0, image.height, step):
        pixels[top : top + step] = np.asarray(_rows(image, top, step))
    return pixels


def _rows_at_a_time(image: Image.Image) -> int:
    return max(1, _AT_A_TIME // max(1, image.width))


def _rows(image: Image.Image, top: int, step: int) -> Image.Image:
    return image.crop((0, top, image.width, min(top + step, image.height)))

"""A PIL image of any mode -> RGB."""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["to_rgb"]

_SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L", "I;16N")


def to_rgb(image: Image.Image) -> Image.Image:
    """Turn a PIL image of any mode into RGB, transparency composited on white.

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
    if image.mode in _SIXTEEN_BITS:
        return _sixteen_bits_to_rgb(image)
    if image.mode == "F":
        raise ValueError(
            "it holds floating-point pixels, which have no agreed range; "
            "read it into an array and pass that with value_range=(low, high)"
        )
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def _sixteen_bits_to_rgb(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image)
    if pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError("it holds integer pixels outside 0..65535")
    # A pixel p becomes p / 257 to the nearest, which takes 0..65535 evenly to 0..255.
    grey = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    transparent = image.info.get("transparency")  # the one grey level that is see-through
    if isinstance(transparent, int):
        grey[pixels == transparent] = 255
    return Image.fromarray(grey).convert("RGB")

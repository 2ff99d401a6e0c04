"""Convert PIL images of 8 bits per channel and any mode to RGB."""

from __future__ import annotations

from PIL import Image

__all__ = ["to_rgb"]


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
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")

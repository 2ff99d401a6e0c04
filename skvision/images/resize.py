"""Resizing: bilinear, antialiased, by Pillow."""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["RESIZE_POLICIES", "Box", "resize_array", "resize_image"]

#: (left, top, right, bottom) in pixels, which may be fractions
Box = tuple[float, float, float, float]

RESIZE_POLICIES = ("stretch", "crop", "pad")
_FILTER = Image.Resampling.BILINEAR  # Pillow widens the filter when shrinking: antialiased


def resize_image(
    image: Image.Image, size: tuple[int, int], resize: str, box: Box | None = None
) -> Image.Image:
    """Resize a PIL image to `size`.

    Parameters
    ----------
    image : PIL.Image.Image
        The image, of mode RGB, L or F.
    size : tuple of int
        (height, width) of the result, in pixels.
    resize : {"stretch", "crop", "pad"}
        ``"stretch"`` ignores the aspect ratio; ``"crop"`` keeps it and cuts off the
        excess, evenly on both sides; ``"pad"`` keeps it and adds black, evenly on
        both sides.
    box : tuple of float, default=None
        (left, top, right, bottom) of the part of `image` to use; None for all of it.

    Returns
    -------
    PIL.Image.Image
        The resized image; `image` itself if it has that size already.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images import resize_image
    >>> resize_image(Image.new("RGB", (100, 50)), (32, 32), "crop").size
    (32, 32)
    """
    height, width = size
    left, top, right, bottom = box or (0, 0, *image.size)
    if (left, top, right, bottom) == (0, 0, width, height) and image.size == (width, height):
        return image
    if resize == "stretch":
        return image.resize((width, height), _FILTER, box=(left, top, right, bottom))
    if resize == "crop":
        # the largest centred part with the target's aspect ratio
        scale = min((right - left) / width, (bottom - top) / height)
        # rounding may give -1e-15, which Pillow refuses
        overhang_x = max(0.0, (right - left - width * scale) / 2)
        overhang_y = max(0.0, (bottom - top - height * scale) / 2)
        middle = (left + overhang_x, top + overhang_y, right - overhang_x, bottom - overhang_y)
        return image.resize((width, height), _FILTER, box=middle)
    scale = min(width / (right - left), height / (bottom - top))
    inner_width = max(1, round((right - left) * scale))
    inner_height = max(1, round((bottom - top) * scale))
    inner = image.resize((inner_width, inner_height), _FILTER, box=(left, top, right, bottom))
    padded = Image.new(image.mode, (width, height))
    padded.paste(inner, ((width - inner_width) // 2, (height - inner_height) // 2))
    return padded


def resize_array(image: np.ndarray, size: tuple[int, int], resize: str) -> np.ndarray:
    """Resize an array (height, width, channels) of uint8 or float32 to `size`.

    RGB bytes are resized as an image; other channels are resized one by one as 32-bit floats,
    so that data that aren't images keep their precision.
    """
    if image.shape[:2] == tuple(size):
        return image
    if image.dtype == np.uint8 and image.shape[2] == 3:
        return np.asarray(resize_image(Image.fromarray(image), size, resize))
    channels = [
        np.asarray(resize_image(Image.fromarray(image[:, :, c].astype(np.float32)), size, resize))
        for c in range(image.shape[2])
    ]
    return np.stack(channels, axis=2)

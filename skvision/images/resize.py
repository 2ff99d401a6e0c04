"""The one resize policy: bilinear, antialiased, by Pillow."""

from __future__ import annotations

import numpy as np
from PIL import Image

__all__ = ["RESIZE_POLICIES", "resize_array", "resize_image"]

RESIZE_POLICIES = ("stretch", "crop", "pad")
_FILTER = Image.Resampling.BILINEAR  # Pillow widens the filter when shrinking: antialiased


def resize_image(image: Image.Image, size: tuple[int, int], resize: str) -> Image.Image:
    """Bring a PIL image to `size`.

    Parameters
    ----------
    image : PIL.Image.Image
        The picture, of mode RGB, L or F.
    size : tuple of int
        (height, width) of the result, in pixels.
    resize : {"stretch", "crop", "pad"}
        ``"stretch"`` ignores the aspect ratio; ``"crop"`` keeps it and cuts off
        what overhangs, evenly on both sides; ``"pad"`` keeps it and fills up
        with black, evenly on both sides.

    Returns
    -------
    PIL.Image.Image
        The resized picture; `image` itself where it has that size already.

    Examples
    --------
    >>> from PIL import Image
    >>> from skvision.images import resize_image
    >>> resize_image(Image.new("RGB", (100, 50)), (32, 32), "crop").size
    (32, 32)
    """
    height, width = size
    if image.size == (width, height):
        return image
    if resize == "stretch":
        return image.resize((width, height), _FILTER)
    if resize == "crop":
        return image.resize((width, height), _FILTER, box=_crop_box(image.size, width, height))
    scale = min(width / image.width, height / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    padded = Image.new(image.mode, (width, height))
    padded.paste(image.resize(inner, _FILTER), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return padded


def _crop_box(
    image_size: tuple[int, int], width: int, height: int
) -> tuple[float, float, float, float]:
    """The largest box of the target's aspect ratio in the middle of the picture."""
    image_width, image_height = image_size
    scale = min(image_width / width, image_height / height)
    left = (image_width - width * scale) / 2
    top = (image_height - height * scale) / 2
    return left, top, left + width * scale, top + height * scale


def resize_array(image: np.ndarray, size: tuple[int, int], resize: str) -> np.ndarray:
    """Bring an array (height, width, channels) of uint8 or float32 to `size`.

    RGB bytes go through Pillow as a picture does; other channels one by one as
    32-bit floats, so that data which are no pictures keep their precision.
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

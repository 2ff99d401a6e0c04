"""Images with their heat maps over them, as pixels; no matplotlib is needed."""

from __future__ import annotations

import cv2
import numpy as np

from .controls import HIDDEN_SHARE, hottest

__all__ = ["COLOR_MAP", "enlarged", "overlaid"]

#: matplotlib's name of the colours: evenly brighter from 0 to 1, so also readable in grey
COLOR_MAP = "inferno"
_COLORS = cv2.COLORMAP_INFERNO

# share of the image's own brightness in the overlay
_IMAGE = 0.45

# minimum side of an overlay in pixels, so that small images can be recognised
_SMALLEST = 224


def overlaid(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return images in grey under their heat maps, with an outline of the hottest tenth.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, 3), uint8
        RGB images.
    maps : ndarray of shape (n, height, width), float32
        Heat maps from 0 to 1.

    Returns
    -------
    ndarray of shape (n, larger_height, larger_width, 3), uint8
        Enlarged by a whole number if a side is shorter than 224 pixels. The outline is white
        with a black rim; a map that is 0 everywhere has none.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.overlays import overlaid
    >>> overlaid(np.zeros((2, 32, 32, 3), np.uint8), np.zeros((2, 32, 32), np.float32)).shape
    (2, 224, 224, 3)
    """
    return np.stack([_overlaid(image, each) for image, each in zip(images, maps, strict=True)])


def enlarged(image: np.ndarray) -> np.ndarray:
    """Return an image with sides of at least 224 pixels, each pixel repeated evenly.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.overlays import enlarged
    >>> enlarged(np.zeros((100, 150, 3), np.uint8)).shape
    (300, 450, 3)
    """
    times = -(-_SMALLEST // min(image.shape[:2]))
    return image.repeat(times, axis=0).repeat(times, axis=1)


def _overlaid(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    grey = enlarged(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY))
    size = grey.shape[1], grey.shape[0]
    smooth = cv2.resize(heat, size, interpolation=cv2.INTER_LINEAR)
    levels = np.rint(smooth.clip(0, 1) * 255).astype(np.uint8)
    colors = cv2.applyColorMap(levels, _COLORS)[:, :, ::-1]
    mixed = _IMAGE * grey[..., np.newaxis].astype(np.float32) + (1 - _IMAGE) * colors
    result = np.ascontiguousarray(np.rint(mixed).clip(0, 255).astype(np.uint8))
    if heat.max() > 0:
        marked = hottest(smooth[np.newaxis], HIDDEN_SHARE)[0].astype(np.uint8)
        outlines, _ = cv2.findContours(marked, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        width = max(1, round(min(size) / 150))
        cv2.drawContours(result, outlines, -1, (0, 0, 0), 3 * width)
        cv2.drawContours(result, outlines, -1, (255, 255, 255), width)
    return result

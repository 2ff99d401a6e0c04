"""Pixel numbers of any type -> 8-bit pixels; pure array functions.

An array of pixels means nothing without its scale: 0.5 may be mid-grey or
almost black. The scale follows from the dtype (scikit-image's convention) or is
told by ``value_range``; it is never guessed from the values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from .modes import to_rgb

__all__ = ["PixelRange", "check_pixels", "pixel_range_of", "to_uint8", "to_uint8_rgb"]

PixelRange = tuple[float, float]

# How many pictures are looked at a time, so that a memory-mapped array stays on disk.
_CHUNK = 256


def pixel_range_of(dtype: np.dtype[Any], value_range: Any) -> PixelRange | None:
    """Return (black, white) of an array of pixels.

    Parameters
    ----------
    dtype : numpy.dtype
        The array's type.
    value_range : "auto", (low, high) or None
        As the estimators take it.

    Returns
    -------
    tuple of float or None
        None where the numbers are to be taken as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images.pixels import pixel_range_of
    >>> pixel_range_of(np.dtype("uint16"), "auto")
    (0.0, 65535.0)
    """
    if value_range is None:
        return None
    if isinstance(value_range, str):
        if value_range != "auto":
            raise ValueError(
                f"value_range must be 'auto', a pair (low, high) or None. Received: {value_range!r}"
            )
        if dtype == np.uint16:
            return 0.0, 65535.0
        return (0.0, 255.0) if dtype.kind in "iu" else (0.0, 1.0)
    try:
        low, high = (float(bound) for bound in value_range)
    except (TypeError, ValueError):
        low = high = np.nan
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(
            "value_range must be 'auto', a pair (low, high) of finite numbers with low < high, "
            f"or None. Received: {value_range!r}"
        )
    return low, high


def check_pixels(pixels: np.ndarray, pixel_range: PixelRange | None) -> None:
    """Raise ValueError unless all numbers are finite and within `pixel_range`."""
    if pixels.dtype == np.uint8 and pixel_range in (None, (0.0, 255.0)):
        return
    low, high = np.inf, -np.inf
    for chunk in _chunks(pixels):
        if chunk.dtype.kind == "f" and not np.isfinite(chunk).all():
            raise ValueError(
                "Input X contains NaN or infinity. Pixels must be finite numbers: "
                "replace the missing ones, or leave those pictures out."
            )
        low, high = min(low, float(chunk.min())), max(high, float(chunk.max()))
    if pixel_range is None:
        # networks compute in 32 bits
        largest = float(np.finfo(np.float32).max)
        if not (-largest <= low and high <= largest):
            raise ValueError(
                f"Input X holds numbers from {low:g} to {high:g}; those beyond {largest:g} do not "
                "fit into 32-bit floats. Scale X first."
            )
    elif not (pixel_range[0] <= low and high <= pixel_range[1]):
        raise ValueError(_out_of_range(pixels.dtype, low, high, pixel_range))


def _chunks(pixels: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(pixels), _CHUNK):
        yield pixels[start : start + _CHUNK]


def _out_of_range(dtype: np.dtype[Any], low: float, high: float, expected: PixelRange) -> str:
    return (
        f"Received {dtype} pixels from {low:g} to {high:g}; accepted are {dtype} pixels from "
        f"{expected[0]:g} to {expected[1]:g}. Nothing is rescaled silently: pass "
        "X.astype('uint8') if they are bytes, or value_range=(black, white), say "
        "value_range=(0, 255), to tell their scale (value_range=None takes any numbers as "
        "they are)."
    )


def to_uint8(pixels: np.ndarray, pixel_range: PixelRange) -> np.ndarray:
    """Map `pixel_range` linearly to 0..255, rounding to the nearest.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images.pixels import to_uint8
    >>> to_uint8(np.array([0.0, 0.5, 1.0]), (0.0, 1.0))
    array([  0, 128, 255], dtype=uint8)
    """
    if pixels.dtype == np.uint8 and pixel_range == (0.0, 255.0):
        return pixels
    low, high = pixel_range
    # + 0.5 and floor: halves go up, whereas rint would send every second one down
    scaled = (pixels.astype(np.float64) - low) * (255.0 / (high - low)) + 0.5
    return np.floor(scaled).astype(np.uint8)


def to_uint8_rgb(pixels: np.ndarray, pixel_range: PixelRange) -> np.ndarray:
    """Turn pictures (n, height, width, 1, 3 or 4 channels) into 8-bit RGB ones.

    Grey is repeated in the three channels; a fourth channel is transparency,
    composited on white exactly as for a file.
    """
    pixels = to_uint8(pixels, pixel_range)
    channels = pixels.shape[-1]
    if channels == 3:
        return pixels
    if channels == 1:
        return np.repeat(pixels, 3, axis=-1)
    flat = [np.asarray(to_rgb(Image.fromarray(np.ascontiguousarray(p)))) for p in pixels]
    return np.stack(flat) if flat else np.empty((*pixels.shape[:-1], 3), np.uint8)

"""Convert pixels of any type to 8 bits; pure functions of arrays.

Pixels are ambiguous without their scale: 0.5 may be mid-grey or almost black. The scale
follows from the dtype (scikit-image's convention) or from ``value_range``; it is never guessed
from the values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from ..exceptions import shown
from .modes import to_rgb
from .samples import PixelRange, Samples

__all__ = [
    "LEARNT",
    "PixelRange",
    "check_pixels",
    "is_learnt",
    "is_word",
    "named_range",
    "outer_range",
    "pixel_range_of",
    "samples_to_rgb",
    "to_uint8",
    "to_uint8_rgb",
]

#: the value of `value_range` for a learnt range
LEARNT = "percentile"

# Number of values that are processed at a time, so that a memory-mapped array stays on disk, and
# temporary 64-bit floats need little memory.
_CHUNK = 2**20


def named_range(value_range: Any) -> PixelRange | None:
    """Return the (black, white) of a pair in `value_range`; None for a text or None.

    Raises
    ------
    ValueError
        If it is not an accepted value.

    Examples
    --------
    >>> from skvision.images.pixels import named_range
    >>> named_range((0, 4095)), named_range("auto")
    ((0.0, 4095.0), None)
    """
    if value_range is None or is_word(value_range, "auto") or is_word(value_range, LEARNT):
        return None
    try:
        low, high = value_range if is_learnt(value_range) else map(float, value_range)
        sound = bool(np.isfinite([low, high]).all() and np.less(low, high).all())
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise ValueError(
            "value_range must be 'auto', 'percentile', a pair (low, high) of finite numbers with "
            f"low < high, or None. Received: {shown(value_range)}"
        )
    return low, high


def is_word(value_range: Any, word: str) -> bool:
    """Return whether `value_range` is this text; other types may not compare to a text."""
    return isinstance(value_range, str) and value_range == word


def is_learnt(value_range: Any) -> bool:
    """Return whether a range was learnt from images: it has a tuple of numbers for each end."""
    return (
        isinstance(value_range, tuple)
        and len(value_range) == 2
        and all(isinstance(end, tuple) for end in value_range)
    )


def outer_range(pixel_range: PixelRange | None) -> PixelRange | None:
    """Return one range for all channels: the widest of a learnt range."""
    if pixel_range is None or not is_learnt(pixel_range):
        return pixel_range
    return min(pixel_range[0]), max(pixel_range[1])


def pixel_range_of(dtype: np.dtype[Any], value_range: Any) -> PixelRange | None:
    """Return (black, white) of an array of pixels.

    Parameters
    ----------
    dtype : numpy.dtype
        The array's type.
    value_range : "auto", "percentile", (low, high) or None
        As in the estimators. "percentile" is treated as "auto", since its range isn't known
        here.

    Returns
    -------
    tuple of float or None
        None if the numbers have no scale.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images.pixels import pixel_range_of
    >>> pixel_range_of(np.dtype("uint16"), "auto")
    (0.0, 65535.0)
    """
    named = named_range(value_range)
    if named is not None or value_range is None:
        return named
    if dtype == np.uint16:
        return 0.0, 65535.0
    return (0.0, 255.0) if dtype.kind in "iu" else (0.0, 1.0)


def check_pixels(pixels: np.ndarray, pixel_range: PixelRange | None) -> None:
    """Raise ValueError if a number isn't finite or is outside `pixel_range`.

    Numbers may be outside a learnt range.
    """
    if pixels.dtype == np.uint8 and pixel_range in (None, (0.0, 255.0)):
        return
    low, high = np.inf, -np.inf
    for chunk in _chunks(pixels):
        if chunk.dtype.kind == "f" and not np.isfinite(chunk).all():
            raise ValueError(
                "Input X contains NaN or infinity. Pixels must be finite numbers: "
                "replace the missing ones, or leave those images out."
            )
        low, high = min(low, float(chunk.min())), max(high, float(chunk.max()))
    if pixel_range is None:
        # networks compute with 32 bits
        largest = float(np.finfo(np.float32).max)
        if not (-largest <= low and high <= largest):
            raise ValueError(
                f"Input X holds numbers from {low:g} to {high:g}; those beyond {largest:g} do not "
                "fit into 32-bit floats. Scale X first."
            )
    elif not is_learnt(pixel_range) and not (pixel_range[0] <= low and high <= pixel_range[1]):
        raise ValueError(_out_of_range(pixels.dtype, low, high, pixel_range))


def _chunks(pixels: np.ndarray) -> Iterator[np.ndarray]:
    step = max(1, _CHUNK * len(pixels) // max(1, pixels.size))
    for start in range(0, len(pixels), step):
        yield pixels[start : start + step]


def _out_of_range(dtype: np.dtype[Any], low: float, high: float, expected: PixelRange) -> str:
    return (
        f"Received {dtype} pixels from {low:g} to {high:g}; accepted are {dtype} pixels from "
        f"{expected[0]:g} to {expected[1]:g}. Nothing is rescaled silently: pass "
        "X.astype('uint8') if they are bytes, or value_range=(black, white), for example "
        "value_range=(0, 255), to set their scale (value_range=None passes any numbers "
        "unchanged)."
    )


def to_uint8(pixels: np.ndarray, pixel_range: PixelRange) -> np.ndarray:
    """Map `pixel_range` linearly to 0..255, rounding to the nearest, and clip.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images.pixels import to_uint8
    >>> to_uint8(np.array([0.0, 0.5, 1.0]), (0.0, 1.0))
    array([  0, 128, 255], dtype=uint8)
    """
    if pixels.dtype == np.uint8 and pixel_range == (0.0, 255.0):
        return pixels
    low, high = (np.asarray(end, np.float64) for end in pixel_range)
    # + 0.5 and floor round all halves up, while rint rounds every second one down
    parts = [
        np.floor((part.astype(np.float64) - low) * (255.0 / (high - low)) + 0.5)
        .clip(0, 255)
        .astype(np.uint8)
        for part in _chunks(pixels)
    ]
    return np.concatenate(parts) if parts else np.empty(pixels.shape, np.uint8)


def to_uint8_rgb(pixels: np.ndarray, pixel_range: PixelRange) -> np.ndarray:
    """Convert images (n, height, width, 1, 3 or 4 channels) to 8-bit RGB.

    Grey is repeated in three channels; a fourth channel is transparency, which is composited on
    white exactly as for a file.
    """
    colours = pixels[..., :3]
    mapped = to_uint8(colours, pixel_range)
    if pixels.shape[-1] < 4:
        return mapped if mapped.shape[-1] == 3 else np.repeat(mapped, 3, axis=-1)
    if is_learnt(pixel_range):  # learnt from colours; transparency has the scale of its type
        pixel_range = pixel_range_of(pixels.dtype, "auto") or (0.0, 1.0)
    return _on_white(mapped, to_uint8(pixels[..., 3:], pixel_range))


def _on_white(colours: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """Composite 8-bit RGB images (n, height, width, 3) on white, exactly as Pillow does."""
    four = np.concatenate([colours, opacity], axis=-1)
    flat = [np.asarray(to_rgb(Image.fromarray(each))) for each in four]
    return np.stack(flat) if flat else np.empty(colours.shape, np.uint8)


def samples_to_rgb(samples: Samples, value_range: Any = "auto") -> np.ndarray:
    """Convert the numbers of a deep image to 8-bit RGB, (height, width, 3).

    Parameters
    ----------
    samples : Samples
        The image.
    value_range : "auto", (low, high) or None, default="auto"
        As in the estimators, or a learnt range. Without a range the image's own scale is used.

    Raises
    ------
    ValueError
        If the image holds numbers outside its scale, or has no scale.
    """
    named = named_range(value_range)
    scale = named or samples.scale
    if scale is None:
        raise ValueError(
            "it holds floating-point pixels, which have no standard range; pass their range by "
            "value_range=(low, high), or learn it by value_range='percentile'"
        )
    colours = samples.values[..., :3]
    low, high = colours.min(), colours.max()
    if not is_learnt(scale) and not scale[0] <= low <= high <= scale[1]:
        held = f"it holds numbers from {low:g} to {high:g}, outside {scale[0]:g}..{scale[1]:g}"
        raise ValueError(
            f"{held}; pass their scale by value_range=(low, high)"
            if named is None
            else f"{held}, which is value_range; pass a wider one, or value_range='percentile', "
            "which clips"
        )
    rgb = to_uint8(colours, scale)
    if samples.inverted:
        np.subtract(255, rgb, out=rgb)
    if rgb.shape[2] == 1:
        rgb = np.repeat(rgb, 3, axis=2)
    if samples.values.shape[2] == 4 and samples.scale is not None:
        opacity = to_uint8(samples.values[..., 3:], samples.scale)
        rgb = _on_white(rgb[np.newaxis], opacity[np.newaxis])[0]
    return rgb

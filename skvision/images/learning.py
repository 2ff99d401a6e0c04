"""Learn the range of a set of images by percentiles, and warn if its scale looks wrong."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .._system.threads import thread_limit
from ..exceptions import ImageDecodeError, PixelRangeWarning
from .pixels import LEARNT, to_uint8
from .samples import PixelRange, Samples

if TYPE_CHECKING:
    from .batch import ImageBatch

__all__ = ["Levels", "is_narrow", "learnt_range", "levels_of", "sampled_levels", "warn_of_range"]

_PERCENTILES = (0.1, 99.9)

# Maximum of numbers per channel that are kept, evenly spread over all images: 24 MiB of 64-bit
# floats for colour images.
_KEPT = 2**20

# shares of a scale: 14 of 16 bits; and a small share even for 8 bits
_QUARTER, _FEW = 0.25, 16 / 255
_BYTES = 255


def learnt_range(images: ImageBatch) -> PixelRange:
    """Learn the range of a batch: the 0.1 and 99.9 percentiles of each channel over all images.

    Parameters
    ----------
    images : ImageBatch
        The images; each is read once.

    Returns
    -------
    tuple of tuple of float
        (blacks, whites): one of each if all images are grey, else three of each.

    Raises
    ------
    ImageDecodeError
        If a file can't be read, or has 8 bits per channel, whose range is known.
    ValueError
        If nearly all numbers are the same.

    Notes
    -----
    The percentiles are exact for at most a million numbers per channel in all images together.
    For more, they use every second or third (and so on) number of each image.
    """
    most = max(1, _KEPT // len(images))

    def taken(index: int) -> np.ndarray:
        values = images.samples(index).values
        colours = values.reshape(-1, values.shape[-1])[:, :3]
        return colours[:: -(-len(colours) // most)].astype(np.float64)

    with ThreadPoolExecutor(thread_limit()) as pool:
        parts = list(pool.map(taken, range(len(images))))
    n_channels = max(part.shape[1] for part in parts)
    numbers = np.concatenate([np.broadcast_to(part, (len(part), n_channels)) for part in parts])
    low, high = np.percentile(numbers, _PERCENTILES, axis=0)
    if (low == high).all():
        raise ValueError(
            f"value_range={LEARNT!r} finds no range: nearly all numbers in X are {low[0]:g}. Pass "
            "value_range=(low, high)."
        )
    # an empty channel stays black
    return tuple(low.tolist()), tuple(np.where(low == high, low + 1, high).tolist())


class Levels(NamedTuple):
    """The smallest and the largest number of an image, and its (black, white)."""

    low: float
    high: float
    scale: PixelRange | None


def levels_of(samples: Samples) -> Levels:
    """Return the levels of an image's colours.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.images.learning import levels_of
    >>> from skvision.images.samples import Samples
    >>> levels_of(Samples(np.array([[[3], [9]]], "uint8"), (0.0, 255.0)))[:2]
    (3.0, 9.0)
    """
    colours = samples.values[..., :3]
    return Levels(float(colours.min()), float(colours.max()), samples.scale)


def is_narrow(levels: Levels) -> bool:
    """Whether levels use so small a part of their scale that this is warned of."""
    black, white = levels.scale or (0.0, np.inf)
    few = _QUARTER if white > _BYTES else _FEW
    return bool(levels.high - levels.low <= few * (white - black))


def warn_of_range(levels: Iterable[Levels]) -> None:
    """Warn if all images together use a small part of their scale, or have no scale.

    Parameters
    ----------
    levels : iterable of Levels
        Levels of each image. The function stops reading once it finds enough contrast.

    Warns
    -----
    PixelRangeWarning
        If their numbers lie within a quarter of a scale of more than 8 bits, are at most 16 of
        255 levels apart, or lie outside their scale.
    """
    low, high = np.inf, -np.inf
    black, white = 0.0, 255.0
    for each in levels:
        low, high = min(low, each.low), max(high, each.high)
        if each.scale is None or each.low < each.scale[0] or each.high > each.scale[1]:
            said = f"numbers from {low:g} to {high:g}, whose scale can't be guessed"
            break
        black, white = each.scale
        if not is_narrow(Levels(low, high, each.scale)):
            return
    else:
        if low > high:  # there are none
            return
        first, last = to_uint8(np.array([low, high]), (black, white)).tolist()
        said = (
            f"numbers from {low:g} to {high:g}, on a scale of {black:g}..{white:g}: "
            f"{last - first + 1} of the 256 grey levels that a network sees"
        )
    cure = (
        "Bytes divided by 255 and cast to bytes, (X / 255).astype('uint8'), are nearly all 0: "
        "pass the original bytes, or floats 0..1."
        if white <= _BYTES and high <= _BYTES
        else f"Pass the range of the camera, for example value_range={_range_of(high)}, or learn "
        f"it by value_range={LEARNT!r}."
    )
    warnings.warn(f"The training images hold {said}. {cure}", PixelRangeWarning)


def _range_of(high: float) -> tuple[int, int]:
    """Return the range of the fewest bits, at least 8, that can hold a number."""
    return 0, int(2 ** max(8, np.ceil(np.log2(max(high, 0) + 1)))) - 1


def sampled_levels(images: ImageBatch) -> Iterator[Levels]:
    """Yield the levels of a batch, in threads and in growing groups of images.

    It stops at an image that can't be read or has no scale; the code that needs its pixels
    raises the error.
    """

    def look(index: int) -> Levels:
        return images.levels(index)

    first, step = 0, 1
    with ThreadPoolExecutor(thread_limit()) as pool:
        while first < len(images):
            try:
                several = list(pool.map(look, range(first, min(first + step, len(images)))))
            except ImageDecodeError:
                return
            if any(each.scale is None for each in several):
                return
            yield from several
            first, step = first + step, min(2 * step, 64)

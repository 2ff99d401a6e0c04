"""Turn random numbers into draws, the augmentation of each image.

The random numbers of an image depend only on a seed and on the image's number, so a draw
doesn't depend on the other images, their order or the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .operations import neutral_draws

__all__ = ["Interval", "Ranges", "Shift", "draw_parameters", "uniform_numbers"]

#: (lowest, highest)
Interval = tuple[float, float]

# the constants of SplitMix64
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST_SHIFT = np.uint64(31)
# random numbers per image; the used ones come first, so that more can be added
_RESERVED = 32

# aspect ratios of patches: from three times as high as wide to three times as wide as high
_ASPECT = 3.0


@dataclass(frozen=True)
class Shift:
    """The range of shifts along one axis.

    Parameters
    ----------
    largest : float, default=0.0
        The shift is uniform between -largest and largest. Ignored if `choices` is set.
    pixels : bool, default=False
        Whether the shift is in pixels rather than a share of the image's side.
    choices : tuple of float, default=()
        The shift is one of these values, with either sign.
    """

    largest: float = 0.0
    pixels: bool = False
    choices: tuple[float, ...] = ()

    def draw(self, number: np.ndarray) -> np.ndarray:
        if not self.choices:
            return _within((-self.largest, self.largest), number)
        both = np.array([*self.choices, *(-choice for choice in self.choices)])
        chosen: np.ndarray = both[(number * len(both)).astype(int)]
        return chosen


@dataclass(frozen=True)
class Ranges:
    """The interval (lowest, highest) that each parameter is drawn from, uniformly.

    ``rotation`` and ``shear`` are in degrees, ``channel_shift`` in levels of 255, all
    others are shares and factors.
    """

    rotation: Interval = (0.0, 0.0)
    shift_x: Shift = Shift()
    shift_y: Shift = Shift()
    shear: Interval = (0.0, 0.0)
    zoom: Interval = (1.0, 1.0)
    flip_x: bool = False
    flip_y: bool = False
    crop: Interval = (1.0, 1.0)
    channel_shift: Interval = (0.0, 0.0)
    brightness: Interval = (1.0, 1.0)
    contrast: Interval = (1.0, 1.0)
    saturation: Interval = (1.0, 1.0)
    hue: Interval = (0.0, 0.0)
    noise: float = 0.0
    erase: Interval = (0.0, 0.0)


def uniform_numbers(seed: Sequence[int], indices: np.ndarray, n: int) -> np.ndarray:
    """Return `n` numbers from 0 to 1 for each image.

    Parameters
    ----------
    seed : sequence of int
        Seed of the numbers, not negative.
    indices : ndarray of shape (n_images,), int
        Numbers of the images, not negative.
    n : int
        Random numbers per image, at most 32.

    Returns
    -------
    ndarray of shape (n_images, n), float64
        Numbers in [0, 1).

    References
    ----------
    G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators,
    2014: SplitMix64, whose k-th number is a hash of the seed and k.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.augmentation.drawing import uniform_numbers
    >>> both = uniform_numbers([0], np.array([7, 3]), 2)
    >>> np.array_equal(both[1:], uniform_numbers([0], np.array([3]), 2))
    True
    """
    numbers: np.ndarray = (_random_bits(seed, indices, n) >> np.uint64(11)) * 2.0**-53
    return numbers


def _random_bits(seed: Sequence[int], indices: np.ndarray, n: int) -> np.ndarray:
    key = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
    number: Any = indices.astype(np.uint64)[:, np.newaxis] * np.uint64(_RESERVED)
    number = number + np.arange(1, n + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):  # it is arithmetic modulo 2**64
        bits: Any = number * _STEP + key
        for shift, factor in _MIX:
            bits = (bits ^ (bits >> shift)) * factor
    mixed: np.ndarray = bits ^ (bits >> _LAST_SHIFT)
    return mixed


def draw_parameters(ranges: Ranges, seed: Sequence[int], indices: np.ndarray) -> np.ndarray:
    """Draw the augmentation of each image.

    Parameters
    ----------
    ranges : Ranges
    seed : sequence of int
        Seed of the draws, not negative.
    indices : ndarray of shape (n,), int
        Numbers of the images, not negative.

    Returns
    -------
    ndarray of shape (n,), DRAW
        Each row depends only on the seed and the image's number.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.augmentation.drawing import Ranges, draw_parameters
    >>> draws = draw_parameters(Ranges(rotation=(-40, 40)), [0], np.arange(1000))
    >>> bool(draws["rotation"].min() > -40), bool(abs(draws["rotation"].mean()) < 2)
    (True, True)
    """
    draws = neutral_draws(len(indices))
    number = iter(uniform_numbers(seed, indices, 21).T)
    draws["rotation"] = _within(ranges.rotation, next(number))
    for name, shift in (("shift_x", ranges.shift_x), ("shift_y", ranges.shift_y)):
        draws[f"{name}_pixels" if shift.pixels else name] = shift.draw(next(number))
    draws["shear"] = _within(ranges.shear, next(number))
    draws["zoom_x"] = _within(ranges.zoom, next(number))
    draws["zoom_y"] = _within(ranges.zoom, next(number))
    draws["flip_x"] = (next(number) < 0.5) & ranges.flip_x
    draws["flip_y"] = (next(number) < 0.5) & ranges.flip_y
    draws["crop"] = _within(ranges.crop, next(number))
    crop_x, crop_y = next(number), next(number)
    if ranges.crop != (1.0, 1.0):  # without a crop its place must stay neutral
        draws["crop_x"], draws["crop_y"] = crop_x, crop_y
    for name in ("channel_shift", "brightness", "contrast", "saturation", "hue"):
        draws[name] = _within(getattr(ranges, name), next(number))
    if ranges.noise:
        draws["noise"] = ranges.noise
        draws["noise_seed"] = _random_bits(seed, indices, _RESERVED)[:, -1]
    if ranges.erase != (0.0, 0.0):
        _draw_patches(draws, ranges.erase, *(next(number) for _ in range(4)))
    return draws


def _draw_patches(
    draws: np.ndarray,
    erase: Interval,
    area: np.ndarray,
    aspect: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
) -> None:
    """Draw a patch of this area, with any aspect ratio that fits, anywhere in the image."""
    area = _within(erase, area)
    # no side may exceed the image's side
    most = np.minimum(np.log(_ASPECT), -np.log(np.maximum(area, np.finfo(float).tiny)))
    aspect = np.exp(_within((-1.0, 1.0), aspect) * most)
    draws["erase_width"], draws["erase_height"] = np.sqrt(area * aspect), np.sqrt(area / aspect)
    draws["erase_left"] = (1 - draws["erase_width"]) * x
    draws["erase_top"] = (1 - draws["erase_height"]) * y


def _within(interval: Interval, number: np.ndarray) -> np.ndarray:
    low, high = interval
    return low + (high - low) * number

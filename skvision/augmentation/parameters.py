"""Turn an augmenter's parameters into the ranges of its draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from .drawing import Interval, Ranges, Shift
from .operations import FILL_MODES

__all__ = ["check_fill_mode", "number_within", "ranges_of", "true_or_false", "whole_number"]

# a half turn of the colour circle in either direction covers it
_HALF = 0.5
# larger than any useful value; still larger ones would overflow
_LARGEST = 1e6


def ranges_of(parameters: Mapping[str, Any]) -> Ranges:
    """Read and check the parameters of `ImageAugmenter`.

    Raises
    ------
    ValueError
        If a parameter is not as described.

    Examples
    --------
    >>> from skvision import ImageAugmenter
    >>> from skvision.augmentation.parameters import ranges_of
    >>> ranges_of(ImageAugmenter(rotation_range=40, zoom_range=0.25).get_params()).zoom
    (0.75, 1.25)
    """
    has_scale = parameters["value_range"] is not None
    check_fill_mode(parameters["fill_mode"], parameters["cval"], has_scale=has_scale)

    def upto(name: str, below: float = np.inf, most: float = _LARGEST) -> float:
        return number_within(name, parameters[name], below, most)

    def around_zero(name: str, most: float = _LARGEST) -> Interval:
        largest = upto(name, most=most)
        return -largest, largest

    return Ranges(
        rotation=around_zero("rotation_range"),
        shift_x=_shift("width_shift_range", parameters["width_shift_range"]),
        shift_y=_shift("height_shift_range", parameters["height_shift_range"]),
        shear=around_zero("shear_range"),
        zoom=_zoom(parameters["zoom_range"]),
        flip_x=true_or_false("horizontal_flip", parameters["horizontal_flip"]),
        flip_y=true_or_false("vertical_flip", parameters["vertical_flip"]),
        crop=(1.0 - upto("crop_range", below=1.0), 1.0),
        channel_shift=around_zero("channel_shift_range"),
        brightness=_factors("brightness_range", parameters["brightness_range"]),
        contrast=_factors("contrast_range", parameters["contrast_range"]),
        saturation=_factors("saturation_range", parameters["saturation_range"]),
        hue=around_zero("hue_range", most=_HALF),
        noise=upto("noise_std"),
        erase=(0.0, upto("erase_fraction", below=1.0)),
    )


def check_fill_mode(fill_mode: Any, cval: Any, *, has_scale: bool = False) -> None:
    """Raise ValueError if these aren't a fill mode and a number (a level, on a scale)."""
    if not isinstance(fill_mode, str) or fill_mode not in FILL_MODES:
        raise ValueError(
            f"fill_mode must be one of {', '.join(map(repr, FILL_MODES))}. Received: {fill_mode!r}"
        )
    if not _is_number(cval):
        raise ValueError(f"cval must be a finite number. Received: {cval!r}")
    if has_scale and not 0 <= cval <= 255:
        raise ValueError(f"cval must be a level from 0, black, to 255, white. Received: {cval!r}")


def _is_number(value: Any) -> bool:
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    # comparisons also exclude NaN and ints that are too large for a float
    number: Any = value
    return bool(-_LARGEST <= number <= _LARGEST)


def number_within(name: str, value: Any, below: float = np.inf, most: float = _LARGEST) -> float:
    """Read a number from 0 to `below` or `most`; raise ValueError if it isn't one."""
    if not (_is_number(value) and 0 <= value < below and value <= most):
        upper = f"below {below:g}" if below < np.inf else f"at most {most:,.9g}"
        raise ValueError(f"{name} must be a number of at least 0 and {upper}. Received: {value!r}")
    return float(value)


def whole_number(name: str, value: Any, most: int) -> int:
    """Read a whole number from 0 to `most`; raise ValueError if it isn't one."""
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not (whole and 0 <= int(value) <= most):
        raise ValueError(f"{name} must be a whole number from 0 to {most}. Received: {value!r}")
    return int(value)


def true_or_false(name: str, value: Any) -> bool:
    """Read a bool; raise ValueError if it isn't one."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False. Received: {value!r}")
    return bool(value)


def _is_sequence(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 1
    return isinstance(value, Sequence) and not isinstance(value, str)


def _pair(value: Any) -> Interval | None:
    """Return (low, high) if `value` is a pair of numbers that aren't negative, else None."""
    if not _is_sequence(value) or len(value) != 2:
        return None
    low, high = value
    if not (_is_number(low) and _is_number(high) and 0 <= low <= high):
        return None
    return float(low), float(high)


def _factors(name: str, value: Any) -> Interval:
    if value is None:
        return 1.0, 1.0
    pair = _pair(value)
    if pair is None:
        raise ValueError(
            f"{name} must be None or a pair (low, high) of factors with 0 <= low <= high, where 1 "
            f"changes nothing. Received: {value!r}"
        )
    return pair


def _zoom(value: Any) -> Interval:
    pair = _pair(value)
    if pair is not None and pair[0] > 0:
        return pair
    if _is_number(value) and 0 <= value < 1:
        return 1.0 - float(value), 1.0 + float(value)
    raise ValueError(
        "zoom_range must be a number of at least 0 and below 1 (0.2 draws from 0.8 to 1.2), or a "
        f"pair (low, high) with 0 < low <= high. Received: {value!r}"
    )


def _shift(name: str, value: Any) -> Shift:
    """Read a shift: a share of the side below 1, else pixels; whole pixels for an int."""
    if _is_sequence(value):
        if not len(value) or not all(map(_is_number, value)):
            raise ValueError(
                f"{name} must be a number of at least 0, or a sequence of at least one number. "
                f"Received: {value!r}"
            )
        # signs are drawn
        choices = tuple(abs(float(choice)) for choice in value)
        return Shift(choices=choices, pixels=max(choices) >= 1)
    largest = number_within(name, value)
    if isinstance(value, Integral) and largest >= 1:
        # as in Keras, 2 draws one of -1, 0 and 1
        return Shift(choices=tuple(map(float, range(int(value)))), pixels=True)
    return Shift(largest, pixels=largest >= 1)

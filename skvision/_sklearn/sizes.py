"""Read parameters that are sizes: tuples of whole numbers."""

from __future__ import annotations

from numbers import Integral
from typing import Any

__all__ = ["as_image_size", "as_positive_ints", "for_each_block"]


def as_image_size(value: Any) -> tuple[int, int]:
    """Read the parameter ``image_size``: (height, width), or one number for a square.

    Examples
    --------
    >>> from skvision._sklearn.sizes import as_image_size
    >>> as_image_size(32), as_image_size((32, 48))
    ((32, 32), (32, 48))
    """
    pair = (value, value) if isinstance(value, Integral) else value
    height, width = as_positive_ints("image_size", pair, length=2)
    return height, width


def as_positive_ints(name: str, value: Any, length: int | None = None) -> tuple[int, ...]:
    """Read a parameter that is a sequence of whole numbers above 0.

    Examples
    --------
    >>> from skvision._sklearn.sizes import as_positive_ints
    >>> as_positive_ints("filters", [32, 64])
    (32, 64)
    """
    try:
        numbers = tuple(value)
    except TypeError:
        numbers = ()
    whole = all(isinstance(n, Integral) and not isinstance(n, bool) and int(n) > 0 for n in numbers)
    if not whole or not hasattr(value, "__len__") or length not in (None, len(numbers)):
        expected = f"{length} whole numbers" if length else "whole numbers"
        raise ValueError(f"{name} must be a tuple of {expected} above 0. Received: {value!r}")
    return tuple(int(n) for n in numbers)


def for_each_block(name: str, value: Any, n_blocks: int) -> tuple[Any, ...]:
    """Read a parameter that is one number for all blocks, or a sequence with one for each.

    Examples
    --------
    >>> from skvision._sklearn.sizes import for_each_block
    >>> for_each_block("convs_per_block", 2, 3), for_each_block("convs_per_block", (1, 2, 2), 3)
    ((2, 2, 2), (1, 2, 2))
    """
    if not hasattr(value, "__len__"):
        return (value,) * n_blocks
    if len(value) != n_blocks:
        raise ValueError(
            f"{name} has {len(value)} entries, but filters has {n_blocks}: one for each block, "
            f"or one number for all. Received: {value!r}"
        )
    return tuple(value)

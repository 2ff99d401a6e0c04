"""Check the items of a sequence: all images to decode, or all arrays of one shape and scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from numbers import Number
from typing import Any

import numpy as np

from ..exceptions import shown
from .opening import is_image_source
from .pixels import pixel_range_of

__all__ = ["check_items", "is_array", "stacked_arrays"]

_CAUSES = {
    "NoneType": " cv2.imread gives None for a file that it can't read.",
    **dict.fromkeys(
        ("float", "NAType", "NaTType"), " Missing values in a table are NaN, NA or NaT."
    ),
}


def is_array(item: object) -> bool:
    """Return whether an item is an array of numbers of NumPy or another library."""
    return hasattr(item, "shape") and len(item.shape) > 0  # type: ignore[attr-defined]


def check_items(items: Sequence[Any]) -> None:
    """Raise ValueError for an item of another kind than the others, with its place and value.

    Examples
    --------
    >>> from skvision.images.items import check_items
    >>> check_items(["cat.jpg", b"GIF89a"])
    >>> try:
    ...     check_items(["cat.jpg", None])
    ... except ValueError as error:
    ...     print(str(error)[:60])
    Received a sequence whose item 0 is 'cat.jpg' but whose item
    """
    kinds = [_kind(item) for item in items]
    if len(set(kinds)) < 2 and "" not in kinds:
        return
    # the first item that differs from item 0, or item 0 itself if all are equally wrong
    position = next((k for k, kind in enumerate(kinds) if kind != kinds[0]), 0)
    unlike = [items[0], items[position]] if position else [items[0]]
    others = f"item 0 is {shown(items[0])}"
    if position:
        others += f" but whose item {position} is {shown(items[position])}"
    causes = {_CAUSES.get(type(item).__name__, "") for item in unlike}
    common = Counter(kind for kind in kinds if kind).most_common(1)
    wanted = (
        "an array of numbers, all of one shape"
        if common and common[0][0] == "array"
        else "a file name, bytes or a PIL image"
    )
    raise ValueError(
        f"Received a sequence whose {others}. Every item must be {wanted}.{''.join(sorted(causes))}"
    )


def _kind(item: object) -> str:
    if is_image_source(item):
        return "source"
    if is_array(item) or isinstance(item, list | tuple):
        return "array"
    return "number" if isinstance(item, Number) or hasattr(item, "dtype") else ""


def stacked_arrays(items: Sequence[Any], value_range: Any) -> np.ndarray:
    """Stack arrays.

    Raises
    ------
    ValueError
        If they differ in shape, or in types with another scale.
    """
    arrays = [np.asarray(item) for item in items]
    for position, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            shapes = list(dict.fromkeys(each.shape for each in arrays))
            raise ValueError(
                f"Received a list of arrays of different shapes: {shapes[0]}, {shapes[1]} (item "
                f"{position}){', ...' if len(shapes) > 2 else ''}. The images of an array are "
                "all of one size: resize them, or pass PIL images (PIL.Image.fromarray) or file "
                "names, whose sizes may differ."
            )
        ranges = [pixel_range_of(each.dtype, value_range) for each in (arrays[0], array)]
        if ranges[0] != ranges[1]:
            raise ValueError(
                f"Received a list of arrays of different types: item 0 is {arrays[0].dtype}, item "
                f"{position} {array.dtype}, which means another scale. Convert them to one type."
            )
    return np.stack(arrays)

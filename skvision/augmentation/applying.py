"""Augment batches of images of any form, and return the same form."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..images import ArrayBatch, ImageBatch
from ..images.pixels import PixelRange, outer_range
from .augmented_image import AugmentedImage, draws_of
from .operations import augmented, neutral_draws

__all__ = ["as_given", "augmented_batch", "augmented_pixels"]


def as_given(images: ImageBatch, X: Any) -> np.ndarray:
    """Return the images of a batch in X's form: numbers of X's shape, or a 1-D object array."""
    if isinstance(images, ArrayBatch):
        return images.pixels.reshape(len(images), *_item_shape(X))
    return _objects([images.item(index) for index in range(len(images))])


def augmented_batch(
    images: ImageBatch,
    chosen: np.ndarray,
    draws: np.ndarray,
    *,
    X: Any,
    fill_mode: str,
    cval: float,
    has_scale: bool,
) -> np.ndarray:
    """Augment some images of a batch, each by its draw.

    Parameters
    ----------
    images : ImageBatch
        The images.
    chosen : ndarray of shape (n,), int
        Indices of the images to augment.
    draws : ndarray of shape (n,), DRAW
        The draw of each.
    X : object
        The source of the batch.
    fill_mode : {"nearest", "constant", "reflect", "wrap"}
        As in `augmented`.
    cval : float
        As in `augmented`.
    has_scale : bool
        As in `draws_of`.

    Returns
    -------
    ndarray of shape (n, ...)
        If X is numbers, an array of X's type and item shape. Else an array of
        `AugmentedImage` objects; an image with a neutral draw stays itself.
    """
    if isinstance(images, ArrayBatch):
        pixels = images.pixels[chosen]
        changed = augmented_pixels(
            pixels,
            draws,
            pixel_range=outer_range(images.pixel_range),
            fill_mode=fill_mode,
            cval=cval,
        )
        return changed.reshape(len(chosen), *_item_shape(X))
    items = [images.item(int(index)) for index in chosen]
    rows = draws_of(draws, fill_mode=fill_mode, cval=cval, has_scale=has_scale)
    return _objects(
        [
            AugmentedImage(item, draw) if draw.values else item
            for item, draw in zip(items, rows, strict=True)
        ]
    )


def augmented_pixels(
    pixels: np.ndarray,
    draws: np.ndarray,
    *,
    fill_mode: str,
    cval: float,
    pixel_range: PixelRange | None,
) -> np.ndarray:
    """Augment numbers of any type, and return the same type."""
    working = pixels.astype(_working_type(pixels.dtype), copy=False)
    result = augmented(working, draws, fill_mode=fill_mode, cval=cval, pixel_range=pixel_range)
    if pixels.dtype.kind == "b":
        return result >= 0.5
    if pixels.dtype.kind in "iu" and result.dtype.kind == "f":
        bounds = np.iinfo(pixels.dtype)
        result = np.clip(np.rint(result), bounds.min, bounds.max)
    result = result.astype(pixels.dtype, copy=False)
    if working.dtype != pixels.dtype:
        # floats can't represent all large integers
        untouched = draws == neutral_draws(len(draws))
        result[untouched] = pixels[untouched]
    return result


def _item_shape(X: Any) -> tuple[int, ...]:
    shape: tuple[int, ...] = X.shape if hasattr(X, "shape") else np.asarray(X).shape
    return shape[1:]


def _working_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return a type that OpenCV supports and that represents all numbers of `dtype` exactly."""
    if dtype == np.uint8:
        return dtype
    return np.dtype(np.float32 if dtype.itemsize <= 2 or dtype == np.float32 else np.float64)


def _objects(items: list[Any]) -> np.ndarray:
    """Return a 1-D array of objects; `np.array` would convert images to numbers."""
    result = np.empty(len(items), dtype=object)
    for position, item in enumerate(items):
        result[position] = item
    return result

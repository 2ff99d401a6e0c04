"""Batches of images in any form -> augmented ones in the same form."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..images import ArrayBatch, ImageBatch
from ..images.pixels import PixelRange, outer_range
from .augmented_image import AugmentedImage, draws_of
from .operations import augmented, neutral_draws

__all__ = ["as_given", "augmented_batch", "augmented_pixels"]


def as_given(images: ImageBatch, X: Any) -> np.ndarray:
    """The images of a batch as they came: numbers of X's shape, or a 1-D object array."""
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
        Which of them.
    draws : ndarray of shape (n,), DRAW
        What happens to each.
    X : object
        What the batch was made of.
    fill_mode : {"nearest", "constant", "reflect", "wrap"}
        As `augmented` takes it.
    cval : float
        Likewise.
    has_scale : bool
        As `draws_of` takes it.

    Returns
    -------
    ndarray of shape (n, ...)
        Of X's type and item shape where X is numbers; else of `AugmentedImage`, which
        are applied when they are read, and of the images themselves that nothing
        happens to.
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
    """Augment numbers of any type; the result has the same."""
    working = pixels.astype(_working_type(pixels.dtype), copy=False)
    result = augmented(working, draws, fill_mode=fill_mode, cval=cval, pixel_range=pixel_range)
    if pixels.dtype.kind == "b":
        return result >= 0.5
    if pixels.dtype.kind in "iu" and result.dtype.kind == "f":
        bounds = np.iinfo(pixels.dtype)
        result = np.clip(np.rint(result), bounds.min, bounds.max)
    result = result.astype(pixels.dtype, copy=False)
    if working.dtype != pixels.dtype:
        # floats don't hold every large integer
        untouched = draws == neutral_draws(len(draws))
        result[untouched] = pixels[untouched]
    return result


def _item_shape(X: Any) -> tuple[int, ...]:
    shape: tuple[int, ...] = X.shape if hasattr(X, "shape") else np.asarray(X).shape
    return shape[1:]


def _working_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A type that OpenCV computes with, and that holds all numbers of `dtype` exactly."""
    if dtype == np.uint8:
        return dtype
    return np.dtype(np.float32 if dtype.itemsize <= 2 or dtype == np.float32 else np.float64)


def _objects(items: list[Any]) -> np.ndarray:
    """A 1-D array of objects; `np.array` would take images apart."""
    result = np.empty(len(items), dtype=object)
    for position, item in enumerate(items):
        result[position] = item
    return result

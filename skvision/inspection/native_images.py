"""Images in the form that a classifier takes, for changing parts of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from .._sklearn.network_estimator import ReadsImages
from ..images import ImageReader, as_image_batch

__all__ = ["NativeImages", "native_images"]


@dataclass(frozen=True)
class NativeImages:
    """Images as arrays that can be changed, with the way back to the classifier's own form.

    Parameters
    ----------
    arrays : ndarray of shape (n, height, width) or (n, height, width, n_channels)
        The images in their own numbers.
    images : ndarray of shape (n, height, width, 3), uint8
        The same, to show.
    back : callable
        Maps changed `arrays` to what the classifier takes.
    """

    arrays: np.ndarray
    images: np.ndarray
    back: Callable[[np.ndarray], Any]


def native_images(X: Any, reader: Any) -> NativeImages:
    """Read X for a classifier that takes images.

    Parameters
    ----------
    X : array or sequence of images
        Images.
    reader : object
        The estimator that reads them: the first step of a Pipeline.

    Returns
    -------
    NativeImages

    Raises
    ------
    ValueError
        If X is rows of numbers without ``row_shape``, or files for an estimator whose image size
        is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.native_images import native_images
    >>> found = native_images(np.zeros((2, 8, 8)), None)
    >>> found.arrays.shape, found.images.shape
    ((2, 8, 8), (2, 8, 8, 3))
    """
    array = _numbers(X)
    value_range = getattr(reader, "value_range", "auto")
    if array is None:
        return _of_files(X, reader, value_range)
    if array.ndim >= 3:
        return NativeImages(array, _shown(array, value_range), lambda changed: changed)
    row_shape = getattr(reader, "row_shape", None)
    if row_shape is None:
        raise ValueError(
            f"X has shape {array.shape}: rows of numbers, whose places in an image are unknown. "
            "Pass images (n, height, width[, channels]) to a Pipeline that makes rows of them."
        )
    images = array.reshape(len(array), *row_shape)
    return NativeImages(
        images, _shown(images, value_range), lambda changed: changed.reshape(len(changed), -1)
    )


def _numbers(X: Any) -> np.ndarray | None:
    """Return X as an array of numbers; None if it holds files or other sources."""
    if hasattr(X, "columns"):
        X = X.to_numpy()
    try:
        array = np.asarray(X)
    except ValueError:  # images of several sizes
        return None
    if array.dtype == object and array.ndim > 1:
        array = np.array(array.tolist())
    return array if array.dtype.kind in "biuf" and array.ndim >= 2 else None


def _of_files(X: Any, reader: Any, value_range: Any) -> NativeImages:
    if not isinstance(reader, ReadsImages):
        raise ValueError(
            f"{type(reader).__name__} doesn't say at which size it reads files. Pass images as "
            "an array (n, height, width[, channels]) in place of files."
        )
    how = reader.reads_images_as()
    if how.value_range != "auto":
        raise ValueError(
            "Occlusion changes copies of 8 bits, which an estimator with "
            f"value_range={value_range!r} doesn't read from files. Pass images as an array."
        )
    batch = as_image_batch(X)
    with ImageReader(batch, how.size, how.resize, keep_bytes=0) as pixels:
        images = pixels.read(np.arange(len(batch)))
    return NativeImages(images, images, lambda changed: [Image.fromarray(each) for each in changed])


def _shown(arrays: np.ndarray, value_range: Any) -> np.ndarray:
    """Return images of any numbers as pixels 0 to 255."""
    try:
        batch = as_image_batch(arrays, value_range=value_range)
        return np.stack([batch.whole(index) for index in range(len(batch))])
    except ValueError:
        # a classifier that isn't of skvision takes any numbers: show the smallest as black
        if value_range != "auto" or arrays.shape[3:] not in ((), (1,), (3,)):
            raise
        low, high = float(arrays.min()), float(arrays.max())
        scaled = np.rint((arrays - low) / max(high - low, 1e-12) * 255).astype(np.uint8)
        scaled = scaled.reshape(*arrays.shape[:3], -1)
        return np.broadcast_to(scaled, (*scaled.shape[:3], 3)).copy()

"""Find images that are in the test data and in the training data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..._system.threads import thread_limit
from ...exceptions import ImageDecodeError
from ...images import ImageBatch, SourceBatch, image_key
from ..predictions import checked_images
from .page_contents import Missing, Overlap

__all__ = ["keys_of", "overlap"]

_NOT_CHECKED = (
    "Not checked: the model doesn't keep its training images. Pass X_train=, or --train FOLDER on "
    "the command line."
)


def overlap(
    estimator: Any, X_train: Any, keys: Sequence[bytes | None], names: Sequence[str]
) -> Overlap | Missing:
    """Find test images whose content is in the training data, under any name.

    Parameters
    ----------
    estimator : object
        The fitted classifier, which knows how to take `X_train`.
    X_train : object
        The training images in any form that it takes; None if they aren't known.
    keys : sequence of bytes or None
        The keys of the test images.
    names : sequence of str
        Their names.

    Returns
    -------
    Overlap or Missing
        Files are compared byte by byte, arrays pixel by pixel.
    """
    if X_train is None:
        return Missing(_NOT_CHECKED)
    images, _ = checked_images(estimator, X_train)
    if images is None or not keys or any(key is None for key in keys):
        return Missing("Not checked: X or X_train holds numbers that aren't images.")
    trained = set(keys_of(images))
    found = [name for key, name in zip(keys, names, strict=True) if key in trained]
    return Overlap(len(keys), len(images), found)


def keys_of(images: ImageBatch) -> list[bytes | None]:
    """Return the key of each image; None for a file that can't be read."""

    def key(index: int) -> bytes | None:
        try:
            if isinstance(images, SourceBatch):
                source = images.item(index)
                return image_key(os.fspath(source) if isinstance(source, os.PathLike) else source)
            return image_key(images.whole(index))
        except ImageDecodeError:
            return None

    with ThreadPoolExecutor(thread_limit()) as pool:
        return list(pool.map(key, range(len(images))))

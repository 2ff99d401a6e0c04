"""`validate_images`: the equivalent of scikit-learn's ``validate_data`` for images."""

from __future__ import annotations

from typing import Any

import numpy as np

from .batch import ImageBatch, as_image_batch, is_rows
from .learning import sampled_levels, warn_of_range
from .pixels import LEARNT, is_learnt, is_word
from .resize import RESIZE_POLICIES
from .samples import PixelRange

__all__ = ["known_range", "validate_images"]


def validate_images(estimator: Any, X: Any, *, reset: bool) -> ImageBatch:
    """Read X for an estimator, and check it against the X of fit.

    Parameters
    ----------
    estimator : object
        An estimator with the parameters ``row_shape``, ``value_range`` and, if it resizes,
        ``resize``.
    X : object
        Images in any accepted form.
    reset : bool
        True in fit: set the attributes ``pixel_range_``, ``n_channels_``,
        ``image_shape_`` and, for rows, ``n_features_in_`` and ``feature_names_in_`` of the
        estimator. False elsewhere: compare X with them.

    Returns
    -------
    ImageBatch
        The images, not yet decoded.

    Raises
    ------
    ValueError
        If X has none of the accepted forms, or another scale, number of axes, number of
        channels or row length than in fit.
    ImageDecodeError
        If ``value_range="percentile"`` and a file can't be read, or has 8 bits per channel.

    Warns
    -----
    PixelRangeWarning
        In fit of an estimator that resizes, if all images together use a small part of
        their scale.
    """
    resizes = hasattr(estimator, "resize")  # augmentation doesn't
    if resizes and estimator.resize not in RESIZE_POLICIES:
        raise ValueError(
            f"resize must be one of {', '.join(map(repr, RESIZE_POLICIES))}. "
            f"Received: {estimator.resize!r}"
        )
    if reset:
        for name in ("n_features_in_", "feature_names_in_"):
            vars(estimator).pop(name, None)
    if estimator.row_shape is not None and is_rows(X):
        from sklearn.utils.validation import validate_data  # takes seconds, and files don't need it

        X = validate_data(estimator, X, reset=reset)
    batch = as_image_batch(
        X,
        row_shape=estimator.row_shape,
        value_range=estimator.value_range if reset else known_range(estimator),
        # models of earlier versions lack it
        fitted_shape=None if reset else getattr(estimator, "image_shape_", None),
    )
    if reset:
        estimator.pixel_range_ = batch.pixel_range
        estimator.n_channels_ = batch.n_channels
        estimator.image_shape_ = batch.image_shape
        if resizes and batch.dtype == np.uint8 and not is_learnt(batch.pixel_range):
            warn_of_range(sampled_levels(batch))
    else:
        _compare(estimator, batch)
    return batch


def known_range(estimator: Any) -> Any:
    """Return the scale that an estimator reads images on: the one that fit learnt, if it did."""
    if is_word(estimator.value_range, LEARNT):
        return getattr(estimator, "pixel_range_", LEARNT)
    return estimator.value_range


def _compare(estimator: Any, batch: ImageBatch) -> None:
    name = type(estimator).__name__
    if batch.n_channels != estimator.n_channels_:
        # the first axis of an array is the batch
        first = batch.image_shape[:1] == (estimator.n_channels_,)
        raise ValueError(
            f"X has {batch.n_channels} channels, but {name} was fitted on images with "
            f"{estimator.n_channels_}."
            + (" They seem to come first: pass np.moveaxis(X, 1, -1)." if first else "")
        )
    fitted: PixelRange | None = estimator.pixel_range_
    received = batch.pixel_range
    # files have their own scale, so they aren't compared
    if fitted is not None and received is not None and fitted != received:
        raise ValueError(
            f"X has pixels on the scale {_scale(received)}, but {name} was fitted on the scale "
            f"{_scale(fitted)}. Convert X to that scale first, for example by "
            "(X * 255).astype('uint8') or X / 255; nothing is rescaled silently."
        )


def _scale(pixel_range: PixelRange) -> str:
    return f"{pixel_range[0]:g}..{pixel_range[1]:g}"

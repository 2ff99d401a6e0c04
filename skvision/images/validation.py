"""`validate_images`: what scikit-learn's ``validate_data`` is for tables, for pictures."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import validate_data

from .batch import ImageBatch, as_image_batch, is_rows
from .pixels import PixelRange
from .resize import RESIZE_POLICIES

__all__ = ["validate_images"]


def validate_images(estimator: Any, X: Any, *, reset: bool) -> ImageBatch:
    """Read X for an estimator, and hold it against what the estimator was fitted on.

    Parameters
    ----------
    estimator : object
        An estimator with the parameters ``row_shape``, ``value_range`` and, where it
        resizes, ``resize``.
    X : object
        Pictures in any accepted form.
    reset : bool
        True in fit: what is seen is stored on the estimator (``pixel_range_``,
        ``n_channels_`` and, for rows, ``n_features_in_`` and
        ``feature_names_in_``). False elsewhere: it is compared.

    Returns
    -------
    ImageBatch
        The pictures, not yet decoded.

    Raises
    ------
    ValueError
        If X is of no accepted form, or of another scale, number of channels or
        row length than in fit.
    """
    # augmentation doesn't resize
    if getattr(estimator, "resize", RESIZE_POLICIES[0]) not in RESIZE_POLICIES:
        raise ValueError(
            f"resize must be one of {', '.join(map(repr, RESIZE_POLICIES))}. "
            f"Received: {estimator.resize!r}"
        )
    if reset:
        for name in ("n_features_in_", "feature_names_in_"):
            vars(estimator).pop(name, None)
    if estimator.row_shape is not None and is_rows(X):
        X = validate_data(estimator, X, reset=reset)
    batch = as_image_batch(X, row_shape=estimator.row_shape, value_range=estimator.value_range)
    if reset:
        estimator.pixel_range_ = batch.pixel_range
        estimator.n_channels_ = batch.n_channels
    else:
        _compare(estimator, batch)
    return batch


def _compare(estimator: Any, batch: ImageBatch) -> None:
    name = type(estimator).__name__
    if batch.n_channels != estimator.n_channels_:
        raise ValueError(
            f"X has {batch.n_channels} channels, but {name} was fitted on pictures with "
            f"{estimator.n_channels_}."
        )
    fitted: PixelRange | None = estimator.pixel_range_
    received = batch.pixel_range
    # files carry their own scale, so they are compared with nothing
    if fitted is not None and received is not None and fitted != received:
        raise ValueError(
            f"X has pixels on the scale {_scale(received)}, but {name} was fitted on the scale "
            f"{_scale(fitted)}. Bring X to that scale first, say by (X * 255).astype('uint8') or "
            "X / 255; nothing is rescaled silently."
        )


def _scale(pixel_range: PixelRange) -> str:
    return f"{pixel_range[0]:g}..{pixel_range[1]:g}"

"""What every estimator asks of the labels that images come with."""

from __future__ import annotations

from reprlib import repr as shortened
from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_consistent_length, column_or_1d

__all__ = ["listed", "starts_partial_fit", "validate_labels"]


def validate_labels(estimator: Any, y: Any, n_images: int) -> np.ndarray:
    """Read y for an estimator: a label for each picture, all of one type.

    Parameters
    ----------
    estimator : object
        Whose class an error names.
    y : array-like of shape (n_images,)
        The labels.
    n_images : int
        How many there must be.

    Returns
    -------
    ndarray of shape (n_images,)
        The labels.

    Raises
    ------
    ValueError
        If y is None, of another length or form, lacks labels or mixes types.

    Examples
    --------
    >>> from skvision._sklearn.labels import validate_labels
    >>> validate_labels(None, ["cat", "dog"], 2).tolist()
    ['cat', 'dog']
    """
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None."
        )
    if isinstance(y, list | tuple):
        # NumPy would make text of the numbers
        text = [label for label in y if isinstance(label, str)]
        if text and len(text) < len(y):
            _refuse_kinds(y)
    y = column_or_1d(y, warn=True)
    check_consistent_length(np.empty(n_images), y)
    if y.dtype == object:
        if len({type(label) for label in y}) > 1:
            _refuse_kinds(y)
    elif y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ValueError("Input y contains NaN or infinity: every image needs a label.")
    check_classification_targets(y)
    return np.asarray(y)


def starts_partial_fit(estimator: Any, classes: Any) -> bool:
    """Learn ``classes_`` in an estimator's first partial_fit; hold later ones against them.

    Parameters
    ----------
    estimator : object
        Gets ``classes_`` where it has none.
    classes : array-like of shape (n_classes,) or None
        As partial_fit takes it.

    Returns
    -------
    bool
        Whether it is the first call.

    Raises
    ------
    ValueError
        If it is and there are no classes, or they are others than before.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from skvision._sklearn.labels import starts_partial_fit
    >>> estimator = SimpleNamespace()
    >>> starts_partial_fit(estimator, ["cat", "dog"]), starts_partial_fit(estimator, None)
    (True, False)
    """
    known = getattr(estimator, "classes_", None)
    if classes is None:
        if known is None:
            raise ValueError(
                "classes must be passed on the first call to partial_fit: all labels that will "
                "ever come."
            )
        return False
    classes = unique_labels(classes)
    if known is None:
        estimator.classes_ = classes
        return True
    if not np.array_equal(known, classes):
        raise ValueError(
            f"classes={shortened(classes.tolist())} is not the same as on last call to "
            f"partial_fit, was: {shortened(known.tolist())}. Leave it out, or make a new estimator."
        )
    return False


def _refuse_kinds(y: Any) -> None:
    kinds = sorted({type(label).__name__ for label in y})
    raise ValueError(
        f"Labels must all be of one type. Received: {', '.join(kinds)}. "
        "Drop the images without a label, or convert: np.array(y, dtype=str)."
    )


def listed(labels: Any) -> str:
    """Labels as a message names them.

    Examples
    --------
    >>> from skvision._sklearn.labels import listed
    >>> listed(["cat", "dog"])
    "'cat', 'dog'"
    """
    return ", ".join(repr(label) for label in np.asarray(labels).tolist())

"""Choose which images to look at."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._sklearn.labels import listed

__all__ = ["WHICH", "chosen", "with_label"]

#: what `which` may be, and the title of such images
WHICH = {
    "worst": "Wrong predictions, most confident first",
    "best": "Correct predictions, most confident first",
    "confused": "Wrong predictions, most frequent confusion first",
    "uncertain": "Most uncertain predictions first",
    "random": "Images drawn at random",
}


def chosen(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    probabilities: np.ndarray | None,
    which: str = "worst",
    random_state: Any = None,
) -> np.ndarray:
    """Return the indices of the images that `which` names, the first one first.

    Parameters
    ----------
    y_true : ndarray of shape (n,)
        True labels.
    y_pred : ndarray of shape (n,)
        Predicted labels.
    probabilities : ndarray of shape (n, n_classes), float, or None
        Probabilities; without them, images keep their order.
    which : {"worst", "best", "confused", "uncertain", "random"}, default="worst"
        What to look at.
    random_state : int, RandomState instance or None, default=None
        Seed of the order for ``"random"``.

    Returns
    -------
    ndarray of int
        Indices.

    Raises
    ------
    ValueError
        If `which` is something else, or ``"uncertain"`` without probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.selection import chosen
    >>> y_true, y_pred = np.array(["a", "a", "b"]), np.array(["b", "a", "a"])
    >>> chosen(y_true, y_pred, np.array([[0.4, 0.6], [0.9, 0.1], [0.7, 0.3]])).tolist()
    [2, 0]
    """
    if not isinstance(which, str) or which not in WHICH:
        raise ValueError(f"which must be one of {', '.join(map(repr, WHICH))}. Received: {which!r}")
    correct = y_true == y_pred
    if which == "random":
        return np.asarray(check_random_state(random_state).permutation(len(y_true)))
    if which == "uncertain":
        if probabilities is None:
            raise ValueError(
                'which="uncertain" needs probabilities, and this classifier has no '
                "predict_proba. Wrap it in sklearn.calibration.CalibratedClassifierCV."
            )
        two = np.sort(probabilities, axis=1)[:, -2:]
        return np.argsort(two[:, -1] - two[:, 0], kind="stable")
    confidence = np.zeros(len(y_true)) if probabilities is None else probabilities.max(axis=1)
    places = np.flatnonzero(correct if which == "best" else ~correct)
    places = places[np.argsort(-confidence[places], kind="stable")]
    if which != "confused" or not len(places):
        return places
    labels, codes = np.unique(np.concatenate([y_true, y_pred]), return_inverse=True)
    pair = (codes[: len(y_true)] * len(labels) + codes[len(y_true) :])[places]
    counts = np.bincount(pair)
    # the most frequent pair first; pairs of one frequency apart from each other
    return places[np.lexsort((pair, -counts[pair]))]


def with_label(
    y_true: np.ndarray, y_pred: np.ndarray, classes: np.ndarray, label: Any = None
) -> np.ndarray:
    """Return whether each image belongs to a class, or to a pair of true and predicted class.

    Parameters
    ----------
    y_true : ndarray of shape (n,)
        True labels.
    y_pred : ndarray of shape (n,)
        Predicted labels.
    classes : ndarray of shape (n_classes,)
        All labels.
    label : label or tuple of two labels, default=None
        The true class, or the pair (true, predicted); None for all images.

    Returns
    -------
    ndarray of shape (n,), bool

    Raises
    ------
    ValueError
        If a class doesn't exist, or a tuple has not two entries.

    Examples
    --------
    >>> import numpy as np
    >>> from skvision.inspection.selection import with_label
    >>> y_true, y_pred = np.array(["a", "a", "b"]), np.array(["b", "a", "a"])
    >>> with_label(y_true, y_pred, np.array(["a", "b"]), ("a", "b")).tolist()
    [True, False, False]
    """
    if label is None:
        return np.ones(len(y_true), bool)
    labels = label if isinstance(label, tuple | list) else (label,)
    known = classes.tolist()
    if len(labels) > 2 or not labels:
        raise ValueError(
            "label must be a class, a pair (true, predicted) of classes, or None. "
            f"Received: {label!r}"
        )
    for each in labels:
        # a text never equals a number, but True equals 1
        if not any(each == one and isinstance(each, str) == isinstance(one, str) for one in known):
            raise ValueError(
                f"There is no class {each!r}. The classes are: {listed(classes[:20])}"
                f"{', ...' if len(classes) > 20 else ''}."
            )
    found: np.ndarray = y_true == labels[0]
    if len(labels) == 2:
        found &= y_pred == labels[1]
    return found

"""`validate_labels`: the checks of y that all estimators share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from reprlib import repr as shortened
from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, unique_labels
from sklearn.utils.validation import check_consistent_length, column_or_1d

from ..exceptions import first_line, shown

__all__ = ["label_column", "labels_like", "listed", "starts_partial_fit", "validate_labels"]


def validate_labels(estimator: Any, y: Any, n_images: int) -> np.ndarray:
    """Read y for an estimator: one label per image, all of one type.

    Parameters
    ----------
    estimator : object
        The estimator whose class errors name.
    y : array-like of shape (n_images,)
        The labels.
    n_images : int
        Required number of labels.

    Returns
    -------
    ndarray of shape (n_images,)
        The labels.

    Raises
    ------
    ValueError
        If y is None, has another length or form, lacks labels or mixes types.

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
    y = label_column(y)
    check_consistent_length(np.empty(n_images), y)
    if y.dtype == object:
        kinds = {_kind(label) for label in y}
        if len(kinds) > 1:
            _refuse_kinds(kinds)
        if not kinds & {"str", "NoneType"}:
            y = np.array(y.tolist())  # numbers, whose type scikit-learn recognises
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise ValueError("Input y contains NaN or infinity: every image needs a label.")
    try:
        check_classification_targets(y)
    except ValueError as error:
        raise ValueError(f"{first_line(error)} {_of_unknown_type(y)}") from None
    return np.asarray(y)


def label_column(y: Any) -> np.ndarray:
    """Read y as one column; errors give advice for one-hot rows and for several labels per image.

    Parameters
    ----------
    y : array-like of shape (n,) or (n, 1)
        The labels.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError
        If y has another form.

    Examples
    --------
    >>> from skvision._sklearn.labels import label_column
    >>> label_column([0, 1])
    array([0, 1])
    >>> try:
    ...     label_column([[1, 0], [0, 1]])
    ... except ValueError as error:
    ...     print(str(error)[:21])
    y has shape (2, 2): i
    """
    if isinstance(y, list | tuple):
        _check_items(y)
    rows = y.toarray() if hasattr(y, "toarray") else y  # sparse, as from OneHotEncoder
    try:
        array = np.asarray(rows)
    except Exception as error:  # of NumPy or another library
        raise ValueError(
            f"y, an object of class {type(y).__name__}, can't be read as labels: "
            f"{first_line(error)[:200]}. {_ONE_EACH}"
        ) from None
    if array.dtype.kind == "c":
        raise ValueError(
            f"Complex data not supported: y holds {shown(array.flat[0].item())}. {_ONE_EACH}"
        )
    if array.ndim == 1 and array.dtype == object:
        _check_items(array.tolist())
    if array.ndim != 2 or array.shape[1] == 1:
        if array.ndim == 0 or array.ndim > 2:
            what = shown(y) if array.ndim == 0 else f"an array of shape {array.shape}"
            raise ValueError(f"Received y: {what}. y should be a 1d array. {_ONE_EACH}")
        column: np.ndarray = column_or_1d(rows, warn=True)
        return column
    raise ValueError(_of_rows(y, array))


def labels_like(classes: np.ndarray, y: Any) -> np.ndarray:
    """Read y as one column of labels that can be compared with `classes`.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The labels that a classifier knows.
    y : array-like of shape (n,) or (n, 1)
        The labels to compare with its predictions.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    ValueError
        If y has another form, or holds text and `classes` numbers, or the other way round.

    Examples
    --------
    >>> from skvision._sklearn.labels import labels_like
    >>> labels_like(np.array(["cat", "dog"]), ["dog", "dog"]).tolist()
    ['dog', 'dog']
    """
    labels = label_column(y)
    theirs, ours = ("text" if each.dtype.kind in _TEXT else "numbers" for each in (labels, classes))
    if theirs != ours:
        raise ValueError(
            f"y holds {theirs} such as {shown(labels[:1].tolist()[0])}, and classes_ holds {ours}: "
            f"{listed(classes)}. Pass labels of the kind that fit got."
        )
    return labels


_TEXT = "OSUT"
_ONE_EACH = "Pass one label per image: a list, an array or a column of text, integers or booleans."


def _of_rows(y: Any, rows: np.ndarray) -> str:
    """Return the error text for labels in two dimensions."""
    if rows.dtype == object:
        rows = np.array(rows.tolist())  # columns of numbers or booleans of a frame
    found = f"y has shape {rows.shape}"
    if rows.dtype.kind not in "biuf" or not np.isfinite(rows).all() or rows.min() < 0:
        return f"{found}, but y should be a 1d array. {_ONE_EACH}"
    frame, sparse = hasattr(y, "idxmax"), ".toarray()" if hasattr(y, "toarray") else ""
    index = "y.idxmax(axis=1)" if frame else f"y{sparse}.argmax(axis=1)"
    if not frame and not hasattr(y, "argmax"):
        index = "np.argmax(y, axis=1)"
    one_each = np.allclose(rows.sum(axis=1), 1, atol=1e-3)
    if not np.isin(rows, (0, 1)).all():
        likeliest = f"Its rows look like probabilities: the likeliest of each is {index}. "
        return f"{found}, but y should be a 1d array. {likeliest if one_each else ''}{_ONE_EACH}"
    if not one_each:
        return _several(f"{found}, and its rows aren't one-hot")
    return f"{found}: it is one-hot. Pass one label per image: {index}."


def _several(found: str) -> str:
    return (
        f"{found}: several labels per image, which no classifier of skvision supports. Use "
        "features: make_pipeline(PretrainedFeatureTransformer(), "
        "OneVsRestClassifier(LogisticRegression())) for rows of 0 and 1 (from "
        "MultiLabelBinarizer), or MultiOutputClassifier for columns of labels."
    )


def _check_items(y: Sequence[Any]) -> None:
    """Raise ValueError for items that aren't single labels, or whose types NumPy would convert."""
    sizes = [_size(item) for item in y]
    if any(size is not None for size in sizes):
        text = any(isinstance(label, str) for item in y if _size(item) for label in item)
        odd = next((k for k, size in enumerate(sizes) if size != 1), None)
        if odd is not None and (text or len(set(sizes)) > 1):
            raise ValueError(_several(f"y holds {shown(y[odd])} (item {odd})"))
        return
    kinds = {_kind(label) for label in y}
    if "str" in kinds and len(kinds) > 1:
        _refuse_kinds(kinds)  # NumPy would convert the numbers to text


def _size(item: Any) -> int | None:
    """Return the number of labels in an item; None for a single label."""
    if isinstance(item, str | bytes) or not isinstance(item, Iterable):
        return None
    if hasattr(item, "shape"):
        return item.shape[0] if len(item.shape) else None
    return len(item) if isinstance(item, Sized) else -1


def _of_unknown_type(y: np.ndarray) -> str:
    """Return what y holds instead of labels, and what to do."""
    if y.dtype.kind == "f":
        fraction = y[y != np.floor(y)][0]
        return (
            f"y holds measured numbers, for example {fraction:g}. Make classes of them first, for "
            "example np.digitize(y, edges)."
        )
    return f"y holds {shown(y[0])}, of type {type(y[0]).__name__}. {_ONE_EACH}"


def _kind(label: Any) -> str:
    """Return the kind of a label, for the types of any library."""
    if isinstance(label, np.generic):
        label = label.item()
    for kind in (str, bool, int, float):
        if isinstance(label, kind):
            return kind.__name__
    return type(label).__name__


def _refuse_kinds(kinds: Iterable[str]) -> None:
    raise ValueError(
        f"Labels must all be of one type. Received: {', '.join(sorted(kinds))}. "
        "Drop the images without a label, or convert: np.array(y, dtype=str)."
    )


def starts_partial_fit(estimator: Any, classes: Any) -> bool:
    """Set ``classes_`` in an estimator's first partial_fit; check later classes against them.

    Parameters
    ----------
    estimator : object
        Gets ``classes_`` if it has none.
    classes : array-like of shape (n_classes,) or None
        The parameter of partial_fit.

    Returns
    -------
    bool
        Whether it is the first call.

    Raises
    ------
    ValueError
        If classes are missing in the first call, or differ from those of earlier calls.

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
                "classes must be passed on the first call to partial_fit: all labels that any "
                "call will contain."
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


def listed(labels: Any) -> str:
    """Return labels as text for a message.

    Examples
    --------
    >>> from skvision._sklearn.labels import listed
    >>> listed(["cat", "dog"])
    "'cat', 'dog'"
    """
    return ", ".join(repr(label) for label in np.asarray(labels).tolist())

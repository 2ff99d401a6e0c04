"""Refuse streams of batches, such as generators and data loaders, which estimators don't accept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, KeysView, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from typing import Any

__all__ = ["refuse_streams"]

#: beginning of a class' module, name of the class ("" for any), and its name in errors. The
#: libraries needn't be installed
_STREAMS = (
    ("tensorflow.python.data", "", "a tf.data.Dataset"),
    ("tensorflow.python.distribute", "", "a distributed tf.data.Dataset"),
    ("keras", "PyDataset", "a Keras PyDataset"),
    ("keras", "Sequence", "a Keras Sequence"),
    ("keras", "Iterator", "a Keras iterator"),
    ("torch.utils.data", "", "a PyTorch data set or DataLoader"),
    ("datasets.", "Dataset", "a Hugging Face Dataset"),
    ("datasets.", "IterableDataset", "a Hugging Face Dataset"),
    ("webdataset.", "", "a WebDataset"),
    ("grain.", "", "a Grain data set"),
)

#: attributes of objects that have an order and a length, or an array
_IN_ORDER = (Sequence, KeysView, ValuesView)
_ARRAY_LIKE = ("__array__", "shape", "to_list", "columns")


def refuse_streams(X: Any) -> None:
    """Raise ValueError for a stream of batches, without taking anything from it.

    Examples
    --------
    >>> from skvision.images.streams import refuse_streams
    >>> refuse_streams(["cat.jpg"])
    >>> try:
    ...     refuse_streams(batch for batch in [[1], [2]])
    ... except ValueError as error:
    ...     print(str(error)[:22])
    X is a generator, whic
    """
    name = _stream_name(X)
    if name is not None:
        raise ValueError(
            f"X is {name}, which yields images in parts; an estimator needs all images at once, "
            "and y separately. Pass file names (they are read batch by batch, so memory stays "
            "small), join batches in memory, X = np.concatenate([batch for batch, _ in stream]), "
            "or call partial_fit(batch, labels, classes=...) for each batch."
        )
    # (SciPy's dok_array is a dictionary)
    if isinstance(X, Mapping | AbstractSet) and not isinstance(X, KeysView) and not _is_array(X):
        raise ValueError(
            f"X is a {type(X).__name__}, which has no order that y could follow. Pass a list, an "
            "array or a column of images."
        )


def _stream_name(X: Any) -> str | None:
    for cls in type(X).__mro__:
        for module, class_name, name in _STREAMS:
            if f"{cls.__module__}.".startswith(module) and class_name in ("", cls.__name__):
                return name
    if isinstance(X, Iterator):
        return "a generator" if hasattr(X, "gi_frame") else f"an iterator ({type(X).__name__})"
    if isinstance(X, (*_IN_ORDER, Mapping, AbstractSet)) or _is_array(X):
        return None
    if isinstance(X, Iterable) or hasattr(X, "__getitem__"):
        return f"an object of class {type(X).__name__}"
    return None


def _is_array(X: Any) -> bool:
    return any(hasattr(X, name) for name in _ARRAY_LIKE)

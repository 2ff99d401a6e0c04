"""`group_codes`: the checks of ``groups``, which name what related images have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exceptions import first_line, shown

__all__ = ["group_codes"]

_KINDS = {"b": "booleans", "i": "numbers", "u": "numbers", "f": "numbers", "U": "text"}


def group_codes(groups: Any, n_images: int, name: str = "groups") -> np.ndarray:
    """Read groups: one per image, as text or numbers.

    Parameters
    ----------
    groups : array-like of shape (n_images,)
        What related images have in common, such as a patient.
    n_images : int
        Required number of groups.
    name : str, default="groups"
        Where they come from, for errors.

    Returns
    -------
    ndarray of shape (n_images,), int
        A number from 0 for each group, in the order of the sorted groups.

    Raises
    ------
    ValueError
        If they have another length or form, lack a value or mix types.

    Examples
    --------
    >>> from skvision._sklearn.groups import group_codes
    >>> group_codes(["tom", "ann", "tom"], 3)
    array([1, 0, 1])
    """
    column = _column(groups, name)
    if len(column) != n_images:
        raise ValueError(
            f"{name} has {len(column)} entries, but X has {n_images} images. Pass one group per "
            "image; after an ImageOverSampler, groups[sampler.sample_indices_]."
        )
    if column.dtype == object:
        column = _of_one_type(column, name)
    if column.dtype.kind not in _KINDS:
        raise ValueError(
            f"{name} holds {shown(column[:1].tolist()[0])}, of type {column.dtype}. {_ONE_EACH}"
        )
    if column.dtype.kind == "f" and np.isnan(column).any():
        _refuse_missing(int(np.isnan(column).argmax()), name)
    codes: np.ndarray = np.unique(column, return_inverse=True)[1]
    return codes.astype(np.int64)


_ONE_EACH = "Pass one group per image: a list, an array or a column of text or integers."


def _column(groups: Any, name: str) -> np.ndarray:
    if isinstance(groups, str | bytes) or not hasattr(groups, "__len__"):
        raise ValueError(f"Received {name}={shown(groups)}. {_ONE_EACH}")
    mixed = isinstance(groups, list | tuple)
    try:
        # NumPy would convert numbers to text if a list holds both
        column = np.asarray(groups, dtype=object) if mixed else np.asarray(groups)
    except ValueError as error:
        raise ValueError(f"{name} can't be read: {first_line(error)}. {_ONE_EACH}") from None
    if column.ndim == 2 and column.shape[1] == 1:
        column = column[:, 0]
    if column.ndim != 1:
        raise ValueError(f"{name} has shape {column.shape}. {_ONE_EACH}")
    return column


def _of_one_type(column: np.ndarray, name: str) -> np.ndarray:
    """Return a column of objects as an array of text or numbers."""
    kinds: dict[str, Any] = {}
    for place, group in enumerate(column):
        is_nan = isinstance(group, float | np.floating) and np.isnan(group)
        if group is None or is_nan or type(group).__name__ in ("NAType", "NaTType"):
            _refuse_missing(place, name)
        kind = _KINDS.get(np.asarray(group).dtype.kind, type(group).__name__)
        kinds.setdefault(kind, group)
        if kind not in _KINDS.values() or np.ndim(group):
            raise ValueError(
                f"{name} holds {shown(group)}, of type {type(group).__name__}. {_ONE_EACH}"
            )
    if len(kinds) > 1:
        some = " and ".join(shown(group) for group in kinds.values())
        raise ValueError(
            f"{name} must all be of one type. Received {some}. Convert them: "
            "np.array(groups, dtype=str)."
        )
    return np.array(column.tolist())


def _refuse_missing(place: int, name: str) -> None:
    raise ValueError(
        f"{name} lacks a value for image {place}. Give each image a group; an image that is "
        "related to no other has a group of its own."
    )

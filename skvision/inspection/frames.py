"""The data of a display as a table."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_frame"]


def as_frame(columns: dict[str, Any]) -> Any:
    """Return columns as a pandas DataFrame, or as a dict of arrays where pandas is missing.

    Parameters
    ----------
    columns : dict of str to array-like of shape (n_rows,)
        The columns.

    Returns
    -------
    pandas.DataFrame or dict of str to ndarray
        A DataFrame if pandas is installed.

    Examples
    --------
    >>> from skvision.inspection.frames import as_frame
    >>> len(as_frame({"loss": [2.0, 1.0]})["loss"])
    2
    """
    arrays = {name: _column(values) for name, values in columns.items()}
    try:
        import pandas
    except ImportError:
        return arrays
    return pandas.DataFrame(arrays)


def _column(values: Any) -> np.ndarray:
    if isinstance(values, np.ndarray):
        return values
    values = list(values)
    if values and not np.isscalar(values[0]):
        column = np.empty(len(values), object)
        column[:] = values
        return column
    return np.asarray(values)

"""Which form a transformer's output has, by scikit-learn's setting: for tables alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compat import in_configured_container

__all__ = ["in_set_form"]


def in_set_form(estimator: Any, values: np.ndarray, X: Any) -> Any:
    """Put a table into the form that ``set_output`` or ``transform_output`` asks for.

    Parameters
    ----------
    estimator : transformer
        Whose output it is. Its class, or the base that the method comes from, has
        ``auto_wrap_output_keys=None``: scikit-learn would put everything into a frame.
    values : ndarray
        What it makes of X.
    X : object
        What it was given.

    Returns
    -------
    ndarray or DataFrame
        The values as they are, unless they are rows or X is a frame.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn import config_context
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skvision._sklearn.output import in_set_form
    >>> X = np.eye(2)
    >>> scaler = StandardScaler().fit(X)
    >>> with config_context(transform_output="pandas"):
    ...     type(in_set_form(scaler, X, X)).__name__
    ...     type(in_set_form(scaler, X[:, :, None], X)).__name__
    'DataFrame'
    'ndarray'
    """
    if values.ndim == 2 or hasattr(X, "columns"):
        return in_configured_container(values, X, estimator)
    return values

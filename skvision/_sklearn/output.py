"""Return a transformer's output in scikit-learn's configured container, if it is a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from .compat import in_configured_container

__all__ = ["in_set_form"]


def in_set_form(estimator: Any, values: np.ndarray, X: Any) -> Any:
    """Put a table into the container that ``set_output`` or ``transform_output`` configures.

    Parameters
    ----------
    estimator : transformer
        The transformer. Its class, or the base class of the method, needs
        ``auto_wrap_output_keys=None``, since scikit-learn would put all outputs into a frame.
    values : ndarray
        Its output for X.
    X : object
        Its input.

    Returns
    -------
    ndarray or DataFrame
        The values, in the container if they are rows or X is a frame.

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

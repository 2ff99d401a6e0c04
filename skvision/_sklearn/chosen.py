"""`chosen_estimator`: the estimator that a fitted search or a frozen estimator predicts by."""

from __future__ import annotations

from typing import Any

from sklearn.frozen import FrozenEstimator

__all__ = ["chosen_estimator"]


def chosen_estimator(estimator: Any) -> Any:
    """Return the best estimator of a search and the one inside a FrozenEstimator.

    Anything else is returned as it is.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.svm import SVC
    >>> from skvision._sklearn.chosen import chosen_estimator
    >>> chosen_estimator(FrozenEstimator(SVC()))
    SVC()
    """
    while True:
        # a FrozenEstimator has all attributes of the one that it holds
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return estimator

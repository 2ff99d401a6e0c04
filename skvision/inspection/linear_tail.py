"""The steps of a Pipeline after its features, as one kernel and one bias where they are linear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import LinearSVC

__all__ = ["LinearScores", "linear_scores"]

_SCALERS = (StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler)
# classifiers whose probabilities of three or more classes are a softmax of their scores
_SOFTMAX = (LogisticRegression, LogisticRegressionCV, LinearDiscriminantAnalysis)
# classifiers that learn one score per class, each against the rest
_ONE_BY_ONE = (
    LinearSVC,
    Perceptron,
    RidgeClassifier,
    RidgeClassifierCV,
    SGDClassifier,
)


@dataclass(frozen=True)
class LinearScores:
    """Scores of classes that are linear in the features: ``features @ kernel + bias``.

    Parameters
    ----------
    kernel : ndarray of shape (n_features, n_classes), float64
        The weights of unscaled features.
    bias : ndarray of shape (n_classes,), float64
        The constants.
    against_others : bool
        Whether a class competes with the others by its score, as in a softmax; else its score
        alone says how likely it is.
    """

    kernel: np.ndarray
    bias: np.ndarray
    against_others: bool


def linear_scores(steps: Sequence[Any]) -> LinearScores | None:
    """Return scalers and a linear classifier as one kernel and one bias.

    Parameters
    ----------
    steps : sequence of fitted estimators
        Scalers of single features, then a linear classifier, or a CalibratedClassifierCV of
        linear classifiers.

    Returns
    -------
    LinearScores or None
        None if a step isn't linear.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skvision.inspection.linear_tail import linear_scores
    >>> X, y = np.array([[1.0], [3.0], [5.0]]), [0, 1, 1]
    >>> scaler = StandardScaler().fit(X)
    >>> model = LogisticRegression().fit(scaler.transform(X), y)
    >>> found = linear_scores([scaler, model])
    >>> scores = X @ found.kernel + found.bias
    >>> bool(np.allclose(scores[:, 1] - scores[:, 0], model.decision_function((X - 3) / X.std())))
    True
    """
    *scalers, classifier = steps
    if not all(_scales_one_by_one(scaler) for scaler in scalers):
        return None
    found = _weights(classifier)
    if found is None:
        return None
    coefficients, intercepts, against_others = found
    scale, offset = np.ones(coefficients.shape[1]), np.zeros(coefficients.shape[1])
    for scaler in scalers:
        factor, constant = _line(scaler)
        scale, offset = scale * factor, offset * factor + constant
    intercepts = intercepts + coefficients @ offset
    coefficients = coefficients * scale
    if len(coefficients) == 1:
        # the difference of two scores
        coefficients = np.concatenate([-coefficients / 2, coefficients / 2])
        intercepts = np.concatenate([-intercepts / 2, intercepts / 2])
        against_others = True
    return LinearScores(coefficients.T, intercepts, against_others)


def _scales_one_by_one(step: Any) -> bool:
    clips = isinstance(step, MinMaxScaler) and step.clip
    return isinstance(step, _SCALERS) and not clips


def _line(scaler: Any) -> tuple[Any, Any]:
    """Return the factor and the constant of each feature."""
    if isinstance(scaler, MinMaxScaler):
        return scaler.scale_, scaler.min_
    factor = 1 / scaler.scale_ if scaler.scale_ is not None else 1.0
    centre: Any = 0.0
    if isinstance(scaler, StandardScaler) and scaler.with_mean:
        centre = scaler.mean_
    if isinstance(scaler, RobustScaler) and scaler.with_centering:
        centre = scaler.center_
    return factor, -centre * factor


def _weights(classifier: Any) -> tuple[np.ndarray, np.ndarray, bool] | None:
    """Return coefficients (n_classes or 1, n_features), intercepts, and how classes compete."""
    if isinstance(classifier, CalibratedClassifierCV):
        parts = [_weights(each.estimator) for each in classifier.calibrated_classifiers_]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        # its scores are calibrated one by one, so they only rise with these
        return (
            np.mean([part[0] for part in known], axis=0),
            np.mean([part[1] for part in known], axis=0),
            False,
        )
    if not isinstance(classifier, (*_SOFTMAX, *_ONE_BY_ONE)) or not hasattr(classifier, "coef_"):
        return None
    coefficients = np.atleast_2d(np.asarray(classifier.coef_, np.float64))
    intercepts = np.broadcast_to(np.asarray(classifier.intercept_, np.float64), len(coefficients))
    if len(coefficients) != (1 if len(classifier.classes_) == 2 else len(classifier.classes_)):
        return None
    # scikit-learn before 1.8 has the parameter multi_class
    one_by_one = (
        getattr(classifier, "solver", "") == "liblinear"
        or getattr(classifier, "multi_class", "") == "ovr"
    )
    return coefficients, intercepts, isinstance(classifier, _SOFTMAX) and not one_by_one

"""All that leans on scikit-learn's private parts: what it leans on, and why there is no other way.

tests/_sklearn/test_compat.py tells which of them a new scikit-learn has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

# What `_parameter_constraints` is made of, the table that `_validate_params` reads. Estimators
# of other libraries have no public way to scikit-learn's checks of parameters and their messages.
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils._set_output import _wrap_data_with_container

# How all estimators of scikit-learn read a sample_weight; `check_array` is a part of it alone.
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "WRITTEN_TYPES",
    "Interval",
    "Options",
    "RepresentedByState",
    "StrOptions",
    "check_sample_weight",
    "fit_context",
    "in_configured_container",
    "score_functions",
]

#: private classes that files of scikit-learn's estimators name: what a public class holds
WRITTEN_TYPES = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.metrics._scorer._CurveScorer",
    "sklearn.metrics._scorer._MultimetricScorer",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
)


def score_functions() -> set[Callable[..., Any]]:
    """The functions behind all scorers that scikit-learn knows by name.

    Leans on ``_score_func``: a scorer has no public way to its function.

    Examples
    --------
    >>> from sklearn.metrics import accuracy_score
    >>> from skvision._sklearn.compat import score_functions
    >>> accuracy_score in score_functions()
    True
    """
    from sklearn.metrics import get_scorer, get_scorer_names

    return {get_scorer(name)._score_func for name in get_scorer_names()}


def fit_context(estimator: Any, task_name: str, max_subtasks: int | None) -> Any:
    """The root of what callbacks are told of a fit; None where scikit-learn has no callbacks yet.

    Leans on ``_init_callback_context``, private but documented: there is no public way.
    """
    if not hasattr(estimator, "_init_callback_context"):
        return None
    return estimator._init_callback_context(task_name=task_name, max_subtasks=max_subtasks)


def in_configured_container(values: np.ndarray, X: Any, estimator: Any) -> Any:
    """The output of `transform` in the form that ``set_output`` or the global setting names.

    Leans on ``_wrap_data_with_container``: scikit-learn wraps a method as a whole or not at all,
    and there is no public way to wrap some of its outputs.
    """
    return _wrap_data_with_container("transform", values, X, estimator)


class RepresentedByState:
    """Mixin: the HTML representation lists fitted attributes without reading a property.

    Leans on ``_get_fitted_attr_html``, by which scikit-learn 1.9 reads every public attribute of
    an estimator, one that builds a network too. Before it, nothing asks for this.
    """

    def _get_fitted_attr_html(self, doc_link: str = "") -> Any:
        stored = SimpleNamespace(**vars(self))
        listed = BaseEstimator._get_fitted_attr_html(stored, doc_link)
        listed.estimator_class = type(self)
        return listed

"""All uses of scikit-learn's private parts, each with the reason why the public API isn't enough.

tests/_sklearn/test_compat.py shows which of them a new scikit-learn version has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

# takes rows of X as scikit-learn's cross-validation does: of lists, arrays and any library's frames
from sklearn.utils import _safe_indexing as taken_rows

# Entries of `_parameter_constraints`, the table that `_validate_params` reads. Other libraries have
# no public way to use scikit-learn's checks of parameters and their messages.
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils._set_output import _wrap_data_with_container

# scikit-learn's check of sample_weight; `check_array` is only a part of it
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
    "taken_rows",
]

#: private classes that occur within public ones in files of scikit-learn's estimators
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
    """Return the functions of all scorers that scikit-learn knows by name.

    Relies on ``_score_func``, since a scorer's function isn't public.

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
    """Return the root of a fit's tasks for callbacks; None if scikit-learn has no callbacks.

    Relies on ``_init_callback_context``, which is private but documented; there is no public way.
    """
    if not hasattr(estimator, "_init_callback_context"):
        return None
    return estimator._init_callback_context(task_name=task_name, max_subtasks=max_subtasks)


def in_configured_container(values: np.ndarray, X: Any, estimator: Any) -> Any:
    """Return an output of `transform` in the container that ``set_output`` configures.

    Relies on ``_wrap_data_with_container``: scikit-learn wraps all outputs of a method or none,
    and has no public way to wrap some of them.
    """
    return _wrap_data_with_container("transform", values, X, estimator)


class RepresentedByState:
    """Mixin: the HTML representation lists fitted attributes without reading properties.

    Relies on ``_get_fitted_attr_html``, by which scikit-learn 1.9 reads every public attribute of
    an estimator, even a property that builds a network. Earlier versions don't call it.
    """

    def _get_fitted_attr_html(self, doc_link: str = "") -> Any:
        stored = SimpleNamespace(**vars(self))
        listed = BaseEstimator._get_fitted_attr_html(stored, doc_link)
        listed.estimator_class = type(self)
        return listed

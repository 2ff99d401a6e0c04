"""Find the estimators inside pipelines, searches and other meta-estimators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

__all__ = ["final_estimator", "image_taker", "unwrapped"]

#: attributes of meta-estimators that hold a fitted estimator, or several
_HELD = ("best_estimator_", "estimator_", "calibrated_classifiers_", "estimators_", "estimator")


def unwrapped(estimator: Any) -> Any:
    """Return the fitted estimator inside meta-estimators, or the estimator itself.

    Examples
    --------
    >>> from sklearn.frozen import FrozenEstimator
    >>> from sklearn.svm import SVC
    >>> from skvision.inspection.unwrapping import unwrapped
    >>> unwrapped(FrozenEstimator(SVC()))
    SVC()
    """
    while (inner := _held(estimator)) is not None:
        estimator = inner
    return estimator


def _held(estimator: Any) -> Any:
    if isinstance(estimator, FrozenEstimator):  # it has all attributes of the one that it holds
        return estimator.estimator
    if isinstance(estimator, Pipeline) or hasattr(estimator, "value_range"):
        return None
    for name in _HELD:
        found = getattr(estimator, name, None)
        if isinstance(found, list | tuple):
            found = found[0] if found else None
        if hasattr(found, "get_params") or hasattr(found, "estimator"):
            return found
    return None


def final_estimator(estimator: Any) -> Any:
    """Return the last step of a Pipeline, within meta-estimators too.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn.svm import SVC
    >>> from skvision.inspection.unwrapping import final_estimator
    >>> final_estimator(make_pipeline(StandardScaler(), SVC()))
    SVC()
    """
    inner = unwrapped(estimator)
    while isinstance(inner, Pipeline):
        inner = unwrapped(inner[-1])
    return inner


def image_taker(estimator: Any) -> Any:
    """Return the estimator of skvision that gets X, or None.

    It knows ``row_shape`` and ``value_range`` of X.

    Examples
    --------
    >>> from skvision import MiniVGGClassifier
    >>> from skvision.inspection.unwrapping import image_taker
    >>> image_taker(MiniVGGClassifier(epochs=3))
    MiniVGGClassifier(epochs=3)
    """
    inner = unwrapped(estimator)
    while isinstance(inner, Pipeline):
        inner = unwrapped(next(_steps_of_predict(inner)))
    return inner if hasattr(inner, "value_range") and hasattr(inner, "row_shape") else None


def _steps_of_predict(pipeline: Any) -> Iterator[Any]:
    for _, step in pipeline.steps:
        # a sampler of imbalanced-learn works in fit only
        if step not in (None, "passthrough") and not hasattr(step, "fit_resample"):
            yield step

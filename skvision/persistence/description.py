"""The description of a model, for `skvision info` and for every model file."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from sklearn.frozen import FrozenEstimator

from .._sklearn.network_estimator import NetworkEstimator

__all__ = ["describe", "final_estimator"]


def describe(estimator: Any) -> dict[str, Any]:
    """Return the facts that a model provides about itself.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skvision.persistence.description import describe
    >>> describe(LogisticRegression(C=2.0))
    {'kind': 'LogisticRegression', 'parameters': {'C': 2.0}}
    """
    final = final_estimator(estimator)
    facts: dict[str, Any] = {"kind": type(estimator).__name__}
    steps = [type(step).__name__ for step in _within(estimator)]
    if len(steps) > 1:
        facts["steps"] = steps
    if hasattr(final, "classes_"):
        facts["classes"] = [str(name) for name in final.classes_]
    if hasattr(estimator, "predict_set"):
        facts["coverage"] = estimator.coverage
    facts["parameters"] = _parameters(estimator)
    trained_with = None
    if isinstance(final, NetworkEstimator) and hasattr(final, "classes_"):
        network = final.network_facts()
        trained_with = network.pop("trained_with", None)
        facts |= network
    measured = [each.held_out_ for each in _within(estimator) if hasattr(each, "held_out_")]
    if measured:
        facts["held_out"] = measured[0]
    if trained_with:
        facts["trained_with"] = trained_with
    return facts


def final_estimator(estimator: Any) -> Any:
    """Return the estimator that predicts: the last step of nested pipelines and searches.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skvision.persistence.description import final_estimator
    >>> final_estimator(make_pipeline(StandardScaler(), LogisticRegression()))
    LogisticRegression()
    """
    *_, last = _within(estimator)
    return last


def _within(estimator: Any) -> Iterator[Any]:
    """Yield the estimator and those that predict in it.

    These are a search's best estimator, a pipeline's steps, a frozen estimator's own and the only
    one of a classifier that withholds answers.
    """
    yield estimator
    if isinstance(estimator, FrozenEstimator):
        yield from _within(estimator.estimator)
    elif hasattr(estimator, "predict_set") and len(getattr(estimator, "estimators_", ())) == 1:
        yield from _within(estimator.estimators_[0])
    elif hasattr(estimator, "best_estimator_"):
        yield from _within(estimator.best_estimator_)
    elif hasattr(estimator, "steps"):
        for _, step in estimator.steps:
            yield from _within(step)


def _parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters with other than default values; in a pipeline with step names."""
    *_, last = containers = list(_within(estimator))
    steps = [step for each in containers for step in getattr(each, "steps", ())]
    if not steps:
        return _changed_parameters(last)
    return {
        f"{name}__{parameter}": value
        for name, step in steps
        if not hasattr(step, "steps")
        for parameter, value in _changed_parameters(step).items()
    }


def _changed_parameters(estimator: Any) -> dict[str, Any]:
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(type(estimator)).parameters.items()
    }
    return {
        name: value
        for name, value in estimator.get_params(deep=False).items()
        if name not in defaults or repr(value) != repr(defaults[name])
    }

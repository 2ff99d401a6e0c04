"""An argument has the same meaning in all constructors and public functions."""

from __future__ import annotations

import inspect
import re
from itertools import combinations

import pytest
from numpydoc.docscrape import get_doc_object
from numpydoc.validate import Validator
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import make_constraint

import skvision
from skvision import ConformalImageClassifier, ImageAugmenter, ImageOverSampler, load, save

from .walking import public_estimators

ESTIMATORS = public_estimators()
FUNCTIONS = {
    thing.__name__: thing
    for thing in (getattr(skvision, name) for name in skvision.__all__)
    if inspect.isfunction(thing)
}
MADE = {
    f"{thing.__name__}.from_estimator": thing.from_estimator
    for thing in (getattr(skvision, name) for name in skvision.__all__)
    if inspect.isclass(thing) and hasattr(thing, "from_estimator")
}
#: functions and classes with arguments for users, by name
OWNERS = {**ESTIMATORS, **FUNCTIONS, **MADE}

_FEATURES = "features may differ from machine to machine, a training may not"
#: argument: {function or class with another range: reason}
EXCEPTIONS = {
    "backbone": {
        "ImageNetClassifier": "the user's own network has other classes than ImageNet's",
    },
    "weights": {"ImageNetClassifier": "random weights name nothing"},
    "pooling": {"MiniVGGClassifier": "it is one network, so there is nothing for auto to choose"},
    "precision": {"ImageNetClassifier": _FEATURES, "PretrainedFeatureTransformer": _FEATURES},
    "learning_rate_schedule": {
        "FineTunedClassifier": "a schedule of Keras counts steps: each phase has a rate of its own"
    },
    "method": {"ConformalImageClassifier": "it ranks classes; the others draw heat maps"},
    "cv": {"ConformalImageClassifier": "it may be fitted already; labels are looked at in folds"},
    "groups": {
        "load_image_folder": "a rule that finds the groups of files",
        "load_image_table": "a column of a table, which holds the groups",
    },
    "value_range": {"ImageNetClassifier": "it learns nothing from X, no percentiles either"},
    "label": {"load_image_table": "a column of a table, which holds labels"},
    "path": {
        "load_image_folder": "a data set may lie in several folders",
        "load_image_table": "a column of a table, which holds paths",
    },
}
#: argument: reason why each function has its own description
APART = {"estimator": "a file takes other estimators than a plot"}


def parameters(name):
    return inspect.signature(OWNERS[name]).parameters


def documented(name):
    """Return the type of each parameter in the docstring, without the default."""
    documented = Validator(get_doc_object(OWNERS[name])).doc_all_parameters
    return {
        parameter: re.sub(r",\s*default=.*", "", kind)
        for parameter, (kind, _) in documented.items()
    }


def ranges(name):
    """Return scikit-learn's check of each parameter, as text; None if the package checks it."""
    constraints = getattr(OWNERS[name], "_parameter_constraints", {})
    return {
        parameter: " | ".join(str(make_constraint(each)) for each in allowed)
        for parameter, allowed in constraints.items()
    }


def sharing():
    """Return the functions and classes that have each argument, without exceptions."""
    found = {}
    for name in OWNERS:
        for parameter in parameters(name):
            if name not in EXCEPTIONS.get(parameter, {}) and parameter not in APART:
                found.setdefault(parameter, []).append(name)
    return {parameter: names for parameter, names in found.items() if len(names) > 1}


@pytest.mark.parametrize("parameter", sharing())
def test_an_argument_has_one_type_and_one_range(parameter):
    names = sharing()[parameter]
    assert len({documented(name)[parameter] for name in names}) == 1, names
    assert len({ranges(name).get(parameter) for name in names if name in ESTIMATORS}) <= 1, names


@pytest.mark.parametrize(
    ("parameter", "name"), [(each, name) for each, names in EXCEPTIONS.items() for name in names]
)
def test_each_exception_is_needed(parameter, name):
    others = [other for other in OWNERS if parameter in parameters(other) and other != name]
    assert any(documented(name)[parameter] != documented(other)[parameter] for other in others)


def test_arguments_have_one_order():
    for one, other in combinations(OWNERS, 2):
        shared = [each for each in parameters(one) if each in parameters(other)]
        assert shared == [each for each in parameters(other) if each in shared], (one, other)


def test_optional_arguments_are_keyword_only_from_the_third_on():
    for name in OWNERS:
        positional = [
            each
            for each in parameters(name).values()
            if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        ]
        assert all(each.default is each.empty for each in positional[2:]), name
        assert name not in ESTIMATORS or len(positional) <= 2, name


@pytest.mark.parametrize("cls", ESTIMATORS.values(), ids=ESTIMATORS)
def test_named_arguments_are_parameters(cls, tmp_path):
    """Tools that read a constructor's signature see only parameters."""
    first = {ImageOverSampler: [ImageAugmenter()], ConformalImageClassifier: [LogisticRegression()]}
    first = first.get(cls, [])
    tried = {"random_state": 7, "verbose": 1, "coverage": 0.9}
    name = next(each for each in tried if each in parameters(cls.__name__))
    changed = {name: tried[name]}
    if hasattr(cls, "optimizer") or "optimizer" in parameters(cls.__name__):
        changed["optimizer__clipnorm"] = 1.5
    estimator = cls(*first, **changed)
    assert set(estimator.get_params(deep=False)) == {*parameters(cls.__name__), *changed}
    read = load(save(estimator, tmp_path / "it.skv"))
    for other in (clone(estimator), read):
        assert repr(other) == repr(estimator)
        assert {name: other.get_params()[name] for name in changed} == changed
    for name, value in changed.items():
        assert f"{name}={value}" in repr(estimator)
        assert name in estimator._repr_html_()
    with pytest.raises(TypeError, match="positional argument"):
        cls(*[None] * 3)

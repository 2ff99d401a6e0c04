"""Private parts of scikit-learn that skvision uses: a test fails if a new version changes one."""

from __future__ import annotations

import importlib
from numbers import Integral, Real

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import accuracy_score, get_scorer_names, roc_auc_score
from sklearn.preprocessing import StandardScaler

from skvision import MiniVGGClassifier
from skvision._sklearn.callbacks import CallbackSupportMixin
from skvision._sklearn.compat import (
    WRITTEN_TYPES,
    Interval,
    Options,
    RepresentedByState,
    StrOptions,
    check_sample_weight,
    fit_context,
    in_configured_container,
    score_functions,
    taken_rows,
)
from skvision._sklearn.labels import starts_partial_fit


class Estimator(BaseEstimator):
    _parameter_constraints = {
        "rate": [Interval(Real, 0, 1, closed="left")],
        "kind": [StrOptions({"a", "b"}), None],
        "level": [Options(Integral, {0, 1}), "boolean"],
    }

    def __init__(self, rate=0.5, kind=None, level=True):
        self.rate = rate
        self.kind = kind
        self.level = level


def test_parameters_are_checked_against_the_table():
    Estimator()._validate_params()
    for params, message in [
        ({"rate": 1}, r"'rate' parameter of Estimator must be a float in the range \[0"),
        ({"kind": "c"}, "'kind' parameter of Estimator must be a str among"),
        ({"level": 2}, "'level' parameter of Estimator must be an? int among"),
    ]:
        with pytest.raises(ValueError, match=message):
            Estimator(**params)._validate_params()


def test_rows_of_every_form_are_taken():
    rows = np.array([2, 0])
    assert taken_rows(["a", "b", "c"], rows) == ["c", "a"]
    assert taken_rows(np.arange(6).reshape(3, 2), rows).tolist() == [[4, 5], [0, 1]]
    for library in (pd, pl):
        assert taken_rows(library.Series(["a", "b", "c"]), rows).to_list() == ["c", "a"]
        assert taken_rows(library.DataFrame({"file": ["a", "b", "c"]}), rows).shape == (2, 1)


def test_sample_weights_are_read_as_scikit_learn_does():
    images = np.zeros((2, 1))
    read = check_sample_weight([1, 2], images, ensure_non_negative=True)
    assert (read.tolist(), read.dtype) == ([1, 2], np.float64)
    for bad in ([1], [[1, 2]], [1, -1], [1, np.nan]):
        with pytest.raises(ValueError, match="weight"):
            check_sample_weight(bad, images, ensure_non_negative=True)


@pytest.mark.parametrize("name", WRITTEN_TYPES)
def test_the_classes_in_files_exist(name):
    module, _, kind = name.rpartition(".")
    assert isinstance(getattr(importlib.import_module(module), kind, None), type), (
        f"scikit-learn has no {name} any more: files of an earlier one name it, files of this one "
        "another, which is missing in WRITTEN_TYPES"
    )


def test_every_scorer_has_a_function():
    functions = score_functions()
    assert {accuracy_score, roc_auc_score} <= functions
    assert len(functions) <= len(get_scorer_names())
    assert all(callable(each) and each.__module__.startswith("sklearn.") for each in functions)


def test_a_fit_has_a_context_where_scikit_learn_has_callbacks():
    pytest.importorskip("sklearn.callback")
    done = []

    class Note:
        def setup(self, estimator, context):
            done.append("setup")

        def teardown(self, estimator, context):
            done.append("teardown")

        def on_fit_task_begin(self, estimator, context, **data):
            done.append(context.task_name)

        def on_fit_task_end(self, estimator, context, **data):
            return False

    class Fitted(CallbackSupportMixin, Estimator):
        pass

    estimator = Fitted().set_callbacks(Note())
    context = fit_context(estimator, "fit", 1)
    context.call_on_fit_task_begin(estimator=estimator, X=None, y=None)
    part = context.subcontext(task_name="epoch", max_subtasks=0)
    part.call_on_fit_task_begin(estimator=estimator, X=None, y=None)
    assert done == ["setup", "fit", "epoch"]
    # the way in which a safe file leaves out callbacks
    bare = clone(estimator).set_callbacks()
    assert vars(bare).keys() == {"rate", "kind", "level"}


def test_other_estimators_have_no_context():
    assert fit_context(Estimator(), "fit", 1) is None


def test_the_representation_reads_no_property():
    class Fitted(RepresentedByState, Estimator):
        network_ = property(lambda self: 1 / 0)

        def fit(self):
            self.classes_ = np.array(["a", "b"])
            return self

    estimator = Fitted().fit()
    shown = estimator._repr_html_()
    assert "Fitted" in shown
    if hasattr(BaseEstimator, "_get_fitted_attr_html"):
        assert "classes_" in shown
    assert "network_" not in shown


def test_the_representation_links_to_the_documentation():
    link = "https://skvision.readthedocs.io/en/stable/api/skvision.MiniVGGClassifier.html"
    assert link in MiniVGGClassifier()._repr_html_()


def test_an_estimators_own_clone_calls_scikit_learns():
    class Own(Estimator):
        def __sklearn_clone__(self):
            return BaseEstimator.__sklearn_clone__(self).set_params(rate=0.25)

    assert clone(Own(rate=0.75)).rate == 0.25


def test_classes_are_learnt_in_the_first_partial_fit():
    estimator = Estimator()
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        starts_partial_fit(estimator, None)
    assert starts_partial_fit(estimator, ["b", "a", "b"])
    assert estimator.classes_.tolist() == ["a", "b"]
    assert not starts_partial_fit(estimator, None)
    assert not starts_partial_fit(estimator, ["b", "a"])
    with pytest.raises(ValueError, match=r"classes=\[0, 1, 2, 3, 4, 5, \.\.\.\] is not the same"):
        starts_partial_fit(estimator, range(1000))


def test_outputs_are_put_into_the_configured_container():
    scaler = StandardScaler().fit(np.eye(2))
    values = np.eye(2)
    assert in_configured_container(values, values, scaler) is values
    with config_context(transform_output="pandas"):
        frame = in_configured_container(values, values, scaler)
    assert list(frame.columns) == ["x0", "x1"], "scikit-learn's _wrap_data_with_container changed"

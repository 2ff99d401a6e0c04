from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    ShuffleSplit,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skvision import SearchDisplay
from skvision.inspection.search_results import is_logarithmic

TREE = DecisionTreeClassifier(random_state=0)
IRIS = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def two():
    grid = {"max_depth": [1, 2, 3, None], "criterion": ["gini", "entropy"]}
    return GridSearchCV(TREE, grid, cv=3).fit(*IRIS)


def bars(display):
    """The points of each line with error bars."""
    return [each.lines[0].get_xydata() for each in display.ax_.containers]


def texts(legend):
    return [text.get_text() for text in legend.get_texts()]


def test_one_parameter_with_its_intervals():
    search = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-5, 1e-1, 1e3]}, cv=4).fit(*IRIS)
    display = SearchDisplay.from_estimator(search)
    results = search.cv_results_
    (points,) = bars(display)
    np.testing.assert_allclose(points[:, 0], [1e-9, 1e-5, 1e-1, 1e3])
    np.testing.assert_allclose(points[:, 1], results["mean_test_score"])
    assert display.ax_.get_xscale() == "log"
    assert display.ax_.get_ylabel() == "accuracy, mean of 4 folds ± standard error"
    frame = display.frame()
    errors = results["std_test_score"] / np.sqrt(3)  # of the population, so n - 1 here
    np.testing.assert_allclose(frame["standard_error"], errors)
    np.testing.assert_allclose(frame["fold_3"], results["split3_test_score"])
    np.testing.assert_allclose(frame["var_smoothing"], [1e-9, 1e-5, 1e-1, 1e3])
    assert display.best_index == search.best_index_
    assert f"({search.best_score_:.3f})" in display.ax_.get_title("left")


def test_two_parameters_are_lines_of_the_second(two):
    display = SearchDisplay.from_estimator(two, parameters=["max_depth", "criterion"])
    assert texts(display.ax_.get_legend()) == ["gini", "entropy", "best"]
    gini, entropy = bars(display)
    assert len(gini) == len(entropy) == 4
    labels = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert labels == ["1", "2", "3", "None"]
    # None is no number: values are categories
    assert display.ax_.get_xlim() == (-0.5, 3.5)


def test_of_the_other_parameters_the_best_is_shown(two):
    display = SearchDisplay.from_estimator(two, parameters="criterion")
    (points,) = bars(display)
    mean = two.cv_results_["mean_test_score"]
    of_gini = np.array([each["criterion"] == "gini" for each in two.cv_results_["params"]])
    np.testing.assert_allclose(points[:, 1], [mean[of_gini].max(), mean[~of_gini].max()])
    assert "each point: the best of max_depth" in display.ax_.get_title("left")


def test_failed_fits_are_counted():
    search = GridSearchCV(TREE, {"max_depth": [-1, 1, 2]}, cv=3)
    with pytest.warns(FitFailedWarning, match="fits failed"):
        search.fit(*IRIS)
    display = SearchDisplay.from_estimator(search)
    assert display.n_failed == 1
    assert "1 of 3 settings failed and are not shown" in display.ax_.get_title("left")
    assert len(bars(display)[0]) == 2
    assert np.isnan(display.frame()["mean"][0])
    results = {**search.cv_results_, "mean_test_score": np.full(3, np.nan)}
    with pytest.raises(ValueError, match="All 3 settings of the search failed"):
        SearchDisplay(results)


def test_a_randomized_search_over_two_parameters_is_a_map():
    search = RandomizedSearchCV(
        LogisticRegression(max_iter=200),
        {"C": loguniform(1e-3, 1e2), "tol": loguniform(1e-4, 1e-1)},
        n_iter=9,
        random_state=0,
        cv=2,
    ).fit(*IRIS)
    display = SearchDisplay.from_estimator(search)
    assert display.ax_.get_xscale() == display.ax_.get_yscale() == "log"
    points = display.ax_.collections[0]
    np.testing.assert_allclose(points.get_array(), search.cv_results_["mean_test_score"])
    np.testing.assert_allclose(points.get_offsets()[:, 0], search.cv_results_["param_C"].data)


def test_a_halving_search_has_a_line_per_iteration():
    search = HalvingGridSearchCV(
        TREE, {"max_depth": [1, 2, 3, 4]}, factor=2, random_state=0, cv=2
    ).fit(*IRIS)
    display = SearchDisplay.from_estimator(search)
    resources = np.unique(search.cv_results_["n_resources"])
    assert texts(display.ax_.get_legend()) == [*map(str, resources), "best"]
    assert [len(each) for each in bars(display)] == [4, 2, 1]
    assert display.best_index == search.best_index_
    assert set(display.frame()["iter"]) == set(search.cv_results_["iter"])
    both = HalvingGridSearchCV(
        TREE,
        {"max_depth": [1, 2], "criterion": ["gini", "entropy"]},
        factor=2,
        random_state=0,
        cv=2,
    ).fit(*IRIS)
    lines = bars(SearchDisplay.from_estimator(both))
    assert sum(map(len, lines)) == 4  # each setting once, at its last iteration


def test_the_resource_of_a_halving_search_is_no_parameter():
    search = HalvingGridSearchCV(
        SGDClassifier(tol=None, random_state=0),
        {"alpha": [0.0001, 0.001, 0.01, 0.1]},
        resource="max_iter",
        max_resources=80,
        factor=2,
        random_state=0,
        cv=2,
    ).fit(*IRIS)
    assert "max_iter" in search.cv_results_["params"][0]
    display = SearchDisplay.from_estimator(search)
    assert display.parameters == ["alpha"]
    assert texts(display.ax_.get_legend()) == ["20", "40", "80", "best"]


def test_steps_of_a_pipeline_and_lists_of_grids():
    pipeline = Pipeline([("scale", StandardScaler()), ("tree", TREE)])
    grids = [{"scale": [StandardScaler(), MinMaxScaler()]}, {"tree__max_depth": [2]}]
    display = SearchDisplay.from_estimator(GridSearchCV(pipeline, grids, cv=2).fit(*IRIS))
    assert display.parameters == ["scale", "tree__max_depth"]
    labels = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert labels == ["StandardScaler", "MinMaxScaler", "unset"]


def test_several_metrics():
    search = GridSearchCV(
        TREE, {"max_depth": [1, 2]}, scoring=["accuracy", "f1_macro"], refit="f1_macro", cv=2
    ).fit(*IRIS)
    assert SearchDisplay.from_estimator(search).metric == "f1_macro"
    display = SearchDisplay.from_estimator(search, metric="accuracy")
    assert display.ax_.get_ylabel().startswith("accuracy, mean")
    with pytest.raises(ValueError, match="no metric 'recall'. It has: 'accuracy', 'f1_macro'"):
        SearchDisplay.from_estimator(search, metric="recall")
    search = search.set_params(refit=False).fit(*IRIS)
    with pytest.raises(ValueError, match="Pass metric="):
        SearchDisplay.from_estimator(search)


def test_results_of_other_searches():
    results = {
        "params": [{"C": 1}, {"C": 2}],
        "mean_test_f1": [0.5, 0.7],
        "split0_test_f1": [0.4, 0.7],
        "split1_test_f1": [0.6, 0.7],
    }
    display = SearchDisplay(results, parameters="C", metric="f1", score_name="F1 score").plot()
    assert display.ax_.get_ylabel() == "F1 score, mean of 2 folds ± standard error"
    np.testing.assert_allclose(display.frame()["standard_error"], [0.1, 0])


def test_a_single_fold_has_no_interval():
    split = ShuffleSplit(1, random_state=0)
    display = SearchDisplay.from_estimator(
        GridSearchCV(TREE, {"max_depth": [2, 3]}, cv=split, scoring="accuracy").fit(*IRIS)
    )
    assert display.ax_.get_ylabel() == "accuracy"
    assert np.isnan(display.frame()["standard_error"]).all()
    single = GridSearchCV(TREE, {"max_depth": [2]}, cv=2).fit(*IRIS)
    assert len(bars(SearchDisplay.from_estimator(single))[0]) == 1


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        ([1e-3, 1e-2, 1e-1], "C", True),
        ([0.01, 0.02], "learning_rate", True),
        ([0.01, 0.02], "net__learning_rate", True),
        ([1, 2, 3, 20], "n", True),
        (range(1, 21), "n", False),
        ([0, 1, 10, 100], "C", False),
        ([-1, 1, 10], "C", False),
        ([16, 32, 64, 128, 256], "n", True),
        ([1, 100], "C", True),
        ([5], "C", False),
        (np.linspace(0.001, 1, 30), "dropout", False),
        (loguniform(1e-4, 1).rvs(30, random_state=0), "alpha", True),
    ],
)
def test_logarithmic_axes(values, name, expected):
    assert is_logarithmic(list(values), name) is expected


def test_bad_arguments(two):
    with pytest.raises(ValueError, match="takes a fitted search.*Received: DecisionTree"):
        SearchDisplay.from_estimator(TREE)
    with pytest.raises(ValueError, match="takes a fitted search"):
        SearchDisplay.from_estimator("grid")
    with pytest.raises(NotFittedError, match="not fitted"):
        SearchDisplay.from_estimator(GridSearchCV(TREE, {}))
    for bad in ("depth", [], ["max_depth", "max_depth"], ["max_depth", "criterion", "max_depth"]):
        with pytest.raises(ValueError, match="one or two different .*'max_depth'"):
            SearchDisplay.from_estimator(two, parameters=bad)
    grid = {"max_depth": [1, 2], "criterion": ["gini", "entropy"], "splitter": ["best", "random"]}
    three = GridSearchCV(TREE, grid, cv=2).fit(*IRIS)
    with pytest.raises(ValueError, match=r"varies 3 parameters.*Pass parameters="):
        SearchDisplay.from_estimator(three)
    with pytest.raises(ValueError, match="no parameters"):
        SearchDisplay.from_estimator(GridSearchCV(TREE, {}, cv=2).fit(*IRIS))

"""`ConformalImageClassifier`: sets of classes, withheld answers and mistakes."""

from __future__ import annotations

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RepeatedKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC

from skvision import ConformalImageClassifier, load, save
from skvision.persistence.description import describe, final_estimator


class Told(ClassifierMixin, BaseEstimator):
    """X holds the probabilities of class 1."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.column_stack([1 - np.asarray(X)[:, 0], np.asarray(X)[:, 0]])


def told(*probabilities):
    return np.array(probabilities)[:, None]


@pytest.fixture(scope="module")
def rows():
    """Rows of 1,300 digits from 0 to 6, in random order."""
    X, y = load_digits(n_class=7, return_X_y=True)
    X = X / 16
    order = np.random.default_rng(0).permutation(len(y))
    return X[order], y[order]


@pytest.fixture(scope="module")
def pipeline():
    return make_pipeline(StandardScaler(), LogisticRegression())


@pytest.fixture(scope="module")
def withholding(rows, pipeline):
    """Fitted on 400 rows; tests must not refit it."""
    X, y = rows
    return ConformalImageClassifier(pipeline, 0.8).fit(X[:400], y[:400])


# sets


@pytest.fixture
def of_told():
    """Nine images of either class, with scores 0.0, 0.1, ... 0.8 and 0.00, 0.05, ... 0.40."""
    zeros, ones = np.arange(9) / 10, 1 - np.arange(9) / 20
    return np.concatenate([zeros, ones])[:, None], np.repeat([0, 1], 9)


def test_sets_of_a_fitted_classifier(of_told):
    X, y = of_told
    model = ConformalImageClassifier(FrozenEstimator(Told().fit(X, y)), 0.9).fit(X, y)
    assert model.method_ == "probability"
    np.testing.assert_array_equal(model.n_calibration_, [9, 9])
    # 0 is excluded by a probability of 1 above 0.8, 1 by one below 0.6
    asked = told(0.5, 0.7, 0.9)
    sets = [[True, False], [True, True], [False, True]]
    np.testing.assert_array_equal(model.predict_set(asked), sets)
    np.testing.assert_array_equal(model.predict(asked), [0, -1, 1])
    # eight of nine, without a new fit: above 0.7, below 0.65
    sets = [[True, False], [True, True], [False, True], [False, True]]
    asked = told(0.6, 0.7, 0.75, 0.9)
    np.testing.assert_array_equal(model.predict_set(asked, coverage=0.8), sets)
    np.testing.assert_array_equal(model.set_params(coverage=0.8).predict(asked), [0, -1, 1, 1])
    # at 0.4 neither class has an image as unusual
    model.set_params(coverage=0.3)
    np.testing.assert_array_equal(model.predict_set(told(0.5)), [[False, False]])
    np.testing.assert_array_equal(model.predict(told(0.5)), [-1])
    sets, probabilities = model.predict_set(told(0.5), return_proba=True)
    np.testing.assert_array_equal(probabilities, model.predict_proba(told(0.5)))


def test_one_limit_for_all_classes(of_told):
    X, y = of_told
    model = ConformalImageClassifier(FrozenEstimator(Told().fit(X, y)), class_conditional=False)
    # 18 images are too few for 0.95, and enough for 0.9, which takes all of them
    with pytest.raises(ValueError, match="at least 19 calibration images in all, but there are 18"):
        model.fit(X, y)
    model.set_params(coverage=0.9).fit(X, y)
    # rank 18 of 19 has the score 0.8
    sets = [[True, False], [True, True], [False, True]]
    np.testing.assert_array_equal(model.predict_set(told(0.1, 0.3, 0.9)), sets)


def test_folds_are_compared_with_their_own_estimator(rows):
    """Sets of cross-conformal prediction, image by image as its definition says."""
    X, y = rows[0][:120], rows[1][:120] % 2
    model = ConformalImageClassifier(LogisticRegression(), 0.9, cv=3).fit(X, y)
    asked = rows[0][120:150]
    counts = np.zeros((len(asked), 2))
    for estimator, (train, test) in zip(
        model.estimators_, StratifiedKFold(3).split(X, y), strict=True
    ):
        again = LogisticRegression().fit(X[train], y[train])
        np.testing.assert_allclose(estimator.predict_proba(asked), again.predict_proba(asked))
        of_test = again.predict_proba(X[test])[np.arange(len(test)), y[test]]
        for k in (0, 1):
            for own in of_test[y[test] == k]:
                # as unusual as the asked image, or more
                counts[:, k] += own <= again.predict_proba(asked)[:, k]
    expected = (counts + 1) / (np.bincount(y) + 1) > 0.1
    np.testing.assert_array_equal(model.predict_set(asked), expected)
    mean = np.mean([each.predict_proba(asked) for each in model.estimators_], axis=0)
    np.testing.assert_array_equal(model.predict_proba(asked), mean)


@pytest.mark.parametrize("method", ["probability", "distance"])
@pytest.mark.parametrize("cv", [None, StratifiedShuffleSplit(1, test_size=0.4, random_state=0)])
def test_each_class_has_its_coverage(rows, pipeline, method, cv):
    X, y = rows
    model = ConformalImageClassifier(pipeline, 0.9, method=method, cv=cv).fit(X[:600], y[:600])
    sets = model.predict_set(X[600:])
    for code, label in enumerate(model.classes_):
        own = y[600:] == label
        error = np.sqrt(0.9 * 0.1 * (1 / own.sum() + 1 / (model.n_calibration_[code] + 2)))
        # seven classes, so that one of them may be a little off
        assert abs(sets[own, code].mean() - 0.9) < 3 * error


def test_distances_find_foreign_images(rows, pipeline):
    """Of digits that weren't in the training many have a sure answer."""
    X, y = rows
    known, foreign = y < 4, y > 4
    withheld = {}
    for method in ("probability", "distance"):
        model = ConformalImageClassifier(pipeline, 0.95, method=method)
        model.fit(X[known][:400], y[known][:400])
        assert model.method_ == method
        own = model.predict(X[known][400:])
        assert (own == -1).mean() < 0.15
        withheld[method] = (model.predict(X[foreign]) == -1).mean()
    assert withheld["distance"] > max(0.65, withheld["probability"] + 0.2)


def test_the_method_follows_from_the_estimator(rows, pipeline):
    X, y = rows[0][:200], rows[1][:200] % 2
    one = {"cv": StratifiedShuffleSplit(1, test_size=0.3, random_state=0), "coverage": 0.8}
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.1, 1]}, cv=2)
    frozen = FrozenEstimator(clone(pipeline).fit(X, y))
    for estimator in (pipeline, search, frozen):
        model = ConformalImageClassifier(estimator, **one).fit(X, y)
        assert (model.method_, len(model.neighbourhoods_)) == ("distance", 1)
    # every fourth stands for the training images, unless these are named
    n_apart = sum(-(-(y == k).sum() // 4) for k in (0, 1))
    assert model.n_calibration_.sum() == 200 - n_apart
    assert len(model.neighbourhoods_[0].references) == n_apart
    model.set_params(cv=[(np.arange(120), np.arange(120, 200))]).fit(X, y)
    assert model.n_calibration_.sum() == 80
    assert len(model.neighbourhoods_[0].references) == 120
    assert model.estimators_ == [frozen]
    # what the last step gets is a list, as of file names
    of_lists = make_pipeline(FunctionTransformer(list), LogisticRegression())
    for estimator in (LogisticRegression(), of_lists):
        model = ConformalImageClassifier(estimator, **one).fit(X, y)
        assert (model.method_, model.neighbourhoods_) == ("probability", [])
        with pytest.raises(ValueError, match="method='distance' needs features.*Received"):
            model.set_params(method="distance").fit(X, y)


# labels

#: classes, and the answer that is withheld
LABELS = [
    (np.array(["cat", "dog"]), "withheld", "<U8"),
    (np.array(["cat", "dog"], dtype=object), "withheld", object),
    (np.array([0, 1]), -1, np.int64),
    (np.array([0, 1], dtype=np.uint8), -1, np.int64),
    (np.array([-1, 1]), -2, np.int64),
    (np.array([0.0, 1.0]), -1.0, np.float64),
    (np.array([False, True]), -1, np.int64),
]


@pytest.mark.parametrize(("names", "withheld", "dtype"), LABELS, ids=lambda each: str(each))
def test_a_withheld_answer_beside_labels_of_every_type(of_told, names, withheld, dtype):
    X, codes = of_told
    y = names[codes]
    model = ConformalImageClassifier(Told(), 0.6, cv=3).fit(X, y)
    assert model.classes_.dtype == y.dtype
    answers = model.predict(told(0.0, 0.65, 1.0))
    assert answers.tolist() == [names[0], withheld, names[1]]
    assert answers.dtype == dtype
    likeliest = model.set_params(reject_label=None).predict(told(0.0, 0.65, 1.0))
    assert likeliest.tolist() == [names[0], names[1], names[1]]
    assert likeliest.dtype == y.dtype


def test_reject_labels(of_told):
    X, codes = of_told
    model = ConformalImageClassifier(Told(), 0.6, cv=3, reject_label="?")
    words = np.array(["cat", "dog"])[codes]
    assert model.fit(X, words).predict(told(0.65)).tolist() == ["?"]
    with pytest.raises(ValueError, match="reject_label must be a number, as the classes are: 0, 1"):
        model.fit(X, codes)
    with pytest.raises(ValueError, match="reject_label must be text.*Received: 99"):
        model.set_params(reject_label=99).fit(X, words)
    with pytest.raises(ValueError, match="reject_label='dog' is a class too"):
        model.set_params(reject_label="dog").fit(X, words)
    with pytest.raises(ValueError, match="'withheld' is a class too"):
        model.set_params(reject_label="auto").fit(X, np.array(["cat", "withheld"])[codes])


# partners in scikit-learn


def test_it_is_a_classifier_of_scikit_learn(rows, pipeline):
    X, y = rows[0][:300], rows[1][:300] % 2
    model = ConformalImageClassifier(pipeline, 0.9, cv=2)
    assert cross_val_score(model, X, y, cv=2).min() > 0.6
    found = GridSearchCV(model, {"estimator__logisticregression__C": [0.1, 1]}, cv=2).fit(X, y)
    answers = found.predict(X)
    assert found.score(X, y) == (answers == y).mean() < (answers == y)[answers >= 0].mean()
    assert "skvision.ConformalImageClassifier.html" in found.best_estimator_._repr_html_()
    assert clone(model).get_params()["estimator__logisticregression__C"] == 1.0


def test_metadata_reach_the_estimator_and_the_splitter(rows):
    X, y = rows[0][:120], rows[1][:120] % 2
    groups, weights = np.arange(120) // 4, np.where(y == 0, 1.0, 20.0)
    net = LogisticRegression()
    model = ConformalImageClassifier(net, 0.9, cv=GroupKFold(3), method="probability")
    with pytest.raises(ValueError, match="groups"):
        model.fit(X, y)
    model.fit(X, y, groups=groups, sample_weight=weights)
    train, _ = next(GroupKFold(3).split(X, y, groups))
    alone = clone(net).fit(X[train], y[train], sample_weight=weights[train])
    np.testing.assert_allclose(model.estimators_[0].coef_, alone.coef_)
    with config_context(enable_metadata_routing=True):
        routed = clone(model).set_params(estimator=clone(net).set_fit_request(sample_weight=True))
        routed.fit(X, y, groups=groups, sample_weight=weights)
    np.testing.assert_allclose(routed.estimators_[0].coef_, alone.coef_)


def test_files_hold_it(withholding, rows, fitted, digits, tmp_path):
    splitter = StratifiedShuffleSplit(1, test_size=0.4, random_state=0)
    calibrated = ConformalImageClassifier(FrozenEstimator(fitted), 0.8, cv=splitter).fit(*digits)
    for model, X in ((withholding, rows[0][:200]), (calibrated, digits[0][:20])):
        joblib.dump(model, tmp_path / "m.joblib")
        for again in (load(save(model, tmp_path / "m.skv")), joblib.load(tmp_path / "m.joblib")):
            np.testing.assert_array_equal(again.predict_set(X), model.predict_set(X))
            np.testing.assert_array_equal(again.predict(X), model.predict(X))
            assert repr(again) == repr(model)
    assert describe(calibrated)["coverage"] == 0.8
    assert describe(calibrated)["epochs"] == fitted.n_epochs_
    assert final_estimator(calibrated) is fitted
    # the first of several networks isn't what predicts
    assert final_estimator(withholding) is withholding


# mistakes


def test_too_few_calibration_images(of_told):
    X, y = of_told
    model = ConformalImageClassifier(Told(), 0.95, cv=3)
    expected = (
        "coverage=0.95 needs at least 19 calibration images of each class, but 0 has 9, 1 has 8. "
        "Add images, lower coverage to 0.888, or set class_conditional=False, which needs 19 in all"
    )
    with pytest.raises(ValueError, match=expected):
        model.fit(X[:17], y[:17])
    assert not hasattr(model, "classes_")
    model.set_params(coverage=0.8).fit(X, y)
    for use in (
        lambda: model.predict_set(X, coverage=0.99),
        lambda: model.set_params(coverage=0.99).predict(X),
    ):
        with pytest.raises(ValueError, match="coverage=0.99 needs at least 99 .* 0 has 9"):
            use()
    frozen = ConformalImageClassifier(FrozenEstimator(Told().fit(X, y)), 0.95)
    with pytest.raises(ValueError, match="needs at least 19 .* three of four images of a Frozen"):
        frozen.fit(X, y)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"coverage": 95}, "coverage must be a number above 0 and below 1.*Received: 95"),
        ({"coverage": "0.95"}, "Received: '0.95'"),
        ({"method": "lac"}, "'method' parameter .* must be a str among"),
        ({"class_conditional": 3}, "'class_conditional' parameter"),
        ({"cv": "prefit"}, "Received: 'prefit'. Pass a fitted classifier as FrozenEstimator"),
        ({"cv": 0.2}, "Expected `cv` as an integer, .* Got 0.2"),
        ({"cv": 10}, "cv=10 needs at least 10 images of each class, but 0 has 9"),
        ({"cv": KFold(2)}, "trains on no image of 0. Each class must be in each training part"),
        ({"cv": RepeatedKFold(n_splits=3)}, "calibrates on an image 10 times"),
        ({"cv": [(np.arange(18), np.arange(9, 18))]}, "the same images"),
    ],
)
def test_bad_parameters(of_told, changed, message):
    model = ConformalImageClassifier(Told(), 0.6).set_params(**changed)
    with pytest.raises(ValueError, match=message):
        model.fit(*of_told)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (LinearRegression(), "Received a LinearRegression, a regressor, .* Pass a classifier"),
        (LinearSVC(), "Received a LinearSVC, .* Wrap it in sklearn.calibration.Calibrated"),
        (make_pipeline(MinMaxScaler(), LinearSVC()), "a Pipeline, .* Wrap it"),
        (GridSearchCV(SVC(), {"C": [1]}), "Received a GridSearchCV"),
        (FunctionTransformer(), "Received a FunctionTransformer, .* Pass a classifier"),
        (LogisticRegression, "must be a classifier with predict_proba.*Received"),
        (None, "Received: None"),
    ],
)
def test_estimators_without_probabilities(of_told, estimator, message):
    with pytest.raises(TypeError, match=message):
        ConformalImageClassifier(estimator).fit(*of_told)


def test_images_and_labels_that_do_not_fit(of_told):
    X, y = of_told
    model = ConformalImageClassifier(Told(), 0.6, cv=2)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        model.predict_set(X)
    with pytest.raises(NotFittedError, match="Told in FrozenEstimator is not fitted yet. Fit it"):
        ConformalImageClassifier(FrozenEstimator(Told())).fit(X, y)
    with pytest.raises(ValueError, match="y holds only one class, 1"):
        model.fit(X, np.ones(18, int))
    with pytest.raises(ValueError, match="Received a single path, 'cats.jpg'"):
        model.fit("cats.jpg", y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, y[:5])
    with pytest.raises(ValueError, match="without images"):
        model.fit([], [])
    words = np.array(["cat", "dog", "bear"])
    known = FrozenEstimator(Told().fit(X, words[y]))
    with pytest.raises(ValueError, match="fitted estimator doesn't know: 'bear'. It knows 'cat'"):
        ConformalImageClassifier(known, 0.6).fit(X, words[y + 1])
    three = FrozenEstimator(LogisticRegression().fit(X, np.arange(18) % 3))
    with pytest.raises(ValueError, match="but 2 has 0"):
        ConformalImageClassifier(three, 0.6).fit(X, y)


def test_a_failed_fit_changes_nothing(withholding, rows):
    before = withholding.predict(rows[0])
    with pytest.raises(ValueError, match="only one class"):
        withholding.fit(rows[0], np.zeros(len(rows[0]), int))
    np.testing.assert_array_equal(withholding.predict(rows[0]), before)

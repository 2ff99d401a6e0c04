"""Scalers and linear classifiers as one kernel and one bias."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC

from skvision.inspection.linear_tail import linear_scores

RNG = np.random.default_rng(0)
X = RNG.normal(3, 2, (90, 6)) * [1, 10, 0.1, 1, 5, 2]
Y = (((X - X.mean(axis=0)) / X.std(axis=0)) @ RNG.normal(size=(6, 3))).argmax(axis=1)


def scores_of(pipeline):
    found = linear_scores([step for _, step in pipeline.steps])
    return X @ found.kernel + found.bias, found


@pytest.mark.parametrize(
    "scalers",
    [
        (),
        (StandardScaler(),),
        (StandardScaler(with_mean=False),),
        (StandardScaler(with_std=False),),
        (MinMaxScaler((-1, 2)),),
        (MaxAbsScaler(), StandardScaler()),
        (RobustScaler(),),
        (RobustScaler(with_centering=False, with_scaling=False),),
    ],
    ids=str,
)
def test_scores_are_those_of_the_pipeline(scalers):
    pipeline = make_pipeline(*scalers, LogisticRegression(max_iter=3000)).fit(X, Y)
    scores, found = scores_of(pipeline)
    np.testing.assert_allclose(scores, pipeline.decision_function(X), rtol=1e-6, atol=1e-8)
    assert found.against_others


@pytest.mark.parametrize(
    ("model", "against_others"),
    [
        (LinearSVC(), False),
        (SGDClassifier(loss="log_loss", random_state=0), False),
        (RidgeClassifier(), False),
        (LinearDiscriminantAnalysis(), True),
    ],
    ids=str,
)
def test_classifiers(model, against_others):
    pipeline = make_pipeline(StandardScaler(), model).fit(X, Y)
    scores, found = scores_of(pipeline)
    np.testing.assert_allclose(scores, pipeline.decision_function(X), rtol=1e-6, atol=1e-8)
    assert found.against_others == against_others


def test_two_classes_have_two_scores_whose_difference_decides():
    pipeline = make_pipeline(StandardScaler(), LinearSVC()).fit(X, Y == 1)
    scores, found = scores_of(pipeline)
    np.testing.assert_allclose(scores[:, 1] - scores[:, 0], pipeline.decision_function(X))
    assert found.against_others


def test_a_calibrated_classifier_is_the_mean_of_its_folds():
    model = CalibratedClassifierCV(LinearSVC(), cv=3).fit(X, Y)
    scores, found = scores_of(make_pipeline(model))
    folds = [each.estimator.decision_function(X) for each in model.calibrated_classifiers_]
    np.testing.assert_allclose(scores, np.mean(folds, axis=0))
    assert not found.against_others


@pytest.mark.parametrize(
    "steps",
    [
        (Normalizer(), LogisticRegression()),
        (MinMaxScaler(clip=True), LogisticRegression()),
        (KNeighborsClassifier(),),
        (SVC(kernel="linear"),),
        (CalibratedClassifierCV(SVC(), cv=2),),
    ],
    ids=str,
)
def test_other_steps_are_not_linear(steps):
    pipeline = make_pipeline(*steps).fit(X, Y)
    assert linear_scores([step for _, step in pipeline.steps]) is None

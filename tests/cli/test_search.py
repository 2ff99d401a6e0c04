"""The search itself, with estimators without a network."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from skvision import TrainingDivergedError, TrainingInterruptedWarning
from skvision.cli._labelled import Labelled
from skvision.cli._search import search, table

X = np.zeros((12, 1))
Y = np.repeat(["cat", "dog"], 6)


class Fake(ClassifierMixin, BaseEstimator):
    """Predicts a fixed class; may fail or be interrupted."""

    def __init__(self, says="cat", behaves="well"):
        self.says = says
        self.behaves = behaves

    def fit(self, X, y):
        if self.behaves == "diverges":
            raise TrainingDivergedError("Training diverged: try less.")
        if self.behaves == "stopped":
            warnings.warn("interrupted", TrainingInterruptedWarning)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.says)


def found(grid, folds=3):
    return search(Fake(), grid, Labelled(X, Y), folds=folds, jobs=None, seed=0)


def test_a_failed_combination_does_not_affect_the_others(recwarn):
    grid = {"says": ["cat", "mouse"], "behaves": ["well", "diverges"]}
    result = found(grid)
    assert result.best_params_ == {"says": "cat", "behaves": "well"}
    assert table(result, grid).splitlines() == [
        "rank   says   behaves  accuracy     std",
        "1       cat      well    0.5000  0.0000",
        "2     mouse      well    0.0000  0.0000",
        "-       cat  diverges         -       -  failed: Training diverged: try less.",
        "-     mouse  diverges         -       -  failed: Training diverged: try less.",
    ]
    assert len(recwarn) == 0


def test_all_combinations_fail():
    message = (
        "^All combinations of the search failed, the first with: Training diverged: try less.$"
    )
    with pytest.raises(ValueError, match=message):
        found({"behaves": ["diverges"]})


def test_ctrl_c_within_a_fit_ends_the_search():
    with pytest.raises(KeyboardInterrupt):
        found({"behaves": ["stopped", "well"]})


def test_more_folds_than_images_of_a_class():
    with pytest.raises(ValueError, match="--cv 7 needs at least 7 images .* cat has 6"):
        found({"says": ["cat"]}, folds=7)


class Noting(Fake):
    """Notes the groups of its folds."""

    folds: list = []

    def fit(self, X, y, groups=None):
        self.folds.append(sorted(set(groups)))
        return super().fit(X, y)

    def score(self, X, y):
        self.folds.append(sorted(set(X[:, 0].astype(int).astype(str))))
        return super().score(X, y)


def test_a_group_is_in_one_fold():
    Noting.folds.clear()
    groups = np.arange(12) // 2
    images = Labelled(groups[:, None], Y, groups.astype(str))
    search(Noting(), {"says": ["cat"]}, images, folds=3, jobs=None, seed=0)
    seen, kept = Noting.folds[::2], Noting.folds[1::2]
    for in_training, in_validation in zip(seen, kept, strict=True):
        assert sorted(in_training + in_validation) == list("012345")
        # one group of cats and one of dogs
        assert sorted(int(each) // 3 for each in in_validation) == [0, 1]


def test_more_folds_than_groups():
    images = Labelled(X, Y, np.repeat(["a", "b"], 6))
    with pytest.raises(ValueError, match="--cv 3 needs at least 3 groups .* there are 2"):
        search(Fake(), {"says": ["cat"]}, images, folds=3, jobs=None, seed=0)


def test_a_class_in_one_group_is_warned_of():
    images = Labelled(X, Y, np.array([*"abcabc", *"dddddd"]))
    with pytest.warns(UserWarning, match="All images of 'dog' are in one group, so --cv 3"):
        search(Fake(), {"says": ["cat"]}, images, folds=3, jobs=None, seed=0)

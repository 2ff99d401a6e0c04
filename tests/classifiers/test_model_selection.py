"""Grid search, cross-validation and pipelines, in one process and in two."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from skvision import load_image_folder

GRID = {
    "learning_rate": [0.01, 0.001],
    "optimizer": ["adam"],
    "activation": ["relu", "Tanh"],
    "image_size": [4, (8, 8)],
}


def identity(X):
    return X


@pytest.mark.slow
def test_grid_search_is_the_same_in_one_process_and_in_two(tiny, digits):
    X, y = digits[0][:120], digits[1][:120]
    one, two = (
        GridSearchCV(tiny.set_params(epochs=2), GRID, cv=2, n_jobs=n_jobs, error_score="raise").fit(
            X, y
        )
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"]
    )
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert set(one.best_params_) == set(GRID)


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_grid_search_in_a_pipeline_on_files(tiny, digits_folder, n_jobs):
    X, y = load_image_folder(digits_folder, return_X_y=True)
    pipeline = Pipeline([("as it is", FunctionTransformer(identity)), ("net", tiny)])
    search = GridSearchCV(
        pipeline,
        {"net__learning_rate": [0.1, 0.01], "net__optimizer__beta_1": [0.8]},
        cv=2,
        n_jobs=n_jobs,
        error_score="raise",
    ).fit(X, y)
    assert search.predict(X).shape == y.shape


@pytest.mark.slow
def test_workers_get_their_share_of_threads(monkeypatch):
    from joblib import Parallel, delayed

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    limits = Parallel(n_jobs=2)(delayed(tensorflow_threads)() for _ in range(2))
    import joblib

    assert limits == [max(1, joblib.cpu_count() // 2)] * 2


def tensorflow_threads():
    import tensorflow as tf

    import skvision.networks  # noqa: F401

    return tf.config.threading.get_intra_op_parallelism_threads()


@pytest.mark.slow
def test_workers_get_their_own_share_of_threads_for_any_parent():
    code = (
        "from joblib import Parallel, delayed, parallel_config\n"
        "from tests.classifiers.test_model_selection import tensorflow_threads\n"
        "print(tensorflow_threads())\n"
        "with parallel_config('loky', inner_max_num_threads=1):\n"
        "    print(*Parallel(2)(delayed(tensorflow_threads)() for _ in range(2)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OMP_NUM_THREADS": "4"},
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.stdout.split() == ["4", "1", "1"], run.stderr


def test_cross_val_predict(tiny, digits):
    X, y = digits
    probabilities = cross_val_predict(tiny, X, y, cv=3, method="predict_proba")
    labels = np.unique(y)[probabilities.argmax(axis=1)]
    assert (labels == y).mean() > 0.8


def test_sample_weight_goes_through_cross_validation(tiny, digits):
    X, y = digits
    scores = cross_val_score(tiny, X, y, cv=2, params={"sample_weight": np.ones(len(y))})
    assert scores.min() > 0.7


def test_a_diverging_candidate_does_not_end_the_search(tiny, digits):
    tiny.set_params(optimizer="sgd", batch_norm=False)
    search = GridSearchCV(tiny, {"learning_rate": [1e30, 0.01]}, cv=2)
    with pytest.warns(FitFailedWarning, match="Training diverged"):
        search.fit(*digits)
    assert search.best_params_ == {"learning_rate": 0.01}

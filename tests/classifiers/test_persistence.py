"""Models in files, read by another process."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

READ = """
import sys, pickle, joblib, numpy as np
file, data, out = sys.argv[1:]
if file.endswith(".joblib"):
    model = joblib.load(file)
else:
    with open(file, "rb") as opened:
        model = pickle.load(opened)
np.save(out, model.predict_proba(np.load(data)))
"""


def models(fitted, tiny, digits):
    yield "estimator", fitted
    yield "pipeline", make_pipeline(FunctionTransformer(), clone(tiny)).fit(*digits)
    yield "search", GridSearchCV(clone(tiny), {"learning_rate": [0.1, 0.01]}, cv=2).fit(*digits)


def test_models_predict_the_same_in_another_process(fitted, tiny, digits, tmp_path, elsewhere):
    X, out = digits[0], tmp_path / "out.npy"
    np.save(tmp_path / "X.npy", X)
    for name, model in models(fitted, tiny, digits):
        expected = model.predict_proba(X)
        joblib.dump(model, tmp_path / f"{name}.joblib", compress=3)
        with open(tmp_path / f"{name}.pkl", "wb") as file:
            pickle.dump(model, file)
        for suffix in ("joblib", "pkl"):
            elsewhere(READ, tmp_path / f"{name}.{suffix}", tmp_path / "X.npy", out)
            np.testing.assert_array_equal(np.load(out), expected, err_msg=f"{name}.{suffix}")
            out.unlink()


def test_a_pickle_holds_the_weights_once(fitted):
    size = len(pickle.dumps(fitted))
    _ = fitted.model_
    assert len(pickle.dumps(fitted)) == size
    weights = 4 * fitted.model_.count_params()
    assert weights < size < weights + 20_000


def test_a_loaded_model_can_be_fitted_again(fitted, digits):
    again = pickle.loads(pickle.dumps(fitted)).fit(*digits)
    np.testing.assert_array_equal(again.predict_proba(digits[0]), fitted.predict_proba(digits[0]))


def test_memory_mapped_weights(fitted, digits, tmp_path):
    joblib.dump(fitted, tmp_path / "m.joblib")
    loaded = joblib.load(tmp_path / "m.joblib", mmap_mode="r")
    np.testing.assert_array_equal(loaded.predict_proba(digits[0]), fitted.predict_proba(digits[0]))


def test_the_network_can_be_read_from_keras_own_formats(fitted, digits, tmp_path):
    import keras

    fitted.model_.save(tmp_path / "net.keras")
    network = keras.models.load_model(tmp_path / "net.keras")
    rgb = np.repeat(digits[0][:16, :, :, None], 3, axis=-1)
    np.testing.assert_allclose(
        network.predict(rgb, verbose=0), fitted.predict_proba(digits[0][:16]), atol=1e-6
    )

"""The same seed gives the same numbers, without changes to global states."""

from __future__ import annotations

import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.backend.common import global_state
from sklearn.base import clone
from tensorflow.python.framework import config as tensorflow_config

from skvision import ImageAugmenter, MiniVGGClassifier, load, make_feature_classifier, save

#: all random draws: initial weights, dropout, order, split, augmentation, mixing
DRAWING = {
    "image_size": 8,
    "filters": (8,),
    "convs_per_block": 1,
    "dense_units": (16,),
    "epochs": 2,
    "validation_fraction": 0.2,
    "augmentation": ImageAugmenter(rotation_range=20, noise_std=0.05),
    "mixup": 0.2,
    "random_state": 0,
}


@pytest.fixture
def net():
    return MiniVGGClassifier(**DRAWING)


def test_results_repeat_after_clone_after_saving_and_after_other_seeds(net, digits, tmp_path):
    X, y = digits
    expected = net.fit(X, y).predict_proba(X)
    history = net.history_
    assert not np.array_equal(
        clone(net).set_params(random_state=1).fit(X, y).predict_proba(X), expected
    )
    keras.utils.set_random_seed(7)
    again = clone(net).fit(X, y)
    assert again.history_ == history
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    np.testing.assert_array_equal(load(save(net, tmp_path / "n.skv")).predict_proba(X), expected)
    # and the loaded one trains to the same again
    retrained = load(tmp_path / "n.skv").fit(X, y)
    np.testing.assert_array_equal(retrained.predict_proba(X), expected)


@pytest.mark.slow
def test_another_process_gives_the_same_results(net, digits, tmp_path, elsewhere):
    X, y = digits
    code = (
        "import sys, numpy as np\n"
        "from tests.classifiers.test_determinism import DRAWING, MiniVGGClassifier\n"
        "data = np.load(sys.argv[1])\n"
        "net = MiniVGGClassifier(**DRAWING).fit(data['X'], data['y'])\n"
        "np.save(sys.argv[2], net.predict_proba(data['X']))\n"
    )
    np.savez(tmp_path / "data.npz", X=X, y=y)
    elsewhere(code, tmp_path / "data.npz", tmp_path / "out.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), net.fit(X, y).predict_proba(X))


def global_randomness():
    """Return the random states of the process that a careless library would change."""
    generator = global_state.get_global_attribute("global_seed_generator")
    kind, numbers, *rest = np.random.get_state()  # noqa: NPY002
    return {
        "numpy": (kind, numbers.tolist(), rest),
        "python": random.getstate(),
        "keras' generator": None if generator is None else np.asarray(generator.state).tolist(),
        "keras' seed": keras.utils.get_random_seed()
        if hasattr(keras.utils, "get_random_seed")
        else global_state.get_global_attribute("global_random_seed"),
        "tensorflow's seed": tf.random.get_global_generator().state.numpy().tolist(),
        "op determinism": tensorflow_config.is_op_determinism_enabled(),
    }


@pytest.mark.parametrize("random_state", [0, pytest.param(None, marks=pytest.mark.slow)])
def test_nothing_global_is_changed(digits, random_state):
    X, y = digits[0][:60], digits[1][:60]
    keras.utils.set_random_seed(3)
    before = global_randomness()
    # an architecture that no other test builds, since building draws initial weights
    net = MiniVGGClassifier(**{**DRAWING, "filters": (5 + bool(random_state is None),)})
    net.set_params(random_state=random_state).fit(X, y).predict(X)
    features = make_feature_classifier(
        "MobileNet", weights=None, image_size=32, engine="keras", random_state=0
    )
    features.fit(X, y).predict(X)
    after = global_randomness()
    changed = [name for name in before if before[name] != after[name]]
    # with None, scikit-learn's convention draws from NumPy's generator
    assert changed == ([] if random_state == 0 else ["numpy"])

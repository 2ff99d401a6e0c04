"""The replaced parts of scikeras, without their faults."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.model_selection import cross_val_score

from skvision import MiniVGGClassifier
from skvision._sklearn.scikeras_bridge import sample_weights


def test_cross_validation_is_stratified(digits, tiny):
    X, y = digits
    order = np.argsort(y, kind="stable")
    # sorted by class: unstratified folds would each lack a class, and score near 0
    assert is_classifier(tiny)
    assert cross_val_score(tiny, X[order], y[order], cv=3, error_score="raise").min() > 0.7


def test_float64_after_float32(digits, tiny):
    X, y = digits
    net = tiny.fit((X / 255).astype(np.float32), y)
    wide = (X / 255).astype(np.float32).astype(np.float64)
    assert (net.predict(wide) == net.predict(wide.astype(np.float32))).all()


def test_op_determinism_and_seeds_stay_unchanged(digits, tiny):
    import random

    from tensorflow.python.framework import config

    before = np.random.get_state()[1:3], random.getstate()  # noqa: NPY002
    tiny.set_params(epochs=1).fit(*digits)
    assert not config.is_op_determinism_enabled()
    np.testing.assert_equal(np.random.get_state()[1:3], before[0])  # noqa: NPY002
    assert random.getstate() == before[1]
    tiny.set_params(random_state=None).fit(*digits)


def test_class_weights_make_a_new_array():
    weight = np.ones(3)
    result = sample_weights(weight, {"a": 2, "b": 3}, np.array([0, 1, 1]), np.array(["a", "b"]))
    assert result.tolist() == [2, 3, 3]
    assert weight.tolist() == [1, 1, 1]


def test_parameters_are_those_of_the_constructor(fitted):
    assert list(fitted.get_params()) == sorted(fitted.get_params())
    assert set(fitted.get_params()) == set(MiniVGGClassifier.__signature__.parameters)


@pytest.mark.slow
def test_keras_stays_unchanged():
    code = (
        "import keras\n"
        "from keras import Model, losses, metrics, optimizers\n"
        "classes = (Model, losses.Loss, metrics.Metric, optimizers.Optimizer)\n"
        "names = ('__reduce__', '__deepcopy__')\n"
        "look = lambda: [getattr(c, n, None) for c in classes for n in names]\n"
        "before = look()\n"
        "import skvision.classifiers\n"
        "print(look() == before)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "True"


def test_no_half_working_methods_are_inherited(fitted):
    for name in ("initialize", "scorer", "sk_params"):
        assert not hasattr(fitted, name)

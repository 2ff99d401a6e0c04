"""Behaviour that depends on Keras' backend, with the configured one.

`make test-matrix` runs these tests on JAX and PyTorch. Other tests cover most of it on
TensorFlow, so `make test` leaves them out, and `make test-all` the expensive ones.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import joblib
import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skvision import (
    FineTunedClassifier,
    ImageAugmenter,
    ImageNetClassifier,
    MiniVGGClassifier,
    PretrainedFeatureTransformer,
    TrainingInterruptedWarning,
    explain,
    export_model,
    find_learning_rate,
    load,
    save,
    save_network,
)
from skvision.feature_extraction.engines import base, resolve
from skvision.networks.layer_rates import with_rate_shares
from skvision.training import augment_function

from ..classifiers.test_finetuned import small_body
from ..conftest import TINY
from ..inspection.test_explanation import (
    test_the_class_activation_map_of_a_network_of_one_filter as explained_exactly,
)
from ..networks import test_class_evidence as evidence
from .reference import PICTURES

pytestmark = pytest.mark.slow

BACKEND = keras.config.backend()
on_others = pytest.mark.skipif(BACKEND == "tensorflow", reason="other tests say it of TensorFlow")

# one architecture for all tests, since JAX compiles for seconds
NET = {**TINY, "epochs": 2, "se_ratio": 0.25}


@pytest.fixture(scope="module")
def data(digits):
    X, y = digits
    return X[:120], y[:120]


@pytest.fixture
def net():
    return MiniVGGClassifier(**NET)


def global_randomness():
    state = [random.getstate(), np.random.get_state()[1].tolist()]  # noqa: NPY002
    if BACKEND == "torch":
        import torch

        state.append(torch.get_rng_state().tolist())
    return state


def python(code, *words, **environment):
    """Run code, or a module with its arguments, in another process."""
    how = ["-m"] if words else ["-c"]
    return subprocess.run(
        [sys.executable, *how, code, *map(str, words)],
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )


def test_a_fit_with_all_options_is_reproducible(net, data):
    X, y = data
    net.set_params(
        epochs=6,
        augmentation=ImageAugmenter(rotation_range=10, noise_std=0.02),
        validation_fraction=0.2,
        early_stopping=True,
        patience=3,
        class_weight={"zero": 2, "one": 1, "two": 1},
    )
    weights = np.linspace(0.5, 1.5, len(y))
    before = global_randomness()
    expected = net.fit(X, y, sample_weight=weights).predict_proba(X)
    assert global_randomness() == before
    assert net.score(X, y) > 0.8
    assert {"loss", "val_loss", "val_accuracy"} <= net.history_.keys()
    again = clone(net).fit(X, y, sample_weight=weights)
    assert again.history_ == net.history_
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    another = clone(net).set_params(random_state=1).fit(X, y, sample_weight=weights)
    assert not np.array_equal(another.predict_proba(X), expected)


def test_after_few_steps_predictions_are_as_accurate_as_the_training(net, data, tmp_path):
    """Four steps: fit, validation, parts, and a file that Keras alone can read."""
    X, y = data
    net.set_params(epochs=1, validation_fraction=0.5, conv_dropout=0, dense_dropout=0)
    net.fit(np.concatenate([X, X]), np.concatenate([y, y]))
    loss = -np.log(net.predict_proba(X)[np.arange(len(y)), np.searchsorted(net.classes_, y)])
    # all or most images are in both halves
    assert net.history_["val_loss"][-1] == pytest.approx(loss.mean(), rel=0.2)
    assert net.score(X, y) > 0.9
    again = clone(net).fit(np.concatenate([X, X]), np.concatenate([y, y]))
    np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
    network = keras.models.load_model(save_network(net, tmp_path / "net.keras"))
    pictures = np.repeat(X[..., None], 3, axis=-1)
    np.testing.assert_allclose(
        network.predict(pictures, verbose=0), net.predict_proba(X), atol=1e-5
    )
    parts = clone(net).set_params(validation_fraction=None)
    for start in range(0, 120, 30):
        part = slice(start, start + 30)
        parts.partial_fit(X[part], y[part], classes=np.unique(y))
    assert parts.score(X, y) > 0.9


class InBatch(keras.callbacks.Callback):
    """Calls a function before the third batch of the second epoch."""

    def __init__(self, act):
        super().__init__()
        self.act = act

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == (1, 2):
            self.act()


@on_others
def test_ctrl_c_leaves_the_last_complete_epoch(net, data):
    interrupt = InBatch(lambda: os.kill(os.getpid(), signal.SIGINT))
    cut = clone(net).set_params(keras_callbacks=interrupt)
    with pytest.warns(TrainingInterruptedWarning, match="after epoch 1 of 2"):
        cut.fit(*data)
    # in the interrupted network, too
    short = clone(net).set_params(epochs=1).fit(*data)
    np.testing.assert_array_equal(cut.predict_proba(data[0]), short.predict_proba(data[0]))


def stop():
    raise RuntimeError("cut")


@on_others
def test_a_training_continues_in_the_middle_of_an_epoch(net, data, tmp_path, monkeypatch):
    expected = clone(net).fit(*data)
    net.set_params(checkpoint_dir=tmp_path, checkpoint_every=1)
    with pytest.raises(RuntimeError, match="cut"):
        clone(net).set_params(keras_callbacks=InBatch(stop)).fit(*data)
    assert (tmp_path / "epoch-000001.step-000002.npz").is_file()
    refused = pytest.raises(ValueError, match=f"backend was '{BACKEND}' and is 'another'")
    with monkeypatch.context() as changed, refused:
        changed.setattr(keras.config, "backend", lambda: "another")
        clone(net).fit(*data)
    net.fit(*data)
    assert net.history_ == expected.history_
    np.testing.assert_array_equal(net.predict_proba(data[0]), expected.predict_proba(data[0]))


@on_others
def test_partial_fits_are_epochs(net, data):
    X, y = data
    parts = clone(net).partial_fit(X, y, classes=np.unique(y)).partial_fit(X, y)
    np.testing.assert_array_equal(parts.predict_proba(X), net.fit(X, y).predict_proba(X))


@on_others
def test_a_search_is_the_same_in_two_processes(net, data):
    found = [
        GridSearchCV(
            clone(net).set_params(epochs=1),
            {"learning_rate": [0.02, 0.0001]},
            cv=2,
            n_jobs=n_jobs,
            error_score="raise",
        ).fit(*data)
        for n_jobs in (1, 2)
    ]
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(*[search.cv_results_[name] for search in found])
    assert found[0].best_params_ == found[1].best_params_ == {"learning_rate": 0.02}


@on_others
def test_a_learning_rate_is_found(net, data):
    assert 1e-4 < find_learning_rate(net, *data, n_steps=40).suggestion < 1


def test_bfloat16_is_mixed_precision(net, data):
    net.set_params(precision="bfloat16", epochs=4).fit(*data)
    assert net.score(*data) > 0.8
    policies = {each.name: each.dtype_policy for each in net.model_.layers if each.weights}
    assert policies["block1_conv1"].compute_dtype == "bfloat16"
    assert policies["block1_conv1"].variable_dtype == "float32"
    assert policies["predictions"].compute_dtype == "float32"


@on_others
def test_a_body_is_fine_tuned_in_both_phases(data):
    X, y = data
    net = FineTunedClassifier(
        small_body(), dense_units=(), warmup_epochs=2, fine_tune_epochs=2, layer_decay=0.5,
        warmup_learning_rate=0.05, random_state=0,
    )  # fmt: skip
    expected = net.fit(X, y).predict_proba(X)
    assert net.history_["phase"] == ["warmup"] * 2 + ["fine_tune"] * 2
    assert net.history_["loss"][-1] < net.history_["loss"][0]
    np.testing.assert_array_equal(clone(net).fit(X, y).predict_proba(X), expected)
    tuned, body = (it.get_layer("block1_conv").get_weights() for it in (net.model_, net.backbone))
    assert not np.array_equal(tuned[0], body[0])


@pytest.mark.parametrize("name", ["SGD", "Adam", "Nadam", "RMSprop"])
def test_layers_use_their_shares_of_the_learning_rate(name):
    kind = getattr(keras.optimizers, name)
    steps = []
    for optimizer in (kind(0.1), with_rate_shares(kind(0.1), [1.0, 0.25])):
        variables = [keras.Variable([0.0]), keras.Variable([0.0])]
        for _ in range(2):
            optimizer.apply([keras.ops.ones(1)] * 2, variables)
        steps.append(np.ravel([keras.ops.convert_to_numpy(it) for it in variables]))
    np.testing.assert_allclose(steps[1], steps[0] * [1, 0.25], rtol=1e-5)


@on_others
def test_keras_layers_augment_by_the_seed_they_get(data):
    layers = [keras.layers.RandomFlip("horizontal"), keras.layers.RandomRotation(0.1)]
    augment = augment_function(layers)
    images = data[0][:8, :, :, None]
    first, again, other = (augment(images, np.random.default_rng(it)) for it in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.min() >= 0
    assert first.max() <= 255


# features


@on_others
def test_openvino_is_used_if_it_can_convert():
    transformer = PretrainedFeatureTransformer(image_size=64, precision="float32")
    if BACKEND == "jax":
        assert transformer.fit(PICTURES).engine_ == "keras"
        with pytest.raises(ValueError, match="can't convert networks of Keras' backend 'jax'"):
            transformer.set_params(engine="openvino").fit(PICTURES)
        return
    features = transformer.fit_transform(PICTURES)
    assert transformer.engine_ == "openvino"
    expected = transformer.set_params(engine="keras").fit_transform(PICTURES)
    np.testing.assert_allclose(features, expected, atol=1e-3)


def test_a_graphics_card_is_preferred(monkeypatch):
    monkeypatch.setattr(base, "computes_on_processor", lambda: False)
    assert resolve("auto", "auto").engine == "keras"


# across backends


@pytest.fixture(scope="module")
def reference(data, tmp_path_factory):
    """A folder with a model of this backend, and TensorFlow's results for it."""
    folder = tmp_path_factory.mktemp("reference")
    for name, array in zip("Xy", data, strict=True):
        np.save(folder / f"{name}.npy", array)
    # an optimiser object has a class of the backend
    net = MiniVGGClassifier(**{**NET, "learning_rate": None, "optimizer": keras.optimizers.Adam()})
    net.set_params(predict_crops=(1.0, 0.7), predict_mirrored=True)
    save(net.fit(*data), folder / "theirs.skv")
    done = python("tests.backends.reference", folder, KERAS_BACKEND="tensorflow")
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@on_others
def test_tensorflow_reads_models_of_this_backend(reference, data):
    here = load(reference / "theirs.skv").predict_proba(data[0])
    np.testing.assert_allclose(np.load(reference / "of_theirs.npy"), here, atol=1e-5)
    assert (reference / "theirs.tflite").stat().st_size > 1000


@on_others
def test_this_backend_reads_models_of_tensorflow(reference, data):
    expected = np.load(reference / "of_ours.npy")
    for net in (load(reference / "ours.skv"), joblib.load(reference / "ours.joblib")):
        np.testing.assert_allclose(net.predict_proba(data[0]), expected, atol=1e-5)
        # and continues here
        assert net.set_params(warm_start=True).fit(*data).n_epochs_ == 4


@on_others
def test_features_equal_those_of_tensorflow(reference):
    transformer = PretrainedFeatureTransformer(image_size=64, engine="keras")
    features = transformer.fit_transform(PICTURES)
    expected = np.load(reference / "features.npy")
    assert expected.max() > 1
    np.testing.assert_allclose(features, expected, atol=1e-3)


@on_others
def test_pretrained_networks_predict_the_same_names(reference):
    probabilities = ImageNetClassifier(image_size=64, engine="keras").predict_proba(PICTURES)
    np.testing.assert_allclose(probabilities, np.load(reference / "imagenet.npy"), atol=1e-5)


@on_others
def test_evidence_is_computed_by_this_backend():
    for method in ("gradcam", "hirescam"):
        evidence.test_after_average_pooling_evidence_is_the_class_activation_map(method)
    evidence.test_after_flattening_points_have_weights_of_their_own()
    evidence.test_a_linear_model_takes_the_place_of_the_scores()
    evidence.test_a_certain_network_has_finite_evidence()
    explained_exactly()


@on_others
@pytest.mark.parametrize("n", [3, 20])
def test_explanations_equal_those_of_tensorflow(reference, data, n):
    # once with the padded batch of few images, once with that of many
    expected = np.load(reference / "explained.npz")
    found = explain(load(reference / "theirs.skv"), data[0][:n])
    np.testing.assert_allclose(found.maps, expected["maps"][:n], atol=1e-3)
    for here, there in zip(
        (found.deletion_, found.random_deletion_, found.sanity_), expected["controls"], strict=True
    ):
        np.testing.assert_allclose(here, there[:n], atol=1e-3)


@on_others
@pytest.mark.parametrize("method", ["gradcam", "gradcam++", "hirescam", "occlusion"])
def test_all_methods_explain(net, data, method):
    found = explain(net.fit(*data), data[0][:2], method=method)
    assert found.maps.shape == (2, 8, 8)
    assert np.isfinite(found.maps).all()


@on_others
def test_the_error_of_export_says_what_to_do(net, data, tmp_path):
    with pytest.raises(
        ValueError, match="KERAS_BACKEND=tensorflow skvision export MODEL.skv n.xml"
    ):
        export_model(net.fit(*data), tmp_path / "n.xml")


@on_others
def test_tensorflow_is_not_loaded():
    code = (
        "import sys, skvision\n"
        "from skvision.cli._start import start_quietly\n"
        "start_quietly()\n"
        "skvision.MiniVGGClassifier, skvision.PretrainedFeatureTransformer\n"
        "print('tensorflow' in sys.modules)"
    )
    assert python(code).stdout.strip() == "False"


@on_others
@pytest.mark.skipif(sys.platform != "linux", reason="counts threads as Linux shows them")
def test_threads_are_the_share_of_this_process():
    code = (
        "import os, skvision.networks, keras\n"
        "keras.ops.matmul(keras.ops.ones((999, 99)), keras.ops.ones((99, 999)))\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    few, many = (int(python(code, OMP_NUM_THREADS=n).stdout) for n in ("1", "6"))
    assert few < many


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("nonsense", "Keras can't start with its configured backend: .*nonsense"),
        ("openvino", "Keras' backend is set to 'openvino', which can't train"),
    ],
)
def test_other_backends_are_refused(backend, said):
    done = python("import skvision; skvision.MiniVGGClassifier", KERAS_BACKEND=backend)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError")
    assert "tensorflow, jax, torch: set the environment variable KERAS_BACKEND" in last
    assert re.search(said, last)

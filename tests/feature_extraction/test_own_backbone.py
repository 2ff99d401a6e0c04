"""The user's own networks as backbones: one rule, and each network is read once."""

from __future__ import annotations

import pickle

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.frozen import FrozenEstimator

import skvision
from skvision import FineTunedClassifier, MiniVGGClassifier, PretrainedFeatureTransformer
from skvision.feature_extraction import own_backbone
from skvision.feature_extraction.bodies import body_of
from skvision.feature_extraction.own_backbone import own_bodies, own_body
from skvision.feature_extraction.recipe import feature_recipe

from ..conftest import small_body


@pytest.fixture(scope="module")
def X(digits):
    return digits[0][:20]


@pytest.fixture(autouse=True)
def nothing_is_read():
    own_bodies.clear()


def features_of(backbone, X, **options):
    return PretrainedFeatureTransformer(backbone, engine="keras", **options).fit_transform(X)


def recipe_of(backbone, layer=None):
    options = {"weights": "imagenet", "pooling": "auto", "image_size": None, "seed": 0}
    return feature_recipe(backbone, layer=layer, **options)


@pytest.fixture(scope="module")
def saved(fitted, tmp_path_factory):
    return skvision.save(fitted, tmp_path_factory.mktemp("own") / "net.skv")


def classifying():
    drawn = keras.initializers.HeNormal
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(5, 3, kernel_initializer=drawn(1)),
            layers.GlobalAveragePooling2D(),
            layers.Dense(7, "relu", kernel_initializer=drawn(2)),
            layers.Dense(3, "softmax", kernel_initializer=drawn(3)),
        ],
        name="own",
    )


def test_a_classifier_gives_the_features_before_its_dense_layers(fitted, X):
    # 16 filters of 8 x 8, pooled to 4 x 4; the dense layer of 32 units belongs to the top
    features = features_of(fitted, X)
    assert features.shape == (20, 4 * 4 * 16)
    model = fitted.model_
    below = keras.Model(model.input, model.get_layer("flatten").output)
    pixels = np.repeat(X[..., None], 3, -1).astype(np.float32)
    np.testing.assert_allclose(features, below.predict(pixels, verbose=0), atol=1e-5)


@pytest.mark.parametrize(
    "form", ["classifier", "frozen", "file", "path", "network", "network file"]
)
def test_features_and_fine_tuning_use_one_body_for_every_form(form, fitted, saved, X, tmp_path):
    backbone = {
        "classifier": lambda: fitted,
        "frozen": lambda: FrozenEstimator(fitted),
        "file": lambda: str(saved),
        "path": lambda: saved,
        "network": lambda: fitted.model_,
        "network file": lambda: skvision.save_network(fitted, tmp_path / "net.keras"),
    }[form]()
    np.testing.assert_allclose(features_of(backbone, X), features_of(fitted, X), atol=1e-6)
    whole = FineTunedClassifier(
        backbone, warmup_epochs=1, unfreeze="none", dense_units=(), engine="keras", random_state=0
    ).fit(X, np.arange(20) % 2)
    head = whole.model_.layers[-1]
    below = keras.Model(whole.model_.input, head.input)
    pixels = np.repeat(X[..., None], 3, -1).astype(np.float32)
    np.testing.assert_allclose(
        below.predict(pixels, verbose=0), features_of(fitted, X), atol=1e-4, rtol=1e-4
    )


def test_a_network_without_softmax_is_used_whole(X):
    network = small_body()
    pixels = np.repeat(X[..., None], 3, -1).astype(np.float32)
    expected = network.predict(pixels, verbose=0).mean(axis=(1, 2))
    np.testing.assert_allclose(features_of(network, X, image_size=8), expected, atol=1e-5)


def test_a_network_that_classifies_loses_its_dense_layers():
    assert own_body(classifying()).build().output_shape == (None, 5)
    nested = keras.Sequential([keras.Input((8, 8, 3)), classifying()])
    assert own_body(nested).build().output_shape == (None, 5)


def test_any_layer_can_be_chosen(fitted, X):
    assert features_of(fitted, X, layer="dense1").shape == (20, 32)
    network = classifying()
    named = own_body(network, network.layers[-2].name)
    assert named.build().output_shape == (None, 7)
    with pytest.raises(ValueError, match="has no layer 'nonsense'"):
        features_of(fitted, X, layer="nonsense")


@pytest.mark.parametrize("reader", ["load", "read_network"])
def test_a_file_is_read_once_for_all_fits(reader, fitted, saved, X, tmp_path, monkeypatch):
    path = saved if reader == "load" else skvision.save_network(fitted, tmp_path / "n.keras")
    reads = []
    original = getattr(own_backbone, reader)
    monkeypatch.setattr(own_backbone, reader, lambda path: reads.append(path) or original(path))
    y = np.arange(20) % 2
    for _ in range(2):
        features_of(path, X)
        FineTunedClassifier(path, warmup_epochs=1, fine_tune_epochs=1, engine="keras").fit(X, y)
    assert len(reads) == 1


def test_a_file_that_changed_is_read_again(fitted, X, tmp_path):
    path = skvision.save_network(classifying(), tmp_path / "n.keras")
    before = features_of(path, X)
    skvision.save_network(fitted, path)
    assert features_of(path, X).shape != before.shape


def test_a_classifier_is_copied_once_for_all_fits(fitted, X, monkeypatch):
    built = []
    original = MiniVGGClassifier.build_network
    monkeypatch.setattr(
        MiniVGGClassifier, "build_network", lambda self: built.append(self) or original(self)
    )
    for _ in range(3):
        features_of(fitted, X)
        features_of(pickle.loads(pickle.dumps(fitted)), X)  # as in a worker
    assert len(built) == 1


def test_recipes_are_values(fitted):
    one, two = recipe_of(fitted), recipe_of(pickle.loads(pickle.dumps(fitted)))
    assert one == two
    assert hash(one) == hash(two)
    assert body_of(one) is body_of(two)
    assert recipe_of(classifying()) != one
    assert pickle.loads(pickle.dumps(one)) == one


def test_layers_of_the_users_own_class(X):
    class Doubled(layers.Layer):
        def call(self, x):
            return 2 * x

    network = keras.Sequential([keras.Input((8, 8, 3)), Doubled(), layers.Flatten()])
    pixels = np.repeat(X[..., None], 3, -1).reshape(20, -1)
    np.testing.assert_array_equal(features_of(network, X), 2.0 * pixels)


def test_code_in_a_passed_network_may_run_but_is_never_saved(X, tmp_path):
    network = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Lambda(lambda x: x + 1), layers.Flatten()]
    )
    transformer = PretrainedFeatureTransformer(network, engine="keras").fit(X)
    pixels = np.repeat(X[..., None], 3, -1).reshape(20, -1)
    np.testing.assert_array_equal(transformer.transform(X), pixels + 1.0)
    with pytest.raises(skvision.UnsupportedModelError, match="Lambda"):
        skvision.save(transformer.set_params(backbone="VGG16"), tmp_path / "t.skv")


@pytest.mark.parametrize(
    ("backbone", "text"),
    [
        (3, "backbone must be a name, a keras.Model, a fitted classifier.* Received: 3"),
        ("nowhere.skv", "There is no model file nowhere.skv"),
        ("nowhere.hdf5", "There is no network file nowhere.hdf5"),
        ("m.joblib", r"can run code .*backbone=joblib.load\('m.joblib'\)"),
    ],
)
def test_bad_backbones(backbone, text, X):
    with pytest.raises((ValueError, FileNotFoundError), match=text):
        PretrainedFeatureTransformer(backbone).fit(X)

from __future__ import annotations

import inspect
import pickle

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_sample_image
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags

from skvision import ImageDecodeError, ImageNetClassifier
from skvision.networks import efficientnet_lite
from skvision.networks.backbones import BACKBONES, build_backbone
from skvision.networks.imagenet_classes import imagenet_classes

#: indices of the network's outputs in the order of the class names
BY_NAME = np.argsort(list(imagenet_classes().values()))
FAST = {"image_size": 64, "engine": "keras", "batch_size": 4}


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).integers(0, 256, (6, 70, 66, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def net():
    return ImageNetClassifier(**FAST)


@pytest.fixture(scope="module")
def probabilities(net, X):
    return net.predict_proba(X)


def test_the_classes_are_unique_and_sorted(net):
    assert len(set(net.classes_)) == len(set(net.wordnet_ids_)) == 1000
    assert net.classes_.tolist() == sorted(net.classes_)
    names = dict(zip(net.wordnet_ids_, net.classes_, strict=True))
    assert names["n02124075"] == "Egyptian cat"
    assert (names["n02012849"], names["n03126707"]) == ("crane (bird)", "crane (machine)")


def test_it_needs_no_fit(net, X, probabilities):
    assert probabilities.shape == (6, 1000)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(net.predict(X), net.classes_[probabilities.argmax(axis=1)])
    assert clone(net).fit(X, ["cat"] * 6).predict(X).tolist() == net.predict(X).tolist()
    assert not vars(net).keys() - set(inspect.signature(ImageNetClassifier).parameters)


def test_the_top_classes_are_the_most_probable(net, X, probabilities):
    names, scores = net.predict_top(X, k=3)
    assert names.shape == scores.shape == (6, 3)
    np.testing.assert_array_equal(scores, np.sort(probabilities, axis=1)[:, :-4:-1])
    np.testing.assert_array_equal(names[:, 0], net.predict(X))
    assert net.predict_top(X[:1])[0].shape == (1, 5)
    for k in (0, 1001, 2.0):
        with pytest.raises(ValueError, match="k must be"):
            net.predict_top(X, k=k)


def test_it_is_the_network_with_its_own_preprocessing(X, probabilities):
    theirs = efficientnet_lite.EfficientNetLite0(input_shape=(64, 64, 3))
    square = X[:, 2:68]  # cropped first: 66 of 70 rows
    small = np.stack([np.asarray(Image.fromarray(x).resize((64, 64), 2)) for x in square])
    expected = theirs.predict(efficientnet_lite.preprocess_input(small), verbose=0)
    assert np.abs(expected[:, BY_NAME] - probabilities).max() < 0.02
    unscaled = theirs.predict(small, verbose=0)
    assert np.abs(unscaled[:, BY_NAME] - probabilities).max() > 0.1


def test_photos_are_named():
    """The two photos of scikit-learn: a temple in China, and a flower."""
    photos = [load_sample_image(name)[:, 100:-100] for name in ("china.jpg", "flower.jpg")]
    names, scores = ImageNetClassifier(engine="keras").predict_top(np.stack(photos))
    assert "palace" in names[0]
    assert "daisy" in names[1]
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["VGG16", "MobileNetV2"])
def test_the_networks_of_keras_with_their_top(name, tmp_path):
    """The weights come from a file, so that no download is needed."""
    row = BACKBONES[name]
    size = (32, 32)
    source = build_backbone(name, image_size=size, weights=None, seed=1, top=True)
    pixels = np.random.default_rng(0).integers(0, 256, (2, *size, 3), dtype=np.uint8)
    module = getattr(keras.applications, row.module)
    theirs = getattr(keras.applications, name)(weights=None, input_shape=(*size, 3))
    theirs.set_weights(source.get_weights())
    expected = theirs.predict(module.preprocess_input(pixels.astype("float32")), verbose=0)
    path = tmp_path / "own.weights.h5"
    theirs.save_weights(path)
    net = ImageNetClassifier(name.lower(), weights=path, image_size=size, engine="keras")
    np.testing.assert_allclose(net.predict_proba(pixels), expected[:, BY_NAME], atol=1e-4)


def test_vgg_accepts_only_one_size_with_published_weights(monkeypatch):
    real = keras.applications.VGG16

    def published(weights=None, **how):  # as if they had been downloaded
        return real(weights=None, **how)

    monkeypatch.setattr(keras.applications, "VGG16", published)
    with pytest.raises(
        ValueError, match=r"dense layers of VGG16 accept only images of \(224, 224\)"
    ):
        build_backbone("VGG16", image_size=(64, 64), top=True)


def test_scores_against_the_users_own_labels(net, X):
    names = net.predict(X)
    ids = dict(zip(net.classes_, net.wordnet_ids_, strict=True))
    wrong = "tench" if names[0] != "tench" else "goldfish"
    assert net.score(X, names) == 1
    assert net.score(X, [ids[name] for name in names]) == 1
    assert net.score(X, [wrong, *names[1:]]) == pytest.approx(5 / 6)
    assert net.score(X, ["my own cat", *names[1:]]) == pytest.approx(5 / 6)
    assert net.score(X, [wrong, *names[1:]], sample_weight=[0, 1, 1, 1, 1, 1]) == 1
    assert cross_val_score(net, X, names, cv=KFold(2)).tolist() == [1, 1]
    with pytest.raises(ValueError, match=r"None of the labels.*near 'tenche' are: 'tench'"):
        net.score(X, ["tenche"] * 6)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        net.score(X, names[1:])
    assert np.isfinite(log_loss(names, net.predict_proba(X), labels=net.classes_))


def test_a_bad_file_is_named(net, tmp_path):
    (tmp_path / "0.png").write_bytes(b"")
    with pytest.raises(ImageDecodeError, match=r"0\.png"):
        net.predict([tmp_path / "0.png"])


def test_it_is_a_scikit_learn_classifier(net, X):
    assert is_classifier(net)
    assert not get_tags(net).requires_fit
    assert "ImageNetClassifier" in net._repr_html_()
    names = net.predict(X)
    pipeline = make_pipeline(FunctionTransformer(), net)
    assert pipeline.predict(X).tolist() == names.tolist()
    search = GridSearchCV(net, {"resize": ["crop", "stretch"]}, cv=KFold(2)).fit(X, names)
    assert search.best_params_ == {"resize": "crop"}


@pytest.mark.slow
def test_a_pickle_is_small_and_works_elsewhere(net, X, probabilities, tmp_path, elsewhere):
    data = pickle.dumps(net)
    assert len(data) < 1000
    (tmp_path / "net.pkl").write_bytes(data)
    np.save(tmp_path / "X.npy", X)
    code = (
        "import pickle, sys, numpy as np\n"
        "folder = sys.argv[1]\n"
        "net = pickle.load(open(folder + '/net.pkl', 'rb'))\n"
        "np.save(folder + '/P.npy', net.predict_proba(np.load(folder + '/X.npy')))\n"
    )
    elsewhere(code, tmp_path)
    np.testing.assert_allclose(np.load(tmp_path / "P.npy"), probabilities, atol=1e-6)


def test_the_cache_separates_probabilities_from_features(net, X, probabilities, tmp_path):
    cached = clone(net).set_params(cache=tmp_path)
    for _ in range(2):
        # the cache batches images in another order, and some processors round by the place
        np.testing.assert_allclose(cached.predict_proba(X), probabilities, atol=1e-5)


def test_numbers_that_are_not_images_stay_unchanged(net, X):
    pixels = X[:, 3:67, 1:65]  # in the network's size, since resizing rounds bytes only
    raw = clone(net).set_params(value_range=None)
    np.testing.assert_array_equal(
        raw.predict_proba(pixels.astype(float)), net.predict_proba(pixels)
    )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"backbone": "VGG18"}, "Unknown backbone: 'VGG18'. Did you mean 'VGG1[69]'"),
        ({"weights": None}, "weights"),
        ({"weights": "nowhere.h5"}, "There is no weights file"),
        ({"image_size": 8}, "too small for EfficientNetLite0"),
        ({"resize": "squash"}, "resize"),
        ({"batch_size": 0}, "batch_size"),
        ({"engine": "onnx"}, "engine must be 'auto' or one of"),
        ({"value_range": "percent"}, "value_range"),
    ],
)
def test_bad_parameters(net, X, params, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        clone(net).set_params(**params).predict(X)


def test_scaled_images_are_refused(net, X):
    with pytest.raises(ValueError, match="accepted are float64 pixels from 0 to 1"):
        net.predict(X / 2.0)

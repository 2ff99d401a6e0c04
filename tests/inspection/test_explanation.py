"""`explain`, on images whose answer is known, and what it refuses."""

from __future__ import annotations

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

from skvision import (
    FineTunedClassifier,
    ImageAugmenter,
    ImageNetClassifier,
    MiniVGGClassifier,
    PretrainedFeatureTransformer,
    explain,
)
from skvision.inspection import Explanation
from skvision.inspection.controls import blurred, hidden, hottest
from skvision.inspection.explanation import target_indices

from ..conftest import TINY
from .marks import CLASSES, corner, marked, share_on_mark

NET = {**TINY, "image_size": 16, "epochs": 4}
TEST = marked(100, seed=1)


@pytest.fixture(scope="module")
def net():
    fitted = MiniVGGClassifier(**NET).fit(*marked(120))
    assert fitted.score(*TEST) == 1
    return fitted


@pytest.fixture(scope="module")
def explanation(net):
    return explain(net, TEST[0])


@pytest.fixture(scope="module")
def pipeline(net):
    """Features of a network of one's own, and a linear model."""
    features = PretrainedFeatureTransformer(FrozenEstimator(net), engine="keras")
    return make_pipeline(features, StandardScaler(), LogisticRegression()).fit(*marked(120))


@pytest.fixture(scope="module")
def pixels():
    """A Pipeline of scikit-learn alone."""
    rows = FunctionTransformer(lambda X: X.reshape(len(X), -1) / 255)
    return make_pipeline(rows, LogisticRegression()).fit(*marked(120))


# the map points at what decides


def test_the_hottest_point_lies_on_the_mark(explanation):
    assert explanation.method == "hirescam"
    assert share_on_mark(explanation, TEST[1]) >= 0.95


@pytest.mark.parametrize("method", ["gradcam++", "occlusion"])
def test_other_methods_point_at_the_mark_too(net, method):
    found = explain(net, TEST[0][:40], method=method)
    assert found.method == method
    assert share_on_mark(found, TEST[1][:40]) >= 0.95


def test_the_map_of_a_linear_model_points_at_the_mark(pipeline):
    found = explain(pipeline, TEST[0])
    assert found.method == "cam"
    assert share_on_mark(found, TEST[1]) >= 0.95
    assert found.beats_random.mean() > 0.9


def test_occlusion_points_at_the_mark_for_any_classifier(pixels):
    found = explain(pixels, TEST[0])
    assert found.method == "occlusion"
    assert share_on_mark(found, TEST[1]) >= 0.95
    assert found.beats_random.mean() > 0.95


def test_average_pooling_is_explained_by_gradcam():
    net = MiniVGGClassifier(**{**NET, "pooling": "avg", "dense_units": (), "epochs": 1})
    X, y = marked(40)
    found = explain(net.fit(X, y), X)
    assert found.method == "gradcam"
    # gradients are the same at all points, so both methods are the same
    other = explain(net, X, method="hirescam")
    np.testing.assert_allclose(found.maps, other.maps, atol=1e-4)


# what an explanation holds


def test_maps_images_and_targets(net, explanation):
    X, y = TEST
    assert isinstance(explanation, Explanation)
    assert len(explanation) == 100
    assert explanation.maps.shape == (100, 16, 16)
    assert explanation.maps.dtype == np.float32
    assert explanation.maps.min() == 0
    np.testing.assert_allclose(explanation.maps.max(axis=(1, 2)), 1)
    np.testing.assert_array_equal(explanation.images, X)
    np.testing.assert_array_equal(explanation.targets, y)
    np.testing.assert_allclose(explanation.outputs, net.predict_proba(X).max(axis=1), atol=1e-5)
    assert explanation.output == "probability"


def test_deletion_is_the_drop_when_the_hottest_tenth_is_hidden(net, explanation):
    X, y = TEST
    places = np.searchsorted(CLASSES, y)
    changed = hidden(X, hottest(explanation.maps), blurred(X))
    without = net.predict_proba(changed)[np.arange(100), places]
    np.testing.assert_allclose(explanation.deletion_, explanation.outputs - without, atol=1e-5)
    assert explanation.beats_random.mean() > 0.9
    assert explanation.deletion_.mean() > 3 * explanation.random_deletion_.mean()


def test_a_map_of_random_weights_is_found_out(net, explanation):
    assert explanation.sanity_.shape == (100,)
    # it takes no negative weights, so it hardly depends on the class
    alike = explain(net, TEST[0], method="gradcam++").sanity_
    assert alike.mean() > 0.7
    assert alike.mean() > explanation.sanity_.mean() + 0.1


def test_the_same_call_explains_the_same(net, explanation):
    again = explain(net, TEST[0])
    for name in ("maps", "deletion_", "random_deletion_", "sanity_"):
        np.testing.assert_array_equal(getattr(again, name), getattr(explanation, name))


def test_rounds_do_not_matter(net, explanation):
    X = np.concatenate([TEST[0]] * 2)
    found = explain(net, X)
    np.testing.assert_allclose(found.maps[100:], explanation.maps, atol=1e-4)
    np.testing.assert_allclose(found.deletion_[100:], explanation.deletion_, atol=1e-4)


@pytest.mark.parametrize("target", ["top left", ["top left"] * 8, np.array(["top left"] * 8)])
def test_one_class_is_explained_for_all_images(net, target):
    found = explain(net, TEST[0][:8], target=target)
    assert found.targets.tolist() == ["top left"] * 8
    np.testing.assert_allclose(found.outputs, net.predict_proba(TEST[0][:8])[:, 2], atol=1e-5)
    rows, columns = corner("top left")
    # the corner of another mark doesn't speak for it
    elsewhere = found.maps[TEST[1][:8] == "bottom right"]
    assert np.unravel_index(elsewhere[0].argmax(), (16, 16)) != (15, 15)
    assert elsewhere[:, rows, columns].max() > elsewhere[:, 11:, 11:].max()


def test_targets_have_the_type_of_the_classes():
    assert target_indices(2, np.array([1, 2]), 3).tolist() == [1, 1, 1]
    assert target_indices([True, False], np.array([False, True]), 2).tolist() == [1, 0]


def test_views_are_explained_in_their_place(net):
    averaging = clone(net).set_params(predict_crops=(1.0, 0.9))
    averaging.fit(*marked(120))
    found = explain(averaging, TEST[0])
    np.testing.assert_allclose(
        found.outputs, averaging.predict_proba(TEST[0]).max(axis=1), atol=1e-5
    )
    assert share_on_mark(found, TEST[1]) >= 0.95


# exact answers


def test_the_class_activation_map_of_a_network_of_one_filter():
    """A network that averages red, and a model that likes red: the map is the redness."""
    filter_ = np.zeros((1, 1, 3, 1), np.float32)
    filter_[0, 0, 0] = 1
    body = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(1, 1, use_bias=False)])
    body.set_weights([filter_])
    X = np.zeros((20, 4, 4, 3), np.uint8)
    X[:10, 1, 2, 0] = 200
    X[:10, 3, 3, 0] = 100
    X[10:, 0, 0, 1] = 255
    y = np.array(["red"] * 10 + ["green"] * 10)
    features = PretrainedFeatureTransformer(body, pooling="avg", engine="keras")
    pipeline = make_pipeline(features, LogisticRegression()).fit(X, y)
    found = explain(pipeline, X[:2])
    expected = np.zeros((4, 4))
    expected[1, 2], expected[3, 3] = 1, 0.5
    np.testing.assert_allclose(found.maps, [expected] * 2, atol=1e-6)
    # a tenth of 16 pixels is two: without the red, the image is as green ones are
    neutral = blurred(X[:1])
    without = X[:1].copy()
    without[0, [1, 3], [2, 3]] = neutral[0, [1, 3], [2, 3]]
    drop = pipeline.predict_proba(X[:1])[0, 1] - pipeline.predict_proba(without)[0, 1]
    np.testing.assert_allclose(found.deletion_, drop, atol=1e-5)
    assert found.beats_random.all()
    # nothing in a red image speaks for green
    green = explain(pipeline, X[:1], target="green")
    assert green.maps.max() == 0


# what can be explained


def test_all_forms_of_images_are_explained_alike(net, explanation, tmp_path):
    files = []
    for number, image in enumerate(TEST[0][:4]):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
        files.append(str(tmp_path / f"{number}.png"))
    for X in (files, np.array(files, dtype=object), pd.Series(files), list(map(Image.open, files))):
        found = explain(net, X)
        np.testing.assert_allclose(found.maps, explanation.maps[:4], atol=1e-4)
    occluded = explain(net, TEST[0][:2], method="occlusion")
    from_files = explain(net, files[:2], method="occlusion")
    np.testing.assert_allclose(from_files.maps, occluded.maps, atol=1e-5)


def test_grey_floats_and_rows(digits):
    X, y = digits
    net = MiniVGGClassifier(**TINY).fit(X / 255, y)
    found = explain(net, X[:4] / 255)
    np.testing.assert_array_equal(found.images, np.repeat(X[:4, :, :, None], 3, axis=3))
    rows = MiniVGGClassifier(**TINY, row_shape=(8, 8)).fit(X.reshape(len(X), -1), y)
    found = explain(rows, X[:4].reshape(4, -1))
    assert found.maps.shape == (4, 8, 8)
    occluded = explain(rows, X[:4].reshape(4, -1), method="occlusion")
    assert occluded.maps.shape == (4, 8, 8)
    np.testing.assert_array_equal(occluded.images, found.images)


def test_digits_from_0_to_16_are_shown_from_black_to_white(digits):
    X, y = digits
    X = X / 255 * 16
    rows = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    pipeline = make_pipeline(rows, KNeighborsClassifier()).fit(X, y)
    found = explain(pipeline, X[:3])
    assert (found.images.min(), found.images.max()) == (0, 255)
    assert found.maps.shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("wrap", "expected"),
    [
        (lambda net: make_pipeline(FunctionTransformer(), net), "hirescam"),
        (lambda net: make_pipeline(ImageAugmenter().fit(TEST[0]), "passthrough", net), "hirescam"),
        (FrozenEstimator, "hirescam"),
    ],
)
def test_steps_around_a_network(net, explanation, wrap, expected):
    found = explain(wrap(net), TEST[0][:4])
    assert found.method == expected
    np.testing.assert_allclose(found.maps, explanation.maps[:4], atol=1e-4)


def test_the_best_of_a_search_is_explained(pixels, digits):
    search = GridSearchCV(MiniVGGClassifier(**TINY), {"epochs": [1]}, cv=2).fit(*digits)
    found = explain(search, digits[0][:3])
    np.testing.assert_array_equal(found.maps, explain(search.best_estimator_, digits[0][:3]).maps)


def test_a_calibrated_linear_model_and_one_without_probabilities(pipeline):
    X, y = marked(60)
    calibrated = make_pipeline(*pipeline[:-1], CalibratedClassifierCV(LinearSVC(), cv=2))
    found = explain(calibrated.fit(X, y), TEST[0][:40])
    assert (found.method, found.output) == ("cam", "probability")
    assert share_on_mark(found, TEST[1][:40]) >= 0.95
    margins = make_pipeline(*pipeline[:-1], LinearSVC()).fit(X, y)
    found = explain(margins, TEST[0][:40])
    assert (found.method, found.output) == ("cam", "decision_function")
    np.testing.assert_allclose(
        found.outputs, margins.decision_function(TEST[0][:40]).max(axis=1), rtol=1e-3
    )
    assert share_on_mark(found, TEST[1][:40]) >= 0.95


def test_features_of_a_search_and_of_another_classifier(pipeline):
    X, y = marked(60)
    search = GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2)
    assert explain(make_pipeline(*pipeline[:-1], search).fit(X, y), X[:3]).method == "cam"
    neighbours = make_pipeline(*pipeline[:-1], KNeighborsClassifier()).fit(X, y)
    assert explain(neighbours, X[:3]).method == "occlusion"


def test_a_network_without_convolution_is_explained_by_occlusion():
    layers = [keras.Input((16, 16, 3)), keras.layers.Rescaling(1 / 255), keras.layers.Flatten()]
    dense = keras.Sequential([*layers, keras.layers.Dense(8, "relu")])
    net = FineTunedClassifier(dense, dense_units=(), warmup_epochs=1, fine_tune_epochs=0)
    net.fit(*marked(40))
    assert explain(net, TEST[0][:2]).method == "occlusion"
    with pytest.raises(ValueError, match='no convolution.*method="occlusion"'):
        explain(net, TEST[0][:2], method="gradcam")


@pytest.mark.slow
def test_fine_tuned_networks(net):
    tuned = FineTunedClassifier(
        FrozenEstimator(net), dense_units=(16,), warmup_epochs=4, fine_tune_epochs=1,
        warmup_learning_rate=0.01, random_state=0,
    ).fit(*marked(120))  # fmt: skip
    assert tuned.score(*TEST) == 1
    found = explain(tuned, TEST[0])
    assert found.method == "hirescam"
    assert share_on_mark(found, TEST[1]) >= 0.95


@pytest.mark.slow
def test_a_pretrained_network_explains_a_photo():
    from sklearn.datasets import load_sample_images

    flower = load_sample_images().images[1]
    net = ImageNetClassifier(image_size=96, engine="keras")
    found = explain(net, [Image.fromarray(flower)], target="daisy")
    assert found.targets.tolist() == ["daisy"]
    assert found.method == "gradcam"
    assert found.maps.shape == (1, 96, 96)
    np.testing.assert_allclose(
        found.outputs,
        net.predict_proba([Image.fromarray(flower)])[:, net.classes_ == "daisy"].ravel(),
        atol=1e-4,
    )


# bad input


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("middle", "not classes: 'middle'.*The classes are: 'bottom left'"),
        (["top left", "nowhere", "top left"], "not classes: 'nowhere'"),
        (["top left"] * 2, "2 labels for 3 images"),
        (1, "text"),
    ],
)
@pytest.mark.parametrize("method", ["auto", "occlusion"])
def test_targets_that_are_refused(net, target, message, method):
    with pytest.raises(ValueError, match=message):
        explain(net, TEST[0][:3], target=target, method=method)


def test_what_is_refused(net, pipeline, pixels, digits):
    X = TEST[0][:3]
    with pytest.raises(ValueError, match="method must be one of 'auto', 'gradcam'.*'lime'"):
        explain(net, X, method="lime")
    with pytest.raises(NotFittedError):
        explain(MiniVGGClassifier(), X)
    with pytest.raises(NotFittedError):
        explain(clone(pipeline), X)
    with pytest.raises(ValueError, match="takes classifiers.*LinearRegression"):
        explain(LinearRegression(), X)
    for nothing in ("net", None, MiniVGGClassifier):
        with pytest.raises(ValueError, match="takes a fitted classifier"):
            explain(nothing, X)
    for empty in ([], X[:0]):
        for model in (net, pipeline):
            with pytest.raises(ValueError, match="without images"):
                explain(model, empty)
        with pytest.raises(ValueError, match="without images"):
            explain(pixels, empty)
    with pytest.raises(ValueError, match="no linear model on features.*What can be explained"):
        explain(net, X, method="cam")
    for method in ("gradcam", "gradcam++", "hirescam"):
        with pytest.raises(ValueError, match="has no convolution.*MiniVGGClassifier"):
            explain(pixels, X, method=method)
    margins = make_pipeline(pixels[0], LinearSVC()).fit(*marked(40))
    with pytest.raises(ValueError, match="no predict_proba.*CalibratedClassifierCV"):
        explain(margins, X)
    numbers = MiniVGGClassifier(**TINY, value_range=None).fit(*digits)
    for method in ("auto", "occlusion"):
        with pytest.raises(ValueError, match="value_range=None"):
            explain(numbers, digits[0][:3], method=method)
    with pytest.raises(ValueError, match="rows of numbers.*Pipeline"):
        explain(LogisticRegression().fit(np.eye(4), [0, 1, 0, 1]), np.eye(4))
    with pytest.raises(ValueError, match="at which size it reads files"):
        explain(pixels, ["a.png"])
    with pytest.raises(ValueError, match="single image"):
        explain(net, Image.fromarray(X[0]))


def test_occlusion_of_too_many_images_is_refused(pixels):
    many = np.broadcast_to(TEST[0][0], (2000, 16, 16, 3))
    with pytest.raises(ValueError, match=r"70 predictions an image, 140,000.*at most 1,000"):
        explain(pixels, many)

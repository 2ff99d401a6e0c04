"""Predictions for displays are checked, and computed once."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from skvision import ImageAugmenter, MiniVGGClassifier
from skvision.inspection.predictions import Predictions, predict_for_display
from skvision.inspection.unwrapping import final_estimator, image_taker

CLASSES = np.array(["cat", "dog"])


def test_derived_figures():
    found = Predictions(
        CLASSES, np.array(["cat", "cat", "dog"]), np.array([[0.9, 0.1], [0.25, 0.75], [0.5, 0.5]])
    )
    assert found.y_pred.tolist() == ["cat", "dog", "cat"]
    assert found.confidence.tolist() == [0.9, 0.75, 0.5]
    assert found.correct.tolist() == [True, False, False]
    assert found.probability_of_true.tolist() == [0.9, 0.25, 0.5]
    assert len(found) == 3


def test_images_and_probabilities_of_arrays(fitted, digits):
    X, y = digits
    found = predict_for_display(fitted, X[:7], y[:7])
    np.testing.assert_array_equal(found.probabilities, fitted.predict_proba(X[:7]))
    assert found.classes is fitted.classes_
    np.testing.assert_array_equal(found.images.whole(2)[..., 0], X[2])
    assert found.names is None


def test_names_of_files(fitted, digits, tmp_path):
    X, y = digits
    files = [tmp_path / f"{index}.png" for index in range(3)]
    for file, pixels in zip(files, X, strict=False):
        Image.fromarray(pixels).save(file)
    found = predict_for_display(fitted, files, y[:3])
    assert found.names == [str(file) for file in files]
    np.testing.assert_array_equal(found.images.whole(1)[..., 0], X[1])
    data = [file.read_bytes() for file in files]
    assert predict_for_display(fitted, data, y[:3]).names is None


def test_labels_that_the_model_does_not_know(fitted, digits):
    X, y = digits[0][:3], ["zero", "bear", "two"]
    message = "doesn't know: 'bear'. It knows: 'one', 'two', 'zero'. Leave those images out"
    with pytest.raises(ValueError, match=message):
        predict_for_display(fitted, X, y)
    with pytest.raises(ValueError, match="y holds numbers"):
        predict_for_display(fitted, X, [0, 1, 2])
    with pytest.raises(ValueError, match="X holds 3 images, and y holds 2 labels"):
        predict_for_display(fitted, X, y[:2])
    with pytest.raises(ValueError, match="Received: None"):
        predict_for_display(fitted, X, None)
    with pytest.raises(ValueError, match="without images"):
        predict_for_display(fitted, X[:0], [])
    with pytest.raises(ValueError, match="looks like|accepted"):
        predict_for_display(fitted, X * 1.0, ["zero"] * 3)


def test_bad_estimators(tiny, digits):
    X, y = digits[0].reshape(300, -1), digits[1]
    with pytest.raises(NotFittedError, match="MiniVGGClassifier instance is not fitted yet"):
        predict_for_display(tiny, X, y)
    with pytest.raises(ValueError, match="Pass a fitted classifier. Received: 'model'"):
        predict_for_display("model", X, y)
    with pytest.raises(ValueError, match="Pass a fitted classifier"):
        predict_for_display(MiniVGGClassifier, X, y)
    with pytest.raises(ValueError, match="Pass a classifier.*LinearRegression"):
        predict_for_display(LinearRegression().fit(X, np.arange(300)), X, y)
    with pytest.raises(ValueError, match="Pipeline has no predict_proba.*CalibratedClassifierCV"):
        predict_for_display(make_pipeline(LinearSVC()).fit(X, y), X, y)
    several = MultiOutputClassifier(LogisticRegression()).fit(X, np.stack([y, y], axis=1))
    with pytest.raises(ValueError, match="several labels per image"):
        predict_for_display(several, X, y)


def test_numbers_that_are_no_images(digits):
    X, y = digits[0].reshape(300, -1) / 16, digits[1]
    model = LogisticRegression(max_iter=500).fit(X, y)
    found = predict_for_display(model, X, y)
    assert found.images is None
    assert found.names is None
    assert found.correct.mean() > 0.9
    with pytest.raises(ValueError, match="without images"):
        predict_for_display(model, X[:0], [])


def test_what_takes_the_images_in_pipelines_and_searches(fitted, digits):
    step = make_pipeline(FunctionTransformer(), fitted)
    augmenter = ImageAugmenter(horizontal_flip=True)
    assert image_taker(make_pipeline("passthrough", augmenter, fitted)) is augmenter
    assert image_taker(step) is None
    assert image_taker(LinearSVC()) is None
    assert final_estimator(step) is fitted
    calibrated = CalibratedClassifierCV(FrozenEstimator(fitted)).fit(*digits)
    assert image_taker(calibrated) is fitted
    search = GridSearchCV(make_pipeline(FrozenEstimator(fitted)), {}, cv=2).fit(*digits)
    assert image_taker(search) is fitted
    assert predict_for_display(step, digits[0], digits[1]).images is not None

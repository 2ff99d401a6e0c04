from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from skvision import CalibrationDisplay

PROBABILITIES = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.3, 0.7]])
TRUE = ["a", "b", "b", "b"]


def test_bins_and_error():
    display = CalibrationDisplay.from_predictions(TRUE, PROBABILITIES, n_bins=5)
    assert display.error == pytest.approx((0.4 * 2 + 0.3 * 2) / 4)
    frame = display.frame()
    assert list(frame["n_images"]) == [0, 0, 0, 2, 2]
    np.testing.assert_allclose(frame["accuracy"], [np.nan] * 3 + [1, 0.5])
    np.testing.assert_allclose(frame["confidence"], [np.nan] * 3 + [0.7, 0.9])
    assert frame["accuracy_low"][4] < 0.5 < frame["accuracy_high"][4]
    low, high = display.error_interval
    assert 0 <= low <= high <= 1
    assert repr(display) == "CalibrationDisplay(error=0.35)"


def test_the_plot_shows_curve_and_histogram():
    display = CalibrationDisplay.from_predictions(TRUE, PROBABILITIES, n_bins=5)
    curve, histogram = display.ax_
    points = curve.containers[0].lines[0]
    np.testing.assert_allclose(points.get_xydata(), [[0.7, 1], [0.9, 0.5]])
    assert [bar.get_height() for bar in histogram.patches] == [0, 0, 0, 2, 2]
    assert curve.get_title().startswith("calibration error 0.350 (95%: ")


def test_a_fitted_classifier(fitted, digits):
    display = CalibrationDisplay.from_estimator(fitted, *digits)
    confidence = fitted.predict_proba(digits[0]).max(axis=1)
    np.testing.assert_array_equal(display.confidence, confidence)
    np.testing.assert_array_equal(display.correct, fitted.predict(digits[0]) == digits[1])


def test_bad_arguments(digits):
    with pytest.raises(ValueError, match="n_bins must be at least 1"):
        CalibrationDisplay.from_predictions(TRUE, PROBABILITIES, n_bins=0)
    X, y = digits[0].reshape(300, -1), digits[1]
    with pytest.raises(ValueError, match="LinearSVC has no predict_proba.*CalibratedClassifierCV"):
        CalibrationDisplay.from_estimator(LinearSVC().fit(X, y), X, y)
    with pytest.raises(ValueError, match="Pass classes="):
        CalibrationDisplay.from_predictions(["a", "a", "a", "a"], PROBABILITIES)
    named = CalibrationDisplay.from_predictions(["a"] * 4, PROBABILITIES, classes=["a", "b"])
    assert named.correct.tolist() == [True, True, False, False]

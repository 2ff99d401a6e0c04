from __future__ import annotations

import numpy as np
import pytest

from skvision import SelectiveDisplay


def test_curve_and_table():
    probabilities = [[0.9, 0.1], [0.4, 0.6], [0.8, 0.2], [0.2, 0.8]]
    display = SelectiveDisplay.from_predictions(["a", "a", "a", "b"], probabilities)
    frame = display.frame()
    np.testing.assert_allclose(frame["share"], [0.25, 0.75, 1])
    np.testing.assert_allclose(frame["accuracy"], [1, 1, 0.75])
    np.testing.assert_allclose(frame["threshold"], [0.9, 0.8, 0.6])
    assert (np.asarray(frame["accuracy_low"]) < frame["accuracy"]).all()
    assert frame["accuracy_high"][2] > 0.75
    curve = display.ax_.lines[0]
    np.testing.assert_allclose(curve.get_xydata()[:, 1], [1, 1, 0.75])
    marked = [text.get_text() for text in display.ax_.texts]
    assert marked == ["0.5", "0.7", "0.9"]  # 0.6 lies where 0.5 does, 0.8 where 0.7 does


def test_a_fitted_classifier(fitted, digits):
    display = SelectiveDisplay.from_estimator(fitted, *digits)
    assert display.curve.share[-1] == 1
    assert display.curve.accuracy[-1] == pytest.approx(fitted.score(*digits))


def test_bad_arguments():
    with pytest.raises(ValueError, match="probabilities from 0 to 1"):
        SelectiveDisplay(np.array([2.0]), np.array([True]))
    with pytest.raises(ValueError, match="doesn't know: 'c'"):
        SelectiveDisplay.from_predictions(["c"], [[0.5, 0.5]], classes=["a", "b"])

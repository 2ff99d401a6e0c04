from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from skvision import ConfusionDisplay

TRUE = ["cat", "cat", "dog", "dog", "dog", "cow"]
PREDICTED = ["cat", "dog", "dog", "cat", "cat", "cow"]
CLASSES = ["cat", "cow", "dog", "pig"]


def cells(display):
    texts = [text.get_text() for text in display.ax_.texts]
    return np.reshape(texts, (int(len(texts) ** 0.5), -1)).tolist()


def test_matrix_and_table():
    display = ConfusionDisplay.from_predictions(TRUE, PREDICTED, classes=CLASSES)
    expected = confusion_matrix(TRUE, PREDICTED, labels=CLASSES)
    np.testing.assert_array_equal(display.confusion_matrix, expected)
    assert cells(display) == expected.astype(str).tolist()
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == CLASSES
    assert display.ax_.get_title() == "3 of 6 correct (50.0%)"
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("predicted class", "true class")
    frame = display.frame()
    row = 2 * 4 + 0  # dog, cat
    assert (frame["true"][row], frame["predicted"][row], frame["n_images"][row]) == (
        "dog",
        "cat",
        2,
    )
    assert frame["share_of_true"][row] == pytest.approx(2 / 3)
    assert np.isnan(frame["share_of_true"][15])


def test_shares():
    display = ConfusionDisplay.from_predictions(TRUE, PREDICTED, normalize="true")
    assert cells(display)[2] == ["67%", "0%", "33%"]
    assert cells(display.plot(normalize="pred"))[2][0] == "67%"
    assert cells(display.plot(normalize="all"))[2][0] == "33%"
    for bad in ("rows", True):
        with pytest.raises(ValueError, match='"true", "pred", "all" or None'):
            display.plot(normalize=bad)


def test_the_images_behind_a_cell(fitted, digits):
    X, y = digits[0][:40], digits[1][:40].copy()
    y[:3] = np.where(y[:3] == "one", "two", "one")  # wrong labels
    display = ConfusionDisplay.from_estimator(fitted, X, y)
    predicted = fitted.predict(X)
    behind = display.pictures(y[0], predicted[0])
    expected = np.flatnonzero((y == y[0]) & (predicted == predicted[0]))
    assert sorted(behind.indices_) == expected.tolist()
    right = display.pictures("zero", "zero", n_images=2)
    assert len(right.indices_) == 2
    assert (y[right.indices_] == "zero").all()
    with pytest.raises(ValueError, match="no class 'three'"):
        display.pictures("three", "one")


def test_images_of_known_predictions():
    X = np.zeros((6, 4, 4), np.uint8)
    display = ConfusionDisplay.from_predictions(TRUE, PREDICTED, X=X)
    assert display.pictures("dog", "cat").indices_.tolist() == [3, 4]
    with pytest.raises(ValueError, match=r"no images. Pass X="):
        ConfusionDisplay.from_predictions(TRUE, PREDICTED).pictures("dog", "cat")
    with pytest.raises(ValueError, match="X holds 5 images"):
        ConfusionDisplay.from_predictions(TRUE, PREDICTED, X=X[:5])
    with pytest.raises(ValueError, match="doesn't know: 'cow', 'dog'"):
        ConfusionDisplay.from_predictions(TRUE, PREDICTED, classes=["cat"])


def test_many_classes_show_those_that_occur():
    classes = np.arange(60)
    display = ConfusionDisplay.from_predictions([3, 3, 7], [3, 5, 7], classes=classes)
    assert display.confusion_matrix.shape == (60, 60)
    assert cells(display) == [["1", "1", "0"], ["0", "0", "0"], ["0", "0", "1"]]
    all_of_them = ConfusionDisplay.from_predictions(classes, classes)
    assert not all_of_them.ax_.texts
    assert len(all_of_them.figure_.axes) == 2  # a colour bar instead of numbers

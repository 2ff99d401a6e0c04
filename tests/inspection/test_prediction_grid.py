from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from skvision import PredictionDisplay
from skvision.inspection.selection import chosen

TRUE = np.array(["cat", "cat", "dog", "dog", "dog", "cat"])
PROBABILITIES = np.array(
    [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7], [0.55, 0.45], [0.99996, 0.00004]]
)
IMAGES = np.arange(6, dtype=np.uint8)[:, None, None] * np.full((8, 6), 40, np.uint8)


def shown(**how):
    return PredictionDisplay.from_predictions(TRUE, PROBABILITIES, IMAGES, **how)


def captions(display):
    return [ax.get_title() for ax in display.ax_]


def test_the_worst_come_first():
    display = shown()
    assert display.indices_.tolist() == [1, 2, 4]
    assert captions(display) == [
        "dog 80%\ntrue: cat",
        "cat 60%\ntrue: dog",
        "cat 55%\ntrue: dog",
    ]
    pixels = np.asarray(display.ax_[1].images[0].get_array())
    np.testing.assert_array_equal(pixels[..., 0], IMAGES[2])
    title = display.figure_.get_suptitle()
    assert title == "Wrong predictions, most confident first"


@pytest.mark.parametrize(
    ("which", "indices"),
    [
        ("worst", [1, 2, 4]),
        ("best", [5, 0, 3]),
        ("confused", [2, 4, 1]),
        ("uncertain", [4, 2, 3, 1, 0, 5]),
    ],
)
def test_which(which, indices):
    assert shown(which=which).indices_.tolist() == indices


def test_random_images_follow_the_seed():
    display = shown()
    draws = [
        display.plot(which="random", random_state=seed).indices_.tolist() for seed in (0, 0, 1)
    ]
    assert draws[0] == draws[1] != draws[2]
    assert sorted(draws[0]) == list(range(6))


def test_one_class_and_one_pair():
    assert shown(which="uncertain", label="cat").indices_.tolist() == [1, 0, 5]
    assert shown(label=("dog", "cat")).indices_.tolist() == [2, 4]
    few = shown(label=("dog", "cat"), n_images=1)
    assert few.indices_.tolist() == [2]
    assert few.figure_.get_suptitle().endswith("true dog and predicted cat (1 of 2)")
    none = shown(label=("cat", "cat"))
    assert not len(none.indices_)
    assert none.figure_.get_suptitle() == "Wrong predictions, true cat and predicted cat: none"
    assert captions(shown(which="best", n_images=1)) == ["cat >99.9%\ntrue: cat"]


def test_frames_tell_right_from_wrong_in_grey_too():
    display = shown(which="uncertain")
    wrong, right = (display.ax_[k].spines["top"] for k in (0, 2))
    assert wrong.get_linewidth() >= 2 * right.get_linewidth()
    assert wrong.get_edgecolor() != right.get_edgecolor()


def test_all_predictions_as_a_table(fitted, digits, tmp_path):
    X, y = digits[0][:5], digits[1][:5]
    files = [tmp_path / f"{index}.png" for index in range(5)]
    for file, pixels in zip(files, X, strict=True):
        Image.fromarray(pixels).save(file)
    display = PredictionDisplay.from_estimator(fitted, files, y, which="random", random_state=0)
    frame = display.frame()
    np.testing.assert_array_equal(frame["true"], y)
    np.testing.assert_array_equal(frame["predicted"], fitted.predict(X))
    np.testing.assert_array_equal(frame["correct"], fitted.predict(X) == y)
    np.testing.assert_array_equal(frame["probability_one"], fitted.predict_proba(X)[:, 0])
    assert list(frame["file"]) == [str(file) for file in files]


def test_a_classifier_without_probabilities(digits):
    X, y = digits
    flat = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    display = PredictionDisplay.from_estimator(
        make_pipeline(flat, LinearSVC()).fit(X, y), X, y, which="best", n_images=2
    )
    assert captions(display)[0] == f"{y[0]}\ntrue: {y[0]}"
    assert "confidence" not in display.frame()
    with pytest.raises(ValueError, match="needs probabilities"):
        display.plot(which="uncertain")


def test_bad_choices(fitted, digits):
    for bad in ("bad", None, 3, ["worst"]):
        message = "which must be one of 'worst', 'best', 'confused', 'uncertain', 'random'"
        with pytest.raises(ValueError, match=message):
            PredictionDisplay.from_estimator(fitted, *digits, which=bad)
        with pytest.raises(ValueError, match="which must be"):
            shown(which=bad)
    for bad in (0, 1.5, True, "3"):
        with pytest.raises(ValueError, match="n_images must be a whole number of at least 1"):
            PredictionDisplay.from_estimator(fitted, *digits, n_images=bad)
    for bad in ("bear", ("cat", "bear"), 0):
        with pytest.raises(ValueError, match="no class .*The classes are: 'cat', 'dog'"):
            shown(label=bad)
    for bad in (("cat", "dog", "cat"), ()):
        with pytest.raises(ValueError, match="a pair"):
            shown(label=bad)


def test_bad_predictions():
    with pytest.raises(ValueError, match=r"one column per class, 2 .*shape \(6, 3\)"):
        PredictionDisplay.from_predictions(TRUE, np.zeros((6, 3)), IMAGES)
    with pytest.raises(ValueError, match="scores of decision_function"):
        PredictionDisplay.from_predictions(TRUE, PROBABILITIES * 3, IMAGES)
    with pytest.raises(ValueError, match="X holds 2 images, and y_true holds 6"):
        PredictionDisplay.from_predictions(TRUE, PROBABILITIES, IMAGES[:2])
    with pytest.raises(ValueError, match="doesn't know: 'dog'"):
        shown(classes=["cat", "cow"])


def test_rows_that_are_no_images(digits):
    X, y = digits[0].reshape(300, -1), digits[1]
    with pytest.raises(ValueError, match="nothing to show. Pass images"):
        PredictionDisplay.from_estimator(LogisticRegression(max_iter=999).fit(X, y), X, y)


@pytest.mark.parametrize("dtype", [str, object])
def test_pairs_of_one_frequency_stay_apart(dtype):
    y_true = np.array(["a", "b", "a", "b"], dtype)
    y_pred = np.array(["b", "c", "b", "c"], dtype)
    probabilities = np.array([[0, 0.6, 0.4], [0, 0.1, 0.9], [0, 0.8, 0.2], [0, 0.3, 0.7]])
    assert chosen(y_true, y_pred, probabilities, "confused").tolist() == [2, 0, 1, 3]

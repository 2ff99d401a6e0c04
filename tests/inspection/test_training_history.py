from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skvision import ImageNetClassifier, MiniVGGClassifier, TrainingHistoryDisplay

PHASED = {
    "phase": ["warmup", "warmup", "fine_tune"],
    "loss": [3.0, 2.0, 1.0],
    "accuracy": [0.3, 0.5, 0.7],
    "val_loss": [3.5, 2.5, 1.5],
    "val_accuracy": [0.2, 0.4, 0.6],
    "learning_rate": [0.1, 0.1, 0.01],
}


def curves(panel):
    """The curves of a panel, without the borders of phases."""
    return [line for line in panel.lines if line.get_linestyle() != ":"]


def test_one_run(fitted):
    display = TrainingHistoryDisplay.from_estimator(fitted)
    loss, accuracy = display.ax_
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    (line,) = curves(loss)
    np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(line.get_ydata(), fitted.history_["loss"])
    assert line.get_label() == "training"
    assert display.figure_ is loss.figure


def test_validation_and_phases():
    display = TrainingHistoryDisplay({"net": PHASED}).plot()
    loss, accuracy = display.ax_
    training, validation = curves(accuracy)
    np.testing.assert_array_equal(validation.get_ydata(), PHASED["val_accuracy"])
    assert (training.get_linestyle(), validation.get_linestyle()) == ("-", "--")
    assert training.get_marker() != validation.get_marker()
    (border,) = [line for line in loss.lines if line.get_linestyle() == ":"]
    np.testing.assert_array_equal(border.get_xdata(), [2.5, 2.5])
    assert [text.get_text() for text in loss.texts] == ["warmup", "fine-tune"]


def test_several_runs(fitted):
    one = {name: values[:2] for name, values in PHASED.items() if name != "phase"}
    display = TrainingHistoryDisplay({"one": one, "two": {"loss": [1.0]}}).plot()
    labels = [text.get_text() for text in display.ax_[-1].get_legend().get_texts()]
    assert labels == ["one, training", "one, validation"]
    assert [line.get_label() for line in curves(display.ax_[0])][-1] == "two, training"
    frame = display.frame()
    assert list(frame["run"]) == ["one", "one", "two"]
    assert list(frame["epoch"]) == [1, 2, 1]
    np.testing.assert_array_equal(frame["accuracy"], [0.3, 0.5, np.nan])
    both = TrainingHistoryDisplay.from_estimator([fitted, fitted])
    assert list(both.histories) == ["run 1", "run 2"]
    named = TrainingHistoryDisplay.from_estimator({"first": fitted, "second": fitted})
    assert list(named.histories) == ["first", "second"]


def test_pipelines_and_searches_that_end_in_a_network(fitted, digits):
    pipeline = make_pipeline(FunctionTransformer(), fitted)
    frozen = make_pipeline(FrozenEstimator(fitted))
    search = GridSearchCV(frozen, {}, cv=2).fit(*digits)
    for estimator in (pipeline, search):
        display = TrainingHistoryDisplay.from_estimator(estimator)
        assert display.histories == {"MiniVGGClassifier": fitted.history_}


def test_a_model_without_a_history(tiny):
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(
        ValueError,
        match="The model is a Pipeline of StandardScaler, LogisticRegression, which has no "
        "training history. MiniVGGClassifier and FineTunedClassifier have one",
    ):
        TrainingHistoryDisplay.from_estimator(linear)
    with pytest.raises(ValueError, match="ImageNetClassifier, which has no training history"):
        TrainingHistoryDisplay.from_estimator(ImageNetClassifier())
    with pytest.raises(NotFittedError, match="not fitted"):
        TrainingHistoryDisplay.from_estimator(tiny)
    with pytest.raises(ValueError, match="Received: 'net'"):
        TrainingHistoryDisplay.from_estimator("net")
    with pytest.raises(ValueError, match="Pass a fitted classifier"):
        TrainingHistoryDisplay.from_estimator(MiniVGGClassifier)
    for nothing in ([], {}):
        with pytest.raises(ValueError, match="at least one"):
            TrainingHistoryDisplay.from_estimator(nothing)
    with pytest.raises(ValueError, match="a loss per epoch"):
        TrainingHistoryDisplay({"net": {"loss": []}})

"""All displays share one style, one rule for `ax`, and one form of tables."""

from __future__ import annotations

import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from skvision import (
    AugmentationDisplay,
    CalibrationDisplay,
    ConfusionDisplay,
    EmbeddingDisplay,
    ImageAugmenter,
    LearningRateDisplay,
    PredictionDisplay,
    SearchDisplay,
    SelectiveDisplay,
    TrainingHistoryDisplay,
)
from skvision.images import as_image_batch
from skvision.inspection.plotting import short_text

X = np.zeros((4, 8, 8), np.uint8)
Y = np.array(["a", "b", "a", "b"])
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
RESULTS = {
    "params": [{"C": 1}, {"C": 2}],
    "mean_test_score": [0.5, 0.6],
    "split0_test_score": [0.5, 0.6],
}

#: each display, computed and not plotted
DISPLAYS = [
    AugmentationDisplay([np.zeros((8, 8, 3), np.uint8)], [[np.ones((8, 8, 3), np.uint8)]], ["a"]),
    CalibrationDisplay(PROBABILITIES.max(axis=1), Y == "a"),
    ConfusionDisplay(Y, Y[::-1], np.array(["a", "b"])),
    EmbeddingDisplay(np.random.default_rng(0).random((4, 2)), Y, as_image_batch(X)),
    LearningRateDisplay(np.geomspace(1, 9, 9), np.arange(9)[::-1]),
    PredictionDisplay(as_image_batch(X), Y, Y[::-1], np.array(["a", "b"]), PROBABILITIES),
    SearchDisplay(RESULTS),
    SelectiveDisplay(PROBABILITIES.max(axis=1), Y == "a"),
    TrainingHistoryDisplay({"net": {"loss": [2.0, 1.0], "accuracy": [0.1, 0.9]}}),
]
EACH = pytest.mark.parametrize("display", DISPLAYS, ids=lambda each: type(each).__name__)


def all_axes(display):
    return list(np.ravel(display.ax_))


@EACH
def test_the_users_settings_stay(display):
    before = dict(mpl.rcParams)
    assert display.plot() is display
    assert dict(mpl.rcParams) == before


@EACH
def test_where_to_plot(display):
    new = display.plot()
    assert len(plt.get_fignums()) == 1
    assert new.figure_ is plt.gcf()
    figure, (left, right) = plt.subplots(1, 2)
    display.plot(right)
    assert display.figure_ is figure
    assert all(ax is right or ax.get_subplotspec() is not left for ax in all_axes(display))
    assert left.has_data() is False
    box = right.get_subplotspec().get_position(figure)
    for ax in all_axes(display):
        place = ax.get_subplotspec().get_position(figure)
        assert box.x0 - 1e-6 <= place.x0 <= place.x1 <= box.x1 + 1e-6
    part = plt.figure().subfigures(1, 2)[0]
    display.plot(part)
    assert display.figure_ is part
    with pytest.raises(TypeError, match="ax must be axes, a figure or a subfigure"):
        display.plot("here")


@EACH
def test_texts_have_9_to_11_points_and_the_figure_fits_a_laptop(display):
    figure = display.plot().figure_
    figure.canvas.draw()
    sizes = {
        text.get_fontsize()
        for text in figure.findobj(mpl.text.Text)
        if text.get_text() and text.get_visible()
    }
    assert sizes
    assert 9 <= min(sizes) <= max(sizes) <= 11
    assert figure.get_size_inches()[0] <= 11


@EACH
def test_a_dict_stands_for_a_frame_without_pandas(display, monkeypatch):
    frame = display.frame()
    monkeypatch.setitem(sys.modules, "pandas", None)
    table = display.frame()
    assert type(table) is dict
    assert list(table) == list(frame.columns)
    assert {len(column) for column in table.values()} == {len(frame)}
    for name, column in table.items():
        assert isinstance(column, np.ndarray)
        if column.dtype.kind == "f":
            np.testing.assert_array_equal(frame[name], column)


@EACH
def test_tables_need_no_matplotlib(display, monkeypatch):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    assert len(display.frame())
    with pytest.raises(ImportError, match=r'pip install "skvision\[plot\]"$'):
        display.plot()


@pytest.mark.parametrize(
    "display",
    [CalibrationDisplay, ConfusionDisplay, EmbeddingDisplay, PredictionDisplay, SelectiveDisplay],
)
def test_matplotlib_is_missed_before_the_predictions(display, monkeypatch):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    labels = {"y": Y} if display is EmbeddingDisplay else {}
    arguments = (X,) if labels else (X, Y)
    with pytest.raises(ImportError, match=r'pip install "skvision\[plot\]"$'):
        display.from_estimator("no estimator", *arguments, **labels)


def test_axes_without_a_grid_hold_no_panels():
    ax = plt.figure().add_axes((0.1, 0.1, 0.8, 0.8))
    with pytest.raises(ValueError, match="several panels, which need axes made by plt.subplots"):
        DISPLAYS[1].plot(ax)
    assert DISPLAYS[2].plot(ax).ax_ is ax


def test_texts_are_shortened_and_are_no_formulas():
    assert short_text("$5 and $6") == r"\$5 and \$6"
    assert short_text("x" * 30) == "x" * 23 + "…"
    long = np.array(["a" * 50, "<b>$x$</b>"])
    display = ConfusionDisplay(long, long, long).plot()
    display.figure_.canvas.draw()
    assert display.ax_.get_yticklabels()[0].get_text() == "a" * 23 + "…"


def test_labels_beside_augmented_images(noise):
    display = AugmentationDisplay.from_estimator(
        ImageAugmenter(), noise, y=list("abcdef"), n_images=3, n_draws=1
    )
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["a", "c", "f"]
    frame = display.frame()
    assert list(frame["label"]) == ["a", "a", "c", "c", "f", "f"]
    assert list(frame["draw"]) == [0, 1] * 3
    np.testing.assert_array_equal(frame["pixels"][2], noise[2])
    with pytest.raises(ValueError, match="X holds 6 images, and y holds 2 labels"):
        AugmentationDisplay.from_estimator(ImageAugmenter(), noise, y=["a", "b"])

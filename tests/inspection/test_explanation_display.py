"""`ExplanationDisplay` shows what `explain` found, and says what the controls say."""

from __future__ import annotations

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import AxesImage

from skvision import Explanation, ExplanationDisplay, explain
from skvision.inspection import overlays
from skvision.inspection.explanation_display import in_words
from skvision.inspection.overlays import enlarged, overlaid

mpl.use("agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


@pytest.fixture
def explanation():
    """Two explanations: one that passes the controls, and one that doesn't."""
    maps = np.zeros((2, 20, 30), np.float32)
    maps[0, 5:9, 6:10] = 1
    maps[1, 0, 0] = 1
    return Explanation(
        maps=maps,
        targets=np.array(["cat", "dog"]),
        images=np.random.default_rng(0).integers(0, 256, (2, 20, 30, 3), dtype=np.uint8),
        method="gradcam",
        output="probability",
        outputs=np.array([0.9, 0.6]),
        deletion_=np.array([0.7, 0.01]),
        random_deletion_=np.array([0.05, 0.02]),
        sanity_=np.array([0.25, 0.5]),
    )


def test_words_say_what_the_controls_say(explanation):
    assert in_words(explanation, 0) == [
        "cat: probability 0.900",
        "hottest tenth hidden: 0.200",
        "a random tenth hidden: 0.850",
        "likeness to random weights: 0.25",
    ]
    assert in_words(explanation, 1)[-1] == "Don't believe it: chance does as well."
    alike = replace(explanation, sanity_=np.array([0.9, 0.9]))
    assert in_words(alike, 0)[-1] == "Don't believe it: random weights do the same."
    nothing = replace(explanation, maps=0 * explanation.maps)
    assert in_words(nothing, 0)[-1] == "Nothing here speaks for this class."
    scores = replace(explanation, output="decision_function", sanity_=np.full(2, np.nan))
    assert in_words(scores, 0) == [
        "cat: score 0.900",
        "hottest tenth hidden: 0.200",
        "a random tenth hidden: 0.850",
    ]


def test_the_frame_has_a_row_per_image(explanation):
    frame = pd.DataFrame(ExplanationDisplay(explanation).frame())
    assert len(frame) == 2
    assert frame["target"].tolist() == ["cat", "dog"]
    assert frame["beats_random"].tolist() == [True, False]
    assert frame["sanity"].tolist() == [0.25, 0.5]


def test_images_and_heat_maps_stand_side_by_side(explanation):
    display = ExplanationDisplay(explanation).plot()
    (shown,) = (each for each in display.ax_.get_children() if isinstance(each, AxesImage))
    canvas = np.asarray(shown.get_array())
    # 12 times as large, so that the shorter side has 240 pixels
    np.testing.assert_array_equal(canvas[:240, :360], enlarged(explanation.images[0]))
    both = overlaid(explanation.images, explanation.maps)
    np.testing.assert_array_equal(canvas[-240:, -360:], both[1])
    words = [text.get_text() for text in display.ax_.texts]
    assert words == [*in_words(explanation, 0), *in_words(explanation, 1)]
    labels = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert labels == ["image", "heat map"]
    assert display.figure_ is display.ax_.figure


def test_words_are_within_the_figure(explanation):
    figure = ExplanationDisplay(replace(explanation, sanity_=np.ones(2))).plot().figure_
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    texts = [*figure.axes[0].texts, *figure.axes[0].get_xticklabels()]
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= width, text.get_text()
        assert box.y0 >= 0
        assert box.y1 <= height, text.get_text()


def test_it_plots_into_given_axes(explanation):
    _, ax = plt.subplots()
    assert ExplanationDisplay(explanation).plot(ax).ax_ is ax
    assert repr(ExplanationDisplay(explanation)) == (
        "ExplanationDisplay(Explanation(n=2, method='gradcam'))"
    )


def test_overlays_get_brighter_with_the_evidence_and_outline_the_hottest_tenth():
    images = np.full((1, 240, 240, 3), 128, np.uint8)
    maps = np.tile(np.linspace(0, 1, 240, dtype=np.float32), (1, 240, 1))
    result = overlaid(images, maps)
    assert result.shape == images.shape
    grey = result[0, 120] @ [0.299, 0.587, 0.114]
    # away from the outline, which begins where the last tenth does
    assert (np.diff(grey[:205:15]) > 0).all()
    assert (result[0, 120, 214:218] == 255).all(axis=1).any()
    assert (result[0, 120, 210:222] == 0).all(axis=1).any()
    # a map without evidence has no outline
    nothing = overlaid(images, 0 * maps)
    assert len(np.unique(nothing.reshape(-1, 3), axis=0)) == 1


def test_colors_are_those_of_matplotlib():
    colors = mpl.colormaps[overlays.COLOR_MAP](np.linspace(0, 1, 256))[:, :3] * 255
    maps = np.linspace(0, 1, 256, dtype=np.float32).repeat(256).reshape(1, 256, 256)
    black = np.zeros((1, 256, 256, 3), np.uint8)
    drawn = overlaid(black, maps)[0, :200, 0] / 0.55
    np.testing.assert_allclose(drawn, colors[:200], atol=3)


def test_from_estimator(fitted, digits):
    X, y = digits
    display = ExplanationDisplay.from_estimator(fitted, X, n_images=2)
    np.testing.assert_array_equal(display.explanation.maps, explain(fitted, X[:2]).maps)
    assert len(display.ax_.texts) >= 8
    _, ax = plt.subplots()
    display = ExplanationDisplay.from_estimator(
        fitted, list(X[:3]), target=y[:3], method="gradcam", n_images=2, ax=ax
    )
    assert display.explanation.targets.tolist() == y[:2].tolist()
    assert display.explanation.method == "gradcam"
    assert display.ax_ is ax
    all_of = ExplanationDisplay.from_estimator(fitted, X[:3], target="one", n_images=9)
    assert len(all_of.explanation) == 3
    with pytest.raises(ValueError, match="n_images must be a whole number of at least 1"):
        ExplanationDisplay.from_estimator(fitted, X, n_images=0)

from __future__ import annotations

import sys

import keras
import matplotlib as mpl
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skvision import LearningRateDisplay, find_learning_rate

mpl.use("Agg")

RATES = np.geomspace(1e-5, 10, 61)


def test_the_suggestion_lies_between_the_steepest_and_the_lowest_point():
    # flat, down from 1e-3 to 1e-1 in a straight line, up again
    losses = np.interp(np.log10(RATES), [-5, -3, -1, 1], [2.0, 2.0, 1.0, 5.0])
    display = LearningRateDisplay(RATES, losses)
    assert 1e-3 < display.suggestion < 1e-1
    assert display.smoothed_losses.shape == losses.shape
    # averages stay within the kinks (Gaussian of 2.4 steps of at most 0.2)
    assert np.abs(display.smoothed_losses - losses).max() < 0.25


def test_one_lucky_batch_does_not_decide():
    losses = np.interp(np.log10(RATES), [-5, -3, -1, 1], [2.0, 2.0, 1.0, 5.0])
    expected = LearningRateDisplay(RATES, losses).suggestion
    losses[5] = 0.9
    assert LearningRateDisplay(RATES, losses).suggestion == pytest.approx(expected, rel=0.5)


@pytest.mark.parametrize("losses", [[], [1.0], list(np.linspace(1, 3, 61))])
def test_without_a_falling_loss_no_rate_is_suggested(losses):
    with pytest.raises(ValueError, match="fell at none of the learning rates"):
        LearningRateDisplay(RATES[: len(losses)], losses)


def test_it_finds_a_rate_that_learns(tiny, digits):
    found = find_learning_rate(tiny, *digits)
    assert not hasattr(tiny, "classes_")
    assert tiny.learning_rate == 0.01
    assert len(found.learning_rates) == len(found.losses) > 40
    assert (np.diff(found.learning_rates) > 0).all()
    assert tiny.set_params(learning_rate=found.suggestion).fit(*digits).score(*digits) > 0.9


def test_the_same_seed_finds_the_same(tiny, digits):
    one, two = (find_learning_rate(tiny, *digits, n_steps=30) for _ in range(2))
    np.testing.assert_array_equal(one.losses, two.losses)
    other = find_learning_rate(tiny.set_params(random_state=1), *digits, n_steps=30)
    assert not np.array_equal(one.losses[:5], other.losses[:5])


def test_it_ends_when_the_loss_explodes(tiny, digits):
    tiny.set_params(optimizer="sgd", batch_norm=False)
    found = find_learning_rate(tiny, *digits, lowest=1e-3, highest=1e9, n_steps=60)
    assert len(found.losses) < 60
    assert np.isfinite(found.losses).all()


def test_the_last_step_of_a_pipeline_is_trained(tiny, digits):
    X, y = digits
    pipeline = make_pipeline(FunctionTransformer(lambda X: X.astype(np.uint8)), tiny)
    one = find_learning_rate(pipeline, X.astype(int), y, n_steps=20)
    two = find_learning_rate(make_pipeline(tiny), X, y, n_steps=20)
    np.testing.assert_array_equal(one.losses, two.losses)


def test_bad_arguments(tiny, digits):
    for how in ({"lowest": 0}, {"lowest": 2, "highest": 1}, {"highest": "1"}):
        with pytest.raises(ValueError, match="0 < lowest < highest"):
            find_learning_rate(tiny, *digits, **how)
    with pytest.raises(ValueError, match="n_steps"):
        find_learning_rate(tiny, *digits, n_steps=3)
    with pytest.raises(ValueError, match=r"classifier of skvision.*LogisticRegression"):
        find_learning_rate(LogisticRegression(), *digits)
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    tiny.set_params(optimizer=keras.optimizers.SGD(schedule))
    with pytest.raises(ValueError, match="schedule of its own"):
        find_learning_rate(tiny, *digits)


def test_the_plot_shows_the_curve_and_the_suggestion(tiny, digits):
    display = find_learning_rate(tiny, *digits, n_steps=40).plot()
    assert display.ax_.get_xscale() == "log"
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("learning rate", "loss")
    points, curve, mark = display.ax_.lines
    np.testing.assert_array_equal(points.get_ydata(), display.losses)
    np.testing.assert_array_equal(curve.get_ydata(), display.smoothed_losses)
    assert mark.get_xdata()[0] == display.suggestion
    assert f"{display.suggestion:.2g}" in mark.get_label()
    other = mpl.figure.Figure().subplots()
    assert display.plot(other).ax_ is other


def test_one_call_finds_and_plots(tiny, digits):
    ax = mpl.figure.Figure().subplots()
    display = LearningRateDisplay.from_estimator(
        tiny, *digits, phase=None, lowest=1e-4, highest=1.0, n_steps=40, ax=ax
    )
    expected = find_learning_rate(tiny, *digits, lowest=1e-4, highest=1.0, n_steps=40)
    np.testing.assert_array_equal(display.losses, expected.losses)
    assert display.ax_ is ax
    frame = display.frame()
    np.testing.assert_array_equal(frame["learning_rate"], expected.learning_rates)
    np.testing.assert_array_equal(frame["smoothed_loss"], expected.smoothed_losses)


def test_the_error_without_matplotlib_has_the_pip_command(monkeypatch):
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    display = LearningRateDisplay(np.geomspace(1, 9, 9), np.arange(9)[::-1])
    with pytest.raises(ImportError, match=r'pip install "skvision\[plot\]"$'):
        display.plot()

"""Measures have the values that a hand computes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score

from skvision.inspection.measures import (
    bootstrap_interval,
    calibration_bins,
    calibration_error,
    confusion,
    proportion_interval,
    selective_curve,
)


def test_bins_hold_their_upper_edge():
    bins = calibration_bins([0.0, 0.25, 0.26, 0.5, 1.0], [0, 1, 1, 0, 1], n_bins=4)
    assert bins.counts.tolist() == [2, 2, 0, 1]
    np.testing.assert_allclose(bins.confidence, [0.125, 0.38, np.nan, 1])
    np.testing.assert_allclose(bins.accuracy, [0.5, 0.5, np.nan, 1])
    assert bins.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_the_error_is_the_weighted_distance():
    confidence = np.array([0.6, 0.6, 0.9, 0.9, 0.9, 0.9])
    correct = np.array([True, False, True, True, True, True])
    error, low, high = calibration_error(confidence, correct, n_bins=2, n_resamples=50)
    # one bin: 0.8 against 5/6
    assert error == pytest.approx(5 / 6 - 0.8)
    assert 0 <= low <= high <= 1
    error, _, _ = calibration_error(confidence, correct, n_bins=4, n_resamples=50)
    assert error == pytest.approx((2 * 0.1 + 4 * 0.1) / 6)
    again = calibration_error(confidence, correct, n_bins=4, n_resamples=50, level=0.5)
    assert again[0] == error
    assert again[1:] != calibration_error(confidence, correct, n_bins=4, n_resamples=50)[1:]


def test_the_interval_of_a_calibrated_model_reaches_zero():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(40):
        confidence = rng.uniform(0.3, 1, 400)
        correct = rng.random(400) < confidence
        held += calibration_error(confidence, correct, n_resamples=100)[1] < 0.01
    # the percentiles of the resamples reach it never
    assert held >= 28


def test_the_interval_of_an_overconfident_model_holds_its_error():
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(40):
        confidence = rng.uniform(0.6, 1, 300)
        correct = rng.random(300) < confidence - 0.2
        _, low, high = calibration_error(confidence, correct, n_resamples=100, seed=seed)
        held += low <= 0.2 <= high
    assert held >= 35


def test_ties_are_answered_together():
    curve = selective_curve([0.5, 0.9, 0.7, 0.9], [False, True, True, False])
    assert curve.threshold.tolist() == [0.9, 0.7, 0.5]
    assert curve.share.tolist() == [0.5, 0.75, 1]
    np.testing.assert_allclose(curve.accuracy, [0.5, 2 / 3, 0.5])


def test_the_bootstrap_draws_rows_together():
    y = np.arange(20) % 2
    assert bootstrap_interval(accuracy_score, y, y) == (1, 1)
    low, high = bootstrap_interval(np.mean, np.arange(100.0), seed=3)
    # mean 49.5, standard error 2.89
    assert low == pytest.approx(49.5 - 1.96 * 2.89, abs=0.6)
    assert high == pytest.approx(49.5 + 1.96 * 2.89, abs=0.6)
    assert bootstrap_interval(np.mean, np.arange(9.0)) == bootstrap_interval(
        np.mean, np.arange(9.0)
    )
    narrow = bootstrap_interval(np.mean, np.arange(100.0), level=0.5, n_resamples=500)
    assert low < narrow[0] < narrow[1] < high
    assert np.isnan(bootstrap_interval(lambda x: np.nan, np.arange(3))).all()


@pytest.mark.parametrize(("k", "n"), [(0, 10), (10, 10), (3, 7)])
def test_wilsons_interval(k, n):
    expected = binomtest(k, n).proportion_ci(0.9, "wilson")
    np.testing.assert_allclose(proportion_interval(k, n, level=0.9), expected, atol=1e-12)


def test_no_trials_have_no_interval():
    assert np.isnan(proportion_interval([0], [0])).all()


def test_confusion_counts_by_the_order_of_the_classes():
    counts = confusion(np.array(["b", "a", "b"]), np.array(["a", "a", "b"]), np.array(["b", "a"]))
    assert counts.tolist() == [[1, 1], [0, 1]]


def test_bad_numbers():
    with pytest.raises(ValueError, match="from 0 to 1. Received numbers from 0.5 to 1.5"):
        selective_curve([0.5, 1.5], [True, True])
    with pytest.raises(ValueError, match="probabilities"):
        calibration_bins([np.nan], [True])
    with pytest.raises(ValueError, match=r"\(2,\) and \(1,\)"):
        selective_curve([0.5, 0.6], [True])
    with pytest.raises(ValueError, match="n_bins must be at least 1"):
        calibration_bins([0.5], [True], 0)
    with pytest.raises(ValueError, match="one length of at least 1. Received lengths: 2, 3"):
        bootstrap_interval(accuracy_score, np.arange(2), np.arange(3))
    with pytest.raises(ValueError, match="lengths: 0"):
        bootstrap_interval(np.mean, np.array([]))
    with pytest.raises(ValueError, match="n_resamples"):
        bootstrap_interval(np.mean, np.arange(3), n_resamples=0)
    for level in (0, 1, 95):
        with pytest.raises(ValueError, match="level must be between 0 and 1"):
            bootstrap_interval(np.mean, np.arange(3), level=level)
        with pytest.raises(ValueError, match="level must be"):
            proportion_interval(1, 2, level)
    with pytest.raises(ValueError, match="not in classes: 'c'"):
        confusion(np.array(["c"]), np.array(["a"]), np.array(["a"]))
    with pytest.raises(ValueError, match="1 and 2"):
        confusion(np.array(["a"]), np.array(["a", "a"]), np.array(["a"]))

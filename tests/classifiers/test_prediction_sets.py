"""Conformal sets, by hand and by counting."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from skvision.classifiers.neighbourhood import chosen_references, neighbourhood_of
from skvision.classifiers.prediction_sets import (
    as_coverage,
    every_fourth,
    images_needed,
    largest_coverage,
    numbers_below,
    sets_of,
)


@pytest.mark.parametrize(
    ("coverage", "needed"), [(0.5, 1), (0.6, 2), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)]
)
def test_the_fewest_images_for_a_coverage(coverage, needed):
    """With one image less, no set can leave a class out."""
    assert images_needed(coverage) == needed
    highest = np.array([[needed]])  # its score is above that of all calibration images
    assert not sets_of(highest, [needed], coverage).any()
    assert sets_of(highest - 1, [needed - 1], coverage).all()
    assert coverage - 0.001 < largest_coverage(needed) <= 1
    assert largest_coverage(needed - 1) < coverage


def test_a_set_has_the_classes_that_are_usual_enough():
    cat, dog = np.arange(1, 10) / 10, np.array([0.2, 0.2, 0.2, 0.7])
    scores = np.array([[0.1, 0.1], [0.8, 0.7], [0.85, 0.2], [2.0, 2.0]])
    below = numbers_below([cat, dog], scores)
    # a score that is as large as a calibration image's isn't above it
    np.testing.assert_array_equal(below, [[0, 0], [7, 3], [8, 0], [9, 4]])
    # of ten ranks the first eight, of five the first four
    sets = sets_of(below, [9, 4], 0.8)
    np.testing.assert_array_equal(sets, [[True, True], [True, True], [False, True], [False, False]])


def test_the_coverage_is_exact_over_all_orders():
    """Each of five images is the new one in a fifth of all orders."""
    inside = [
        sets_of(numbers_below([np.sort(order[:4])], np.array([[order[4]]])), [4], 0.8)[0, 0]
        for order in map(np.array, permutations([0.1, 0.2, 0.3, 0.4, 0.5]))
    ]
    assert np.mean(inside) == 0.8


def test_a_coverage_is_meant_as_it_is_written():
    """0.9 * 10 is 9.000000000000002 less an error of rounding in some orders of computation."""
    for n in range(1, 40):
        for percent in range(1, 100):
            rank = -(-(n + 1) * percent // 100)
            found = sets_of(np.arange(n + 1)[:, None], [n], percent / 100)
            assert found.sum() == min(rank, n + 1)


@pytest.mark.parametrize("bad", [0, 1, -0.1, 95, True, "0.95", None, float("nan"), [0.9]])
def test_what_is_no_coverage_is_refused(bad):
    with pytest.raises(ValueError, match="above 0 and below 1.*Received"):
        as_coverage(bad)


def test_every_fourth_image_of_a_class():
    codes = np.array([1, 0, 1, 1, 1, 0, 1, 1])
    np.testing.assert_array_equal(np.flatnonzero(every_fourth(codes)), [0, 1, 6])


def test_a_distance_is_that_of_the_fifth_nearest():
    """Six directions in a plane: the fifth nearest of a reference is the farthest of the others."""
    angles = np.radians([0, 10, 20, 30, 40, 50])
    features = np.column_stack([np.cos(angles), np.sin(angles)])
    known = neighbourhood_of(3 * features)  # lengths don't count
    farthest = np.log(1 - np.cos(np.radians([50, 40, 30, 30, 40, 50])))
    assert known.mean == pytest.approx(farthest.mean(), rel=1e-4)
    assert known.spread == pytest.approx(farthest.std(), rel=1e-3)
    # of an image at 60 degrees the fifth nearest is at 10
    asked = np.radians([60])
    found = known.distances(np.column_stack([np.cos(asked), np.sin(asked)]))
    expected = (np.log(1 - np.cos(np.radians(50))) - farthest.mean()) / farthest.std()
    assert found == pytest.approx([expected], abs=1e-3)


def test_copies_and_blank_features_have_finite_distances():
    for features in (np.ones((8, 3)), np.zeros((2, 3))):
        known = neighbourhood_of(features)
        assert known.spread == 1
        assert np.isfinite(known.distances(np.array([[1.0, 0, 0], [0, 0, 0]]))).all()


def test_references_are_spread_over_the_training_images():
    chosen = chosen_references(2500)
    assert (len(chosen), chosen[0], chosen[-1]) == (1000, 0, 2499)
    assert set(np.diff(chosen)) <= {2, 3}

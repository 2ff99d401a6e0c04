"""RandAugment: number, choice and strength of operations."""

from __future__ import annotations

import numpy as np
import pytest

from skvision import ImageOverSampler, MiniVGGClassifier, RandAugmenter
from skvision.augmentation.operations import NEUTRAL
from skvision.augmentation.rand_augmenter import OPERATIONS

from ..conftest import TINY

N = 2000
PARTS = {part: name for name, (parts, _) in OPERATIONS.items() for part in parts}


def drawn(**parameters):
    return RandAugmenter(**{"horizontal_flip": False, **parameters}).draw([0], np.arange(N))


def operations_of(draws):
    """Return the operations of each image."""
    changed = {part: draws[part] != NEUTRAL[part] for part in PARTS}
    return [{PARTS[part] for part in PARTS if changed[part][i]} for i in range(len(draws))]


@pytest.mark.parametrize("n_operations", [0, 1, 3, 13])
def test_each_image_gets_n_different_operations(n_operations):
    counts = [len(found) for found in operations_of(drawn(n_operations=n_operations))]
    # identity, one of the thirteen, changes nothing
    assert set(counts) <= {n_operations, n_operations - 1}
    assert abs(np.mean(counts) - n_operations * 12 / 13) < 0.05


def test_all_are_chosen_equally_often():
    found = [name for names in operations_of(drawn(n_operations=1)) for name in names]
    shares = [found.count(name) / N for name in OPERATIONS if name != "identity"]
    np.testing.assert_allclose(shares, 1 / 13, atol=0.025)


def test_magnitude_in_both_directions():
    draws = drawn(n_operations=13, magnitude=0.5)
    assert sorted(set(draws["rotation"])) == [-22.5, 22.5]
    assert sorted(set(draws["brightness"])) == [0.55, 1.45]
    assert set(draws["noise"]) == {0.1}
    assert set(draws["erase_width"]) == {0.3}
    assert draws["erase_left"].min() >= 0
    assert (draws["erase_left"] + draws["erase_width"]).max() <= 1
    np.testing.assert_array_equal(draws["zoom_x"], draws["zoom_y"])
    assert len(set(draws["noise_seed"])) == N


def test_only_flips_at_magnitude_zero():
    draws = drawn(magnitude=0, horizontal_flip=True)
    assert abs(draws["flip_x"].mean() - 0.5) < 0.05
    assert all((draws[name] == NEUTRAL[name]).all() for name in NEUTRAL if name != "flip_x")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_operations": 14}, "n_operations must be a whole number from 0 to 13"),
        ({"n_operations": 1.5}, "n_operations must be a whole number"),
        ({"magnitude": 1.1}, "magnitude must be a number of at least 0 and at most 1"),
        ({"magnitude": -0.1}, "magnitude must be a number of at least 0"),
        ({"horizontal_flip": 1}, "horizontal_flip must be True or False"),
        ({"fill_mode": "edge"}, "fill_mode must be one of 'nearest'"),
    ],
)
def test_bad_parameters(noise, parameters, message):
    with pytest.raises(ValueError, match=message):
        RandAugmenter(**parameters).fit(noise)


def test_in_training_and_in_the_sampler(digits):
    X, y = digits[0][:60], digits[1][:60]
    plain = MiniVGGClassifier(**TINY).fit(X, y).predict_proba(X)
    how = {**TINY, "augmentation": RandAugmenter(magnitude=0.2)}
    first = MiniVGGClassifier(**how).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(first, MiniVGGClassifier(**how).fit(X, y).predict_proba(X))
    assert not np.array_equal(first, plain)
    more, _ = ImageOverSampler(RandAugmenter(), 30, random_state=0).fit_resample(X, y)
    assert len(more) == 90

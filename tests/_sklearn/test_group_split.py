"""Whole groups are held out, and the classes are spread evenly."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from skvision._sklearn.group_split import split_by_group

CLASSES = np.array(["cat", "dog"])


def split(targets, groups, fraction, classes=CLASSES, seed=0):
    targets, groups = np.asarray(targets), np.asarray(groups)
    return split_by_group(targets, groups, fraction, classes, seed=seed, option="share=0.5")


@pytest.fixture(autouse=True)
def _every_warning_is_expected():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.5, 0.7])
def test_groups_of_equal_size_give_exact_shares(fraction):
    # 20 groups of 3 cats, 10 groups of 3 dogs
    groups = np.repeat(np.arange(30), 3)
    targets = (groups >= 20).astype(int)
    kept, held_out = split(targets, groups, fraction)
    assert sorted([*kept, *held_out]) == list(range(90))
    assert (np.diff(kept) > 0).all()
    assert not set(groups[kept]) & set(groups[held_out])
    n_cats, n_dogs = np.bincount(targets[held_out])
    assert abs(n_cats - 60 * fraction) <= 3
    assert abs(n_dogs - 30 * fraction) <= 3


def test_the_shares_of_classes_are_kept_if_groups_hold_several():
    # four groups alike: (3 cats, 1 dog) each
    groups = np.repeat(np.arange(4), 4)
    targets = np.tile([0, 0, 0, 1], 4)
    kept, held_out = split(targets, groups, 0.25)
    assert np.bincount(targets[kept]).tolist() == [9, 3]
    assert np.bincount(targets[held_out]).tolist() == [3, 1]


def test_every_class_is_on_both_sides_if_its_groups_allow():
    # one large group of cats and a small one, and the same of dogs
    groups = np.repeat([0, 1, 2, 3], [90, 10, 80, 20])
    targets = np.repeat([0, 0, 1, 1], [90, 10, 80, 20])
    for seed in range(5):
        kept, held_out = split(targets, groups, 0.15, seed=seed)
        assert np.unique(groups[held_out]).tolist() == [1, 3]
        assert np.unique(groups[kept]).tolist() == [0, 2]


def test_the_seed_decides_which_groups_are_held_out():
    groups = np.repeat(np.arange(20), 2)
    targets = groups % 2

    def chosen(seed):
        return split(targets, groups, 0.5, seed=seed)[1].tolist()

    assert chosen(0) == chosen(0)
    assert len({tuple(chosen(seed)) for seed in range(5)}) > 1


def test_names_of_groups_have_no_gaps_to_fill():
    # samples of weight 0 are left out before the split, and their groups with them
    groups = np.repeat([2, 5, 7, 9], 3)
    kept, held_out = split(np.tile([0, 1, 0], 4), groups, 0.25)
    assert len(held_out) == 3
    assert len(kept) == 9


def test_a_class_in_one_group_stays_in_training_with_a_warning():
    groups = [0, 0, 0, 1, 1, 2, 2]
    targets = [0, 0, 0, 1, 1, 1, 1]
    with pytest.warns(UserWarning, match="All images of 'cat' are in one group, so share=0.5"):
        kept, held_out = split(targets, groups, 0.3)
    assert set(kept) >= {0, 1, 2}
    assert len(held_out) == 2


def test_a_class_whose_groups_hold_the_whole_of_another_is_warned_of():
    # dogs are in both groups, but each group has all cats or all foxes too
    classes = np.array(["cat", "dog", "fox", "gnu"])
    groups = [0, 0, 1, 1, 2, 2, 3, 3]
    targets = [0, 1, 2, 1, 3, 3, 3, 3]
    with pytest.warns(UserWarning, match="on both sides|of another class") as seen:
        _, held_out = split(targets, groups, 0.25, classes)
    said = [str(each.message) for each in seen]
    assert "All images of 'cat', 'fox' are in one group" in said[0]
    assert "holds out no images of 'dog'" in said[1]
    assert len(held_out) == 2


def test_a_share_that_groups_cannot_give_is_warned_of():
    groups = np.repeat([0, 1], 10)
    targets = np.tile([0, 1], 10)
    with pytest.warns(UserWarning, match="share=0.5 holds out 50% of the images"):
        _, held_out = split(targets, groups, 0.1)
    assert len(held_out) == 10


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([0, 0, 0, 0], "groups holds one group only"),
        ([0, 0, 1, 1], "each of the 2 groups holds all images of a class"),
    ],
)
def test_groups_of_which_none_can_be_held_out_are_refused(groups, said):
    with pytest.raises(ValueError, match=f"share=0.5 holds out whole groups, but {said}"):
        split([0, 0, 1, 1], groups, 0.5)


def test_classes_are_spread_as_evenly_as_by_scikit_learn():
    ours, theirs = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        _, groups = np.unique(rng.integers(0, 60, 600), return_inverse=True)
        targets = rng.integers(0, 3, groups.max() + 1)[groups]
        _, held_out = split(targets, groups, 0.25, np.arange(3), seed)
        folds = StratifiedGroupKFold(4, shuffle=True, random_state=seed)
        _, fold = next(folds.split(targets, targets, groups))
        for found, part in ((ours, held_out), (theirs, fold)):
            shares = np.bincount(targets[part], minlength=3) / np.bincount(targets)
            found.append(np.abs(shares - 0.25).max())
    assert np.mean(ours) <= np.mean(theirs)
    assert max(ours) < 0.03
